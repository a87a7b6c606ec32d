package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"doorstep"
	"doorstep/complaints"
)

// terminalScan must read as in the index scan_signed.
const terminalScan = `status in ('signed_self', 'signed_proxy', 'signed_facility', 'signed_after_exception')`

// markGrain is how finely marks tell times apart. No zone's midnight lies within
// a quarter of an hour.
const markGrain = int64(15 * time.Minute / time.Millisecond)

// addMarks has days of outlets counted anew: those of times, in milliseconds, and
// all where a time is nil.
func (db *DB) addMarks(tx *Tx, times map[doorstep.OutletNo][]any) error {
	now := ms(db.now())
	var rows [][]any
	for _, outlet := range slices.Sorted(maps.Keys(times)) {
		seen := map[any]bool{}
		for _, at := range times[outlet] {
			if t, ok := at.(int64); ok {
				at = t - t%markGrain
			}
			if !seen[at] {
				seen[at] = true
				rows = append(rows, []any{outlet, db.newID(outlet), at, now})
			}
		}
	}
	return tx.insert(`insert into kpi_mark (outlet_no, id, at_ms, marked_at_ms)`, "", rows)
}

// markComplaint marks what the counts of have changed with a complaint: its own
// day, also at the outlet that it was rerouted from; days of later ones that may
// repeat it; and the day on which its parcel was signed for.
func (db *DB) markComplaint(tx *Tx, c complaints.Complaint) error {
	times := map[doorstep.OutletNo][]any{}
	var rows []struct {
		Outlet  doorstep.OutletNo `db:"outlet_no"`
		Waybill doorstep.Waybill
		FiledMS int64 `db:"filed_at_ms"`
	}
	if c.Consumer != "" { // nothing repeats what an erased consumer complained of
		err := tx.list(&rows, `select outlet_no, waybill, filed_at_ms from complaint where consumer_id = ? and filed_at_ms >= ? and filed_at_ms <= ?`,
			c.Consumer, ms(c.FiledAt), ms(c.FiledAt.Add(complaints.RepeatWindow)))
		if err != nil {
			return err
		}
	}
	had := map[doorstep.OutletNo]bool{}
	for _, r := range rows {
		times[r.Outlet] = append(times[r.Outlet], r.FiledMS)
		if r.Waybill == c.Waybill && r.Outlet != c.Outlet {
			had[r.Outlet] = true
		}
	}
	for _, outlet := range slices.Sorted(maps.Keys(had)) {
		ended, err := db.endings(tx, outlet, []doorstep.Waybill{c.Waybill})
		if err != nil {
			return err
		}
		times[outlet] = append(times[outlet], ended...)
	}
	return db.markFiled(tx, c, times)
}

// markFiled marks, beside other times, the days of a complaint's filing and of
// its parcel's end at its outlet.
func (db *DB) markFiled(tx *Tx, c complaints.Complaint, others map[doorstep.OutletNo][]any) error {
	ended, err := db.endings(tx, c.Outlet, []doorstep.Waybill{c.Waybill})
	if err != nil {
		return err
	}
	others[c.Outlet] = append(append(others[c.Outlet], ms(c.FiledAt)), ended...)
	return db.addMarks(tx, others)
}

// markEndings marks the days of everything that says that parcels were signed
// for: which of it is the first may have changed.
func (db *DB) markEndings(tx *Tx, outlet doorstep.OutletNo, waybills []doorstep.Waybill) error {
	if len(waybills) == 0 {
		return nil
	}
	times, err := db.endings(tx, outlet, waybills)
	if err != nil {
		return err
	}
	return db.addMarks(tx, map[doorstep.OutletNo][]any{outlet: times})
}

func (db *DB) endings(tx *Tx, outlet doorstep.OutletNo, waybills []doorstep.Waybill) ([]any, error) {
	var times []int64
	list := db.asList(waybills)
	err := tx.list(&times, `select at_ms from sign_for where outlet_no = ? and waybill`+db.inList+`
union all select at_ms from scan where outlet_no = ? and waybill`+db.inList+` and `+terminalScan, outlet, list, outlet, list)
	if err != nil {
		return nil, err
	}
	ended := make([]any, len(times))
	for i, t := range times {
		ended[i] = t
	}
	return ended, nil
}

// ChangedOutlets lists outlets with days that are to be counted anew.
func (db *DB) ChangedOutlets(ctx context.Context, before time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from kpi_mark where marked_at_ms <= ? group by outlet_no order by min(marked_at_ms), outlet_no limit ?`,
		ms(before), limit)
	return list, err
}

// Unsettle marks all days of an outlet.
func (db *DB) Unsettle(ctx context.Context, outlet doorstep.OutletNo) error {
	return db.inTx(ctx, func(tx *Tx) error {
		return db.addMarks(tx, map[doorstep.OutletNo][]any{outlet: {nil}})
	})
}

// AllOutlets lists every outlet of every company.
func (db *DB) AllOutlets(ctx context.Context) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select no from outlet order by no`)
	return list, err
}
