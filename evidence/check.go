package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
)

// CheckStore is what a Checker reads.
type CheckStore interface {
	// Tree is the present state of a log.
	Tree(ctx context.Context, no doorstep.OutletNo) (Tree, error)
	// Logged lists a log's leaves from an index on, with the records that they are
	// of, at most limit. A record that is not there has an empty text.
	Logged(ctx context.Context, no doorstep.OutletNo, from int64, limit int) ([]LoggedRecord, error)
	// Erasures finds records of erasures by their ids.
	Erasures(ctx context.Context, no doorstep.OutletNo, ids []string) (map[string]Record, error)
	// WholeTile reads a whole tile as it is kept, and the hash over it.
	WholeTile(ctx context.Context, no doorstep.OutletNo, level int, n int64) (root tlog.Hash, hashes []byte, err error)
	// Checkpoints lists a log's checkpoints of more than a size, at most limit.
	Checkpoints(ctx context.Context, no doorstep.OutletNo, above int64, limit int) ([]Checkpoint, error)
	// Unlogged gives the id of a record that is not in the log and has not only
	// waited since a time; "" if there is none.
	Unlogged(ctx context.Context, no doorstep.OutletNo, since time.Time) (string, error)
}

// LoggedRecord is a leaf with the record that it is of.
type LoggedRecord struct {
	LoggedLeaf
	Header      Fact // without fields; of no use for a leaf over a head, which has no ID
	Commitments string
	Opening     Opening // without what was erased
	ErasedBy    string  // the record of the last erasure that took values; "" if none did
}

// DisagreementError says where a log and the record differ first.
type DisagreementError struct{ Where, What string }

func (e *DisagreementError) Error() string { return e.Where + ": " + e.What }

const (
	checkPage = 1000

	// LongestUnsealed is how long a record may wait for its place in the log.
	LongestUnsealed = time.Minute
)

// Checker makes a log anew from its records.
type Checker struct {
	Store  CheckStore
	Ledger *Ledger
}

// Check gives a *DisagreementError for the first thing in a log that is not as the
// records, the rest of the log or its checkpoints have it, and says how many
// leaves it went through.
func (c *Checker) Check(ctx context.Context, log Log) (leaves int64, err error) {
	keys := make([]note.Verifier, len(c.Ledger.Keys))
	for i, public := range c.Ledger.Keys.Public() {
		if keys[i], err = note.NewVerifier(public); err != nil {
			return 0, err
		}
	}
	w := &walk{Checker: c, log: log, known: note.VerifierList(keys...), next: Checkpoint{Size: -1}}
	head, err := c.Store.Tree(ctx, log.No)
	if err != nil {
		return 0, err
	}
	for w.tree.Size < head.Size {
		page, err := c.Store.Logged(ctx, log.No, w.tree.Size, int(min(checkPage, head.Size-w.tree.Size)))
		if err != nil {
			return w.tree.Size, err
		}
		if len(page) == 0 {
			return w.tree.Size, w.differs("leaf", "is missing")
		}
		if w.erasures, err = c.Store.Erasures(ctx, log.No, erasedBy(page)); err != nil {
			return w.tree.Size, err
		}
		for _, r := range page {
			if err := w.leaf(ctx, r); err != nil {
				return w.tree.Size, err
			}
		}
	}
	if w.tree.Root() != head.Root() {
		return w.tree.Size, w.differs("head", "is not that of the leaves")
	}
	if err := w.signed(ctx); err != nil {
		return w.tree.Size, err
	}
	if head, err = c.Store.Tree(ctx, log.No); err != nil { // it may have grown meanwhile
		return w.tree.Size, err
	}
	if w.next.Size > head.Size {
		return w.tree.Size, w.differs("head", fmt.Sprintf("there is a checkpoint of %d", w.next.Size))
	}
	record, err := c.Store.Unlogged(ctx, log.No, c.Ledger.Now().Add(-LongestUnsealed))
	if err == nil && record != "" {
		err = &DisagreementError{"record " + record, "is not in the log"}
	}
	return w.tree.Size, err
}

