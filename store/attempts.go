package store

import (
	"context"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
)

// AddAttempt keeps an attempt as what it is among a phone's uploads.
func (db *DB) AddAttempt(ctx context.Context, fact evidence.Fact) (new bool, err error) {
	verdicts, err := db.AddUploads(ctx, []evidence.Fact{fact})
	if err != nil {
		return false, err
	}
	return verdicts[0].Status == evidence.Accepted, verdicts[0].Err
}

// addAttempts keeps the attempts among new uploads, so that they are counted.
func addAttempts(tx *Tx, facts []sealedFact) error {
	var rows [][]any
	for _, f := range facts {
		if f.Kind != evidence.Attempt {
			continue
		}
		a := parcels.AttemptOf(f.Fact)
		rows = append(rows, []any{int64(f.Outlet), string(f.Waybill), ms(f.ReceivedAt), f.ID, f.CourierNo, f.ClientID, a.Outcome, a.Reason, ms(f.OccurredAt)})
	}
	err := tx.insert(`insert into attempt (outlet_no, waybill, received_at_ms, id, courier_no, client_id, outcome, reason, at_ms)`, "", rows)
	if err != nil {
		return fmt.Errorf("attempts: %w", err)
	}
	return nil
}

// History reads what was recorded of a parcel.
func (db *DB) History(ctx context.Context, c parcels.Custody) (h parcels.History, err error) {
	read := db.lister(ctx)
	first, last, err := outSince(read, c)
	if err != nil {
		return h, err
	}
	h.DispatchedAt = last
	if h.SignFors, err = db.signFors(read, c.Outlet, c.Waybill); err != nil {
		return h, err
	}
	h.Attempts, err = attempts(read, c.Outlet, c.Waybill, first)
	return h, err
}

// attempts reads what was tried since a parcel went out to its consignee.
func attempts(read lister, outlet doorstep.OutletNo, w doorstep.Waybill, since time.Time) ([]parcels.Attempt, error) {
	var rows []struct {
		ID         string
		CourierNo  int64  `db:"courier_no"`
		ClientID   string `db:"client_id"`
		Outcome    string
		Reason     string
		AtMS       int64 `db:"at_ms"`
		ReceivedMS int64 `db:"received_at_ms"`
	}
	err := read(&rows, `select id, courier_no, client_id, outcome, reason, at_ms, received_at_ms from attempt
where outlet_no = ? and waybill = ? and received_at_ms >= ? order by received_at_ms, id`, outlet, w, ms(since))
	if err != nil {
		return nil, fmt.Errorf("attempts: %w", err)
	}
	list := make([]parcels.Attempt, len(rows))
	for i, r := range rows {
		list[i] = parcels.Attempt{
			ID: r.ID, No: i + 1, ClientID: r.ClientID, CourierNo: r.CourierNo, Outcome: r.Outcome, Reason: r.Reason,
			At: fromMS(r.AtMS), ReceivedAt: fromMS(r.ReceivedMS),
		}
	}
	return list, nil
}
