package push

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"doorstep"
)

// State of a delivery.
type State string

// The states. Queued and leased are open; the others end a delivery.
const (
	Queued  State = "queued"
	Leased  State = "leased"
	Sent    State = "sent" // the provider took it; only a receipt says more
	Failed  State = "failed"
	Expired State = "expired"
)

// Delivery is one push on its way to one device, leased to this sender.
type Delivery struct {
	Outlet     doorstep.OutletNo
	ID         string
	PushID     string
	CourierNo  int64
	Home       doorstep.OutletNo // of the courier: where the device is kept
	DeviceID   string
	Provider   string
	Attempt    int // counted from 1; this one included
	LeaseToken string
	CreatedAt  time.Time
	ExpiresAt  time.Time

	Message Message
	Address Address // Value empty: the device is gone
	AddrKey string  // the address's keyed hash, to retire only what was sent to
}

// Ended is what became of a leased delivery. It takes effect only while the
// lease token still holds.
type Ended struct {
	Delivery   Delivery
	State      State
	Code       string
	ProviderID string
	NextAt     time.Time // of a delivery that is queued again
	Refund     bool      // the attempt does not count
	Retire     bool      // the address is dead
	At         time.Time
}

// Queue is what a Sender needs kept.
type Queue interface {
	// DueOutlets lists outlets with pushes to compose or deliveries to send, the
	// longest waiting first, at most limit.
	DueOutlets(ctx context.Context, now time.Time, limit int) ([]doorstep.OutletNo, error)
	// ComposeDue turns the outlet's due pushes into deliveries, one a device,
	// in one transaction, and says how many pushes it took.
	ComposeDue(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int, compose func(kind string, alerts []Alert) Message) (int, error)
	// Claim leases due deliveries, and those whose lease ran out, under a fresh
	// token.
	Claim(ctx context.Context, outlet doorstep.OutletNo, now, leaseUntil time.Time, token string, limit int) ([]Delivery, error)
	// Finish writes outcomes, with the facts of what was sent.
	Finish(ctx context.Context, list []Ended) error
	// TakeOver makes every leased delivery due at once: for the only server of a
	// database, when it starts.
	TakeOver(ctx context.Context, now time.Time) error
}

// Sender composes and sends what is due. Any number may share a database.
type Sender struct {
	Queue     Queue
	Providers map[string]Provider // by name; a delivery of another waits
	Content   Content
	Now       func() time.Time
	Draw      func() float64 // from [0, 1)
	NewToken  func() string
	Log       *slog.Logger
	Limit     *rate.Limiter // messages a second
	InFlight  int           // messages at once

	wake chan struct{}
}

const (
	leaseTime    = time.Minute // at least five attempts long, so that it needs no heartbeat
	pollInterval = time.Second // a safety net: commits wake the sender
	composeBatch = 64
	outletBatch  = 64
)

// NewSender returns s ready to be woken. It starts nothing.
func NewSender(s Sender) *Sender {
	s.wake = make(chan struct{}, 1)
	return &s
}

// Wake makes Run look at once instead of at the next poll. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. What is then under way is finished first.
func (s *Sender) Run(ctx context.Context) error {
	f := newFlight(s)
	defer f.land()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		n, err := f.launch(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.Log.ErrorContext(ctx, "send due pushes", "error", err)
		case n > 0:
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.wake:
		case <-f.freed:
		}
	}
}

// SendDue makes one pass: it composes what is due, makes one attempt at every
// delivery that is due and that there is room for, and waits for the outcomes.
// It returns how many pushes and deliveries it moved.
func (s *Sender) SendDue(ctx context.Context) (int, error) {
	f := newFlight(s)
	defer f.land()
	return f.launch(ctx)
}

// send makes one attempt and says what follows from it.
func (s *Sender) send(ctx context.Context, d Delivery) Ended {
	end := Ended{Delivery: d, At: s.Now()}
	provider := s.Providers[d.Provider]
	switch {
	case !end.At.Before(d.ExpiresAt):
		end.State, end.Code = Expired, "expired"
		return end
	case d.Address.Value == "":
		end.State, end.Code = Failed, "device_gone"
		return end
	case provider == nil: // another node, or this one after a restart, may have it
		return s.again(end, Result{Outcome: ProviderDown, Code: "no_provider", After: longestWait})
	}
	if err := provider.Check(d.Message); err != nil {
		end.State, end.Code = Failed, "refused_by_check"
		s.Log.ErrorContext(ctx, "push refused before sending", "delivery", d.ID, "error", err)
		return end
	}
	if s.Limit.Wait(ctx) != nil { // shutting down: not begun, so nothing is spent
		end.State, end.Code, end.NextAt, end.Refund = Queued, "shutdown", end.At, true
		return end
	}
	started := s.Now()
	// An attempt once begun is not cut short by a shutdown: the provider bounds it.
	result := provider.Send(context.WithoutCancel(ctx), d.Address, d.Message)
	end.At = s.Now()
	s.Log.InfoContext(ctx, "push attempt", "delivery", d.ID, "push", d.PushID, "provider", d.Provider,
		"outcome", result.Outcome.String(), "code", result.Code, "attempt", d.Attempt, "ms", end.At.Sub(started).Milliseconds())
	end.Code, end.ProviderID = result.Code, result.ProviderID
	switch result.Outcome {
	case Accepted:
		end.State = Sent
		return end
	case AddrGone:
		end.State, end.Retire = Failed, true
		return end
	case BadMessage:
		end.State = Failed
		return end
	}
	return s.again(end, result)
}

// again queues a delivery for its next attempt, if there is one.
func (s *Sender) again(end Ended, result Result) Ended {
	d := end.Delivery
	end.State, end.Code = Queued, result.Code
	end.Refund = result.Outcome == ProviderDown
	end.NextAt = end.At.Add(Wait(result, d.Attempt, s.Draw()))
	switch {
	case !end.NextAt.Before(d.ExpiresAt):
		end.State = Expired
	case !end.Refund && d.Attempt >= maxAttempts:
		end.State = Failed
	}
	return end
}
