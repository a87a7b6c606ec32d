package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/privacy"
)

// wipe is the erasure of what is kept about persons in one parcel.
type wipe struct {
	privacy.Parcel
	consumer doorstep.ConsumerID // whose data goes; "": anybody's
	from     int64               // what was received since then goes, ms, but for his complaints, which all do
	until    int64               // and before this
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

// companyOf is the company of an outlet, or of what belongs to none of its
// outlets, which stands under its own number.
func companyOf(list lister, no doorstep.OutletNo) (company doorstep.CompanyNo, err error) {
	var found []doorstep.CompanyNo
	err = list(&found, `select company_no from outlet where no = ? union all select no from company where no = ?`, no, no)
	if err != nil {
		return 0, fmt.Errorf("company: %w", err)
	}
	if len(found) == 0 {
		return 0, doorstep.NotFound("outlet", "by number")
	}
	return found[0], nil
}

// heldBecause says what keeps a parcel from being erased, at whichever outlet of
// the company: what the others know of it belongs to the case.
func heldBecause(list lister, p privacy.Parcel) (privacy.Held, error) {
	company, err := companyOf(list, p.Outlet)
	if err != nil {
		return privacy.HeldTurn, err
	}
	var reasons []privacy.Held
	err = list(&reasons, `select 'complaint' from complaint where company_no = ? and waybill = ? and `+openStatuses+`
union all select 'hold' from hold where company_no = ? and waybill = ? and released_at_ms is null`, company, p.Waybill, company, p.Waybill)
	if err != nil || len(reasons) == 0 {
		return privacy.HeldTurn, err
	}
	return reasons[0], nil
}

// hadBy bounds a wipe to the time in which a consumer had a parcel's number, as
// its dispatches tell: carriers use numbers again. Without any dispatch all of it
// is his.
func (w *wipe) hadBy(list lister) error {
	var out []struct {
		Consumer   doorstep.ConsumerID `db:"consumer_id"`
		ReceivedMS int64               `db:"received_at_ms"`
	}
	err := list(&out, `select consumer_id, received_at_ms from dispatch where outlet_no = ? and waybill = ? order by received_at_ms`, w.Outlet, w.Waybill)
	if err != nil {
		return fmt.Errorf("dispatches: %w", err)
	}
	w.from, w.until = 0, math.MaxInt64
	first, after := -1, 0 // his first, and the one after his last
	for i, d := range out {
		if d.Consumer != w.consumer {
			continue
		}
		if first < 0 {
			first = i
		}
		after = i + 1
	}
	switch {
	case len(out) == 0:
	case first < 0: // it never went out to him
		w.until = 0
	default:
		if first > 0 {
			w.from = out[first].ReceivedMS
		}
		if after < len(out) {
			w.until = out[after].ReceivedMS
		}
	}
	return nil
}

// wipeParcel erases a parcel's persons and says how many records lost values.
func (db *DB) wipeParcel(tx *Tx, w wipe) (int, error) {
	db.stain(tx)
	var alerts []string
	err := tx.list(&alerts, `with recursive told (alert_id) as (
  select coalesce(revised_alert_id, alert_id) from dispatch where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '' and received_at_ms < ?)
  union
  select a.supersedes from told join alert a on a.outlet_no = ? and a.id = told.alert_id)
select alert_id from told where alert_id <> ''`, w.Outlet, w.Waybill, w.consumer, w.consumer, w.until, w.Outlet)
	if err != nil {
		return 0, fmt.Errorf("alerts: %w", err)
	}
	if err := tx.exec(`update alert set tags = '' where outlet_no = ? and id`+db.inList, w.Outlet, db.asList(nonNil(alerts))); err != nil {
		return 0, fmt.Errorf("alerts: %w", err)
	}
	var found []struct {
		ID       string
		KnownAs  string              `db:"known_as"`
		Consumer doorstep.ConsumerID `db:"consumer_id"`
		FiledMS  int64               `db:"filed_at_ms"`
	}
	err = tx.list(&found, `select id, known_as, consumer_id, filed_at_ms from complaint where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '' and received_at_ms < ?)`,
		w.Outlet, w.Waybill, w.consumer, w.consumer, w.until)
	if err != nil {
		return 0, fmt.Errorf("complaints: %w", err)
	}
	ids, known := make([]string, len(found)), make([]string, len(found))
	for i, c := range found {
		ids[i], known[i] = c.ID, cmp.Or(c.KnownAs, c.ID)
		// Before it is nobody's: later ones may have repeated it.
		err := db.markComplaint(tx, complaints.Complaint{Outlet: w.Outlet, Waybill: w.Waybill, Consumer: c.Consumer, FiledAt: fromMS(c.FiledMS)})
		if err != nil {
			return 0, fmt.Errorf("figures: %w", err)
		}
	}
	if err := db.markEndings(tx, w.Outlet, []doorstep.Waybill{w.Waybill}); err != nil {
		return 0, fmt.Errorf("figures: %w", err)
	}
	list := db.asList(ids)
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
		`update parcel set consignee = null, consumer_id = '', address_id = '' where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '' and updated_at_ms < ?)`,
		`update dispatch set consumer_id = '' where outlet_no = ? and waybill = ? and (consumer_id = ? or ? = '' and received_at_ms < ?)`,
	} {
		if err := tx.exec(erase, w.Outlet, w.Waybill, w.consumer, w.consumer, w.until); err != nil {
			return 0, fmt.Errorf("parcel: %w", err)
		}
	}
	if err := wipeReports(tx, w); err != nil {
		return 0, fmt.Errorf("providers' reports: %w", err)
	}
	var rows []valueRow
	err = tx.list(&rows, `select e.id, e.kind, e.source, e.commitments, v.body`+recordsOfParcel+`
and (e.complaint_id is null and e.received_at_ms >= ? and e.received_at_ms < ? or e.complaint_id`+db.inList+`)`,
		w.Outlet, w.Waybill, w.from, w.until, db.asList(known))
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
		if slices.ContainsFunc(gone, r.Kind.DeclaresPhoto) {
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
