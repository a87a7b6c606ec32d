package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
)

// Doors finds where the parcels of an outlet go, of those whose carrier said.
func (db *DB) Doors(ctx context.Context, outlet doorstep.OutletNo, waybills []doorstep.Waybill) (map[doorstep.Waybill]evidence.Point, error) {
	var rows []struct {
		Waybill   doorstep.Waybill
		Consignee []byte
	}
	err := db.list(ctx, &rows, `select waybill, consignee from parcel where outlet_no = ? and waybill`+db.inList+` and consignee is not null`,
		outlet, db.asList(waybills))
	if err != nil {
		return nil, fmt.Errorf("doors: %w", err)
	}
	doors := make(map[doorstep.Waybill]evidence.Point, len(rows))
	for _, r := range rows {
		plain, err := db.vault.Open(r.Consignee, consigneePlace(outlet, r.Waybill))
		if err != nil {
			return nil, err
		}
		var c parcels.Consignee
		if err := json.Unmarshal(plain, &c); err != nil {
			return nil, fmt.Errorf("parcel %s: %w", r.Waybill, err)
		}
		if c.Location != nil {
			doors[r.Waybill] = *c.Location
		}
	}
	return doors, nil
}

// ForgetFields takes fields out of records of an outlet, value and salt, and
// says how many records had any: a place in a record can go while the rest
// stays. Commitments stay as they are, and those of other fields still open.
func (db *DB) ForgetFields(ctx context.Context, outlet doorstep.OutletNo, records, fields []string) (n int, err error) {
	var rows []struct {
		ID   string `db:"record_id"`
		Body []byte
	}
	err = db.list(ctx, &rows, `select record_id, body from evidence_value where outlet_no = ? and record_id`+db.inList+` and body is not null`,
		outlet, db.asList(records))
	if err != nil {
		return 0, fmt.Errorf("forget fields: %w", err)
	}
	type change struct {
		id       string
		was, now []byte
	}
	var changes []change
	for _, r := range rows {
		plain, err := db.vault.Open(r.Body, valuePlace(outlet, r.ID))
		if err != nil {
			return 0, err
		}
		var opening evidence.Opening
		if err := json.Unmarshal(plain, &opening); err != nil {
			return 0, fmt.Errorf("evidence %s: %w", r.ID, err)
		}
		kept, err := json.Marshal(opening.Without(fields...))
		if err != nil {
			return 0, err
		}
		if bytes.Equal(kept, plain) {
			continue
		}
		body, err := db.vault.Seal(kept, valuePlace(outlet, r.ID))
		if err != nil {
			return 0, err
		}
		changes = append(changes, change{r.ID, r.Body, body})
	}
	if len(changes) == 0 {
		return 0, nil
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		for _, c := range changes { // what was erased meanwhile stays erased
			changed, err := tx.changed(`update evidence_value set body = ? where outlet_no = ? and record_id = ? and body = ?`, c.now, outlet, c.id, c.was)
			if err != nil {
				return err
			}
			n += int(changed)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forget fields: %w", err)
	}
	return n, nil
}
