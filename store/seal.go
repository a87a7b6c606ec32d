package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// queuedRecords bounds a row of the queue, and with it the transaction that seals
// it: on SQLite everybody's writes wait for that.
const queuedRecords = 500

// queueForLog puts the facts' leaves where the sealer finds them, a row an outlet:
// nothing can be acknowledged and then be missing from the log.
func queueForLog(tx *Tx, facts []sealedFact) error {
	if len(facts) == 0 {
		return nil
	}
	byOutlet := map[doorstep.OutletNo][]sealedFact{}
	var outlets []doorstep.OutletNo
	for _, f := range facts {
		if byOutlet[f.Outlet] == nil {
			outlets = append(outlets, f.Outlet)
		}
		byOutlet[f.Outlet] = append(byOutlet[f.Outlet], f)
	}
	var rows [][]any
	for _, outlet := range outlets {
		for chunk := range slices.Chunk(byOutlet[outlet], queuedRecords) {
			ids, hashes := make([]string, len(chunk)), make([]byte, 0, len(chunk)*tlog.HashSize)
			for i, f := range chunk {
				ids[i], hashes = f.ID, append(hashes, f.leaf[:]...)
			}
			rows = append(rows, []any{int64(outlet), ids[0], ms(chunk[0].sealedAt), strings.Join(ids, "\n"), hashes})
		}
	}
	if err := tx.insert(`insert into seal_queue (outlet_no, id, at_ms, record_ids, hashes)`, "", rows); err != nil {
		return fmt.Errorf("queue for the log: %w", err)
	}
	tx.afterCommit(func() { tx.tell(News{Records: true}) })
	return nil
}

// unsealedOutlets finds the outlets with something in the queue, one look into its
// key for each: what waits may be millions of rows, after a migration.
const unsealedOutlets = `with recursive waiting(no) as (
  select min(outlet_no) from seal_queue
  union all
  select (select min(outlet_no) from seal_queue where outlet_no > waiting.no) from waiting where waiting.no is not null)
select `

// UnsealedOutlets lists outlets with records that are committed and not in their
// logs.
func (db *DB) UnsealedOutlets(ctx context.Context) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, unsealedOutlets+`no from waiting where no is not null`)
	return list, err
}

// OldestUnsealed is since when records have waited for their place in a log: the
// zero time if none waits.
func (db *DB) OldestUnsealed(ctx context.Context) (time.Time, error) {
	var oldest sql.NullInt64
	err := db.get(ctx, &oldest, unsealedOutlets+`min((select at_ms from seal_queue q where q.outlet_no = waiting.no order by q.id limit 1))
from waiting`)
	return fromNullMS(oldest), err
}

type queueRow struct {
	ID        string
	RecordIDs string `db:"record_ids"`
	Hashes    []byte
}

// leaf is one that goes to the end of a log.
type leaf struct {
	record string
	hash   tlog.Hash
	text   string // of a leaf over an outlet's head
}

// Seal moves records of an outlet, about as many as limit and the oldest first,
// to the end of its log, in one transaction, and says how many. The lock of the
// head's row is the lease: held means that another has it.
func (db *DB) Seal(ctx context.Context, outlet doorstep.OutletNo, limit int) (n int, held bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n, held = 0, false
		head, err := db.holdLog(tx, outlet)
		if err != nil || head == nil {
			held = head == nil
			return err
		}
		leaves, done, err := db.unqueue(tx, outlet, limit)
		if err != nil || len(leaves) == 0 {
			return err
		}
		if err := head.append(tx, leaves); err != nil {
			return err
		}
		gone, err := tx.changed(`delete from seal_queue where outlet_no = ? and id`+db.inList, outlet, db.asList(done))
		if err != nil {
			return err
		}
		if gone != int64(len(done)) {
			return errLeaseLost
		}
		n = len(leaves)
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("seal: %w", err)
	}
	return n, held, nil
}

var errLeaseLost = errors.New("somebody else has grown this log meanwhile")

// firstRows are read of a queue before anybody knows how many records its rows
// have: one, of calls that come one by one, to queuedRecords.
const firstRows = 16

// unqueue reads the leaves at the front of an outlet's queue, about as many as
// limit, and the ids of their rows.
func (db *DB) unqueue(tx *Tx, outlet doorstep.OutletNo, limit int) (leaves []leaf, done []string, err error) {
	after := ""
	for page := min(firstRows, limit); len(leaves) < limit; page = max(1, (limit-len(leaves))*len(done)/len(leaves)) {
		var rows []queueRow
		err := tx.list(&rows, `select id, record_ids, hashes from seal_queue where outlet_no = ? and id > ? order by id limit ?`, outlet, after, page)
		if err != nil || len(rows) == 0 {
			return leaves, done, err
		}
		old, err := db.oldLeaves(tx, outlet, rows)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range rows {
			if len(leaves) >= limit {
				break
			}
			more := old[r.RecordIDs]
			if more == nil {
				if more, err = r.leaves(); err != nil {
					return nil, nil, err
				}
			}
			leaves, done, after = append(leaves, more...), append(done, r.ID), r.ID
		}
		if len(rows) < page {
			break
		}
	}
	return leaves, done, nil
}

