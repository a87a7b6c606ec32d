package push

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

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

// Attempts is how many attempts the delivery has spent.
func (e Ended) Attempts() int {
	if e.Refund {
		return e.Delivery.Attempt - 1
	}
	return e.Delivery.Attempt
}

// Room is how many deliveries of a provider may be claimed.
type Room struct {
	Provider string
	Limit    int
}

// Claim asks for deliveries of one outlet, after its due pushes were composed.
type Claim struct {
	Outlet     doorstep.OutletNo
	Now        time.Time
	LeaseUntil time.Time
	Token      string   // fresh: it fences the lease
	Rooms      []Room   // whoever is not named gets nothing
	Busy       []string // devices that have a message under way

	Compose func(kind string, alerts []Alert) Message
	Pushes  int // composed at most
}

// Claimed is what came of a claim.
type Claimed struct {
	Composed   int // pushes
	Deliveries []Delivery
}

// Queue is what a Sender needs kept.
type Queue interface {
	// DueOutlets lists outlets with pushes to compose, deliveries of the
	// providers to send, or expired ones to end, the longest waiting first, at
	// most limit.
	DueOutlets(ctx context.Context, now time.Time, providers []string, limit int) ([]doorstep.OutletNo, error)
	// Claim turns due pushes into deliveries, one a device, and leases those
	// that are due or whose lease ran out, all in one transaction: those that
	// have been due the longest, as Choose picks them. An outlet's alerts expire
	// in the order in which they were made, so this is also the order in which
	// time runs out. Besides, it leases expired deliveries of any provider.
	Claim(ctx context.Context, c Claim) (Claimed, error)
	// Finish writes outcomes, with the facts of what was sent.
	Finish(ctx context.Context, list []Ended) error
	// TakeOver makes every leased delivery due at once: for the only server of a
	// database, when it starts.
	TakeOver(ctx context.Context, now time.Time) error
}

// Sender composes and sends what is due. Any number may share a database; each
// learns for itself what a provider can take, and lets a device have one message
// at a time.
type Sender struct {
	Queue     Queue
	Providers map[string]Provider // by name; deliveries of others wait for a node that has theirs
	Content   Content
	Now       func() time.Time
	Draw      func() float64 // from [0, 1)
	NewToken  func() string
	Log       *slog.Logger
	Rate      float64  // messages a second, of each provider
	InFlight  int      // messages at once, of each provider
	Observer  Observer // of attempts; nil: nobody

	gates  []*gate // by their providers' names
	wake   chan struct{}
	flight *atomic.Pointer[flight] // points nowhere before it runs
}

const (
	leaseTime     = time.Minute // at least five attempts long, so that it needs no heartbeat
	pollInterval  = time.Second // a safety net: commits wake the sender
	shortestWait  = 20 * time.Millisecond
	composeBatch  = 64
	outletBatch   = 64
	outletsAtOnce = 8 // claims under way: on SQLite they share a commit
)

// NewSender returns s ready to be woken. It starts nothing.
func NewSender(s Sender) *Sender {
	s.wake, s.flight = make(chan struct{}, 1), &atomic.Pointer[flight]{}
	for name, p := range s.Providers {
		s.gates = append(s.gates, newGate(name, p, NewRate(s.Rate, s.Now()), s.InFlight))
	}
	slices.SortFunc(s.gates, func(a, b *gate) int { return cmp.Compare(a.name, b.name) })
	return &s
}

// Wake makes Run look at once instead of at the next poll. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Services says how each push service stands, in the order of their names.
func (s *Sender) Services() []ServiceState {
	states := make([]ServiceState, len(s.gates))
	for i, g := range s.gates {
		states[i] = g.state(s.Now())
	}
	return states
}

// Run sends until ctx ends. What is then under way may still end; what is not
// begun goes back unspent.
func (s *Sender) Run(ctx context.Context) error {
	f := newFlight(s)
	s.flight.Store(f)
	defer f.land()
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
		s.await(ctx, f.freed)
	}
}

// Offer says what a transaction that makes something due at an outlet may claim
// for this sender; ok is false where nothing may.
func (s *Sender) Offer(outlet doorstep.OutletNo) (c Claim, ok bool) {
	f := s.flight.Load()
	if f == nil || !f.open() {
		return c, false
	}
	rooms := s.rooms(1)[0]
	return f.claimOf(outlet, rooms), len(rooms) > 0
}

// Take sends what such a transaction leased. It does not block.
func (s *Sender) Take(list []Delivery) { s.flight.Load().take(list) }

// await waits until there may be something to do: at the next poll, when
// somebody wakes the sender, or when so many deliveries have ended that a claim is
// worth it.
func (s *Sender) await(ctx context.Context, freed <-chan struct{}) {
	poll := time.NewTimer(s.patience())
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			return
		case <-s.wake:
			return
		case <-freed:
			if len(s.rooms(1)[0]) > 0 {
				return
			}
		}
	}
}

