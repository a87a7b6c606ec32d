package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/vault"
)

// AddDispatches keeps one outlet's dispatches of a call in one transaction:
// what is new of parcels, alerts, the pushes that will carry them, and facts.
func (db *DB) AddDispatches(ctx context.Context, company doorstep.CompanyNo, list []parcels.Dispatch) (map[parcels.Key]parcels.Earlier, error) {
	prepared := make(map[parcels.Key]preparedDispatch, len(list))
	for _, d := range list {
		p, err := db.prepare(company, d)
		if err != nil {
			return nil, err
		}
		prepared[d.Key] = p
	}
	var earlier map[parcels.Key]parcels.Earlier
	err := db.inTx(ctx, func(tx *Tx) error {
		fresh, err := addDispatchRows(tx, list)
		if err != nil {
			return fmt.Errorf("dispatches: %w", err)
		}
		if earlier, err = db.earlier(tx, list, fresh); err != nil {
			return fmt.Errorf("earlier dispatches: %w", err)
		}
		kept := slices.DeleteFunc(slices.Clone(list), func(d parcels.Dispatch) bool { return !fresh[d.Key] })
		if err := addParcels(tx, kept, prepared); err != nil {
			return fmt.Errorf("parcels: %w", err)
		}
		var alerted []int64 // couriers
		var alerts []courierAlert
		var facts []sealedFact
		for _, d := range kept { // sorted by courier
			facts = append(facts, prepared[d.Key].facts...)
			if d.Alert == nil {
				continue
			}
			alerts = append(alerts, courierAlert{d.CourierNo, d.CourierHome, *d.Alert})
			if !slices.Contains(alerted[max(0, len(alerted)-1):], d.CourierNo) {
				alerted = append(alerted, d.CourierNo)
			}
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		if err := db.addAlerts(tx, list[0].Outlet, alerts, list[0].ReceivedAt); err != nil || len(alerted) == 0 {
			return err
		}
		return db.announce(tx, alerted)
	})
	return earlier, err
}

// preparedDispatch is the slow part of a dispatch, done before its
// transaction.
type preparedDispatch struct {
	parcel []any
	facts  []sealedFact
}

func (db *DB) prepare(company doorstep.CompanyNo, d parcels.Dispatch) (p preparedDispatch, err error) {
	plain, err := json.Marshal(d.Consignee)
	if err != nil {
		return p, err
	}
	consignee, err := db.vault.Seal(plain, consigneePlace(d.Outlet, d.Waybill))
	if err != nil {
		return p, err
	}
	p.parcel = []any{
		d.Outlet, d.Waybill, company, d.Consumer, d.AddressID, consignee, d.CourierNo, ms(d.DispatchedAt), ms(d.ReceivedAt),
	}
	p.facts, err = db.sealFacts(d.Facts)
	return p, err
}

func consigneePlace(outlet doorstep.OutletNo, w doorstep.Waybill) vault.Place {
	return vault.Place{Table: "parcel", Column: "consignee", Row: fmt.Sprintf("%d|%s", outlet, w)}
}

type dispatchRow struct {
	CourierNo int64 `db:"courier_no"`
	Day       int
	Waybill   doorstep.Waybill
	Consumer  doorstep.ConsumerID `db:"consumer_id"`
	AlertID   sql.NullString      `db:"alert_id"`
}

// addDispatchRows writes what is new and says which that was.
func addDispatchRows(tx *Tx, list []parcels.Dispatch) (map[parcels.Key]bool, error) {
	outlet := list[0].Outlet
	rows := make([][]any, len(list))
	for i, d := range list {
		var alertID any
		if d.Alert != nil {
			alertID = d.Alert.ID
		}
		rows[i] = []any{d.Outlet, d.CourierNo, d.Day, d.Waybill, d.Consumer, alertID, ms(d.DispatchedAt), ms(d.ReceivedAt)}
	}
	back, err := insertReturning[dispatchRow](tx,
		`insert into dispatch (outlet_no, courier_no, day, waybill, consumer_id, alert_id, dispatched_at_ms, received_at_ms)`,
		`on conflict (outlet_no, courier_no, day, waybill) do nothing returning courier_no, day, waybill`, rows)
	if err != nil {
		return nil, err
	}
	fresh := make(map[parcels.Key]bool, len(back))
	for _, r := range back {
		fresh[parcels.Key{Outlet: outlet, CourierNo: r.CourierNo, Day: r.Day, Waybill: r.Waybill}] = true
	}
	return fresh, nil
}

// earlier reads what stood there already, one statement a courier and day.
func (db *DB) earlier(tx *Tx, list []parcels.Dispatch, fresh map[parcels.Key]bool) (map[parcels.Key]parcels.Earlier, error) {
	type run struct {
		courierNo int64
		day       int
	}
	old := map[run][]string{}
	for _, d := range list {
		if !fresh[d.Key] {
			r := run{d.CourierNo, d.Day}
			old[r] = append(old[r], string(d.Waybill))
		}
	}
	earlier := map[parcels.Key]parcels.Earlier{}
	outlet := list[0].Outlet
	for r, waybills := range old {
		var rows []dispatchRow
		err := tx.list(&rows, `select courier_no, day, waybill, consumer_id, alert_id from dispatch
where outlet_no = ? and courier_no = ? and day = ? and waybill`+db.inList, outlet, r.courierNo, r.day, db.asList(waybills))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			key := parcels.Key{Outlet: outlet, CourierNo: row.CourierNo, Day: row.Day, Waybill: row.Waybill}
			earlier[key] = parcels.Earlier{Consumer: row.Consumer, AlertID: row.AlertID.String}
		}
	}
	return earlier, nil
}

