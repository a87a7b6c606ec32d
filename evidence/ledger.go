package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
)

// LedgerStore is what a Ledger needs kept.
type LedgerStore interface {
	// FindLog finds a log by the carrier's names. Without an outlet it is the
	// company's; without a company, that of the only one there is.
	FindLog(ctx context.Context, company, outlet string) (Log, error)
	// Tree is the present state of a log.
	Tree(ctx context.Context, no doorstep.OutletNo) (Tree, error)
	// Tile gives the first hashes, as many as width, of tile n of a level.
	Tile(ctx context.Context, no doorstep.OutletNo, level int, n int64, width int) ([]byte, error)
	// ForgetTiles drops the hashes that the store keeps in memory.
	ForgetTiles()
	// Checkpoint finds the checkpoint of a size, the newest if size is 0.
	// doorstep.ErrNotFound: there is none.
	Checkpoint(ctx context.Context, no doorstep.OutletNo, size int64) (Checkpoint, error)
	// CheckpointBy finds the newest checkpoint that was made by a time.
	CheckpointBy(ctx context.Context, no doorstep.OutletNo, at time.Time) (Checkpoint, error)
	// AddCheckpoint keeps a checkpoint and gives the one that is kept: of two of
	// one size the first.
	AddCheckpoint(ctx context.Context, no doorstep.OutletNo, c Checkpoint) (Checkpoint, error)
	// LoggedLeaf finds a leaf by its record's id.
	LoggedLeaf(ctx context.Context, no doorstep.OutletNo, record string) (LoggedLeaf, error)
	// Heads lists the newest heads of a company's outlets in its log, by the
	// outlets' numbers and behind one of them.
	Heads(ctx context.Context, company doorstep.CompanyNo, after doorstep.OutletNo, limit int) ([]Head, error)
}

// LoggedLeaf is a leaf as the log has it.
type LoggedLeaf struct {
	Index int64
	Hash  tlog.Hash
	Text  []byte // made anew from the record
}

// Key signs logs. Public is what a reader needs, as note.NewVerifier takes it.
type Key struct {
	note.Signer
	Public string
}

// Keys are those that ever signed, the newest first, all of one name.
type Keys []Key

// Name is what the keys are called, and the logs after them.
func (k Keys) Name() string { return k[0].Name() }

// Public lists what readers need of each.
func (k Keys) Public() []string {
	list := make([]string, len(k))
	for i, key := range k {
		list[i] = key.Public
	}
	return list
}

// Signers are those that sign: the newest, and the one before, so that a reader
// who has only that can follow.
func (k Keys) Signers() (list []note.Signer) {
	for _, key := range k.Signing() {
		list = append(list, key)
	}
	return list
}

// Signing are the keys of the Signers.
func (k Keys) Signing() Keys { return k[:min(2, len(k))] }

// Ledger shows logs: their checkpoints, and proofs that they hold a record and
// that they only grew.
type Ledger struct {
	Store LedgerStore
	Keys  Keys
	Now   func() time.Time
}

// Find finds a log by the carrier's names. Without an outlet it is the company's;
// without a company, that of the only one there is.
func (l *Ledger) Find(ctx context.Context, company, outlet string) (Log, error) {
	return l.Store.FindLog(ctx, company, outlet)
}

// Heads lists what a company's log has last of each outlet's, by the outlets'
// numbers and behind one of them.
func (l *Ledger) Heads(ctx context.Context, company Log, after doorstep.OutletNo, limit int) ([]Head, error) {
	return l.Store.Heads(ctx, company.No, after, limit)
}

// Origin names a log in its checkpoints.
func (l *Ledger) Origin(log Log) string { return Origin(l.Keys.Name(), log.Company, log.Outlet) }

// Checkpoint is the newest state of a log, signed now if it has grown since the
// last one.
func (l *Ledger) Checkpoint(ctx context.Context, log Log) (Checkpoint, error) {
	// Before the tree: read behind it, the checkpoint could be one that somebody made
	// in between, and the log would seem to have shrunk.
	c, err := l.Store.Checkpoint(ctx, log.No, 0)
	signed := err == nil
	if err != nil && !errors.Is(err, doorstep.ErrNotFound) {
		return c, err
	}
	tree, err := l.Store.Tree(ctx, log.No)
	switch {
	case err != nil:
		return c, err
	case signed && c.Size > tree.Size:
		return c, fmt.Errorf("log %d: %d leaves, and a checkpoint of %d", log.No, tree.Size, c.Size)
	case !signed || c.Size < tree.Size:
		c = Checkpoint{Size: tree.Size, Root: tree.Root(), CreatedAt: l.Now()}
		if c.Note, err = SignCheckpoint(l.Origin(log), c.Size, c.Root, l.Keys.Signers()...); err != nil {
			return c, err
		}
		if c, err = l.Store.AddCheckpoint(ctx, log.No, c); err != nil {
			return c, err
		}
	}
	c.Origin = l.Origin(log)
	return c, nil
}

