package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"doorstep"
	"doorstep/evidence"
	"doorstep/vault"
)

// sealedFact is a fact ready to be written: committed, and its values sealed.
type sealedFact struct {
	evidence.Fact
	commitments string
	body        []byte
	digest      string // of what a phone uploaded, to tell a repeat from a forgery
}

// sealFacts does the slow part of writing facts, before any transaction begins.
func (db *DB) sealFacts(facts []evidence.Fact) ([]sealedFact, error) {
	sealed := make([]sealedFact, len(facts))
	for i, f := range facts {
		commitments, opening, err := evidence.Commit(f.Fields, rand.Reader)
		if err != nil {
			return nil, err
		}
		body, err := db.vault.Seal(opening, valuePlace(f.Outlet, f.ID))
		if err != nil {
			return nil, err
		}
		sealed[i] = sealedFact{Fact: f, commitments: commitments, body: body}
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
	sent := f.Sent
	if sent == nil {
		sent = f.Fields
	}
	content, err := json.Marshal([]any{f.Kind, f.Waybill, ms(f.OccurredAt), sent})
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
	if err := tx.insert(insertEvidence, "", rows); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return addValues(tx, facts)
}

// addValues writes what opens the facts' commitments.
func addValues(tx *Tx, facts []sealedFact) error {
	values := make([][]any, len(facts))
	for i, f := range facts {
		values[i] = []any{int64(f.Outlet), f.ID, f.body}
	}
	if err := tx.insert(`insert into evidence_value (outlet_no, record_id, body)`, "", values); err != nil {
		return fmt.Errorf("evidence values: %w", err)
	}
	return nil
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
}

// Evidence lists records that the caller may read, the newest first.
func (db *DB) Evidence(ctx context.Context, a doorstep.Actor, q evidence.Query) ([]evidence.Item, error) {
	outlets, err := db.scope(ctx, a)
	if err != nil || len(outlets) == 0 {
		return nil, err
	}
	if a.Role == doorstep.RoleHQ { // what belongs to no outlet
		outlets = append(outlets, int64(a.Company))
	}
	where := newFilter("e.outlet_no"+db.inList, db.asList(outlets))
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
  e.occurred_at_ms, e.received_at_ms, e.client_id, v.body
from evidence e
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
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
		ComplaintID: r.ComplaintID.String, OccurredAt: fromMS(r.OccurredMS), ReceivedAt: fromMS(r.ReceivedMS), ClientID: r.ClientID.String,
	}
	if r.Body == nil { // erased
		return item, nil
	}
	plain, err := db.vault.Open(r.Body, valuePlace(r.Outlet, r.ID))
	if err != nil {
		return item, err
	}
	if err := json.Unmarshal(plain, &item.Opening); err != nil {
		return item, fmt.Errorf("evidence %s: %w", r.ID, err)
	}
	return item, nil
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
