package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/vault"
)

// dispatchCall is one outlet's dispatches of one request, on their way in.
type dispatchCall struct {
	items   []*dispatchItem
	earlier map[parcels.Key]parcels.Earlier // what stood there already
}

func (c *dispatchCall) keys() iter.Seq[parcels.Key] {
	return func(yield func(parcels.Key) bool) {
		for _, d := range c.items {
			if !yield(d.Key) {
				return
			}
		}
	}
}

// dispatchItem is a dispatch with the slow part of it done before its
// transaction.
type dispatchItem struct {
	parcels.Dispatch
	call   *dispatchCall
	parcel []any
	facts  []sealedFact
}

// AddDispatches keeps one outlet's dispatches of a call in one transaction:
// what is new of parcels, alerts, the pushes that will carry them, and facts.
func (db *DB) AddDispatches(ctx context.Context, company doorstep.CompanyNo, list []parcels.Dispatch) (map[parcels.Key]parcels.Earlier, error) {
	call := &dispatchCall{items: make([]*dispatchItem, len(list))}
	for i, d := range list {
		item := &dispatchItem{Dispatch: d, call: call}
		if err := db.prepare(company, item); err != nil {
			return nil, err
		}
		call.items[i] = item
	}
	var err error
	if db.dispatches != nil {
		err = db.dispatches.do(ctx, call)
	} else {
		err = db.addDispatches(ctx, []*dispatchCall{call})
	}
	return call.earlier, err
}

// addDispatches keeps calls, no two of which have a key in common, in one
// transaction. A claim that cannot be made is left to the sender, which will say
// why: it must not keep parcels from going out.
func (db *DB) addDispatches(ctx context.Context, calls []*dispatchCall) error {
	err := db.writeDispatches(ctx, calls, true)
	if errors.Is(err, errClaim) {
		err = db.writeDispatches(ctx, calls, false)
	}
	return err
}