// checkpointAt is the checkpoint of a size that somebody asked for, the newest if
// it is 0.
func (l *Ledger) checkpointAt(ctx context.Context, log Log, pointer string, size int64) (Checkpoint, error) {
	if size == 0 {
		return l.Checkpoint(ctx, log)
	}
	c, err := l.Store.Checkpoint(ctx, log.No, size)
	if errors.Is(err, doorstep.ErrNotFound) {
		return c, ErrSize(pointer)
	}
	c.Origin = l.Origin(log)
	return c, err
}

// checkpointBy is the newest checkpoint that was made by a time.
func (l *Ledger) checkpointBy(ctx context.Context, log Log, at time.Time) (Checkpoint, error) {
	c, err := l.Store.CheckpointBy(ctx, log.No, at)
	c.Origin = l.Origin(log)
	return c, err
}

// ErrSize refuses a size that a log never had, or one behind the checkpoint that it
// is asked of.
func ErrSize(pointer string) error {
	var checks doorstep.Checks
	checks.Add(pointer, "unknown_size", "must be the size of a checkpoint of this log, no smaller than what is asked about")
	return checks.Err()
}

// RecordProof is the proof of a record's leaf, with what it is about.
type RecordProof struct {
	Inclusion
	Size int64
	Leaf []byte
}

// Inclusion proves that a log has a record's leaf, against the checkpoint of a
// size, the newest if it is 0. A log that does not hold together gives an error,
// never a proof that fails.
func (l *Ledger) Inclusion(ctx context.Context, log Log, record string, size int64) (p RecordProof, err error) {
	leaf, err := l.Store.LoggedLeaf(ctx, log.No, record)
	if err != nil {
		return p, err
	}
	c, err := l.checkpointAt(ctx, log, "/size", size)
	if err != nil {
		return p, err
	}
	if leaf.Index >= c.Size {
		return p, ErrSize("/size")
	}
	if tlog.RecordHash(leaf.Text) != leaf.Hash {
		return p, fmt.Errorf("log %d: leaf %d: the record has changed", log.No, leaf.Index)
	}
	var hashes tlog.RecordProof
	err = l.prove(ctx, log.No, func(tiles hashReader) error {
		if hashes, err = tlog.ProveRecord(c.Size, leaf.Index, tiles); err != nil {
			return err
		}
		return tlog.CheckRecord(hashes, c.Size, c.Root, leaf.Index, leaf.Hash)
	})
	if err != nil {
		return p, fmt.Errorf("log %d: leaf %d: %w", log.No, leaf.Index, err)
	}
	return RecordProof{Inclusion{leaf.Index, hashes, c.Note}, c.Size, leaf.Text}, nil
}

// Consistency proves that a log as it was at size from is the beginning of what it
// was at the checkpoint of size to, the newest if it is 0.
func (l *Ledger) Consistency(ctx context.Context, log Log, from, to int64) (tlog.TreeProof, Checkpoint, error) {
	c, err := l.checkpointAt(ctx, log, "/to", to)
	if err != nil {
		return nil, c, err
	}
	if from > c.Size {
		return nil, c, ErrSize("/from")
	}
	var proof tlog.TreeProof
	err = l.prove(ctx, log.No, func(tiles hashReader) error {
		old, err := tlog.TreeHash(from, tiles)
		if err != nil {
			return err
		}
		if proof, err = tlog.ProveTree(c.Size, from, tiles); err != nil {
			return err
		}
		return tlog.CheckTree(proof, c.Size, c.Root, from, old)
	})
	if err != nil {
		return nil, c, fmt.Errorf("log %d: from %d to %d: %w", log.No, from, c.Size, err)
	}
	return proof, c, nil
}

// prove makes a proof. If that fails it is made again from what is stored:
// hashes that were kept may be of a log that was rebuilt since, and whoever holds
// a checkpoint of that one must be shown the new one, and no error, to find it out.
func (l *Ledger) prove(ctx context.Context, no doorstep.OutletNo, proof func(hashReader) error) error {
	err := proof(l.hashes(ctx, no))
	if err != nil && ctx.Err() == nil {
		l.Store.ForgetTiles()
		err = proof(l.hashes(ctx, no))
	}
	return err
}

// hashes reads a log's hashes.
func (l *Ledger) hashes(ctx context.Context, no doorstep.OutletNo) hashReader {
	return hashReader{func(level int, n int64, width int) ([]byte, error) {
		return l.Store.Tile(ctx, no, level, n, width)
	}}
}
