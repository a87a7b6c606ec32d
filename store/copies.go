package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/privacy"
)

// Own reads what is kept about a consumer beside his parcels, complaints and
// consents.
func (db *DB) Own(ctx context.Context, a doorstep.Actor) (own privacy.Own, err error) {
	profiles, err := db.profiles(db.lister(ctx), []doorstep.ConsumerID{a.Consumer})
	if err != nil {
		return own, err
	}
	own.Lessons = profiles[a.Consumer].Evidence
	for _, p := range profiles[a.Consumer].Preferences {
		state := "off"
		if p.On {
			state = "on"
		}
		own.Said = append(own.Said, privacy.Said{Scope: p.Scope, Tag: p.Tag, State: state, At: p.SetAt})
	}
	if own.Notes, err = db.notesOf(ctx, a.Consumer); err != nil {
		return own, err
	}
	var asked []struct {
		questionRow
		AnsweredMS sql.NullInt64 `db:"answered_at_ms"`
	}
	err = db.list(ctx, &asked, `select tag, asked_at_ms, expires_at_ms, answer, answered_at_ms from question where consumer_id = ? order by tag`, a.Consumer)
	if err != nil {
		return own, fmt.Errorf("questions: %w", err)
	}
	for _, r := range asked {
		own.Asked = append(own.Asked, privacy.Asked{
			Tag: r.Tag, AskedAt: fromMS(r.AskedMS), ExpiresAt: fromMS(r.ExpiresMS), Answer: r.Answer, AnsweredAt: fromNullMS(r.AnsweredMS),
		})
	}
	var links []struct {
		Kind       string
		Waybill    doorstep.Waybill
		CreatedMS  int64 `db:"created_at_ms"`
		ExpiresMS  int64 `db:"expires_at_ms"`
		Answer     string
		AnsweredMS sql.NullInt64 `db:"answered_at_ms"`
	}
	err = db.list(ctx, &links, `select kind, waybill, created_at_ms, expires_at_ms, answer, answered_at_ms from link where consumer_id = ? order by created_at_ms`, a.Consumer)
	if err != nil {
		return own, fmt.Errorf("links: %w", err)
	}
	for _, r := range links {
		own.Links = append(own.Links, privacy.Link{
			Kind: r.Kind, Waybill: r.Waybill, SentAt: fromMS(r.CreatedMS), ExpiresAt: fromMS(r.ExpiresMS), Answer: r.Answer, AnsweredAt: fromNullMS(r.AnsweredMS),
		})
	}
	var rounds []struct {
		ComplaintID string `db:"complaint_id"`
		Body        string
	}
	err = db.list(ctx, &rounds, `select coalesce(nullif(c.known_as, ''), c.id) as complaint_id, p.body from complaint c
join complaint_period p on p.outlet_no = c.outlet_no and p.complaint_id = c.id
where c.consumer_id = ? order by c.filed_at_ms, c.id, p.no`, a.Consumer)
	if err != nil {
		return own, fmt.Errorf("periods: %w", err)
	}
	for _, r := range rounds {
		round := privacy.Round{ComplaintID: r.ComplaintID}
		if err := json.Unmarshal([]byte(r.Body), &round.Period); err != nil {
			return own, fmt.Errorf("period of complaint %s: %w", r.ComplaintID, err)
		}
		own.Periods = append(own.Periods, round)
	}
	var tokens []tokenRow
	err = db.list(ctx, &tokens, `select `+tokenColumns+` from token where consumer_id = ? and consumer_id <> '' order by created_at_ms`, a.Consumer)
	if err != nil {
		return own, fmt.Errorf("tokens: %w", err)
	}
	for _, r := range tokens {
		t := r.token()
		own.SignIns = append(own.SignIns, privacy.SignIn{Waybill: t.Waybill, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt})
	}
	return own, nil
}

func (db *DB) notesOf(ctx context.Context, c doorstep.ConsumerID) (notes []privacy.Note, err error) {
	var rows []struct {
		Scope prefs.Scope
		Note  []byte
		SetMS int64 `db:"set_at_ms"`
	}
	if err := db.list(ctx, &rows, `select scope, note, set_at_ms from preference_note where consumer_id = ? order by scope`, c); err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	for _, r := range rows {
		text, err := db.vault.Open(r.Note, notePlace(c, r.Scope))
		if err != nil {
			return nil, err
		}
		notes = append(notes, privacy.Note{Scope: r.Scope, Text: string(text), At: fromMS(r.SetMS)})
	}
	return notes, nil
}

// Owned reads one parcel of a consumer with all that is kept about it.
func (db *DB) Owned(ctx context.Context, a doorstep.Actor, p privacy.Parcel) (o privacy.Owned, err error) {
	o.Parcel = p
	if err := db.get(ctx, &o.OutletID, `select id from outlet where no = ?`, p.Outlet); err != nil {
		return o, err
	}
	var rows []struct {
		Consignee []byte
		AddressID string        `db:"address_id"`
		SentMS    sql.NullInt64 `db:"dispatched_at_ms"`
	}
	err = db.list(ctx, &rows, `select consignee, address_id, dispatched_at_ms from parcel where outlet_no = ? and waybill = ? and consumer_id = ?`,
		p.Outlet, p.Waybill, a.Consumer)
	if err != nil {
		return o, err
	}
	for _, r := range rows { // one, or none where the parcel went to somebody else since
		o.AddressID, o.DispatchedAt = r.AddressID, fromNullMS(r.SentMS)
		if len(r.Consignee) == 0 {
			continue
		}
		plain, err := db.vault.Open(r.Consignee, consigneePlace(p.Outlet, p.Waybill))
		if err != nil {
			return o, err
		}
		var c parcels.Consignee
		if err := json.Unmarshal(plain, &c); err != nil {
			return o, fmt.Errorf("consignee: %w", err)
		}
		o.Phone, o.Name, o.Address = c.Phone, c.Name, c.Address
	}
	if o.Opened, err = db.accesses(ctx, newFilter("e.outlet_no = ?", p.Outlet), privacy.AccessQuery{Waybill: p.Waybill, Limit: mostOfAParcel}); err != nil {
		return o, err
	}
	var held []holdRow
	if err := db.list(ctx, &held, selectHold+` where h.outlet_no = ? and h.waybill = ? order by h.set_at_ms`, p.Outlet, p.Waybill); err != nil {
		return o, fmt.Errorf("holds: %w", err)
	}
	o.Held = holdsOf(held)
	if len(rows) == 0 {
		return o, nil
	}
	var records []evidenceRow
	err = db.list(ctx, &records, `select e.outlet_no, e.id, e.kind, e.source, e.waybill, e.complaint_id, e.occurred_at_ms, e.received_at_ms, v.body
from evidence e
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where e.outlet_no = ? and e.waybill = ? and e.kind <> 'access' order by e.occurred_at_ms, e.id limit ?`, p.Outlet, p.Waybill, mostOfAParcel)
	if err != nil {
		return o, fmt.Errorf("records: %w", err)
	}
	for _, r := range records {
		item, err := db.item(r)
		if err != nil {
			return o, err
		}
		o.Records = append(o.Records, item)
	}
	return o, nil
}

// mostOfAParcel bounds what is read of one parcel: more records than any parcel
// has.
const mostOfAParcel = 10_000

var _ privacy.ExportStore = (*DB)(nil)