// walk is a check under way.
type walk struct {
	*Checker
	log   Log
	known note.Verifiers
	tree  Tree
	tiles [][]byte   // hashes of the tile that grows, by level
	next  Checkpoint // the first of the tree's size or more, as far as one was looked for
	last  bool       // there is none

	erasures map[string]Record // that took values of the page's records
}

// erasedBy lists the erasures that took values of the records.
func erasedBy(page []LoggedRecord) (ids []string) {
	for _, r := range page {
		if r.ErasedBy != "" {
			ids = append(ids, r.ErasedBy)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (w *walk) differs(noun, what string) error {
	return &DisagreementError{fmt.Sprintf("log %s, %s at %d", w.Ledger.Origin(w.log), noun, w.tree.Size), what}
}

func (w *walk) leaf(ctx context.Context, r LoggedRecord) error {
	if r.Index != w.tree.Size {
		return w.differs("leaf", "is missing")
	}
	if len(r.Text) == 0 {
		return w.differs("leaf", "its record is missing")
	}
	if tlog.RecordHash(r.Text) != r.Hash {
		return w.differs("leaf", "its record has changed")
	}
	if what := r.disagreement(w.erasures); what != "" {
		return w.differs("leaf", what)
	}
	if err := w.signed(ctx); err != nil {
		return err
	}
	hash := r.Hash
	for level, root := range append(w.tree.Append(r.Hash), tlog.Hash{}) {
		if level == len(w.tiles) {
			w.tiles = append(w.tiles, nil)
		}
		w.tiles[level] = append(w.tiles[level], hash[:]...)
		if len(w.tiles[level]) < TileWidth*tlog.HashSize {
			break
		}
		kept, hashes, err := w.Store.WholeTile(ctx, w.log.No, level, w.tree.Size>>(TileHeight*(level+1))-1)
		if err != nil {
			return err
		}
		if kept != root || !bytes.Equal(hashes, w.tiles[level]) {
			return w.differs("tile", "is not that of the leaves")
		}
		hash, w.tiles[level] = root, w.tiles[level][:0]
	}
	return nil
}

// disagreement says what of a record's values and header is not what it committed
// to. What is gone must be named by the record of its erasure.
func (r LoggedRecord) disagreement(erasures map[string]Record) string {
	if r.Header.ID == "" {
		return ""
	}
	gone, committed := r.Opening.Gone(r.Commitments), 0
	for name, sum := range Commitments(r.Commitments) {
		if slices.Contains(gone, name) {
			continue
		}
		if !r.Opening.Gives(name, sum) {
			return "its value of " + name + " has changed"
		}
		committed++
	}
	if len(r.Opening.Values) != committed {
		return "it has a value that it never committed to"
	}
	if len(gone) > 0 && !erasures[r.ErasedBy].Erases(r.Header.ID, gone) {
		return "its value of " + gone[0] + " is gone, and no erasure says so"
	}
	about, ok := r.Opening.Values[AboutField] // older records have none
	if header, err := json.Marshal(r.Header.About()); err != nil || ok && !bytes.Equal(header, about) {
		return "its header has changed"
	}
	return ""
}

// signed holds the tree against the checkpoint of its size, if there is one.
func (w *walk) signed(ctx context.Context) error {
	if !w.last && w.next.Size < w.tree.Size {
		list, err := w.Store.Checkpoints(ctx, w.log.No, max(w.tree.Size-1, 0), 1)
		if err != nil {
			return err
		}
		if w.last = len(list) == 0; !w.last {
			w.next = list[0]
		}
	}
	if w.next.Size != w.tree.Size {
		return nil
	}
	c, err := OpenCheckpoint(w.next.Note, w.known)
	if err != nil || c.Size != w.tree.Size || c.Root != w.tree.Root() || c.Root != w.next.Root || c.Origin != w.Ledger.Origin(w.log) {
		return w.differs("checkpoint", "does not fit the leaves")
	}
	return nil
}
