package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/telephony"
)

// WaitingRecords lists whose records wait to be read: one look into the index for
// each account, however many wait.
func (db *DB) WaitingRecords(ctx context.Context, limit int) (list []telephony.Source, err error) {
	err = db.list(ctx, &list, `select outlet_no, provider from (select a.outlet_no, a.provider, (select min(r.received_at_ms) from provider_record r
    where r.outlet_no = a.outlet_no and r.provider = a.provider and r.state = 'waiting') as since_ms from provider_account a) accounts
where since_ms is not null order by since_ms, outlet_no, provider limit ?`, limit)
	return list, err
}

// TakeRecords opens the oldest records that wait.
func (db *DB) TakeRecords(ctx context.Context, s telephony.Source, limit int) ([]telephony.Kept, error) {
	var rows []struct {
		Key        string
		ReceivedMS int64 `db:"received_at_ms"`
		Body       []byte
	}
	err := db.list(ctx, &rows, `select event_key as key, received_at_ms, body from provider_record
where outlet_no = ? and provider = ? and state = 'waiting' order by received_at_ms, event_key limit ?`, s.Company, s.Provider, limit)
	if err != nil {
		return nil, fmt.Errorf("waiting records: %w", err)
	}
	list := make([]telephony.Kept, len(rows))
	for i, r := range rows {
		raw, err := db.vault.Open(r.Body, recordPlace(s.Company, s.Provider, r.Key, ""))
		if err != nil {
			return nil, err
		}
		list[i] = telephony.Kept{Key: r.Key, Raw: raw, ReceivedAt: fromMS(r.ReceivedMS)}
	}
	return list, nil
}

type contactRow struct {
	Provider  telephony.Provider
	Kind      evidence.Kind
	Subject   string
	Reference string
	Number    string `db:"number_hash"`
	IntentID  string `db:"intent_id"`
	Waybill   doorstep.Waybill
	Outlet    doorstep.OutletNo `db:"parcel_outlet_no"`
	CourierNo int64             `db:"courier_no"`
	StartedMS int64             `db:"started_at_ms"`
	Events    string
}

const selectContact = `select provider, kind, subject, reference, number_hash, intent_id, waybill, parcel_outlet_no, courier_no, started_at_ms, events from provider_contact`

func (r contactRow) contact() (c telephony.Contact, err error) {
	c = telephony.Contact{
		Subject: telephony.Subject{Kind: r.Kind, ID: r.Subject}, Reference: r.Reference, Number: r.Number, IntentID: r.IntentID,
		Parcel: telephony.Parcel{Outlet: r.Outlet, Waybill: r.Waybill, CourierNo: r.CourierNo}, StartedAt: fromMS(r.StartedMS),
	}
	if err := json.Unmarshal([]byte(r.Events), &c.Events); err != nil {
		return c, fmt.Errorf("%s of %s: %w", r.Kind, r.Provider, err)
	}
	return c, nil
}

// Contacts finds calls and messages that were heard of before.
func (db *DB) Contacts(ctx context.Context, s telephony.Source, list []telephony.Subject) (map[telephony.Subject]telephony.Contact, error) {
	byKind := map[evidence.Kind][]string{}
	for _, subject := range list {
		byKind[subject.Kind] = append(byKind[subject.Kind], subject.ID)
	}
	found := make(map[telephony.Subject]telephony.Contact, len(list))
	for kind, ids := range byKind {
		var rows []contactRow
		err := db.list(ctx, &rows, selectContact+` where outlet_no = ? and provider = ? and kind = ? and subject`+db.inList, s.Company, s.Provider, kind, db.asList(ids))
		if err != nil {
			return nil, fmt.Errorf("contacts: %w", err)
		}
		for _, r := range rows {
			c, err := r.contact()
			if err != nil {
				return nil, err
			}
			found[c.Subject] = c
		}
	}
	return found, nil
}

// LookUp finds where a company's parcels went, and who was about to dial.
func (db *DB) LookUp(ctx context.Context, company doorstep.CompanyNo, l telephony.Lookup) (found telephony.Found, err error) {
	if len(l.Waybills) > 0 {
		if found.Runs, err = db.runs(ctx, company, l.Waybills); err != nil {
			return found, err
		}
	}
	var rows []intentRow
	if len(l.Intents) > 0 {
		err = db.list(ctx, &rows, selectIntent+` where outlet_no = ? and id`+db.inList, company, db.asList(l.Intents))
		if err != nil {
			return found, fmt.Errorf("intents: %w", err)
		}
	}
	if len(l.Numbers) > 0 {
		var more []intentRow
		err = db.list(ctx, &more, selectIntent+` where outlet_no = ? and number_hash`+db.inList+` and at_ms between ? and ? order by at_ms`,
			company, db.asList(l.Numbers), ms(l.From), ms(l.To))
		if err != nil {
			return found, fmt.Errorf("intents: %w", err)
		}
		rows = append(rows, more...)
	}
	for _, r := range rows {
		found.Intents = append(found.Intents, r.intent())
	}
	return found, nil
}