// leaves reads a row of the queue that has its hashes.
func (r queueRow) leaves() ([]leaf, error) {
	ids := strings.Split(r.RecordIDs, "\n")
	list := make([]leaf, len(ids))
	hashes, err := splitHashes(r.Hashes)
	if err != nil || len(hashes) != len(ids) {
		return nil, fmt.Errorf("queue for the log %s: %d records and %d bytes of hashes", r.ID, len(ids), len(r.Hashes))
	}
	for i, id := range ids {
		list[i] = leaf{record: id, hash: hashes[i]}
	}
	return list, nil
}

// oldLeaves makes the leaves of rows without hashes, by their records.
func (db *DB) oldLeaves(tx *Tx, outlet doorstep.OutletNo, rows []queueRow) (map[string][]leaf, error) {
	var ids []string
	for _, r := range rows {
		if r.Hashes == nil {
			ids = append(ids, r.RecordIDs)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var headers []headerRow
	if err := tx.list(&headers, selectHeader+db.inList, outlet, db.asList(ids)); err != nil {
		return nil, err
	}
	if len(headers) != len(ids) {
		return nil, fmt.Errorf("queue for the log: %d of %d records are there", len(headers), len(ids))
	}
	leaves := make(map[string][]leaf, len(ids))
	for _, h := range headers {
		leaves[h.ID] = []leaf{{record: h.ID, hash: h.leaf().Hash()}}
	}
	return leaves, nil
}

// logHead is the end of a log whose lease the transaction has.
type logHead struct {
	dialect dialect
	no      doorstep.OutletNo
	tree    evidence.Tree
}

// leaseTime is how long a node may sit still in the middle of growing a log. On
// PostgreSQL its transaction is ended then, so that a frozen node loses the lease
// and cannot commit when it wakes.
const leaseTime = 3 * time.Second

// holdLog takes the lease of a log, for this transaction: nil if another has it.
func (db *DB) holdLog(tx *Tx, no doorstep.OutletNo) (*logHead, error) {
	if db.name == postgres.name {
		if err := tx.exec(fmt.Sprintf(`set local idle_in_transaction_session_timeout = %d`, leaseTime.Milliseconds())); err != nil {
			return nil, err
		}
	}
	if err := tx.exec(`insert into log_head (outlet_no, size, subtrees) values (?, 0, ?) on conflict (outlet_no) do nothing`, no, []byte{}); err != nil {
		return nil, err
	}
	var row headRow
	err := tx.get(&row, selectHead+db.skipLocked, no)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tree, err := row.tree()
	return &logHead{db.dialect, no, tree}, err
}

const selectHead = `select size, subtrees from log_head where outlet_no = ?`

type headRow struct {
	Size     int64
	Subtrees []byte
}

func (r headRow) tree() (evidence.Tree, error) {
	subtrees, err := splitHashes(r.Subtrees)
	return evidence.Tree{Size: r.Size, Subtrees: subtrees}, err
}

// tileRow is a tile that a leaf has completed.
type tileRow struct {
	level int
	n     int64
	root  tlog.Hash
}

// append writes leaves behind the end of the log, the tiles that they complete,
// and the new end.
func (h *logHead) append(tx *Tx, leaves []leaf) error {
	old := h.tree.Size
	rows := make([][]any, len(leaves))
	var tiles []tileRow
	for i, l := range leaves {
		rows[i] = []any{int64(h.no), h.tree.Size, l.record, l.hash[:], nullIf(l.text, "")}
		for level, root := range h.tree.Append(l.hash) {
			tiles = append(tiles, tileRow{level, h.tree.Size>>(evidence.TileHeight*(level+1)) - 1, root})
		}
	}
	if err := tx.insert(`insert into log_leaf (outlet_no, seq, record_id, hash, text)`, "", rows); err != nil {
		return fmt.Errorf("leaves: %w", err)
	}
	for _, t := range tiles {
		hashes, err := h.dialect.edge(tx.get, tilePlace{h.no, t.level, t.n}, 0, evidence.TileWidth)
		if err != nil {
			return err
		}
		err = tx.exec(`insert into log_tile (outlet_no, level, n, root, hashes) values (?, ?, ?, ?, ?)`, h.no, t.level, t.n, t.root[:], hashes)
		if err != nil {
			return fmt.Errorf("tile: %w", err)
		}
	}
	grown, err := tx.changed(`update log_head set size = ?, subtrees = ? where outlet_no = ? and size = ?`,
		h.tree.Size, joinHashes(h.tree.Subtrees), h.no, old)
	if err != nil {
		return err
	}
	if grown != 1 {
		return errLeaseLost
	}
	return nil
}

func joinHashes(list []tlog.Hash) []byte {
	joined := make([]byte, 0, len(list)*tlog.HashSize)
	for _, h := range list {
		joined = append(joined, h[:]...)
	}
	return joined
}

func splitHashes(joined []byte) ([]tlog.Hash, error) {
	if len(joined)%tlog.HashSize != 0 {
		return nil, errors.New("not a list of hashes")
	}
	list := make([]tlog.Hash, 0, len(joined)/tlog.HashSize)
	for h := range slices.Chunk(joined, tlog.HashSize) {
		list = append(list, tlog.Hash(h))
	}
	return list, nil
}
