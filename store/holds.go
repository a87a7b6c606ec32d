package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorstep"
	"doorstep/privacy"
)

// ParcelOutlet finds where a parcel is, among the outlets that a manager or
// headquarters may see.
func (db *DB) ParcelOutlet(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (doorstep.OutletNo, error) {
	row, err := db.parcelOf(ctx, a, w)
	return row.Outlet, err
}

// AddHold keeps a hold.
func (db *DB) AddHold(ctx context.Context, h privacy.Hold) (privacy.Hold, error) {
	err := db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`insert into hold (outlet_no, id, company_no, waybill, reason, set_by, set_at_ms) values (?, ?, ?, ?, ?, ?, ?)`,
			h.Outlet, h.ID, h.Company, h.Waybill, h.Reason, h.SetBy, ms(h.SetAt))
	})
	if err != nil {
		return h, fmt.Errorf("hold: %w", err)
	}
	err = db.get(ctx, &h.OutletID, `select id from outlet where no = ?`, h.Outlet)
	return h, err
}

// ReleaseHold ends a hold that the caller may see.
func (db *DB) ReleaseHold(ctx context.Context, a doorstep.Actor, id, by string, at time.Time) error {
	outlet, ok := doorstep.OutletOf(id)
	if !ok {
		return doorstep.NotFound("hold", id)
	}
	where := newFilter("outlet_no = ? and id = ? and company_no = ?", outlet, id, a.Company)
	if a.Role == doorstep.RoleManager {
		where.and("outlet_no = (select no from outlet where company_no = ? and id = ?)", a.Company, a.Outlet)
	}
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`update hold set released_by = case when released_at_ms is null then ? else released_by end,
  released_at_ms = coalesce(released_at_ms, ?) where `+where.text, append([]any{by, ms(at)}, where.args...)...)
		if err == nil && n == 0 {
			err = doorstep.NotFound("hold", id)
		}
		return err
	})
}

type holdRow struct {
	ID         string
	Outlet     doorstep.OutletNo `db:"outlet_no"`
	OutletID   string            `db:"outlet_id"`
	Waybill    doorstep.Waybill
	Reason     string
	SetBy      string        `db:"set_by"`
	SetMS      int64         `db:"set_at_ms"`
	ReleasedBy string        `db:"released_by"`
	ReleasedMS sql.NullInt64 `db:"released_at_ms"`
}

const selectHold = `select h.id, h.outlet_no, o.id as outlet_id, h.waybill, h.reason, h.set_by, h.set_at_ms, h.released_by, h.released_at_ms
from hold h join outlet o on o.no = h.outlet_no`

func holdsOf(rows []holdRow) []privacy.Hold {
	list := make([]privacy.Hold, len(rows))
	for i, r := range rows {
		list[i] = privacy.Hold{
			ID: r.ID, Outlet: r.Outlet, OutletID: r.OutletID, Waybill: r.Waybill, Reason: r.Reason, SetBy: r.SetBy, SetAt: fromMS(r.SetMS),
			ReleasedBy: r.ReleasedBy, ReleasedAt: fromNullMS(r.ReleasedMS),
		}
	}
	return list
}

// Holds lists holds that the caller may see, the newest first.
func (db *DB) Holds(ctx context.Context, a doorstep.Actor, q privacy.HoldQuery) ([]privacy.Hold, error) {
	outlets, err := db.scope(ctx, a)
	if err != nil {
		return nil, err
	}
	where := db.ofOutlets("h.outlet_no", outlets)
	if q.Waybill != "" {
		where.and("h.waybill = ?", q.Waybill)
	}
	if q.BeforeID != "" {
		where.and("(h.set_at_ms, h.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []holdRow
	err = db.list(ctx, &rows, selectHold+` where `+where.text+` order by h.set_at_ms desc, h.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	return holdsOf(rows), nil
}

var _ privacy.HoldStore = (*DB)(nil)
