package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// LogKeys are those of the key set.
func (db *DB) LogKeys() evidence.Keys {
	keys := make(evidence.Keys, len(db.vault.LogKeys()))
	for i, k := range db.vault.LogKeys() {
		keys[i] = evidence.Key(k)
	}
	return keys
}

// FindLog finds a log by the carrier's names. Without an outlet it is the
// company's; without a company, that of the only one there is.
func (db *DB) FindLog(ctx context.Context, company, outlet string) (evidence.Log, error) {
	log := evidence.Log{Company: company, Outlet: outlet}
	var companies []struct {
		No   doorstep.CompanyNo
		Name string
	}
	if err := db.list(ctx, &companies, `select no, name from company where name = ? or ? = '' order by no limit 2`, company, company); err != nil {
		return log, fmt.Errorf("log: %w", err)
	}
	if len(companies) > 1 {
		var checks doorstep.Checks
		checks.Add("/company", "required", "more than one company runs here")
		return log, checks.Err()
	}
	if len(companies) == 0 {
		return log, doorstep.NotFound("company", company)
	}
	log.No, log.Company = companies[0].No, companies[0].Name
	if outlet == "" {
		return log, nil
	}
	err := db.get(ctx, &log.No, `select no from outlet where company_no = ? and id = ?`, companies[0].No, outlet)
	return log, notThere(err, "outlet", outlet)
}

// Tree is the present state of a log.
func (db *DB) Tree(ctx context.Context, no doorstep.OutletNo) (evidence.Tree, error) {
	var row headRow
	err := db.get(ctx, &row, selectHead, no)
	if errors.Is(err, sql.ErrNoRows) {
		return evidence.Tree{}, nil
	}
	if err != nil {
		return evidence.Tree{}, fmt.Errorf("log %d: %w", no, err)
	}
	return row.tree()
}

type checkpointRow struct {
	Size      int64
	Root      []byte
	Note      string
	CreatedMS int64 `db:"created_at_ms"`
}

func (r checkpointRow) checkpoint() (evidence.Checkpoint, error) {
	if len(r.Root) != tlog.HashSize {
		return evidence.Checkpoint{}, fmt.Errorf("checkpoint of %d: its root is no hash", r.Size)
	}
	return evidence.Checkpoint{Size: r.Size, Root: tlog.Hash(r.Root), Note: r.Note, CreatedAt: fromMS(r.CreatedMS)}, nil
}

const selectCheckpoint = `select size, root, note, created_at_ms from log_checkpoint where outlet_no = ?`

// Checkpoint finds the checkpoint of a size, the newest if size is 0.
func (db *DB) Checkpoint(ctx context.Context, no doorstep.OutletNo, size int64) (evidence.Checkpoint, error) {
	var row checkpointRow
	var err error
	if size == 0 {
		err = db.get(ctx, &row, selectCheckpoint+` order by size desc limit 1`, no)
	} else {
		err = db.get(ctx, &row, selectCheckpoint+` and size = ?`, no, size)
	}
	if err != nil {
		return evidence.Checkpoint{}, notThere(err, "checkpoint of log", strconv.FormatInt(int64(no), 10))
	}
	return row.checkpoint()
}

// CheckpointBy finds the newest checkpoint that was made by a time.
func (db *DB) CheckpointBy(ctx context.Context, no doorstep.OutletNo, at time.Time) (evidence.Checkpoint, error) {
	var row checkpointRow
	if err := db.get(ctx, &row, selectCheckpoint+` and created_at_ms <= ? order by size desc limit 1`, no, ms(at)); err != nil {
		return evidence.Checkpoint{}, notThere(err, "checkpoint of log", strconv.FormatInt(int64(no), 10))
	}
	return row.checkpoint()
}

// AddCheckpoint keeps a checkpoint and gives the one that is kept: of two of one
// size the first.
func (db *DB) AddCheckpoint(ctx context.Context, no doorstep.OutletNo, c evidence.Checkpoint) (kept evidence.Checkpoint, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		err := tx.exec(`insert into log_checkpoint (outlet_no, size, root, note, created_at_ms) values (?, ?, ?, ?, ?)
on conflict (outlet_no, size) do nothing`, no, c.Size, c.Root[:], c.Note, ms(c.CreatedAt))
		if err != nil {
			return err
		}
		var row checkpointRow
		if err := tx.get(&row, selectCheckpoint+` and size = ?`, no, c.Size); err != nil {
			return err
		}
		kept, err = row.checkpoint()
		return err
	})
	if err != nil {
		return kept, fmt.Errorf("checkpoint: %w", err)
	}
	if kept.Root != c.Root {
		return kept, fmt.Errorf("log %d: a checkpoint of size %d has another root", no, c.Size)
	}
	return kept, nil
}

// headerRow is what a record's leaf is made of.
type headerRow struct {
	ID          string
	Kind        evidence.Kind
	ReceivedMS  int64 `db:"received_at_ms"`
	Commitments string
}

func (r headerRow) leaf() evidence.Leaf {
	return evidence.Leaf{ID: r.ID, Kind: r.Kind, ReceivedAt: fromMS(r.ReceivedMS), Commitments: r.Commitments}
}

const selectHeader = `select id, kind, received_at_ms, commitments from evidence where outlet_no = ? and id`

func readHeader(get getter, outlet doorstep.OutletNo, id string) (row headerRow, err error) {
	err = get(&row, selectHeader+` = ?`, outlet, id)
	return row, notThere(err, "record", id)
}

// leafRow is a leaf as the log keeps it.
type leafRow struct {
	Seq  int64
	Hash []byte
	Text sql.NullString
}

func (r leafRow) leaf() (evidence.LoggedLeaf, error) {
	if len(r.Hash) != tlog.HashSize {
		return evidence.LoggedLeaf{}, fmt.Errorf("leaf %d has no hash", r.Seq)
	}
	return evidence.LoggedLeaf{Index: r.Seq, Hash: tlog.Hash(r.Hash), Text: []byte(r.Text.String)}, nil
}

// LoggedLeaf finds a leaf by its record's id.
func (db *DB) LoggedLeaf(ctx context.Context, no doorstep.OutletNo, record string) (l evidence.LoggedLeaf, err error) {
	get := db.getter(ctx)
	var row leafRow
	if err := get(&row, `select seq, hash, text from log_leaf where outlet_no = ? and record_id = ?`, no, record); err != nil {
		return l, notThere(err, "logged record", record)
	}
	if l, err = row.leaf(); err != nil || row.Text.Valid {
		return l, err
	}
	header, err := readHeader(get, no, record)
	if err != nil {
		return l, fmt.Errorf("leaf %d: %w", row.Seq, err)
	}
	l.Text = header.leaf().Text()
	return l, nil
}
