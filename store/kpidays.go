package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/kpi"
	"doorstep/parcels"
)

const (
	marksAtOnce = 1000
	daysAtOnce  = 8 // in one transaction; on SQLite everybody's writes wait for it
)

// Recount counts an outlet's changed days anew. On PostgreSQL the lock of the
// outlet's row is the lease.
func (db *DB) Recount(ctx context.Context, outlet doorstep.OutletNo) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		var name string
		if err := tx.get(&name, `select time_zone from outlet where no = ?`, outlet); err != nil {
			return err
		}
		zone, err := zoneOf(outlet, name)
		if err != nil {
			return err
		}
		if err := tx.exec(`insert into kpi_head (outlet_no) values (?) on conflict (outlet_no) do nothing`, outlet); err != nil {
			return err
		}
		var head int64
		err = tx.get(&head, `select outlet_no from kpi_head where outlet_no = ?`+db.skipLocked, outlet)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var marks []struct {
			ID   string
			AtMS sql.NullInt64 `db:"at_ms"`
		}
		err = tx.list(&marks, `select id, at_ms from kpi_mark where outlet_no = ? order by id limit ?`, outlet, marksAtOnce)
		if err != nil {
			return err
		}
		days, settled := map[int]kpi.Day{}, []string{}
		for _, m := range marks {
			if !m.AtMS.Valid {
				if err := db.markEveryDay(tx, outlet, zone); err != nil {
					return err
				}
				settled = append(settled, m.ID)
				continue
			}
			day := kpi.DayOf(fromMS(m.AtMS.Int64), zone)
			if _, ok := days[day.No]; !ok && len(days) == daysAtOnce {
				continue
			}
			days[day.No] = day
			settled = append(settled, m.ID)
		}
		for _, no := range slices.Sorted(maps.Keys(days)) {
			if err := db.countDay(tx, outlet, days[no]); err != nil {
				return fmt.Errorf("day %d: %w", no, err)
			}
		}
		n = len(settled)
		if n == 0 {
			return nil
		}
		return tx.exec(`delete from kpi_mark where outlet_no = ? and id`+db.inList, outlet, db.asList(settled))
	})
	if err != nil {
		return 0, fmt.Errorf("recount: %w", err)
	}
	return n, nil
}

// markEveryDay marks each day from the first record to the last, and those that
// were counted.
func (db *DB) markEveryDay(tx *Tx, outlet doorstep.OutletNo, zone *time.Location) error {
	var ends struct{ First, Last sql.NullInt64 }
	err := tx.get(&ends, `select min(first) as first, max(last) as last from (
  select min(filed_at_ms) as first, max(filed_at_ms) as last from complaint where outlet_no = ?
  union all select min(at_ms), max(at_ms) from sign_for where outlet_no = ?
  union all select min(at_ms), max(at_ms) from scan where outlet_no = ? and `+terminalScan+`) records`, outlet, outlet, outlet)
	if err != nil {
		return err
	}
	var counted []int
	if err := tx.list(&counted, `select distinct day from kpi_day where outlet_no = ?`, outlet); err != nil {
		return err
	}
	var times []any
	for _, no := range counted {
		times = append(times, ms(kpi.DayAt(no, zone).From))
	}
	if ends.First.Valid {
		for day := kpi.DayOf(fromMS(ends.First.Int64), zone); ms(day.From) <= ends.Last.Int64; day = day.Next(zone) {
			times = append(times, ms(day.From))
		}
	}
	return db.addMarks(tx, map[doorstep.OutletNo][]any{outlet: times})
}

// countDay puts an outlet's counts of a day in the place of those that stand
// there.
func (db *DB) countDay(tx *Tx, outlet doorstep.OutletNo, day kpi.Day) error {
	cases, past, err := db.casesOf(tx, outlet, day)
	if err != nil {
		return fmt.Errorf("complaints: %w", err)
	}
	tally := kpi.TallyCases(day, cases, past)
	var handovers kpi.Tally
	if day.To.Before(db.now().Add(-kpi.FinalAfter)) {
		handovers, err = keptHandovers(tx, outlet, day)
	}
	if err == nil && len(handovers) == 0 {
		handovers, err = db.handoversOf(tx, outlet, day)
	}
	if err != nil {
		return fmt.Errorf("handovers: %w", err)
	}
	tally.Add(handovers)
	var total kpi.Counts
	keys := slices.SortedFunc(maps.Keys(tally), kpi.Key.Compare)
	parts := make([][]any, len(keys))
	for i, k := range keys {
		parts[i] = append([]any{outlet, day.No, k.CourierNo, k.Category}, kept(tally[k])...)
		total = total.Plus(tally[k])
	}
	for _, table := range []string{"kpi_day", "kpi_part"} {
		if err := tx.exec(`delete from `+table+` where outlet_no = ? and day = ?`, outlet, day.No); err != nil {
			return err
		}
	}
	if len(parts) == 0 {
		return nil
	}
	names := strings.Join(kpi.Names[:], ", ")
	if err := tx.insert(`insert into kpi_day (outlet_no, day, `+names+`)`, "", [][]any{append([]any{outlet, day.No}, kept(total)...)}); err != nil {
		return err
	}
	return tx.insert(`insert into kpi_part (outlet_no, day, courier_no, category, `+names+`)`, "", parts)
}

