package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/parcels"
	"doorstep/push"
)

type stopRow struct {
	Waybill   doorstep.Waybill
	Consumer  doorstep.ConsumerID `db:"consumer_id"`
	AddressID string              `db:"address_id"`
	AlertID   sql.NullString      `db:"alert_id"`
	AckedMS   sql.NullInt64       `db:"acked_at_ms"`
	Signed    bool
	Attempts  int
}

// Stops lists a courier's parcels of today, by each outlet's own day; with only,
// that parcel alone. A parcel that went to another courier since is no longer
// his.
func (db *DB) Stops(ctx context.Context, a doorstep.Actor, only doorstep.Waybill, now time.Time) ([]parcels.Stop, error) {
	courierNo, err := db.courierNo(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("courier: %w", err)
	}
	var outlets []struct {
		No       doorstep.OutletNo
		TimeZone string `db:"time_zone"`
	}
	err = db.list(ctx, &outlets, `select o.no, o.time_zone from outlet o join courier_outlet w on w.outlet_no = o.no where w.courier_no = ?`, courierNo)
	if err != nil {
		return nil, fmt.Errorf("courier's outlets: %w", err)
	}
	var stops []parcels.Stop
	for _, o := range outlets {
		zone, err := zoneOf(o.No, o.TimeZone)
		if err != nil {
			return nil, err
		}
		where := newFilter("d.outlet_no = ? and d.courier_no = ? and d.day = ?", o.No, courierNo, parcels.Day(now, zone))
		if only != "" {
			where.and("d.waybill = ?", only)
		}
		var rows []stopRow
		err = db.list(ctx, &rows, `select d.waybill, p.consumer_id, p.address_id, a.id as alert_id, a.acked_at_ms,
  coalesce(p.signed_at_ms >= d.received_at_ms, false) as signed,
  (select count(*) from attempt t where t.outlet_no = d.outlet_no and t.waybill = d.waybill) as attempts
from dispatch d
join parcel p on p.outlet_no = d.outlet_no and p.waybill = d.waybill and p.courier_no = d.courier_no
left join alert a on a.outlet_no = d.outlet_no and a.id = coalesce(d.revised_alert_id, d.alert_id) and a.superseded_at_ms is null
where `+where.text, where.args...)
		if err != nil {
			return nil, fmt.Errorf("run: %w", err)
		}
		for _, r := range rows {
			stops = append(stops, parcels.Stop{
				Waybill: r.Waybill, Consumer: r.Consumer, AddressID: r.AddressID, AlertID: r.AlertID.String, Acked: r.AckedMS.Valid,
				Signed: r.Signed, Attempts: r.Attempts,
			})
		}
	}
	slices.SortFunc(stops, func(a, b parcels.Stop) int { return strings.Compare(string(a.Waybill), string(b.Waybill)) })
	return stops, nil
}

// RemindOfStop opens a push with the alert's own id: an alert has one such push
// at most.
func (db *DB) RemindOfStop(ctx context.Context, alertID string, now time.Time) (rung bool, err error) {
	outlet, ok := doorstep.OutletOf(alertID)
	if !ok {
		return false, doorstep.NotFound("alert", alertID)
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(insertPush+` select outlet_no, id, courier_no, ?, '', 'due', ?, ?, '', '' from alert
where outlet_no = ? and id = ? and expires_at_ms > ? on conflict (outlet_no, id) do nothing`,
			push.KindStop, ms(now), ms(now), outlet, alertID, ms(now))
		if rung = n == 1; err != nil || !rung {
			return err
		}
		if err := tx.insert(`insert into push_alert (outlet_no, alert_id, push_id)`, "", [][]any{{outlet, alertID, alertID}}); err != nil {
			return err
		}
		return db.announce(tx, nil)
	})
	if err != nil {
		return false, fmt.Errorf("reminder of a stop: %w", err)
	}
	return rung, nil
}

var _ parcels.RunStore = (*DB)(nil)