// patience is how long Run waits if nothing wakes it: until the first rate has
// room again, at most until the next poll.
func (s *Sender) patience() time.Duration {
	now, least := s.Now(), pollInterval
	for _, g := range s.gates {
		if wait := g.wait(now); wait > 0 {
			least = min(least, max(wait, shortestWait))
		}
	}
	return least
}

// SendDue makes one pass: it composes what is due, makes one attempt at every
// delivery that is due and that there is room for, and waits for the outcomes.
// It returns how many pushes and deliveries it moved.
func (s *Sender) SendDue(ctx context.Context) (int, error) {
	f := newFlight(s)
	defer f.land()
	return f.launch(ctx)
}

// rooms is what each provider may be handed now, in so many shares that differ
// by one at most.
func (s *Sender) rooms(shares int) [][]Room {
	now := s.Now()
	rooms := make([][]Room, shares)
	for _, g := range s.gates {
		total := g.room(now)
		for i := range rooms {
			if n := (total + shares - 1 - i) / shares; n > 0 {
				rooms[i] = append(rooms[i], Room{g.name, n})
			}
		}
	}
	return rooms
}

// gateOf is nil for a provider that this sender does not have.
func (s *Sender) gateOf(provider string) *gate {
	for _, g := range s.gates {
		if g.name == provider {
			return g
		}
	}
	return nil
}

// examine ends a delivery that there is no use in sending; ok says that there
// is.
func (s *Sender) examine(ctx context.Context, g *gate, d Delivery) (end Ended, ok bool) {
	end = Ended{Delivery: d, State: Failed, Refund: true, At: s.Now()}
	switch {
	case g == nil || !end.At.Before(d.ExpiresAt): // of other providers only what has expired is claimed
		end.State, end.Code = Expired, "expired"
		return end, false
	case d.Message.Kind == "": // composed anew, with nothing left to tell
		end.State, end.Code = Expired, string(Superseded)
		return end, false
	case d.Address.Value == "":
		end.Code = "device_gone"
		return end, false
	case d.Attempt > maxAttempts: // whoever made the last one did not live to tell
		end.Code = "attempts"
		return end, false
	}
	if err := g.provider.Check(d.Message); err != nil {
		end.Code = "refused_by_check"
		s.Log.ErrorContext(ctx, "push refused before sending", "delivery", d.ID, "error", err)
		return end, false
	}
	return end, true
}

// unspent puts back a delivery that was claimed and not begun, at its old place:
// whatever was made later comes later.
func (s *Sender) unspent(d Delivery) Ended {
	return Ended{Delivery: d, State: Queued, Code: "not_begun", NextAt: d.CreatedAt, Refund: true, At: s.Now()}
}

// send makes one attempt and says what follows from it.
func (s *Sender) send(ctx context.Context, g *gate, p pass, d Delivery) Ended {
	started := s.Now()
	// An attempt once begun is not cut short by a shutdown: the provider bounds it.
	result := g.provider.Send(context.WithoutCancel(ctx), d.Address, d.Message)
	end := Ended{Delivery: d, Code: result.Code, ProviderID: result.ProviderID, At: s.Now()}
	draw := s.Draw()
	after := g.end(end.At, p, result, draw)
	if s.Observer != nil {
		s.Observer.Attempted(d.Provider, result, end.At.Sub(started))
	}
	level := slog.LevelDebug // the evidence has each that was taken
	if result.Outcome != Accepted {
		level = slog.LevelInfo
	}
	s.Log.Log(ctx, level, "push attempt", "delivery", d.ID, "push", d.PushID, "provider", d.Provider,
		"outcome", result.Outcome.String(), "code", result.Code, "attempt", d.Attempt, "ms", end.At.Sub(started).Milliseconds())
	switch {
	case after.turned && !after.until.IsZero():
		s.Log.ErrorContext(ctx, "push provider is down", "provider", d.Provider, "code", result.Code, "until", after.until)
	case after.turned:
		s.Log.InfoContext(ctx, "push provider is back", "provider", d.Provider)
	}
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
	return again(end, result, after, draw)
}

// again queues a delivery for its next attempt, if there is one.
func again(end Ended, r Result, after aftermath, draw float64) Ended {
	d := end.Delivery
	end.State, end.Refund = Queued, after.refund
	switch {
	case isDown(r): // when the provider may be asked again, so may this
		end.NextAt = end.At
		if after.until.After(end.At) {
			end.NextAt = after.until
		}
	case r.Code == codeQuota:
		end.NextAt = end.At.Add(Wait(r, after.refusals, draw))
	default:
		end.NextAt = end.At.Add(Wait(r, d.Attempt, draw))
	}
	switch {
	case !end.NextAt.Before(d.ExpiresAt):
		end.State = Expired
	case !end.Refund && d.Attempt >= maxAttempts:
		end.State = Failed
	}
	return end
}
