package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"doorstep"
	"doorstep/parcels"
)

// draw takes n numbers in a row and returns the last. Outlets, companies and
// couriers share them; gaps do not matter.
func draw(tx *Tx, n int) (last int64, err error) {
	err = tx.get(&last, `insert into counter (name, value) values ('number', ?)
on conflict (name) do update set value = counter.value + excluded.value returning value`, n)
	if err != nil {
		return 0, fmt.Errorf("draw a number: %w", err)
	}
	return last, nil
}

// Company finds a company by name and makes it if it is new.
func (db *DB) Company(ctx context.Context, name string) (no doorstep.CompanyNo, err error) {
	const find = `select no from company where name = ?`
	if err = db.get(ctx, &no, find, name); !errors.Is(err, sql.ErrNoRows) {
		return no, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		fresh, err := draw(tx, 1)
		if err != nil {
			return err
		}
		if err := tx.exec(`insert into company (no, name, created_at_ms) values (?, ?, ?) on conflict do nothing`, fresh, name, ms(db.now())); err != nil {
			return err
		}
		return tx.get(&no, find, name)
	})
	if err != nil {
		return 0, fmt.Errorf("company: %w", err)
	}
	return no, nil
}

// CompanyName is what a company's logs are named after.
func (db *DB) CompanyName(ctx context.Context, no doorstep.CompanyNo) (name string, err error) {
	err = db.get(ctx, &name, `select name from company where no = ?`, no)
	return name, notThere(err, "company", strconv.FormatInt(int64(no), 10))
}

type outletRow struct {
	No        doorstep.OutletNo
	ID        string
	Name      string
	TimeZone  string `db:"time_zone"`
	Hours     string
	PushRules string `db:"push_rules"`
	Locale    string
	CreatedMS int64 `db:"created_at_ms"`
	UpdatedMS int64 `db:"updated_at_ms"`
}

const outletColumns = `no, id, name, time_zone, hours, push_rules, locale, created_at_ms, updated_at_ms`

func (r outletRow) outlet() (o parcels.Outlet, err error) {
	o = parcels.Outlet{
		No: r.No, ID: r.ID, Name: r.Name, TimeZone: r.TimeZone, Locale: r.Locale,
		CreatedAt: fromMS(r.CreatedMS), UpdatedAt: fromMS(r.UpdatedMS),
	}
	if err := json.Unmarshal([]byte(r.Hours), &o.Hours); err != nil {
		return o, fmt.Errorf("outlet %d: hours: %w", r.No, err)
	}
	if err := json.Unmarshal([]byte(r.PushRules), &o.Push); err != nil {
		return o, fmt.Errorf("outlet %d: push rules: %w", r.No, err)
	}
	return o, nil
}

// PutOutlet makes or replaces an outlet.
func (db *DB) PutOutlet(ctx context.Context, company doorstep.CompanyNo, o parcels.Outlet) (parcels.Outlet, error) {
	hours, err := json.Marshal(o.Hours)
	if err != nil {
		return parcels.Outlet{}, err
	}
	rules, err := json.Marshal(o.Push)
	if err != nil {
		return parcels.Outlet{}, err
	}
	var row outletRow
	err = db.inTx(ctx, func(tx *Tx) error {
		no, err := draw(tx, 1)
		if err != nil {
			return err
		}
		now := ms(o.UpdatedAt)
		var zones []string
		if err := tx.list(&zones, `select time_zone from outlet where company_no = ? and id = ?`, company, o.ID); err != nil {
			return err
		}
		err = tx.get(&row, `insert into outlet (no, company_no, id, name, time_zone, hours, push_rules, locale, created_at_ms, updated_at_ms)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (company_no, id) do update set name = excluded.name, time_zone = excluded.time_zone, hours = excluded.hours,
  push_rules = excluded.push_rules, locale = excluded.locale, updated_at_ms = excluded.updated_at_ms
returning `+outletColumns, no, company, o.ID, o.Name, o.TimeZone, string(hours), string(rules), o.Locale, now, now)
		if err != nil || len(zones) == 0 || zones[0] == row.TimeZone {
			return err
		}
		return db.addMarks(tx, map[doorstep.OutletNo][]any{row.No: {nil}}) // its days are other days now
	})
	if err != nil {
		return parcels.Outlet{}, fmt.Errorf("outlet %s: %w", o.ID, err)
	}
	db.posts.forget(company, o.ID)
	return row.outlet()
}

