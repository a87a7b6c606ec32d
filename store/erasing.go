package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/privacy"
)

// wipe is the erasure of what is kept about persons in one parcel.
type wipe struct {
	privacy.Parcel
	consumer doorstep.ConsumerID // whose data goes; "": anybody's
	class    privacy.Class
	reason   string
	fields   func(evidence.Kind, evidence.Source, evidence.Opening) []string // of a record, those that go
	now      time.Time
}

// Why values went.
const (
	forRetention = "retention" // they were past their time
	forConsumer  = "consumer"  // the consumer asked for it
)

// heldBecause says what keeps a parcel from being erased.
func heldBecause(list lister, p privacy.Parcel) (privacy.Held, error) {
	var reasons []privacy.Held
	err := list(&reasons, `select 'complaint' from complaint where outlet_no = ? and waybill = ? and `+openStatuses+`
union all select 'hold' from hold where outlet_no = ? and waybill = ? and released_at_ms is null`, p.Outlet, p.Waybill, p.Outlet, p.Waybill)
	if err != nil || len(reasons) == 0 {
		return privacy.HeldTurn, err
	}
	return reasons[0], nil
}

// wipeParcel erases a parcel's persons and says how many records lost values.
func (db *DB) wipeParcel(tx *Tx, w wipe) (int, error) {
	db.stain(tx)
	var alerts, complaints []string
	err := tx.list(&alerts, `with recursive told (alert_id) as (
  select coalesce(revised_alert_id, alert_id) from dispatch where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '')
  union
  select a.supersedes from told join alert a on a.outlet_no = ? and a.id = told.alert_id)
select alert_id from told where alert_id <> ''`, w.Outlet, w.Waybill, w.consumer, w.consumer, w.Outlet)
	if err != nil {
		return 0, fmt.Errorf("alerts: %w", err)
	}
	if err := tx.exec(`update alert set tags = '' where outlet_no = ? and id`+db.inList, w.Outlet, db.asList(nonNil(alerts))); err != nil {
		return 0, fmt.Errorf("alerts: %w", err)
	}
	err = tx.list(&complaints, `select id from complaint where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '')`,
		w.Outlet, w.Waybill, w.consumer, w.consumer)
	if err != nil {
		return 0, fmt.Errorf("complaints: %w", err)
	}
	list := db.asList(nonNil(complaints))
	for _, erase := range []string{
		`update complaint set body = null, learned = '', consumer_id = '' where outlet_no = ? and id` + db.inList,
		`update complaint_message set body = null where outlet_no = ? and complaint_id` + db.inList,
		`update complaint_note set body = null where outlet_no = ? and complaint_id` + db.inList,
		`update complaint_reporter set body = null where outlet_no = ? and complaint_id` + db.inList,
	} {
		if err := tx.exec(erase, w.Outlet, list); err != nil {
			return 0, fmt.Errorf("complaints: %w", err)
		}
	}
	for _, erase := range []string{
		`update parcel set consignee = null, consumer_id = '', address_id = '' where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '')`,
		`update dispatch set consumer_id = '' where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '')`,
	} {
		if err := tx.exec(erase, w.Outlet, w.Waybill, w.consumer, w.consumer); err != nil {
			return 0, fmt.Errorf("parcel: %w", err)
		}
	}
	if err := wipeReports(tx, w.Parcel); err != nil {
		return 0, fmt.Errorf("providers' reports: %w", err)
	}
	var rows []valueRow
	err = tx.list(&rows, `select e.id, e.kind, e.source, e.commitments, v.body`+recordsOfParcel, w.Outlet, w.Waybill)
	if err != nil {
		return 0, fmt.Errorf("records: %w", err)
	}
	return db.eraseValues(tx, w, rows)
}

// recordsOfParcel are those with values; who opened them has a time of its own.
const recordsOfParcel = ` from evidence e join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where e.outlet_no = ? and e.waybill = ? and e.kind <> 'access' and v.body is not null`

type valueRow struct {
	ID     string
	Kind   evidence.Kind
	Source evidence.Source

	Commitments string
	Body        []byte
}

// eraseValues takes fields, with their salts, from records, and the photos that
// they named, and records that.
func (db *DB) eraseValues(tx *Tx, w wipe, rows []valueRow) (int, error) {
	id := db.newID(w.Outlet)
	var whole, all, pictures []string
	some := map[string][]string{}
	for _, r := range rows {
		opening, err := db.openValues(w.Outlet, r.ID, r.Body)
		if err != nil {
			return 0, err
		}
		gone := w.fields(r.Kind, r.Source, opening)
		if len(gone) == 0 {
			continue
		}
		all = append(all, r.ID)
		if _, there := opening.Values["sha256"]; r.Kind == evidence.Photo && there && slices.Contains(gone, "sha256") {
			pictures = append(pictures, r.ID)
		}
		rest := opening.Without(gone...)
		if rest.Bare() {
			whole = append(whole, r.ID)
			continue
		}
		some[r.ID] = rest.Gone(r.Commitments)
		body, err := db.sealValues(w.Outlet, r.ID, rest)
		if err != nil {
			return 0, err
		}
		err = tx.exec(`update evidence_value set body = ?, erased_by = ? where outlet_no = ? and record_id = ?`, body, id, w.Outlet, r.ID)
		if err != nil {
			return 0, fmt.Errorf("erase values: %w", err)
		}
	}
	if len(all) == 0 {
		return 0, nil
	}
	err := tx.exec(`update evidence_value set body = null, erased_by = ? where outlet_no = ? and record_id`+db.inList, id, w.Outlet, db.asList(nonNil(whole)))
	if err != nil {
		return 0, fmt.Errorf("erase values: %w", err)
	}
	if err := db.erasePhotos(tx, w.Outlet, pictures, w.now); err != nil {
		return 0, fmt.Errorf("erase photos: %w", err)
	}
	facts, err := db.sealFacts([]evidence.Fact{evidence.ErasureFact(id, w.Outlet, string(w.class), w.reason, all, some, w.now)})
	if err != nil {
		return 0, err
	}
	return len(all), addFacts(tx, facts)
}

func (db *DB) openValues(outlet doorstep.OutletNo, id string, body []byte) (o evidence.Opening, err error) {
	plain, err := db.vault.Open(body, valuePlace(outlet, id))
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(plain, &o); err != nil {
		return o, fmt.Errorf("evidence %s: %w", id, err)
	}
	return o, nil
}

func (db *DB) sealValues(outlet doorstep.OutletNo, id string, o evidence.Opening) ([]byte, error) {
	plain, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("evidence %s: %w", id, err)
	}
	return db.vault.Seal(plain, valuePlace(outlet, id))
}

// stain notes that the log holds what a transaction erased.
func (db *DB) stain(tx *Tx) {
	if db.log != nil {
		tx.afterCommit(func() { db.log.stained.Store(true) })
	}
}

// Scrub empties SQLite's log into the file, where what was erased is
// overwritten. It waits shortly for readers; if one stays too long, the next
// call tries again. PostgreSQL's own vacuum does the same in its time: see
// docs/privacy.md.
func (db *DB) Scrub(ctx context.Context) error {
	if db.log == nil || !db.log.stained.Load() {
		return nil
	}
	return db.log.scrub(ctx)
}