// keptHandovers reads what stands for an outlet's parcels of a day.
func keptHandovers(tx *Tx, outlet doorstep.OutletNo, day kpi.Day) (kpi.Tally, error) {
	rows, err := tx.tx.QueryxContext(tx.ctx, tx.tx.Rebind(`select courier_no, `+strings.Join(kpi.Names[:], ", ")+` from kpi_part
where outlet_no = ? and day = ? and category = ''`), outlet, day.No)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tally := kpi.Tally{}
	for rows.Next() {
		var key kpi.Key
		var counts kpi.Counts
		into := []any{&key.CourierNo}
		for i := range kpi.Names {
			into = append(into, &counts[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		tally[key] = counts
	}
	return tally, rows.Err()
}

func kept(c kpi.Counts) []any {
	row := make([]any, kpi.Kept)
	for i := range row {
		row[i] = c[i]
	}
	return row
}

type filedRow struct {
	Outlet     doorstep.OutletNo `db:"outlet_no"`
	ID         string
	Waybill    doorstep.Waybill
	Consumer   doorstep.ConsumerID `db:"consumer_id"`
	CourierNo  sql.NullInt64       `db:"courier_no"`
	Category   complaints.Category
	Status     complaints.Status
	FiledMS    int64         `db:"filed_at_ms"`
	HandledMS  sql.NullInt64 `db:"handled_at_ms"`
	ReopenedMS sql.NullInt64 `db:"reopened_at_ms"`
	PausedMS   int64         `db:"paused_ms"`
	RepeatOf   string        `db:"repeat_of"`
	Follows    string
}

const selectCase = `select outlet_no, id, waybill, consumer_id, courier_no, category, status, filed_at_ms, handled_at_ms, reopened_at_ms, paused_ms,
  repeat_of, follows
from complaint where status <> '` + movedStatus + `' and `

func casesFrom(rows []filedRow) []kpi.Case {
	list := make([]kpi.Case, len(rows))
	for i, r := range rows {
		list[i] = kpi.Case{
			Outlet: r.Outlet, ID: r.ID, Waybill: r.Waybill, Consumer: r.Consumer, CourierNo: r.CourierNo.Int64, Category: r.Category, Status: r.Status,
			FiledAt: fromMS(r.FiledMS), HandledAt: fromNullMS(r.HandledMS), ReopenedAt: fromNullMS(r.ReopenedMS), Paused: r.PausedMS > 0,
			Repeats: r.RepeatOf != "", Follows: r.Follows != "",
		}
	}
	return list
}

// casesOf reads what an outlet was complained of on a day, and what the same
// consumers complained of before, anywhere.
func (db *DB) casesOf(tx *Tx, outlet doorstep.OutletNo, day kpi.Day) (cases, past []kpi.Case, err error) {
	var rows, earlier []filedRow
	err = tx.list(&rows, selectCase+`outlet_no = ? and filed_at_ms >= ? and filed_at_ms < ?`, outlet, ms(day.From), ms(day.To))
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	consumers := map[string]bool{}
	for _, r := range rows {
		if r.Consumer != "" { // erased
			consumers[string(r.Consumer)] = true
		}
	}
	err = tx.list(&earlier, selectCase+`filed_at_ms >= ? and filed_at_ms < ? and consumer_id`+db.inList,
		ms(day.From.Add(-complaints.RepeatWindow)), ms(day.To), db.asList(slices.Sorted(maps.Keys(consumers))))
	return casesFrom(rows), casesFrom(earlier), err
}

// handoversOf counts the parcels of an outlet that were first signed for on a day.
func (db *DB) handoversOf(tx *Tx, outlet doorstep.OutletNo, day kpi.Day) (kpi.Tally, error) {
	var waybills []string
	err := tx.list(&waybills, `select waybill from sign_for where outlet_no = ? and at_ms >= ? and at_ms < ?
union select waybill from scan where outlet_no = ? and at_ms >= ? and at_ms < ? and `+terminalScan,
		outlet, ms(day.From), ms(day.To), outlet, ms(day.From), ms(day.To))
	if err != nil || len(waybills) == 0 {
		return nil, err
	}
	list := db.asList(waybills)
	signed, err := db.signatures(tx, outlet, list)
	if err != nil {
		return nil, err
	}
	carried, err := db.carried(tx, outlet, list)
	if err != nil {
		return nil, err
	}
	var complained []doorstep.Waybill
	err = tx.list(&complained, `select distinct waybill from complaint
where outlet_no = ? and status <> '`+movedStatus+`' and `+counted("")+` and waybill`+db.inList, outlet, list)
	if err != nil {
		return nil, err
	}
	blamed := make(map[doorstep.Waybill]bool, len(complained))
	for _, w := range complained {
		blamed[w] = true
	}
	return kpi.TallyHandovers(day, signed, carried, blamed), nil
}

// counted says in SQL what kpi.Case.IsCounted says.
func counted(alias string) string {
	return `(` + alias + `status <> '` + string(complaints.Withdrawn) + `' or ` + alias + `handled_at_ms is not null)`
}

// signatures reads all that says how parcels ended.
func (db *DB) signatures(tx *Tx, outlet doorstep.OutletNo, waybills any) (map[doorstep.Waybill][]kpi.Signature, error) {
	var rows []struct {
		Waybill    doorstep.Waybill
		Version    int
		Act        parcels.Act
		Method     parcels.Method
		CourierNo  int64 `db:"courier_no"`
		Status     parcels.ParcelStatus
		AtMS       int64 `db:"at_ms"`
		ReceivedMS int64 `db:"received_at_ms"`
	}
	err := tx.list(&rows, `select waybill, version, act, method, courier_no, '' as status, at_ms, received_at_ms from sign_for where outlet_no = ? and waybill`+db.inList+`
union all select waybill, 0, '', '', 0, status, at_ms, received_at_ms from scan where outlet_no = ? and waybill`+db.inList+` and `+terminalScan,
		outlet, waybills, outlet, waybills)
	if err != nil {
		return nil, err
	}
	signed := map[doorstep.Waybill][]kpi.Signature{}
	for _, r := range rows {
		s := kpi.Signature{
			Waybill: r.Waybill, Version: r.Version, Act: r.Act, Method: r.Method, CourierNo: r.CourierNo,
			At: fromMS(r.AtMS), ReceivedAt: fromMS(r.ReceivedMS),
		}
		if r.Version == 0 {
			s.Method = r.Status.Method()
		}
		signed[r.Waybill] = append(signed[r.Waybill], s)
	}
	return signed, nil
}

// carried reads who had parcels out, and what they were told.
func (db *DB) carried(tx *Tx, outlet doorstep.OutletNo, waybills any) (map[doorstep.Waybill][]kpi.Carried, error) {
	var rows []struct {
		Waybill      doorstep.Waybill
		Consumer     doorstep.ConsumerID `db:"consumer_id"`
		CourierNo    int64               `db:"courier_no"`
		AlertID      sql.NullString      `db:"alert_id"`
		DispatchedMS int64               `db:"dispatched_at_ms"`
		ReceivedMS   int64               `db:"received_at_ms"`
		Tags         sql.NullString      // of the alert
		DeliveredMS  sql.NullInt64       `db:"delivered_at_ms"`
		InformedMS   sql.NullInt64       `db:"informed_at_ms"`
	}
	err := tx.list(&rows, `select d.waybill, d.consumer_id, d.courier_no, a.id as alert_id, d.dispatched_at_ms, d.received_at_ms, a.tags, a.informed_at_ms,
  (select min(r.received_at_ms) from receipt r where r.outlet_no = d.outlet_no and r.alert_id = a.id) as delivered_at_ms
from dispatch d left join alert a on a.outlet_no = d.outlet_no and a.id = coalesce(d.revised_alert_id, d.alert_id)
where d.outlet_no = ? and d.waybill`+db.inList+` order by d.dispatched_at_ms, d.courier_no, d.day`, outlet, waybills)
	if err != nil {
		return nil, err
	}
	carried := map[doorstep.Waybill][]kpi.Carried{}
	for _, r := range rows {
		carried[r.Waybill] = append(carried[r.Waybill], kpi.Carried{
			Waybill: r.Waybill, CourierNo: r.CourierNo, DispatchedAt: fromMS(r.DispatchedMS), ReceivedAt: fromMS(r.ReceivedMS),
			// Of whoever was forgotten we know that there was an alert, and not of what.
			Alerted: r.Tags.String != "" || r.Consumer == "" && r.AlertID.Valid, Tags: splitTags(r.Tags.String),
			DeliveredAt: fromNullMS(r.DeliveredMS), InformedAt: fromNullMS(r.InformedMS),
		})
	}
	return carried, nil
}

var _ kpi.KeeperStore = (*DB)(nil)
