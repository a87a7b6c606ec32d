package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/push"
)

// Bounds of how long changed wishes settle before couriers are told: long enough
// for a dispatch that read the old ones to commit, and for a consumer to tick
// three boxes; short enough for a courier at the door.
const (
	shortestRevision = time.Second
	longestRevision  = 10 * time.Second
)

// wishesChanged notes that couriers may have to be told. but is a parcel that is
// not concerned, "" for none.
func (db *DB) wishesChanged(tx *Tx, consumer doorstep.ConsumerID, but doorstep.Waybill, at int64) error {
	wait := min(max(db.settle.Window, shortestRevision), longestRevision)
	// The update that changes nothing waits, on PostgreSQL, for a pass that has
	// read the wishes before this change.
	err := tx.exec(`insert into wish_change (consumer_id, but_waybill, due_at_ms) values (?, ?, ?)
on conflict (consumer_id, but_waybill) do update set due_at_ms = wish_change.due_at_ms`, consumer, but, at+wait.Milliseconds())
	if err != nil {
		return err
	}
	return db.numberWishes(tx, consumer)
}

type wishChangeRow struct {
	Consumer doorstep.ConsumerID `db:"consumer_id"`
	But      doorstep.Waybill    `db:"but_waybill"`
}

type outRow struct {
	Outlet    doorstep.OutletNo `db:"outlet_no"`
	CourierNo int64             `db:"courier_no"`
	Day       int
	Waybill   doorstep.Waybill
	Consumer  doorstep.ConsumerID `db:"consumer_id"`
	AddressID string              `db:"address_id"`
	Home      doorstep.OutletNo   `db:"home_no"`
	TimeZone  string              `db:"time_zone"`
	AlertID   sql.NullString      `db:"alert_id"`
	Tags      sql.NullString
	Version   sql.NullInt64
	CreatedMS sql.NullInt64 `db:"created_at_ms"`
	OverMS    sql.NullInt64 `db:"superseded_at_ms"`
}

// ReviseDue brings what couriers were told up to their consumers' wishes.
func (db *DB) ReviseDue(ctx context.Context, now time.Time, limit int, revise func(parcels.Out, prefs.Profile) (parcels.Revision, bool)) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		var couriers []int64
		var changes []wishChangeRow
		err := tx.list(&changes, `select consumer_id, but_waybill from wish_change where due_at_ms <= ? order by due_at_ms limit ?`+db.skipLocked, ms(now), limit)
		if n = len(changes); err != nil || n == 0 {
			return err
		}
		for _, c := range changes {
			if err := tx.exec(`delete from wish_change where consumer_id = ? and but_waybill = ?`, c.Consumer, c.But); err != nil {
				return err
			}
		}
		revisions, err := db.revisions(tx, changes, now, revise)
		if err != nil {
			return err
		}
		for _, outlet := range slices.Sorted(maps.Keys(revisions)) {
			if err := db.writeRevisions(tx, outlet, revisions[outlet], now); err != nil {
				return fmt.Errorf("outlet %d: %w", outlet, err)
			}
			for _, r := range revisions[outlet] {
				couriers = append(couriers, r.CourierNo)
			}
		}
		slices.Sort(couriers)
		couriers = slices.Compact(couriers)
		if len(couriers) == 0 {
			return nil
		}
		return db.announce(tx, couriers)
	})
	return n, err
}

