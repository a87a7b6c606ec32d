package store

import (
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