// Outlet finds an outlet by the carrier's id.
func (db *DB) Outlet(ctx context.Context, company doorstep.CompanyNo, id string) (parcels.Outlet, error) {
	var row outletRow
	err := db.get(ctx, &row, `select `+outletColumns+` from outlet where company_no = ? and id = ?`, company, id)
	if err != nil {
		return parcels.Outlet{}, notThere(err, "outlet", id)
	}
	return row.outlet()
}

type courierRow struct {
	No        int64
	ID        string
	Home      doorstep.OutletNo `db:"home_no"`
	OutletID  string            `db:"outlet_id"`
	Name      string
	Locale    string
	CreatedMS int64 `db:"created_at_ms"`
	UpdatedMS int64 `db:"updated_at_ms"`
}

func (r courierRow) courier() parcels.Courier {
	return parcels.Courier{
		No: r.No, ID: r.ID, Home: r.Home, OutletID: r.OutletID, Name: r.Name, Locale: r.Locale,
		CreatedAt: fromMS(r.CreatedMS), UpdatedAt: fromMS(r.UpdatedMS),
	}
}

const selectCouriers = `select c.no, c.id, c.home_no, coalesce(o.id, '') as outlet_id, c.name, c.locale, c.created_at_ms, c.updated_at_ms
from courier c left join outlet o on o.no = c.outlet_no where c.company_no = ? and c.id`

// PutCourier makes or replaces a courier.
func (db *DB) PutCourier(ctx context.Context, company doorstep.CompanyNo, c parcels.Courier) (parcels.Courier, error) {
	err := db.inTx(ctx, func(tx *Tx) error {
		var outlet doorstep.OutletNo
		if err := tx.get(&outlet, `select no from outlet where company_no = ? and id = ?`, company, c.OutletID); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
					Pointer: "/outlet_id", Code: "unknown_outlet", Detail: "is not an outlet of the company",
				}}}
			}
			return err
		}
		return addCouriers(tx, company, []newCourier{{id: c.ID, outlet: outlet, name: c.Name, locale: c.Locale}}, c.UpdatedAt,
			`on conflict (company_no, id) do update set outlet_no = excluded.outlet_no, name = excluded.name,
  locale = excluded.locale, updated_at_ms = excluded.updated_at_ms`)
	})
	if err != nil {
		return parcels.Courier{}, fmt.Errorf("courier %s: %w", c.ID, err)
	}
	return db.Courier(ctx, company, c.ID)
}

type newCourier struct {
	id, name, locale string
	outlet           doorstep.OutletNo // 0: nobody said
}

// addCouriers makes couriers. Home is the outlet they are first seen at, else
// their company's own number.
func addCouriers(tx *Tx, company doorstep.CompanyNo, list []newCourier, now time.Time, tail string) error {
	last, err := draw(tx, len(list))
	if err != nil {
		return err
	}
	rows := make([][]any, len(list))
	for i, c := range list {
		home, outlet := company, any(nil)
		if c.outlet != 0 {
			home, outlet = c.outlet, c.outlet
		}
		rows[i] = []any{last - int64(i), company, c.id, home, outlet, c.name, c.locale, ms(now), ms(now)}
	}
	return tx.insert(`insert into courier (no, company_no, id, home_no, outlet_no, name, locale, created_at_ms, updated_at_ms)`, tail, rows)
}

// Courier finds a courier by the carrier's id.
func (db *DB) Courier(ctx context.Context, company doorstep.CompanyNo, id string) (parcels.Courier, error) {
	var row courierRow
	if err := db.get(ctx, &row, selectCouriers+` = ?`, company, id); err != nil {
		return parcels.Courier{}, notThere(err, "courier", id)
	}
	return row.courier(), nil
}

// outletsOf lists where a courier ever worked.
func (db *DB) outletsOf(ctx context.Context, courierNo int64) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from courier_outlet where courier_no = ? order by outlet_no`, courierNo)
	return list, err
}

// keys lists a map's keys, sorted.
func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
