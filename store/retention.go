package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/privacy"
)

// MarkOutlets gives every outlet a mark of each class, and every company one for
// what belongs to none of its outlets.
func (db *DB) MarkOutlets(ctx context.Context, classes []privacy.Class, now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		for _, c := range classes {
			var bare []doorstep.OutletNo
			err := tx.list(&bare, `select no from (select no from outlet union all select no from company) home where not exists (
  select 1 from retention r where r.outlet_no = home.no and r.class = ?) order by no`, string(c))
			if err != nil {
				return err
			}
			rows := make([][]any, len(bare))
			for i, no := range bare {
				rows[i] = []any{no, string(c), "", ms(now)}
			}
			err = tx.insert(`insert into retention (outlet_no, class, after_id, due_at_ms)`, `on conflict (outlet_no, class) do nothing`, rows)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DueMarks lists marks that are due, the longest waiting first.
func (db *DB) DueMarks(ctx context.Context, now time.Time, limit int) ([]privacy.Mark, error) {
	var rows []struct {
		privacy.Mark
		AfterID string `db:"after_id"`
		DueMS   int64  `db:"due_at_ms"`
	}
	err := db.list(ctx, &rows, `select outlet_no, class, after_id, due_at_ms from retention where due_at_ms <= ? order by due_at_ms, outlet_no limit ?`,
		ms(now), limit)
	marks := make([]privacy.Mark, len(rows))
	for i, r := range rows {
		marks[i] = r.Mark
		marks[i].After, marks[i].Due = r.AfterID, fromMS(r.DueMS)
	}
	return marks, err
}

// quietDay is when an outlet without anything to come is looked at again.
const quietDay = 24 * time.Hour

// holdMark locks a mark, unless another node has it or has moved it on.
func (db *DB) holdMark(tx *Tx, m privacy.Mark) (held bool, err error) {
	var after string
	err = tx.get(&after, `select after_id from retention where outlet_no = ? and class = ?`+db.skipLocked, m.Outlet, string(m.Class))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return after == m.After, err
}

func moveMark(tx *Tx, m privacy.Mark) error {
	return tx.exec(`update retention set after_id = ?, due_at_ms = ? where outlet_no = ? and class = ?`, m.After, ms(m.Due), m.Outlet, string(m.Class))
}

type agedRow struct {
	ID         string
	Kind       evidence.Kind
	Source     evidence.Source
	Waybill    sql.NullString
	ReceivedMS int64 `db:"received_at_ms"`

	Commitments string
	Body        []byte
}

// SweepRecords looks at an outlet's next records, in the order in which they
// were made, and erases those that are past their time.
func (db *DB) SweepRecords(ctx context.Context, m privacy.Mark, b privacy.Batch) (swept privacy.Swept, err error) {
	if b.Dry {
		plan, err := db.planRecords(db.lister(ctx), m, b)
		return plan.swept, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		swept = privacy.Swept{}
		held, err := db.holdMark(tx, m)
		if err != nil || !held {
			return err
		}
		plan, err := db.planRecords(tx.list, m, b)
		if err != nil {
			return err
		}
		swept = plan.swept
		if err := db.carryOut(tx, m, b, plan); err != nil {
			return err
		}
		return moveMark(tx, swept.Next)
	})
	if err != nil {
		return privacy.Swept{}, fmt.Errorf("outlet %d, %s: %w", m.Outlet, m.Class, err)
	}
	return swept, nil
}

// plan is what a batch would do.
type plan struct {
	swept   privacy.Swept
	gone    []valueRow         // records past their time
	spared  []doorstep.Waybill // parcels that a complaint or a hold keeps
	parcels []doorstep.Waybill // of dispatches past their time
}

// concerns says whether a class has a say about records of a kind. The list of
// what an erasure took names nobody and stays.
func concerns(c privacy.Class, k evidence.Kind) bool {
	if c == privacy.Accesses {
		return k == evidence.Access
	}
	return k != evidence.Access && k != evidence.Erasure
}

func (db *DB) planRecords(list lister, m privacy.Mark, b privacy.Batch) (p plan, err error) {
	var rows []agedRow
	err = list(&rows, `select e.id, e.kind, e.source, e.waybill, e.received_at_ms, e.commitments, v.body from evidence e
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where e.outlet_no = ? and e.id > ? order by e.id limit ?`, m.Outlet, m.After, b.Limit)
	if err != nil {
		return p, fmt.Errorf("records: %w", err)
	}
	next := m
	next.Due = b.Now.Add(quietDay)
	before := b.Now.Add(-b.Keep)
	var waybills []string
	var old []agedRow
	for _, r := range rows {
		if r.ReceivedMS > ms(before) {
			next.Due = fromMS(r.ReceivedMS).Add(b.Keep)
			break
		}
		next.After = r.ID
		old = append(old, r)
		if r.Waybill.Valid {
			waybills = append(waybills, r.Waybill.String)
		}
	}
	if len(old) == b.Limit {
		next.Due, p.swept.More = b.Now, true
	}
	p.swept.Next = next
	kept, err := db.keptParcels(list, m, waybills)
	if err != nil {
		return p, err
	}
	if m.Class == privacy.Records {
		for w := range kept {
			p.spared = append(p.spared, doorstep.Waybill(w))
		}
	}
	p.swept.Spared = len(kept)
	for _, r := range old {
		if !concerns(m.Class, r.Kind) || kept[r.Waybill.String] {
			continue
		}
		if m.Class == privacy.Records && r.Kind == evidence.Dispatch {
			p.parcels = append(p.parcels, doorstep.Waybill(r.Waybill.String))
		}
		if r.Body == nil {
			continue
		}
		if m.Class == privacy.Positions {
			opening, err := db.openValues(m.Outlet, r.ID, r.Body)
			if err != nil {
				return p, err
			}
			if len(evidence.CoordinatesOf(r.Kind, r.Source, opening)) == 0 {
				continue
			}
		}
		p.gone = append(p.gone, valueRow{ID: r.ID, Kind: r.Kind, Source: r.Source, Commitments: r.Commitments, Body: r.Body})
	}
	p.swept.Gone = len(p.gone)
	return p, nil
}

// keptParcels finds parcels that somebody holds or complained about, at whichever
// outlet of the company. Positions are kept while the complaint is open, and then
// as long as the record.
func (db *DB) keptParcels(list lister, m privacy.Mark, waybills []string) (map[string]bool, error) {
	if m.Class == privacy.Accesses {
		return nil, nil
	}
	company, err := companyOf(list, m.Outlet)
	if err != nil {
		return nil, err
	}
	complaints := `select waybill from complaint where company_no = ? and waybill` + db.inList
	if m.Class == privacy.Positions {
		complaints += ` and ` + openStatuses
	}
	in := db.asList(nonNil(waybills))
	var found []string
	err = list(&found, complaints+`
union select waybill from hold where company_no = ? and released_at_ms is null and waybill`+db.inList, company, in, company, in)
	kept := make(map[string]bool, len(found))
	for _, w := range found {
		kept[w] = true
	}
	return kept, err
}

// carryOut erases what is planned. Parcels whose last dispatch is past its time
// lose their consignee with it.
func (db *DB) carryOut(tx *Tx, m privacy.Mark, b privacy.Batch, p plan) error {
	rows := make([][]any, len(p.spared))
	for i, w := range p.spared {
		rows[i] = []any{m.Outlet, w, ms(b.Now)}
	}
	if err := tx.insert(`insert into spared_parcel (outlet_no, waybill, due_at_ms)`, `on conflict (outlet_no, waybill) do nothing`, rows); err != nil {
		return fmt.Errorf("spare parcels: %w", err)
	}
	for _, w := range p.parcels {
		if err := db.forgetConsignee(tx, m.Outlet, w, b.Now.Add(-b.Keep)); err != nil {
			return err
		}
	}
	if len(p.gone) > 0 || len(p.parcels) > 0 {
		db.stain(tx)
	}
	fields := evidence.AllFields
	if m.Class == privacy.Positions {
		fields = evidence.CoordinatesOf
	}
	_, err := db.eraseValues(tx, wipe{
		Parcel: privacy.Parcel{Outlet: m.Outlet}, class: m.Class, reason: forRetention, fields: fields, now: b.Now,
	}, p.gone)
	return err
}

// forgetConsignee takes the person off a parcel that has not gone out since.
func (db *DB) forgetConsignee(tx *Tx, outlet doorstep.OutletNo, w doorstep.Waybill, before time.Time) error {
	for _, forget := range []struct {
		query string
		args  []any
	}{
		{`update alert set tags = '' where outlet_no = ? and id in (
  select coalesce(revised_alert_id, alert_id) from dispatch where outlet_no = ? and waybill = ? and received_at_ms <= ?)`,
			[]any{outlet, outlet, w, ms(before)}},
		{`update dispatch set consumer_id = '' where outlet_no = ? and waybill = ? and received_at_ms <= ? and consumer_id <> ''`,
			[]any{outlet, w, ms(before)}},
		{`update parcel set consignee = null, consumer_id = '', address_id = '' where outlet_no = ? and waybill = ? and updated_at_ms <= ?`,
			[]any{outlet, w, ms(before)}},
	} {
		if err := tx.exec(forget.query, forget.args...); err != nil {
			return fmt.Errorf("forget a consignee: %w", err)
		}
	}
	return nil
}

// SparedParcels lists parcels that were spared and are to be looked at again.
func (db *DB) SparedParcels(ctx context.Context, now time.Time, limit int) (list []privacy.Parcel, err error) {
	err = db.list(ctx, &list, `select outlet_no, waybill from spared_parcel where due_at_ms <= ? order by due_at_ms, outlet_no limit ?`, ms(now), limit)
	return list, err
}

// SweepParcel erases of a parcel, whose complaints were closed long ago and that
// nobody holds, what is past the time of records. The rest is of its number's next
// use and waits for its own time.
func (db *DB) SweepParcel(ctx context.Context, p privacy.Parcel, closedBefore, again time.Time, b privacy.Batch) (swept privacy.Swept, err error) {
	until := ms(b.Now.Add(-b.Keep)) + 1
	if b.Dry {
		kept, err := db.keeps(db.lister(ctx), p, closedBefore)
		if err != nil || kept {
			return privacy.Swept{Spared: 1}, err
		}
		var n int
		err = db.get(ctx, &n, `select count(*)`+recordsOfParcel+` and e.received_at_ms < ?`, p.Outlet, p.Waybill, until)
		return privacy.Swept{Gone: n}, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		swept = privacy.Swept{}
		kept, err := db.keeps(tx.list, p, closedBefore)
		if err != nil {
			return err
		}
		if kept {
			swept.Spared = 1
			return tx.exec(`update spared_parcel set due_at_ms = ? where outlet_no = ? and waybill = ?`, ms(again), p.Outlet, p.Waybill)
		}
		swept.Gone, err = db.wipeParcel(tx, wipe{Parcel: p, until: until, class: privacy.Cases, reason: forRetention, fields: evidence.AllFields, now: b.Now})
		if err != nil {
			return err
		}
		return tx.exec(`delete from spared_parcel where outlet_no = ? and waybill = ?`, p.Outlet, p.Waybill)
	})
	return swept, err
}

// keeps says whether a parcel is held, or was complained about too lately, at
// whichever outlet. The stub of a complaint that was rerouted keeps nothing by
// itself.
func (db *DB) keeps(list lister, p privacy.Parcel, closedBefore time.Time) (bool, error) {
	company, err := companyOf(list, p.Outlet)
	if err != nil {
		return true, err
	}
	var found []int
	err = list(&found, `select 1 from complaint where company_no = ? and waybill = ? and (`+openStatuses+` or closed_at_ms > ?)
union all select 1 from hold where company_no = ? and waybill = ? and released_at_ms is null`, company, p.Waybill, ms(closedBefore), company, p.Waybill)
	return len(found) > 0, err
}

var _ privacy.SweepStore = (*DB)(nil)
