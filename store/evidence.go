package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		plain, err := json.Marshal(opening)
		if err != nil {
			return nil, err
		}
		body, err := db.vault.Seal(plain, valuePlace(f.Outlet, f.ID))
		if err != nil {
			return nil, err
		}
		sealed[i] = sealedFact{Fact: f, commitments: commitments, body: body}
		if f.ClientID != "" {
			content, err := json.Marshal([]any{f.Kind, f.Waybill, ms(f.OccurredAt), f.Fields})
			if err != nil {
				return nil, err
			}
			sealed[i].digest = db.vault.Hash("upload", string(content))
		}
	}
	return sealed, nil
}

func valuePlace(outlet doorstep.OutletNo, id string) vault.Place {
	return vault.Place{Table: "evidence_value", Column: "body", Row: fmt.Sprintf("%d|%s", outlet, id)}
}

const insertEvidence = `insert into evidence (outlet_no, id, kind, source, courier_no, waybill, complaint_id, occurred_at_ms, received_at_ms, client_id, client_digest, commitments)`

func (f sealedFact) row() []any {
	return []any{
		f.Outlet, f.ID, f.Kind, f.Source, nullIf(f.CourierNo, 0), nullIf(f.Waybill, ""), nullIf(f.ComplaintID, ""),
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
	rows, values := make([][]any, len(facts)), make([][]any, len(facts))
	for i, f := range facts {
		rows[i], values[i] = f.row(), []any{f.Outlet, f.ID, f.body}
	}
	if err := tx.insert(insertEvidence, "", rows); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return addValues(tx, values)
}

func addValues(tx *Tx, values [][]any) error {
	if err := tx.insert(`insert into evidence_value (outlet_no, record_id, body)`, "", values); err != nil {
		return fmt.Errorf("evidence values: %w", err)
	}
	return nil
}

// CourierParcels finds which of the waybills were ever dispatched to the
// courier, at the outlet that did so last, and which uploads are kept already.
func (db *DB) CourierParcels(ctx context.Context, a doorstep.Actor, waybills []doorstep.Waybill, clientIDs []string) (evidence.CourierParcels, error) {
	mine := evidence.CourierParcels{Outlets: map[doorstep.Waybill]doorstep.OutletNo{}, Kept: map[string]doorstep.OutletNo{}}
	var err error
	if mine.CourierNo, err = db.courierNo(ctx, a); err != nil {
		return mine, fmt.Errorf("courier: %w", err)
	}
	outlets, err := db.outletsOf(ctx, mine.CourierNo)
	if err != nil {
		return mine, fmt.Errorf("courier's outlets: %w", err)
	}
	list := make([]string, len(waybills))
	for i, w := range waybills {
		list[i] = string(w)
	}
	latest := map[doorstep.Waybill]int64{}
	for _, outlet := range outlets {
		if err := db.parcelsAt(ctx, outlet, &mine, latest, list); err != nil {
			return mine, fmt.Errorf("courier's parcels: %w", err)
		}
		kept, err := db.keptDigests(db.lister(ctx), outlet, mine.CourierNo, clientIDs)
		if err != nil {
			return mine, err
		}
		for id := range kept {
			mine.Kept[id] = outlet
		}
	}
	return mine, nil
}

// parcelsAt adds the parcels that one outlet dispatched to the courier, where no
// other did so later.
func (db *DB) parcelsAt(ctx context.Context, outlet doorstep.OutletNo, mine *evidence.CourierParcels, latest map[doorstep.Waybill]int64, waybills []string) error {
	var found []struct {
		Waybill doorstep.Waybill
		LastMS  int64 `db:"last_ms"`
	}
	err := db.list(ctx, &found, `select waybill, max(dispatched_at_ms) as last_ms from dispatch
where outlet_no = ? and courier_no = ? and waybill`+db.inList+` group by waybill`, outlet, mine.CourierNo, db.asList(waybills))
	for _, f := range found {
		if was, ok := latest[f.Waybill]; !ok || f.LastMS > was {
			mine.Outlets[f.Waybill], latest[f.Waybill] = outlet, f.LastMS
		}
	}
	return err
}

// AddUploads adds what one courier's phone sent, one transaction an outlet.
func (db *DB) AddUploads(ctx context.Context, facts []evidence.Fact) ([]evidence.Verdict, error) {
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return nil, err
	}
	verdicts := make([]evidence.Verdict, len(facts))
	byOutlet := map[doorstep.OutletNo][]int{}
	for i, f := range facts {
		byOutlet[f.Outlet] = append(byOutlet[f.Outlet], i)
	}
	for outlet, places := range byOutlet {
		err := db.inTx(ctx, func(tx *Tx) error { return db.addUploads(tx, outlet, sealed, places, verdicts) })
		if err != nil {
			return nil, fmt.Errorf("%w: uploads: %w", doorstep.ErrUnavailable, err)
		}
	}
	return verdicts, nil
}

func (db *DB) addUploads(tx *Tx, outlet doorstep.OutletNo, sealed []sealedFact, places []int, verdicts []evidence.Verdict) error {
	first := map[string]int{} // by client id: the one in this batch that is written
	var rows [][]any
	order := slices.Clone(places)
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(sealed[a].ClientID, sealed[b].ClientID) })
	for _, i := range order {
		if _, ok := first[sealed[i].ClientID]; !ok {
			first[sealed[i].ClientID] = i
			rows = append(rows, sealed[i].row())
		}
	}
	written, err := insertReturning[string](tx, insertEvidence, `on conflict (outlet_no, courier_no, client_id) where client_id is not null do nothing returning id`, rows)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	var values [][]any
	for _, i := range first {
		if slices.Contains(written, sealed[i].ID) {
			values = append(values, []any{outlet, sealed[i].ID, sealed[i].body})
		}
	}
	if err := addValues(tx, values); err != nil {
		return err
	}
	kept, err := db.keptDigests(tx.list, outlet, sealed[places[0]].CourierNo, keys(first))
	if err != nil {
		return err
	}
	for _, i := range places {
		f := sealed[i]
		switch {
		case kept[f.ClientID] != f.digest:
			verdicts[i] = evidence.Verdict{Status: evidence.Rejected, Err: errOtherContent}
		case first[f.ClientID] == i && slices.Contains(written, f.ID):
			verdicts[i] = evidence.Verdict{Status: evidence.Accepted}
		default:
			verdicts[i] = evidence.Verdict{Status: evidence.Duplicate}
		}
	}
	return nil
}

var errOtherContent = &doorstep.ConflictError{Code: "conflict", Detail: "a record with this id and other content is kept already"}

// keptDigests finds what is kept under a phone's own ids at one outlet.
func (db *DB) keptDigests(list lister, outlet doorstep.OutletNo, courierNo int64, clientIDs []string) (map[string]string, error) {
	var rows []struct {
		ClientID string `db:"client_id"`
		Digest   string `db:"client_digest"`
	}
	err := list(&rows, `select client_id, client_digest from evidence
where outlet_no = ? and courier_no = ? and client_id is not null and client_id`+db.inList, outlet, courierNo, db.asList(clientIDs))
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	kept := make(map[string]string, len(rows))
	for _, r := range rows {
		kept[r.ClientID] = r.Digest
	}
	return kept, nil
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
