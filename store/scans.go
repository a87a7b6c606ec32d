package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
)

// scanKey tells scans of an outlet apart.
type scanKey struct {
	Waybill doorstep.Waybill
	AtMS    int64 `db:"at_ms"`
	Code    string
}

func keyOf(s parcels.Scan) scanKey { return scanKey{s.Waybill, ms(s.At), s.Code} }

// AddScans keeps one outlet's scans, the facts of those that are new, and what they
// say of parcels that were never dispatched.
func (db *DB) AddScans(ctx context.Context, company doorstep.CompanyNo, list []parcels.Scan) ([]bool, error) {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b parcels.Scan) int {
		return cmp.Or(strings.Compare(string(a.Waybill), string(b.Waybill)), a.At.Compare(b.At), strings.Compare(a.Code, b.Code))
	})
	var rows, parcelRows [][]any
	var facts []evidence.Fact // of the rows
	var keys []scanKey        // of the rows
	newest := map[doorstep.Waybill]parcels.Scan{}
	seen := map[scanKey]bool{}
	for _, s := range sorted {
		if k := keyOf(s); !seen[k] {
			seen[k], keys = true, append(keys, k)
			rows = append(rows, []any{s.Outlet, s.Waybill, ms(s.At), s.Code, string(s.Status), ms(s.ReceivedAt)})
			facts = append(facts, s.Fact)
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
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return nil, err
	}
	var written map[scanKey]bool
	err = db.inTx(ctx, func(tx *Tx) error {
		back, err := insertReturning[scanKey](tx, `insert into scan (outlet_no, waybill, at_ms, code, status, received_at_ms)`,
			`on conflict (outlet_no, waybill, at_ms, code) do nothing returning waybill, at_ms, code`, rows)
		if err != nil {
			return fmt.Errorf("scans: %w", err)
		}
		written = make(map[scanKey]bool, len(back))
		for _, k := range back {
			written[k] = true
		}
		var ended []doorstep.Waybill
		for _, s := range sorted {
			if written[keyOf(s)] && s.Status.IsTerminal() {
				ended = append(ended, s.Waybill)
			}
		}
		news := make([]sealedFact, 0, len(back))
		for i, k := range keys {
			if written[k] {
				news = append(news, sealed[i])
			}
		}
		if err := addFacts(tx, news); err != nil {
			return err
		}
		if err := db.markEndings(tx, sorted[0].Outlet, ended); err != nil {
			return err
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
		k := keyOf(s)
		fresh[i] = written[k]
		delete(written, k) // the same scan again in this call is a duplicate
	}
	return fresh, nil
}

var _ parcels.ScanStore = (*DB)(nil)