// runs lists where parcels went out, in order of time.
func (db *DB) runs(ctx context.Context, company doorstep.CompanyNo, waybills []doorstep.Waybill) (map[doorstep.Waybill][]telephony.Run, error) {
	type row struct {
		Outlet    doorstep.OutletNo `db:"outlet_no"`
		Waybill   doorstep.Waybill
		CourierNo int64 `db:"courier_no"`
		AtMS      int64 `db:"at_ms"`
	}
	var known []row
	err := db.list(ctx, &known, `select outlet_no, waybill, 0 as courier_no, 0 as at_ms from parcel where company_no = ? and waybill`+db.inList, company, db.asList(waybills))
	if err != nil {
		return nil, fmt.Errorf("parcels: %w", err)
	}
	byOutlet := map[doorstep.OutletNo][]doorstep.Waybill{}
	for _, r := range known {
		byOutlet[r.Outlet] = append(byOutlet[r.Outlet], r.Waybill)
	}
	all := known
	for outlet, list := range byOutlet {
		var out []row
		err := db.list(ctx, &out, `select outlet_no, waybill, courier_no, dispatched_at_ms as at_ms from dispatch where outlet_no = ? and waybill`+db.inList, outlet, db.asList(list))
		if err != nil {
			return nil, fmt.Errorf("dispatches: %w", err)
		}
		all = append(all, out...)
	}
	slices.SortFunc(all, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.Outlet, b.Outlet), cmp.Compare(a.CourierNo, b.CourierNo))
	})
	found := make(map[doorstep.Waybill][]telephony.Run, len(waybills))
	for _, r := range all {
		found[r.Waybill] = append(found[r.Waybill], telephony.Run{Outlet: r.Outlet, CourierNo: r.CourierNo, At: fromMS(r.AtMS)})
	}
	return found, nil
}

// errOvertaken ends a transaction whose records another node has read meanwhile.
var errOvertaken = errors.New("read by another node")

// FinishRecords keeps what records came to. On PostgreSQL the lock of the account's
// row is the lease, and the records' state says whether somebody was faster: then
// what was made of them may be out of date, and is dropped.
func (db *DB) FinishRecords(ctx context.Context, s telephony.Source, sorted telephony.Sorted, now time.Time) (bool, error) {
	facts, err := db.sealFacts(sorted.Facts)
	if err != nil {
		return false, err
	}
	rows := make([][]any, len(sorted.Contacts))
	for i, c := range sorted.Contacts {
		events, err := json.Marshal(c.Events)
		if err != nil {
			return false, err
		}
		rows[i] = []any{
			int64(s.Company), string(s.Provider), string(c.Kind), c.ID, c.Reference, c.Number, c.IntentID,
			string(c.Parcel.Waybill), int64(c.Parcel.Outlet), c.Parcel.CourierNo, ms(c.StartedAt), string(events), ms(now),
		}
	}
	all := slices.Concat(sorted.Read, sorted.Bad)
	slices.Sort(all)
	all = slices.Compact(all)
	err = db.inTx(ctx, func(tx *Tx) error {
		var mine string
		err := tx.get(&mine, `select provider from provider_account where outlet_no = ? and provider = ?`+db.skipLocked, s.Company, s.Provider)
		if errors.Is(err, sql.ErrNoRows) {
			return errOvertaken
		}
		if err != nil {
			return err
		}
		n, err := tx.changed(`update provider_record set state = ? where outlet_no = ? and provider = ? and variant = '' and state = 'waiting' and event_key`+db.inList,
			recordRead, s.Company, s.Provider, db.asList(all))
		if err != nil {
			return err
		}
		if n != int64(len(all)) {
			return errOvertaken
		}
		if len(sorted.Bad) > 0 {
			err := tx.exec(`update provider_record set state = ?, reason = 'unreadable' where outlet_no = ? and provider = ? and variant = '' and event_key`+db.inList,
				recordQuarantined, s.Company, s.Provider, db.asList(sorted.Bad))
			if err != nil {
				return err
			}
		}
		err = tx.insert(`insert into provider_contact (outlet_no, provider, kind, subject, reference, number_hash, intent_id,
  waybill, parcel_outlet_no, courier_no, started_at_ms, events, updated_at_ms)`,
			`on conflict (outlet_no, provider, kind, subject) do update set reference = excluded.reference, number_hash = excluded.number_hash,
  intent_id = excluded.intent_id, waybill = excluded.waybill, parcel_outlet_no = excluded.parcel_outlet_no, courier_no = excluded.courier_no,
  started_at_ms = excluded.started_at_ms, events = excluded.events, updated_at_ms = excluded.updated_at_ms`, rows)
		if err != nil {
			return fmt.Errorf("contacts: %w", err)
		}
		return addFacts(tx, facts)
	})
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	return err == nil, err
}

// HashNumber is the keyed hash of a telephone number in a provider's record.
func (db *DB) HashNumber(p doorstep.Phone) string { return db.vault.Hash("provider number", string(p)) }

var _ telephony.SortStore = (*DB)(nil)
