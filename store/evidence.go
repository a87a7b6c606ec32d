package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
	"doorstep/vault"
)

// sealedFact is a fact ready to be written: committed, and its values sealed.
type sealedFact struct {
	evidence.Fact
	sealedAt    time.Time
	commitments string
	leaf        tlog.Hash
	body        []byte
	photo       string // the keyed hash of the photo that it declares
	digest      string // of what a phone uploaded, to tell a repeat from a forgery
}

// sealFacts does the slow part of writing facts, before any transaction begins.
func (db *DB) sealFacts(facts []evidence.Fact) ([]sealedFact, error) {
	sealed, now := make([]sealedFact, len(facts)), db.now()
	for i, f := range facts {
		commitments, opening, err := evidence.Commit(f.Committed(), rand.Reader)
		if err != nil {
			return nil, err
		}
		body, err := db.vault.Seal(opening, valuePlace(f.Outlet, f.ID))
		if err != nil {
			return nil, err
		}
		leaf := evidence.Leaf{ID: f.ID, Kind: f.Kind, ReceivedAt: f.ReceivedAt, Commitments: commitments}
		sealed[i] = sealedFact{Fact: f, sealedAt: now, commitments: commitments, leaf: leaf.Hash(), body: body}
		if hash := f.Photo(); hash != "" {
			sealed[i].photo = db.photoHash(hash)
		}
		if f.ClientID != "" {
			if sealed[i].digest, err = db.digest(f); err != nil {
				return nil, err
			}
		}
	}
	return sealed, nil
}

// digest is of what a phone sent, to tell a repeat from other content.
func (db *DB) digest(f evidence.Fact) (string, error) {
	content, err := json.Marshal([]any{f.Kind, f.Waybill, ms(f.OccurredAt), f.Fields})
	if err != nil {
		return "", err
	}
	return db.vault.Hash("upload", string(content)), nil
}

func valuePlace(outlet doorstep.OutletNo, id string) vault.Place {
	return vault.Place{Table: "evidence_value", Column: "body", Row: strconv.FormatInt(int64(outlet), 10) + "|" + id}
}

const insertEvidence = `insert into evidence (outlet_no, id, kind, source, courier_no, waybill, complaint_id, occurred_at_ms, received_at_ms, client_id, client_digest, commitments)`

// row is of plain types: drivers turn others into them one by one.
func (f sealedFact) row() []any {
	return []any{
		int64(f.Outlet), f.ID, string(f.Kind), string(f.Source), nullIf(f.CourierNo, 0), nullIf(string(f.Waybill), ""), nullIf(f.ComplaintID, ""),
		ms(f.OccurredAt), ms(f.ReceivedAt), nullIf(f.ClientID, ""), nullIf(f.digest, ""), f.commitments,
	}
}

// nullIf is null for the value that means "none".
func nullIf[T comparable](v, none T) any {
	if v == none {
		return nil
	}
	return v
}

// addFacts writes facts of the server's own: their ids are new.
func addFacts(tx *Tx, facts []sealedFact) error {
	rows := make([][]any, len(facts))
	for i, f := range facts {
		rows[i] = f.row()
	}
	return writeFacts(tx, facts, rows, "", nil)
}

// writeFacts is the one way into the record: with the headers go what opens their
// commitments, the photos that they declare and their places in the queue of the
// log. conflict ends the insert
// of headers; if it left some out, written says which are there.
func writeFacts(tx *Tx, facts []sealedFact, headers [][]any, conflict string, written func() ([]sealedFact, error)) error {
	fresh := int64(0)
	err := tx.bulk(insertEvidence, conflict, headers, func(query string, args ...any) error {
		n, err := tx.changed(query, args...)
		fresh += n
		return err
	})
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if fresh != int64(len(facts)) {
		if facts, err = written(); err != nil {
			return err
		}
	}
	values := make([][]any, len(facts))
	for i, f := range facts {
		values[i] = []any{int64(f.Outlet), f.ID, f.body}
	}
	if err := tx.insert(`insert into evidence_value (outlet_no, record_id, body)`, "", values); err != nil {
		return fmt.Errorf("evidence values: %w", err)
	}
	if err := addPhotoRecords(tx, facts); err != nil {
		return err
	}
	return queueForLog(tx, facts)
}

// pushRecords finds the records of the pushes that told of a parcel: of every
// version of its alerts, the first and those that carried it again. One push tells of many parcels, so
// its record names none; it has its delivery's id.
func (db *DB) pushRecords(ctx context.Context, outlets []int64, w doorstep.Waybill) ([]string, error) {
	ids := []string{}
	list := db.asList(outlets)
	err := db.list(ctx, &ids, `with recursive told (outlet_no, alert_id) as (
  select outlet_no, coalesce(revised_alert_id, alert_id) from dispatch where outlet_no`+db.inList+` and waybill = ?
  union
  select a.outlet_no, a.supersedes from told join alert a on a.outlet_no = told.outlet_no and a.id = told.alert_id)
select d.id from told
join alert a on a.outlet_no = told.outlet_no and a.id = told.alert_id
join delivery d on d.outlet_no = a.outlet_no and d.push_id = a.push_id
union
select d.id from told
join push_alert c on c.outlet_no = told.outlet_no and c.alert_id = told.alert_id
join delivery d on d.outlet_no = c.outlet_no and d.push_id = c.push_id`, list, w)
	if err != nil {
		return nil, fmt.Errorf("pushes of a parcel: %w", err)
	}
	return ids, nil
}

