package store

import (
	"context"
	"fmt"

	"doorstep"
	"doorstep/complaints"
	"doorstep/parcels"
)

// Custody finds a parcel that the caller may complain about, with its chain of
// custody over all outlets of the company.
func (db *DB) Custody(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (complaints.Custody, error) {
	row, err := db.parcelOf(ctx, a, w)
	if err != nil {
		return complaints.Custody{}, err
	}
	custody := complaints.Custody{Parcel: row.Outlet, Consumer: row.Consumer, AddressID: row.AddressID, Outlets: map[doorstep.OutletNo]parcels.Outlet{}}
	var rows []outletRow
	err = db.list(ctx, &rows, `select `+outletColumns+` from outlet where no in (select outlet_no from parcel where company_no = ? and waybill = ?)`, a.Company, w)
	if err != nil {
		return custody, fmt.Errorf("outlets of a parcel: %w", err)
	}
	outlets := make([]int64, len(rows))
	for i, r := range rows {
		outlets[i] = int64(r.No)
		if custody.Outlets[r.No], err = r.outlet(); err != nil {
			return custody, err
		}
	}
	custody.Chain, err = db.chain(ctx, outlets, w)
	return custody, err
}

// parcelOf finds a parcel that the caller may speak of.
func (db *DB) parcelOf(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (custodyRow, error) {
	where := newFilter("1 = 1")
	switch a.Role {
	case doorstep.RoleConsumer:
		if a.Waybill != "" && a.Waybill != w {
			return custodyRow{}, doorstep.NotFound("parcel", string(w))
		}
		where.and("consumer_id = ?", a.Consumer)
	case doorstep.RoleManager:
		where.and("outlet_no = (select no from outlet where company_no = ? and id = ?)", a.Company, a.Outlet)
	}
	return db.custody(ctx, a.Company, w, where)
}

// chain lists what happened to a parcel at its outlets, oldest first. Of two
// events of the same millisecond the one that is further down the way is last.
func (db *DB) chain(ctx context.Context, outlets []int64, w doorstep.Waybill) ([]complaints.Handover, error) {
	var rows []struct {
		Kind    string
		Outlet  doorstep.OutletNo `db:"outlet_no"`
		Status  string
		AtMS    int64 `db:"at_ms"`
		Courier int64 `db:"courier_no"`
		Place   int
	}
	list := db.asList(outlets)
	err := db.list(ctx, &rows, `select 'scan' as kind, outlet_no, status, at_ms, 0 as courier_no, 1 as place from scan where outlet_no`+db.inList+` and waybill = ?
union all
select 'dispatch', outlet_no, '', dispatched_at_ms, courier_no, 2 from dispatch where outlet_no`+db.inList+` and waybill = ?
union all
select 'attempt', outlet_no, '', at_ms, courier_no, 3 from attempt where outlet_no`+db.inList+` and waybill = ?
union all
select 'sign_for', outlet_no, method, at_ms, courier_no, 4 from sign_for where outlet_no`+db.inList+` and waybill = ? and act <> 'withdrawal'
order by at_ms, place, outlet_no`, list, w, list, w, list, w, list, w)
	if err != nil {
		return nil, fmt.Errorf("custody of a parcel: %w", err)
	}
	chain := make([]complaints.Handover, len(rows))
	for i, r := range rows {
		chain[i] = complaints.Handover{Kind: r.Kind, Outlet: r.Outlet, Code: r.Status, At: fromMS(r.AtMS), Courier: r.Courier}
	}
	return chain, nil
}