func (db *DB) writeDispatches(ctx context.Context, calls []*dispatchCall, claim bool) error {
	var items []*dispatchItem
	for _, c := range calls {
		items = append(items, c.items...)
	}
	if len(calls) > 1 {
		slices.SortFunc(items, func(a, b *dispatchItem) int { return a.Key.Compare(b.Key) })
	}
	return db.inTx(ctx, func(tx *Tx) error {
		fresh, err := addDispatchRows(tx, items)
		if err != nil {
			return fmt.Errorf("dispatches: %w", err)
		}
		if err := db.findEarlier(tx, calls, items, fresh); err != nil {
			return fmt.Errorf("earlier dispatches: %w", err)
		}
		if len(fresh) == 0 {
			return nil
		}
		if err := addParcels(tx, fresh); err != nil {
			return fmt.Errorf("parcels: %w", err)
		}
		facts := make([]sealedFact, 0, len(fresh)+len(fresh)/8)
		var alerts []courierAlert
		var alerted []int64             // couriers
		var outlets []doorstep.OutletNo // of them
		for _, d := range fresh {
			facts = append(facts, d.facts...)
			if d.Alert != nil {
				alerts = append(alerts, courierAlert{d.Outlet, d.CourierNo, d.CourierHome, d.call, *d.Alert})
				alerted, outlets = append(alerted, d.CourierNo), append(outlets, d.Outlet)
			}
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		if err := db.addAlerts(tx, alerts); err != nil || len(alerted) == 0 {
			return err
		}
		if claim {
			slices.Sort(outlets)
			if err := db.claimAtOnce(tx, slices.Compact(outlets)); err != nil {
				return err
			}
		}
		slices.Sort(alerted)
		return db.announce(tx, slices.Compact(alerted))
	})
}

func (db *DB) prepare(company doorstep.CompanyNo, d *dispatchItem) error {
	plain, err := json.Marshal(d.Consignee)
	if err != nil {
		return err
	}
	consignee, err := db.vault.Seal(plain, consigneePlace(d.Outlet, d.Waybill))
	if err != nil {
		return err
	}
	d.parcel = []any{
		d.Outlet, d.Waybill, company, d.Consumer, d.AddressID, consignee, d.CourierNo, ms(d.DispatchedAt), ms(d.ReceivedAt),
	}
	d.facts, err = db.sealFacts(d.Facts)
	return err
}

func consigneePlace(outlet doorstep.OutletNo, w doorstep.Waybill) vault.Place {
	return vault.Place{Table: "parcel", Column: "consignee", Row: fmt.Sprintf("%d|%s", outlet, w)}
}

type dispatchKeyRow struct {
	Outlet    doorstep.OutletNo `db:"outlet_no"`
	CourierNo int64             `db:"courier_no"`
	Day       int
	Waybill   doorstep.Waybill
}

func (r dispatchKeyRow) key() parcels.Key {
	return parcels.Key{Outlet: r.Outlet, CourierNo: r.CourierNo, Day: r.Day, Waybill: r.Waybill}
}

// addDispatchRows writes what is new and returns it.
func addDispatchRows(tx *Tx, items []*dispatchItem) ([]*dispatchItem, error) {
	rows := make([][]any, len(items))
	for i, d := range items {
		var alertID any
		if d.Alert != nil {
			alertID = d.Alert.ID
		}
		rows[i] = []any{d.Outlet, d.CourierNo, d.Day, d.Waybill, d.Consumer, alertID, ms(d.DispatchedAt), ms(d.ReceivedAt)}
	}
	back, err := insertReturning[dispatchKeyRow](tx,
		`insert into dispatch (outlet_no, courier_no, day, waybill, consumer_id, alert_id, dispatched_at_ms, received_at_ms)`,
		`on conflict (outlet_no, courier_no, day, waybill) do nothing returning outlet_no, courier_no, day, waybill`, rows)
	if err != nil || len(back) == len(items) {
		return items, err
	}
	written := make(map[parcels.Key]bool, len(back))
	for _, r := range back {
		written[r.key()] = true
	}
	fresh := make([]*dispatchItem, 0, len(back))
	for _, d := range items {
		if written[d.Key] {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// findEarlier reads what stood there already, one statement a courier and day.
func (db *DB) findEarlier(tx *Tx, calls []*dispatchCall, items, fresh []*dispatchItem) error {
	for _, c := range calls {
		c.earlier = nil
	}
	if len(fresh) == len(items) {
		return nil
	}
	type run struct {
		outlet    doorstep.OutletNo
		courierNo int64
		day       int
	}
	old := map[parcels.Key]*dispatchItem{}
	for _, d := range items {
		old[d.Key] = d
	}
	for _, d := range fresh {
		delete(old, d.Key)
	}
	runs := map[run][]string{}
	for key := range old {
		r := run{key.Outlet, key.CourierNo, key.Day}
		runs[r] = append(runs[r], string(key.Waybill))
	}
	for r, waybills := range runs {
		var rows []struct {
			dispatchKeyRow
			Consumer doorstep.ConsumerID `db:"consumer_id"`
			AlertID  sql.NullString      `db:"alert_id"`
		}
		err := tx.list(&rows, `select outlet_no, courier_no, day, waybill, consumer_id, alert_id from dispatch
where outlet_no = ? and courier_no = ? and day = ? and waybill`+db.inList, r.outlet, r.courierNo, r.day, db.asList(waybills))
		if err != nil {
			return err
		}
		for _, row := range rows {
			call := old[row.key()].call
			if call.earlier == nil {
				call.earlier = map[parcels.Key]parcels.Earlier{}
			}
			call.earlier[row.key()] = parcels.Earlier{Consumer: row.Consumer, AlertID: row.AlertID.String}
		}
	}
	return nil
}

// addParcels makes or moves on the parcels, the latest dispatch winning.
func addParcels(tx *Tx, fresh []*dispatchItem) error {
	sorted := slices.Clone(fresh)
	slices.SortStableFunc(sorted, func(a, b *dispatchItem) int {
		return cmp.Or(cmp.Compare(a.Outlet, b.Outlet), cmp.Compare(a.Waybill, b.Waybill), a.DispatchedAt.Compare(b.DispatchedAt))
	})
	rows := make([][]any, 0, len(sorted))
	for i, d := range sorted {
		if i+1 < len(sorted) && sorted[i+1].Outlet == d.Outlet && sorted[i+1].Waybill == d.Waybill {
			continue // dispatched again later
		}
		rows = append(rows, d.parcel)
	}
	return tx.insert(`insert into parcel (outlet_no, waybill, company_no, consumer_id, address_id, consignee, courier_no, dispatched_at_ms, updated_at_ms)`,
		`on conflict (outlet_no, waybill) do update set consumer_id = excluded.consumer_id, address_id = excluded.address_id,
  consignee = excluded.consignee, courier_no = excluded.courier_no, dispatched_at_ms = excluded.dispatched_at_ms, updated_at_ms = excluded.updated_at_ms
where parcel.dispatched_at_ms is null or parcel.dispatched_at_ms <= excluded.dispatched_at_ms`, rows)
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

// Consignee opens who the parcel at the outlet goes to.
func (db *DB) Consignee(ctx context.Context, outlet doorstep.OutletNo, w doorstep.Waybill) (complaints.Party, error) {
	var sealed []byte
	if err := db.get(ctx, &sealed, `select consignee from parcel where outlet_no = ? and waybill = ?`, outlet, w); err != nil {
		return complaints.Party{}, notThere(err, "parcel", string(w))
	}
	if len(sealed) == 0 {
		return complaints.Party{}, nil
	}
	plain, err := db.vault.Open(sealed, consigneePlace(outlet, w))
	if err != nil {
		return complaints.Party{}, err
	}
	var c parcels.Consignee
	if err := json.Unmarshal(plain, &c); err != nil {
		return complaints.Party{}, err
	}
	return complaints.Party{Phone: c.Phone, Name: c.Name, Address: c.Address, Waybill: w}, nil
}

// ParcelConsignee finds whose a parcel is.
func (db *DB) ParcelConsignee(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill) (doorstep.OutletNo, doorstep.ConsumerID, error) {
	row, err := db.custody(ctx, company, w, newFilter("1 = 1"))
	return row.Outlet, row.Consumer, err
}

// courierNo finds the number of the courier behind a token; 0 if nobody has
// named him yet.
func (db *DB) courierNo(ctx context.Context, a doorstep.Actor) (int64, error) {
	works, now := map[string][]string{a.Courier: nil}, db.now()
	if c, ok := db.posts.recall(a.Company, nil, works, now).Couriers[a.Courier]; ok {
		return c.No, nil
	}
	k, err := db.readPosts(ctx, a.Company, nil, works)
	if err != nil {
		return 0, err
	}
	db.posts.remember(a.Company, k, now)
	return k.Couriers[a.Courier].No, nil
}

var (
	_ parcels.DispatchStore = (*DB)(nil)
	_ parcels.RosterStore   = (*DB)(nil)
	_ access.Store          = (*DB)(nil)
	_ evidence.Store        = (*DB)(nil)
)