type evidenceRow struct {
	Outlet      doorstep.OutletNo `db:"outlet_no"`
	ID          string
	Kind        evidence.Kind
	Source      evidence.Source
	CourierID   sql.NullString `db:"courier_id"`
	Waybill     sql.NullString
	ComplaintID sql.NullString `db:"complaint_id"`
	OccurredMS  int64          `db:"occurred_at_ms"`
	ReceivedMS  int64          `db:"received_at_ms"`
	ClientID    sql.NullString `db:"client_id"`
	Body        []byte
	Photo       evidence.PhotoState
}

// Evidence lists records that the caller may read, the newest first.
func (db *DB) Evidence(ctx context.Context, a doorstep.Actor, q evidence.Query) ([]evidence.Item, error) {
	outlets, err := db.reach(ctx, a)
	if err != nil || len(outlets) == 0 {
		return nil, err
	}
	where := db.ofOutlets("e.outlet_no", outlets)
	if q.ComplaintID != "" { // a complaint's records are its parcel's
		var parcel struct {
			Outlet  doorstep.OutletNo `db:"outlet_no"`
			Waybill doorstep.Waybill
		}
		err := db.get(ctx, &parcel, `select outlet_no, waybill from complaint where id = ? and outlet_no`+db.inList, q.ComplaintID, db.asList(outlets))
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("evidence: complaint: %w", err)
		}
		if q.Waybill != "" && q.Waybill != parcel.Waybill {
			return nil, nil
		}
		q.Waybill = parcel.Waybill
		where.and("e.outlet_no = ?", parcel.Outlet)
	}
	if q.Waybill != "" {
		pushes, err := db.pushRecords(ctx, outlets, q.Waybill)
		if err != nil {
			return nil, err
		}
		where.and("(e.waybill = ? or e.id"+db.inList+")", q.Waybill, db.asList(pushes))
	}
	if q.CourierID != "" {
		where.and("e.courier_no = (select no from courier where company_no = ? and id = ?)", a.Company, q.CourierID)
	}
	if q.Kind != "" {
		where.and("e.kind = ?", q.Kind)
	} else {
		where.and("e.kind <> 'access'")
	}
	if !q.From.IsZero() {
		where.and("e.occurred_at_ms >= ?", ms(q.From))
	}
	if !q.To.IsZero() {
		where.and("e.occurred_at_ms < ?", ms(q.To))
	}
	if q.BeforeID != "" {
		where.and("(e.occurred_at_ms, e.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []evidenceRow
	err = db.list(ctx, &rows, `select e.outlet_no, e.id, e.kind, e.source, c.id as courier_id, e.waybill, e.complaint_id,
  e.occurred_at_ms, e.received_at_ms, e.client_id, v.body, `+photoState+` as photo
from evidence e
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
left join photo_record r on r.outlet_no = e.outlet_no and r.record_id = e.id
left join photo p on p.outlet_no = r.outlet_no and p.hash = r.hash
left join courier c on c.no = e.courier_no
where `+where.text+` order by e.occurred_at_ms desc, e.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	items := make([]evidence.Item, len(rows))
	for i, r := range rows {
		if items[i], err = db.item(r); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (db *DB) item(r evidenceRow) (evidence.Item, error) {
	item := evidence.Item{
		ID: r.ID, Kind: r.Kind, Source: r.Source, Waybill: doorstep.Waybill(r.Waybill.String), CourierID: r.CourierID.String,
		ComplaintID: r.ComplaintID.String, OccurredAt: fromMS(r.OccurredMS), ReceivedAt: fromMS(r.ReceivedMS), ClientID: r.ClientID.String, Photo: r.Photo,
	}
	if r.Body == nil { // erased
		return item, nil
	}
	var err error
	item.Opening, err = db.openValues(r.Outlet, r.ID, r.Body)
	return item, err
}

// scope lists the outlets that a manager or headquarters may read: none if the
// manager's does not exist yet.
func (db *DB) scope(ctx context.Context, a doorstep.Actor) ([]int64, error) {
	list := []int64{}
	where := newFilter("company_no = ?", a.Company)
	if a.Role == doorstep.RoleManager {
		where.and("id = ?", a.Outlet)
	}
	if err := db.list(ctx, &list, `select no from outlet where `+where.text+` order by no`, where.args...); err != nil {
		return nil, fmt.Errorf("outlets in reach: %w", err)
	}
	return list, nil
}

// reach is scope and, for headquarters, what belongs to no outlet.
func (db *DB) reach(ctx context.Context, a doorstep.Actor) ([]int64, error) {
	outlets, err := db.scope(ctx, a)
	if a.Role == doorstep.RoleHQ {
		outlets = append(outlets, int64(a.Company))
	}
	return outlets, err
}

// filter grows a where clause.
type filter struct {
	text string
	args []any
}

func newFilter(text string, args ...any) *filter { return &filter{text, args} }

func (f *filter) and(text string, args ...any) {
	f.text += " and " + text
	f.args = append(f.args, args...)
}

// ofOutlets begins the filter of a list of outlets' rows. One is compared with, not looked for in a
// list: its index then has the rows in their order, and a page reads no more than
// it shows; of a list the engine sorts all that there is.
func (db *DB) ofOutlets(column string, outlets []int64) *filter {
	if len(outlets) == 1 {
		return newFilter(column+" = ?", outlets[0])
	}
	return newFilter(column+db.inList, db.asList(outlets))
}
