package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	for _, r := range rows {
		if custody.Outlets[r.No], err = r.outlet(); err != nil {
			return custody, err
		}
		events, err := db.chain(ctx, r.No, w)
		if err != nil {
			return custody, err
		}
		custody.Chain = append(custody.Chain, events...)
	}
	slices.SortStableFunc(custody.Chain, func(a, b complaints.Handover) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(downTheWay, a.Kind), slices.Index(downTheWay, b.Kind)), cmp.Compare(a.Outlet, b.Outlet))
	})
	return custody, nil
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

// downTheWay is the order of events of the same millisecond.
var downTheWay = []string{complaints.ByScan, complaints.ByDispatch, complaints.ByAttempt, complaints.BySignFor}

// chain lists what happened to a parcel at an outlet.
func (db *DB) chain(ctx context.Context, outlet doorstep.OutletNo, w doorstep.Waybill) ([]complaints.Handover, error) {
	var rows []struct {
		Kind     string
		Status   string
		AtMS     int64               `db:"at_ms"`
		Courier  int64               `db:"courier_no"`
		Consumer doorstep.ConsumerID `db:"consumer_id"`
	}
	err := db.list(ctx, &rows, `select 'scan' as kind, status, at_ms, 0 as courier_no, '' as consumer_id from scan where outlet_no = ? and waybill = ?
union all select 'dispatch', '', dispatched_at_ms, courier_no, consumer_id from dispatch where outlet_no = ? and waybill = ?
union all select 'attempt', '', at_ms, courier_no, '' from attempt where outlet_no = ? and waybill = ?
union all select 'sign_for', method, at_ms, courier_no, '' from sign_for where outlet_no = ? and waybill = ? and act <> 'withdrawal'`,
		outlet, w, outlet, w, outlet, w, outlet, w)
	if err != nil {
		return nil, fmt.Errorf("custody of a parcel: %w", err)
	}
	chain := make([]complaints.Handover, len(rows))
	for i, r := range rows {
		chain[i] = complaints.Handover{Kind: r.Kind, Outlet: outlet, Code: r.Status, At: fromMS(r.AtMS), Courier: r.Courier, Consumer: r.Consumer}
	}
	return chain, nil
}

// Sightings lists a parcel's scans since its number was last another consignee's:
// carriers use numbers again.
func (db *DB) Sightings(ctx context.Context, company doorstep.CompanyNo, c parcels.Custody) ([]parcels.Sighting, error) {
	var places []struct {
		No       doorstep.OutletNo
		ID, Name string
	}
	err := db.list(ctx, &places, `select no, id, name from outlet where no in (select outlet_no from parcel where company_no = ? and waybill = ?)`, company, c.Waybill)
	if err != nil {
		return nil, fmt.Errorf("outlets of a parcel: %w", err)
	}
	outlets, at := make([]int64, len(places)), map[doorstep.OutletNo]int{}
	for i, p := range places {
		outlets[i], at[p.No] = int64(p.No), i
	}
	var rows []struct {
		Outlet doorstep.OutletNo `db:"outlet_no"`
		Status string
		AtMS   int64 `db:"at_ms"`
	}
	list := db.asList(outlets)
	err = db.list(ctx, &rows, `select outlet_no, status, at_ms from scan where outlet_no`+db.inList+` and waybill = ? and status <> ''
and at_ms > (select coalesce(max(dispatched_at_ms), 0) from dispatch where outlet_no`+db.inList+` and waybill = ? and consumer_id <> ?)
order by at_ms, outlet_no`, list, c.Waybill, list, c.Waybill, c.Consumer)
	if err != nil {
		return nil, fmt.Errorf("scans of a parcel: %w", err)
	}
	seen := make([]parcels.Sighting, len(rows))
	for i, r := range rows {
		p := places[at[r.Outlet]]
		seen[i] = parcels.Sighting{OutletID: p.ID, OutletName: p.Name, Status: parcels.ParcelStatus(r.Status), At: fromMS(r.AtMS)}
	}
	return seen, nil
}
