package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"doorstep"
	"doorstep/evidence"
	"doorstep/privacy"
)

// AddAccesses keeps records of who opened what, one transaction an outlet.
func (db *DB) AddAccesses(ctx context.Context, facts []evidence.Fact) error {
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return err
	}
	for i := range sealed {
		if err := db.inTx(ctx, func(tx *Tx) error { return addFacts(tx, sealed[i:i+1]) }); err != nil {
			return fmt.Errorf("record an access: %w", err)
		}
	}
	return nil
}

// Accesses lists openings that the caller may see, the newest first.
func (db *DB) Accesses(ctx context.Context, a doorstep.Actor, q privacy.AccessQuery) ([]privacy.Access, error) {
	outlets, err := db.reach(ctx, a)
	if err != nil {
		return nil, err
	}
	where := db.ofOutlets("e.outlet_no", outlets)
	if a.Role == doorstep.RoleCourier {
		c, err := db.Complaint(ctx, a, q.ComplaintID) // his case, or nothing
		if err != nil {
			return nil, err
		}
		// Whoever opened the parcel's records looked at his case, too.
		where = newFilter("e.outlet_no = ? and (e.complaint_id is null or e.complaint_id = ?)", c.Outlet, c.ID)
		q.Waybill, q.ComplaintID = c.Waybill, ""
	}
	return db.accesses(ctx, where, q)
}

func (db *DB) accesses(ctx context.Context, where *filter, q privacy.AccessQuery) ([]privacy.Access, error) {
	where.and("e.kind = 'access'")
	if q.Waybill != "" {
		where.and("e.waybill = ?", q.Waybill)
	}
	if q.ComplaintID != "" {
		where.and("e.complaint_id = ?", q.ComplaintID)
	}
	if !q.From.IsZero() {
		where.and("e.received_at_ms >= ?", ms(q.From))
	}
	if !q.To.IsZero() {
		where.and("e.received_at_ms < ?", ms(q.To))
	}
	if q.BeforeID != "" {
		where.and("(e.received_at_ms, e.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []struct {
		evidenceRow
		OutletID string `db:"outlet_id"`
	}
	err := db.list(ctx, &rows, `select e.outlet_no, coalesce(o.id, '') as outlet_id, e.id, e.kind, e.source, e.waybill, e.complaint_id, e.occurred_at_ms, e.received_at_ms, v.body
from evidence e
left join outlet o on o.no = e.outlet_no
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where `+where.text+` order by e.received_at_ms desc, e.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("accesses: %w", err)
	}
	list := make([]privacy.Access, len(rows))
	for i, r := range rows {
		item, err := db.item(r.evidenceRow)
		if err != nil {
			return nil, err
		}
		one := &list[i]
		*one = privacy.Access{
			ID: item.ID, OutletID: r.OutletID, ComplaintID: item.ComplaintID, Waybill: item.Waybill, At: item.ReceivedAt, Erased: r.Body == nil,
		}
		var failures []error
		for name, into := range map[string]any{"opened": &one.Opened, "role": &one.Role, "by": &one.By, "waybills": &one.Waybills} {
			if value, ok := item.Opening.Values[name]; ok {
				failures = append(failures, json.Unmarshal(value, into))
			}
		}
		if err := errors.Join(failures...); err != nil {
			return nil, fmt.Errorf("access %s: %w", item.ID, err)
		}
	}
	return list, nil
}

var _ privacy.AccessStore = (*DB)(nil)