// revisions decides anew about the parcels that are out, each once.
func (db *DB) revisions(tx *Tx, changes []wishChangeRow, now time.Time, revise func(parcels.Out, prefs.Profile) (parcels.Revision, bool)) (map[doorstep.OutletNo][]parcels.Revision, error) {
	concerned := map[doorstep.ConsumerID][]doorstep.Waybill{} // and the parcels that are not, of each of its changes
	for _, c := range changes {
		concerned[c.Consumer] = append(concerned[c.Consumer], c.But)
	}
	consumers := slices.Sorted(maps.Keys(concerned))
	profiles, err := db.profiles(tx.list, consumers)
	if err != nil {
		return nil, err
	}
	var rows []outRow
	// Nowhere on earth is it three different days at once.
	err = tx.list(&rows, `select d.outlet_no, d.courier_no, d.day, d.waybill, d.consumer_id, p.address_id, c.home_no, o.time_zone,
  a.id as alert_id, a.tags, a.version, a.created_at_ms, a.superseded_at_ms
from dispatch d
join parcel p on p.outlet_no = d.outlet_no and p.waybill = d.waybill and p.courier_no = d.courier_no
join outlet o on o.no = d.outlet_no
join courier c on c.no = d.courier_no
left join alert a on a.outlet_no = d.outlet_no and a.id = coalesce(d.revised_alert_id, d.alert_id)
where d.day in (?, ?, ?) and not coalesce(p.signed_at_ms >= d.received_at_ms, false) and d.consumer_id`+db.inList,
		parcels.Day(now.AddDate(0, 0, -1), time.UTC), parcels.Day(now, time.UTC), parcels.Day(now.AddDate(0, 0, 1), time.UTC), db.asList(consumers))
	if err != nil {
		return nil, fmt.Errorf("parcels that are out: %w", err)
	}
	noted, err := db.parcelNotes(tx, consumers)
	if err != nil {
		return nil, err
	}
	byOutlet := map[doorstep.OutletNo][]parcels.Revision{}
	for _, r := range rows {
		zone, err := zoneOf(r.Outlet, r.TimeZone)
		if err != nil {
			return nil, err
		}
		spared := !slices.ContainsFunc(concerned[r.Consumer], func(but doorstep.Waybill) bool { return but != r.Waybill })
		if spared || r.Day != parcels.Day(now, zone) {
			continue
		}
		out := r.out(zone)
		out.NotedAt = noted[r.Consumer][string(r.Waybill)]
		if revision, ok := revise(out, profiles[r.Consumer]); ok {
			byOutlet[r.Outlet] = append(byOutlet[r.Outlet], revision)
		}
	}
	for _, list := range byOutlet { // by courier, so that two passes cannot deadlock
		slices.SortFunc(list, func(a, b parcels.Revision) int {
			return cmp.Or(cmp.Compare(a.CourierNo, b.CourierNo), cmp.Compare(a.Waybill, b.Waybill))
		})
	}
	return byOutlet, nil
}

// parcelNotes says when consumers last wrote something about single parcels.
func (db *DB) parcelNotes(tx *Tx, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]map[string]time.Time, error) {
	var rows []struct {
		Consumer doorstep.ConsumerID `db:"consumer_id"`
		Waybill  string
		SetMS    int64 `db:"set_at_ms"`
	}
	err := tx.list(&rows, `select consumer_id, substr(scope, 8) as waybill, set_at_ms from preference_note
where consumer_id`+db.inList+` and (scope like 'parcel:%' or scope like 'answer:%')`, db.consumerList(consumers))
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	noted := map[doorstep.ConsumerID]map[string]time.Time{}
	for _, r := range rows {
		of := noted[r.Consumer]
		if of == nil {
			of = map[string]time.Time{}
			noted[r.Consumer] = of
		}
		if at := fromMS(r.SetMS); at.After(of[r.Waybill]) {
			of[r.Waybill] = at
		}
	}
	return noted, nil
}

func (r outRow) out(zone *time.Location) parcels.Out {
	out := parcels.Out{
		Key:         parcels.Key{Outlet: r.Outlet, CourierNo: r.CourierNo, Day: r.Day, Waybill: r.Waybill},
		CourierHome: r.Home, Consumer: r.Consumer, AddressID: r.AddressID, Zone: zone,
	}
	if r.AlertID.Valid {
		out.Alert = &push.Alert{ID: r.AlertID.String, Waybill: r.Waybill, Tags: splitTags(r.Tags.String), Version: int(r.Version.Int64), CreatedAt: fromNullMS(r.CreatedMS), SupersededAt: fromNullMS(r.OverMS)}
	}
	return out
}

