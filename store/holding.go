package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/parcels"
)

// Holding finds a parcel that the caller may speak of.
func (db *DB) Holding(ctx context.Context, a doorstep.Actor, w doorstep.Waybill, at time.Time) (c parcels.Custody, err error) {
	if a.Role == doorstep.RoleCourier {
		c, err = db.holdingOf(ctx, a, w, at)
	} else {
		found, wrong := db.parcelOf(ctx, a, w)
		c = parcels.Custody{Outlet: found.Outlet, CourierNo: found.CourierNo.Int64, Consumer: found.Consumer, AddressID: found.AddressID, Waybill: w}
		err = wrong
	}
	if err != nil {
		return parcels.Custody{}, err
	}
	if err := db.get(ctx, &c.OutletID, `select id from outlet where no = ?`, c.Outlet); err != nil {
		return parcels.Custody{}, notThere(err, "outlet", "by number")
	}
	return c, nil
}

// holdingOf finds a parcel that a courier has, or had at the time: what he tells
// of may arrive when another has it.
func (db *DB) holdingOf(ctx context.Context, a doorstep.Actor, w doorstep.Waybill, at time.Time) (c parcels.Custody, err error) {
	courierNo, err := db.courierNo(ctx, a)
	if err != nil {
		return c, fmt.Errorf("courier: %w", err)
	}
	outlets, err := db.outletsOf(ctx, courierNo)
	if err != nil {
		return c, fmt.Errorf("courier's outlets: %w", err)
	}
	var latest int64
	for _, outlet := range outlets {
		found, since, err := db.heldAt(ctx, outlet, courierNo, w, at)
		if err != nil {
			return c, err
		}
		if since > latest {
			c, latest = found, since
		}
	}
	if latest == 0 {
		return c, doorstep.NotFound("parcel", string(w))
	}
	return c, nil
}

// heldAt says since when a courier had a parcel of an outlet; 0 if he did not.
func (db *DB) heldAt(ctx context.Context, outlet doorstep.OutletNo, courierNo int64, w doorstep.Waybill, at time.Time) (c parcels.Custody, since int64, err error) {
	var out []struct {
		CourierNo int64               `db:"courier_no"`
		Consumer  doorstep.ConsumerID `db:"consumer_id"`
		AtMS      int64               `db:"dispatched_at_ms"`
	}
	err = db.list(ctx, &out, `select courier_no, consumer_id, dispatched_at_ms from dispatch
where outlet_no = ? and waybill = ? order by dispatched_at_ms, received_at_ms`, outlet, w)
	if err != nil || len(out) == 0 {
		return c, 0, err
	}
	had := out[len(out)-1]
	for i := len(out) - 1; i >= 0 && had.CourierNo != courierNo; i-- {
		if out[i].AtMS <= ms(at) {
			had = out[i]
			break
		}
	}
	if had.CourierNo != courierNo {
		return c, 0, nil
	}
	c = parcels.Custody{Outlet: outlet, CourierNo: courierNo, Consumer: had.Consumer, Waybill: w}
	// A parcel that went to somebody else since has another address.
	err = db.get(ctx, &c.AddressID, `select address_id from parcel where outlet_no = ? and waybill = ? and consumer_id = ?`, outlet, w, c.Consumer)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return c, 0, fmt.Errorf("parcel: %w", err)
	}
	return c, had.AtMS, nil
}
