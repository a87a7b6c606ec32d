package push

import (
	"context"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Event is what the app says happened to an alert on the phone.
type Event string

// The events. Only the last two show that the courier knew.
const (
	Received     Event = "received"
	Shown        Event = "shown"
	Opened       Event = "opened"
	Acknowledged Event = "acknowledged"
)

// Informs says whether the event shows that the courier knew.
func (e Event) Informs() bool { return e == Opened || e == Acknowledged }

var events = []Event{Received, Shown, Opened, Acknowledged}

// MaxReceipts is how many receipts one call may bring.
const MaxReceipts = 500

// ReceiptRequest is a receipt as it arrived.
type ReceiptRequest struct {
	AlertID string
	Event   string
	At      string // the phone's clock, RFC 3339
}

// Receipt says when something happened to an alert, by the phone's clock and
// by ours. The first of each event counts.
type Receipt struct {
	Outlet     doorstep.OutletNo
	AlertID    string
	Event      Event
	At         time.Time
	ReceivedAt time.Time
}

// ReceiptVerdict is the answer to one receipt.
type ReceiptVerdict struct {
	Status    evidence.Status
	Err       error
	AlertedAt time.Time // when the alert was made; zero if the receipt was rejected
}

// Receipts keeps a batch of receipts with a verdict each. An alert that is not
// the caller's is rejected as not found.
func (b *Inbox) Receipts(ctx context.Context, a doorstep.Actor, in []ReceiptRequest) ([]ReceiptVerdict, error) {
	if len(in) == 0 || len(in) > MaxReceipts {
		return nil, evidence.ErrBatchSize("/receipts", MaxReceipts)
	}
	now := b.Now()
	verdicts := make([]ReceiptVerdict, len(in))
	var good []Receipt
	var places []int
	for i, r := range in {
		receipt, err := r.check(now)
		if err != nil {
			verdicts[i] = ReceiptVerdict{Status: evidence.Rejected, Err: err}
			continue
		}
		good, places = append(good, receipt), append(places, i)
	}
	kept, err := b.Store.AddReceipts(ctx, a, good)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	for i, v := range kept {
		verdicts[places[i]] = v
		if b.Arrived != nil && v.Status == evidence.Accepted && good[i].Event == Received {
			b.Arrived(now.Sub(v.AlertedAt))
		}
	}
	return verdicts, nil
}

func (r ReceiptRequest) check(now time.Time) (Receipt, error) {
	receipt := Receipt{AlertID: r.AlertID, Event: Event(r.Event), ReceivedAt: now}
	var checks doorstep.Checks
	if !slices.Contains(events, receipt.Event) {
		checks.Add("/event", "unknown_event", "must be received, shown, opened or acknowledged")
	}
	receipt.At = doorstep.ParseEventTime("/at", r.At, now, &checks)
	if err := checks.Err(); err != nil {
		return Receipt{}, err
	}
	outlet, ok := doorstep.OutletOf(r.AlertID)
	if !ok {
		return Receipt{}, doorstep.NotFound("alert", r.AlertID)
	}
	receipt.Outlet = outlet
	return receipt, nil
}
