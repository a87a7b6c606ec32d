package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"doorstep"
)

// Reason says why a courier was not informed by an alert that has ended, or is
// not yet by one that has not.
type Reason string

// The reasons. Only NeverAcked may be held against the courier, and then only
// with care: the service took the message, which is not the phone.
const (
	Waiting      Reason = "waiting"       // not due, or on its way; never the reason of an ended alert
	NoDevice     Reason = "no_device"     // no phone of his could be reached
	ProviderFail Reason = "provider_down" // the push service could not be used
	Refused      Reason = "refused"       // our own fault: the service would not have the message
	RanOut       Reason = "expired"       // it was tried, and the shift ended first
	Quiet        Reason = HeldQuiet       // the outlet's quiet hours lasted to the end of the shift
	OverBudget   Reason = HeldBudget      // the courier had been rung as often as the outlet allows
	NeverAcked   Reason = "never_acked"   // the service took it; no phone ever said that he saw it
	Superseded   Reason = "superseded"    // the consumer's wishes changed before he saw it
	SignedFirst  Reason = "signed_first"  // the parcel was signed for before he saw it
)

// Tried is one delivery as it stands.
type Tried struct {
	State   State
	Attempt int // attempts made
	Code    string
}

// WhyNot says why an alert has not informed the courier, given the deliveries
// of its push. composed is false while the push gathers or waits; held says why
// it was held back, if it was; ended says that the alert has expired.
func WhyNot(composed bool, held string, tried []Tried, ended bool) Reason {
	some := func(test func(Tried) bool) bool { return slices.ContainsFunc(tried, test) }
	open := func(t Tried) bool { return t.State == Queued || t.State == Leased }
	switch {
	case some(func(t Tried) bool { return t.State == Sent }):
		return NeverAcked
	case len(tried) == 0 && held != "":
		return Reason(held)
	case !ended && (!composed || some(func(t Tried) bool { return open(t) && (t.Attempt > 0 || t.Code == "") })):
		return Waiting
	case some(func(t Tried) bool {
		unspent := t.Attempt == 0 && (open(t) || t.State == Expired) // a provider that is down spends none
		return unspent || t.State == Failed && t.Attempt >= maxAttempts
	}):
		return ProviderFail
	case !composed || some(func(t Tried) bool { return open(t) || t.State == Expired }):
		return RanOut
	case some(func(t Tried) bool { return t.Code == "bad_message" || t.Code == "refused_by_check" }):
		return Refused
	}
	return NoDevice
}

// Step is what happens if a push stays unacknowledged.
type Step struct {
	Name  string
	After time.Duration // the push was composed
}

// The steps, in their order: the courier's second device rings, then the
// outlet's manager sees the alert marked. Every step is a row, so that a restart
// neither loses nor repeats it.
const (
	SecondDevice = "second_device"
	ToManager    = "manager"
)

// Escalation lists them with their times.
var Escalation = []Step{{SecondDevice, 15 * time.Minute}, {ToManager, time.Hour}}

// Ledger is what a Closer needs kept.
type Ledger interface {
	// UnreadOutlets lists outlets with alerts that expired unread or escalations
	// that are due, at most limit.
	UnreadOutlets(ctx context.Context, now time.Time, limit int) ([]doorstep.OutletNo, error)
	// CloseAlerts gives alerts that expired unread their reason, in one
	// transaction, and says how many.
	CloseAlerts(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int) (int, error)
	// Escalate takes the steps that are due, in one transaction, and says how
	// many it looked at.
	Escalate(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int) (int, error)
}

// Closer ends what was not read: each alert in exactly one way, and each step
// of an escalation once, whatever crashes.
type Closer struct {
	Ledger Ledger
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	closeInterval = 5 * time.Second
	closeBatch    = 500
)

// Run repeats CloseDue until ctx ends.
func (c *Closer) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, closeInterval, c.CloseDue, func(err error) {
		c.Log.ErrorContext(ctx, "close unread alerts", "error", err)
	})
}

// CloseDue makes one pass and says how many alerts and steps it dealt with.
func (c *Closer) CloseDue(ctx context.Context) (int, error) {
	now := c.Now()
	outlets, err := c.Ledger.UnreadOutlets(ctx, now, outletBatch)
	if err != nil {
		return 0, fmt.Errorf("outlets with unread alerts: %w", err)
	}
	total := 0
	var failures []error
	for _, outlet := range outlets {
		for _, step := range []func(context.Context, doorstep.OutletNo, time.Time, int) (int, error){c.Ledger.Escalate, c.Ledger.CloseAlerts} {
			n, err := step(ctx, outlet, now, closeBatch)
			total += n
			if err != nil {
				failures = append(failures, fmt.Errorf("outlet %d: %w", outlet, err))
			}
		}
	}
	return total, errors.Join(failures...)
}