// writeRevisions ends the alerts of before, sends those of now, and takes off
// the phones what nothing replaces.
func (db *DB) writeRevisions(tx *Tx, outlet doorstep.OutletNo, list []parcels.Revision, now time.Time) error {
	var over []string
	var next []courierAlert
	var facts []evidence.Fact
	lifted := map[int64][]string{}
	for _, r := range list {
		facts = append(facts, r.Fact)
		if r.Alert != nil {
			over = append(over, r.Alert.ID)
		}
		if r.Next == nil {
			lifted[r.CourierNo] = append(lifted[r.CourierNo], r.Alert.ID)
			continue
		}
		next = append(next, courierAlert{outlet: outlet, courierNo: r.CourierNo, home: r.CourierHome, Alert: *r.Next})
		err := tx.exec(`update dispatch set revised_alert_id = ? where outlet_no = ? and courier_no = ? and day = ? and waybill = ?`,
			r.Next.ID, outlet, r.CourierNo, r.Day, r.Waybill)
		if err != nil {
			return err
		}
	}
	if err := db.supersede(tx, outlet, over, now); err != nil {
		return fmt.Errorf("supersede: %w", err)
	}
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return err
	}
	if err := addFacts(tx, sealed); err != nil {
		return err
	}
	for _, courier := range slices.Sorted(maps.Keys(lifted)) {
		if err := db.withdraw(tx, outlet, courier, lifted[courier], now); err != nil {
			return fmt.Errorf("withdraw: %w", err)
		}
	}
	return db.addAlerts(tx, next)
}

// supersede ends alerts whose word no longer holds. Pushes that still wait with
// them are composed again, without them.
func (db *DB) supersede(tx *Tx, outlet doorstep.OutletNo, alerts []string, now time.Time) error {
	if len(alerts) == 0 {
		return nil
	}
	err := tx.exec(`update alert set superseded_at_ms = ?, expires_at_ms = ? where outlet_no = ? and superseded_at_ms is null and id`+db.inList,
		ms(now), ms(now), outlet, db.asList(alerts))
	if err != nil {
		return err
	}
	return db.endAlerts(tx, outlet, alerts, push.Superseded, now)
}

// endAlerts ends alerts before their time. Those that informed nobody have reason
// to.
func (db *DB) endAlerts(tx *Tx, outlet doorstep.OutletNo, alerts []string, reason push.Reason, now time.Time) error {
	if len(alerts) == 0 {
		return nil
	}
	unread, err := tx.changed(`update alert set not_informed_reason = ? where outlet_no = ? and informed_at_ms is null and not_informed_reason = '' and id`+db.inList,
		reason, outlet, db.asList(alerts))
	if err != nil {
		return err
	}
	tx.afterCommit(func() { db.observer.NotInformed(reason, int(unread)) })
	err = tx.exec(`update alert set expires_at_ms = ? where outlet_no = ? and expires_at_ms > ? and id`+db.inList,
		ms(now), outlet, ms(now), db.asList(alerts))
	if err != nil {
		return err
	}
	list := db.asList(alerts)
	return tx.exec(`update push set state = 'due', due_at_ms = ? where outlet_no = ? and state = 'composed' and kind <> ?
and id in (select push_id from alert where outlet_no = ? and id`+db.inList+`
  union all select push_id from push_alert where outlet_no = ? and alert_id`+db.inList+`)
and exists (select 1 from delivery d where d.outlet_no = push.outlet_no and d.push_id = push.id and d.state in ('queued', 'leased'))`,
		ms(now), outlet, push.KindRecall, outlet, list, outlet, list)
}

var _ parcels.RevisionStore = (*DB)(nil)
