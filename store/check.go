package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// loggedRow is a leaf and what is there of its record.
type loggedRow struct {
	leafRow
	Record      string `db:"record_id"`
	Kind        sql.NullString
	Source      sql.NullString
	CourierNo   sql.NullInt64 `db:"courier_no"`
	Waybill     sql.NullString
	ComplaintID sql.NullString `db:"complaint_id"`
	OccurredMS  sql.NullInt64  `db:"occurred_at_ms"`
	ReceivedMS  sql.NullInt64  `db:"received_at_ms"`
	ClientID    sql.NullString `db:"client_id"`
	Commitments sql.NullString
	Body        []byte
	ErasedBy    sql.NullString `db:"erased_by"`
}

// Logged lists a log's leaves from an index on, with the records that they are of.
func (db *DB) Logged(ctx context.Context, no doorstep.OutletNo, from int64, limit int) ([]evidence.LoggedRecord, error) {
	var rows []loggedRow
	err := db.list(ctx, &rows, `select l.seq, l.hash, l.text, l.record_id, e.kind, e.source, e.courier_no, e.waybill, e.complaint_id,
  e.occurred_at_ms, e.received_at_ms, e.client_id, e.commitments, v.body, v.erased_by
from log_leaf l
left join evidence e on e.outlet_no = l.outlet_no and e.id = l.record_id
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where l.outlet_no = ? and l.seq >= ? order by l.seq limit ?`, no, from, limit)
	if err != nil {
		return nil, fmt.Errorf("logged records: %w", err)
	}
	list := make([]evidence.LoggedRecord, len(rows))
	for i, r := range rows {
		if list[i], err = db.logged(no, r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (db *DB) logged(no doorstep.OutletNo, r loggedRow) (l evidence.LoggedRecord, err error) {
	if l.LoggedLeaf, err = r.leaf(); err != nil || r.Text.Valid || !r.Kind.Valid {
		return l, err
	}
	l.Commitments, l.ErasedBy = r.Commitments.String, r.ErasedBy.String
	l.Header = evidence.Fact{
		ID: r.Record, Outlet: no, Kind: evidence.Kind(r.Kind.String), Source: evidence.Source(r.Source.String),
		CourierNo: r.CourierNo.Int64, Waybill: doorstep.Waybill(r.Waybill.String), ComplaintID: r.ComplaintID.String,
		OccurredAt: fromNullMS(r.OccurredMS), ReceivedAt: fromNullMS(r.ReceivedMS), ClientID: r.ClientID.String,
	}
	l.Text = evidence.Leaf{ID: r.Record, Kind: l.Header.Kind, ReceivedAt: l.Header.ReceivedAt, Commitments: l.Commitments}.Text()
	if r.Body == nil { // erased
		return l, nil
	}
	plain, err := db.vault.Open(r.Body, valuePlace(no, r.Record))
	if err == nil {
		err = json.Unmarshal(plain, &l.Opening)
	}
	if err != nil { // whoever changed it has no key
		l.Opening = evidence.Opening{Values: map[string]json.RawMessage{}}
	}
	return l, nil
}

// Erasures finds records of erasures by their ids.
func (db *DB) Erasures(ctx context.Context, no doorstep.OutletNo, ids []string) (map[string]evidence.Record, error) {
	found := make(map[string]evidence.Record, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var rows []caseRow
	err := db.list(ctx, &rows, `select e.id, e.kind, e.received_at_ms, e.commitments, v.body from evidence e
join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where e.outlet_no = ? and e.id`+db.inList+` and e.kind = 'erasure' and v.body is not null`, no, db.asList(ids))
	if err != nil {
		return nil, fmt.Errorf("erasures: %w", err)
	}
	for _, r := range rows {
		opening, err := db.openValues(no, r.ID, r.Body)
		if err != nil { // it was changed: then it erases nothing
			continue
		}
		found[r.ID] = evidence.ReadRecord(r.leaf(), evidence.Disclosure{Opening: opening})
	}
	return found, nil
}

// WholeTile reads a whole tile as it is kept, and the hash over it. Of one that is
// not there both are empty.
func (db *DB) WholeTile(ctx context.Context, no doorstep.OutletNo, level int, n int64) (root tlog.Hash, hashes []byte, err error) {
	var row struct{ Root, Hashes []byte }
	err = db.get(ctx, &row, `select root, hashes from log_tile where outlet_no = ? and level = ? and n = ?`, no, level, n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return root, nil, fmt.Errorf("tile: %w", err)
	}
	copy(root[:], row.Root)
	return root, row.Hashes, nil
}

// Checkpoints lists a log's checkpoints of more than a size.
func (db *DB) Checkpoints(ctx context.Context, no doorstep.OutletNo, above int64, limit int) ([]evidence.Checkpoint, error) {
	var rows []checkpointRow
	if err := db.list(ctx, &rows, selectCheckpoint+` and size > ? order by size limit ?`, no, above, limit); err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	list := make([]evidence.Checkpoint, len(rows))
	for i, r := range rows {
		var err error
		if list[i], err = r.checkpoint(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Unlogged gives the id of a record that is not in the log and has not only waited
// since a time; "" if there is none. One statement sees the queue and the log as
// they were at one moment.
func (db *DB) Unlogged(ctx context.Context, no doorstep.OutletNo, since time.Time) (id string, err error) {
	err = db.get(ctx, &id, `select e.id from evidence e where e.outlet_no = ?
and not exists (select 1 from log_leaf l where l.outlet_no = e.outlet_no and l.record_id = e.id)
and not exists (select 1 from seal_queue q where q.outlet_no = e.outlet_no and q.at_ms >= ? and q.record_ids like '%' || e.id || '%')
order by e.id limit 1`, no, ms(since))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

var _ evidence.CheckStore = (*DB)(nil)