// addParcels makes or moves on the parcels, the latest dispatch winning.
func addParcels(tx *Tx, list []parcels.Dispatch, prepared map[parcels.Key]preparedDispatch) error {
	latest := map[doorstep.Waybill]parcels.Dispatch{}
	for _, d := range list {
		if was, ok := latest[d.Waybill]; !ok || !d.DispatchedAt.Before(was.DispatchedAt) {
			latest[d.Waybill] = d
		}
	}
	var rows [][]any
	for _, w := range slices.Sorted(maps.Keys(latest)) {
		rows = append(rows, prepared[latest[w].Key].parcel)
	}
	return tx.insert(`insert into parcel (outlet_no, waybill, company_no, consumer_id, address_id, consignee, courier_no, dispatched_at_ms, updated_at_ms)`,
		`on conflict (outlet_no, waybill) do update set consumer_id = excluded.consumer_id, address_id = excluded.address_id,
  consignee = excluded.consignee, courier_no = excluded.courier_no, dispatched_at_ms = excluded.dispatched_at_ms, updated_at_ms = excluded.updated_at_ms
where parcel.dispatched_at_ms is null or parcel.dispatched_at_ms <= excluded.dispatched_at_ms`, rows)
}

// AddScans keeps one outlet's scans and what they say of parcels that were
// never dispatched.
func (db *DB) AddScans(ctx context.Context, company doorstep.CompanyNo, list []parcels.Scan) ([]bool, error) {
	type key struct {
		Waybill doorstep.Waybill
		AtMS    int64 `db:"at_ms"`
		Code    string
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b parcels.Scan) int {
		return cmp.Or(strings.Compare(string(a.Waybill), string(b.Waybill)), a.At.Compare(b.At), strings.Compare(a.Code, b.Code))
	})
	var rows, parcelRows [][]any
	newest := map[doorstep.Waybill]parcels.Scan{}
	seen := map[key]bool{}
	for _, s := range sorted {
		k := key{s.Waybill, ms(s.At), s.Code}
		if !seen[k] {
			seen[k] = true
			rows = append(rows, []any{s.Outlet, s.Waybill, ms(s.At), s.Code, ms(s.ReceivedAt)})
		}
		was := newest[s.Waybill]
		if s.Consignee == nil { // a later scan without a consignee does not take one away
			s.Consignee, s.Consumer, s.AddressID = was.Consignee, was.Consumer, was.AddressID
		}
		newest[s.Waybill] = s
	}
	for _, w := range slices.Sorted(maps.Keys(newest)) {
		s := newest[w]
		var consignee []byte
		if s.Consignee != nil {
			plain, err := json.Marshal(s.Consignee)
			if err != nil {
				return nil, err
			}
			if consignee, err = db.vault.Seal(plain, consigneePlace(s.Outlet, w)); err != nil {
				return nil, err
			}
		}
		parcelRows = append(parcelRows, []any{s.Outlet, w, company, s.Consumer, s.AddressID, consignee, ms(s.ReceivedAt)})
	}
	var written map[key]bool
	err := db.inTx(ctx, func(tx *Tx) error {
		back, err := insertReturning[key](tx, `insert into scan (outlet_no, waybill, at_ms, code, received_at_ms)`,
			`on conflict (outlet_no, waybill, at_ms, code) do nothing returning waybill, at_ms, code`, rows)
		if err != nil {
			return fmt.Errorf("scans: %w", err)
		}
		written = make(map[key]bool, len(back))
		for _, k := range back {
			written[k] = true
		}
		// A dispatch knows the consignee; a scan fills in what is not known yet.
		return tx.insert(`insert into parcel (outlet_no, waybill, company_no, consumer_id, address_id, consignee, updated_at_ms)`,
			`on conflict (outlet_no, waybill) do update set consumer_id = excluded.consumer_id, address_id = excluded.address_id,
  consignee = excluded.consignee, updated_at_ms = excluded.updated_at_ms
where parcel.dispatched_at_ms is null and excluded.consumer_id <> ''`, parcelRows)
	})
	if err != nil {
		return nil, err
	}
	fresh := make([]bool, len(list))
	for i, s := range list {
		k := key{s.Waybill, ms(s.At), s.Code}
		fresh[i] = written[k]
		delete(written, k) // the same scan again in this call is a duplicate
	}
	return fresh, nil
}

