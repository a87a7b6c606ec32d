package store

import (
	"time"

	"doorstep"
	"doorstep/push"
)

// hold applies the outlet's rules to pushes that are due. In quiet hours it
// puts off what would ring; it returns the rest, and why each rings nobody, ""
// where it does.
func (db *DB) hold(tx *Tx, outlet doorstep.OutletNo, due []pushRow, now time.Time) (rest []pushRow, held map[string]string, err error) {
	var row outletRow
	if err := tx.get(&row, `select `+outletColumns+` from outlet where no = ?`, outlet); err != nil {
		return nil, nil, err
	}
	o, err := row.outlet()
	if err != nil {
		return nil, nil, err
	}
	zone, err := zoneOf(outlet, o.TimeZone)
	if err != nil {
		return nil, nil, err
	}
	rings := func(p pushRow) bool { return p.Kind != push.KindRecall }
	if until := o.Push.QuietUntil(now, zone); until.After(now) {
		var later []string
		for _, p := range due {
			if rings(p) {
				later = append(later, p.ID)
			} else {
				rest = append(rest, p)
			}
		}
		return rest, nil, db.putOff(tx, outlet, later, until)
	}
	held = make(map[string]string, len(due))
	if o.Push.PerDay == 0 {
		return due, held, nil
	}
	rung, err := db.rungToday(tx, outlet, due, now, zone)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range due {
		switch {
		case !rings(p):
		case rung[p.CourierNo] >= o.Push.PerDay:
			held[p.ID] = push.HeldBudget
		default:
			rung[p.CourierNo]++
		}
	}
	tx.afterCommit(func() { db.observer.Held(push.HeldBudget, len(held)) })
	return due, held, nil
}

// putOff has pushes wait until quiet hours end. One that is due again before,
// since alerts joined it, was told of already.
func (db *DB) putOff(tx *Tx, outlet doorstep.OutletNo, ids []string, until time.Time) error {
	n, err := tx.changed(`update push set held = ? where outlet_no = ? and held <> ? and id`+db.inList,
		push.HeldQuiet, outlet, push.HeldQuiet, db.asList(nonNil(ids)))
	if err != nil {
		return err
	}
	tx.afterCommit(func() { db.observer.Held(push.HeldQuiet, int(n)) })
	return tx.exec(`update push set due_at_ms = ? where outlet_no = ? and id`+db.inList, ms(until), outlet, db.asList(nonNil(ids)))
}

// rungToday counts the pushes that rang each courier since the outlet's
// midnight.
func (db *DB) rungToday(tx *Tx, outlet doorstep.OutletNo, due []pushRow, now time.Time, zone *time.Location) (map[int64]int, error) {
	y, m, d := now.In(zone).Date()
	var rows []struct {
		CourierNo int64 `db:"courier_no"`
		Pushes    int
	}
	err := tx.list(&rows, `select courier_no, count(*) as pushes from push
where outlet_no = ? and courier_no`+db.inList+` and opened_at_ms >= ? and state = 'composed' and held = '' and kind <> ? group by courier_no`,
		outlet, db.asList(couriersOf(due)), ms(time.Date(y, m, d, 0, 0, 0, 0, zone)), push.KindRecall)
	rung := make(map[int64]int, len(rows))
	for _, r := range rows {
		rung[r.CourierNo] = r.Pushes
	}
	return rung, err
}