type custodyRow struct {
	Outlet    doorstep.OutletNo   `db:"outlet_no"`
	Consumer  doorstep.ConsumerID `db:"consumer_id"`
	AddressID string              `db:"address_id"`
	CourierNo sql.NullInt64       `db:"courier_no"`
}

// custody finds a parcel of the company: where it was dispatched last, else
// scanned last.
func (db *DB) custody(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill, where *filter) (custodyRow, error) {
	where.and("company_no = ? and waybill = ? and consumer_id <> ''", company, w)
	var row custodyRow
	err := db.get(ctx, &row, `select outlet_no, consumer_id, address_id, courier_no from parcel where `+where.text+`
order by dispatched_at_ms is null, dispatched_at_ms desc, updated_at_ms desc limit 1`, where.args...)
	return row, notThere(err, "parcel", string(w))
}

// Custody finds a parcel that the caller may complain about.
func (db *DB) Custody(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (complaints.Custody, error) {
	where := newFilter("1 = 1")
	switch a.Role {
	case doorstep.RoleConsumer:
		if a.Waybill != "" && a.Waybill != w {
			return complaints.Custody{}, doorstep.NotFound("parcel", string(w))
		}
		where.and("consumer_id = ?", a.Consumer)
	case doorstep.RoleManager:
		where.and("outlet_no = (select no from outlet where company_no = ? and id = ?)", a.Company, a.Outlet)
	}
	row, err := db.custody(ctx, a.Company, w, where)
	return complaints.Custody{Outlet: row.Outlet, Consumer: row.Consumer, AddressID: row.AddressID, CourierNo: row.CourierNo.Int64}, err
}

// ParcelConsignee finds whose a parcel is.
func (db *DB) ParcelConsignee(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill) (doorstep.OutletNo, doorstep.ConsumerID, error) {
	row, err := db.custody(ctx, company, w, newFilter("1 = 1"))
	return row.Outlet, row.Consumer, err
}

// courierNo finds the number of the courier behind a token; 0 if nobody has
// named him yet.
func (db *DB) courierNo(ctx context.Context, a doorstep.Actor) (no int64, err error) {
	err = db.get(ctx, &no, `select no from courier where company_no = ? and id = ?`, a.Company, a.Courier)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return no, err
}

var (
	_ parcels.DispatchStore = (*DB)(nil)
	_ parcels.ScanStore     = (*DB)(nil)
	_ parcels.RosterStore   = (*DB)(nil)
	_ access.Store          = (*DB)(nil)
	_ evidence.Store        = (*DB)(nil)
)
