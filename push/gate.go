package push

import (
	"sync"
	"time"
)

// gate stands before one provider and says how much may pass. Each provider has
// its own, so that one that is slow, down or over its quota holds up no other.
type gate struct {
	name     string
	provider Provider

	mu      sync.Mutex
	rate    *Rate
	breaker Breaker
	places  int      // attempts that may be under way
	free    int      // of them
	waiting []waiter // for a place, the first in front
}

// waiter is a claimed delivery that will be sent when there is a place for it, or
// refused if the gate shuts before.
type waiter struct {
	start  func(pass)
	refuse func()
}

// Deliveries are claimed ahead, so that a place that comes free is filled from
// memory, and in some number, since many small claims would cost more than they
// bring sooner.
const (
	ahead = 2 // deliveries held for each place: under way, or waiting for it
	few   = 4 // the share of them that must have ended before a claim, as its divisor
)

func newGate(name string, provider Provider, rate *Rate, places int) *gate {
	return &gate{name: name, provider: provider, rate: rate, places: places, free: places}
}

// pass is one attempt, as its gate knows it.
type pass struct {
	try Try
	era int
}

// room is how many deliveries may be claimed now.
func (g *gate) room(now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	most := ahead * g.places
	room := most - (g.places - g.free) - len(g.waiting)
	if room < most/few {
		return 0
	}
	return g.breaker.Admits(now, min(room, g.rate.Room(now)-len(g.waiting)))
}

// wait is how long the rate alone leaves no room for one more.
func (g *gate) wait(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rate.Wait(now, len(g.waiting)+1)
}

// ServiceState is how a push service stands, as one sender knows it.
type ServiceState struct {
	Provider  string
	Shut      bool    // its breaker is open: it is not asked, or asked once to see whether it is back
	PerSecond float64 // messages that it may be handed now
	InFlight  int     // attempts under way
}

// state is how the service stands.
func (g *gate) state(now time.Time) ServiceState {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, shut := g.breaker.Pause()
	return ServiceState{Provider: g.name, Shut: shut, PerSecond: g.rate.PerSecond(now), InFlight: g.places - g.free}
}

// enter lets a delivery pass when its turn comes. Neither of its functions is
// called under the gate's lock, nor may block.
func (g *gate) enter(now time.Time, w waiter) {
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	turns := g.turns(now)
	g.mu.Unlock()
	call(turns)
}

// turns takes those whose turn it is from the line: as many as there are places,
// or all if the gate has shut since they were claimed.
func (g *gate) turns(now time.Time) (turns []func()) {
	for g.free > 0 && len(g.waiting) > 0 {
		if g.breaker.Admits(now, min(1, g.rate.Room(now))) == 0 {
			return append(turns, g.dismissed()...)
		}
		w, p := g.waiting[0], pass{try: g.breaker.Begin(), era: g.rate.Begin(now)}
		g.waiting = g.waiting[1:]
		g.free--
		turns = append(turns, func() { w.start(p) })
	}
	return turns
}

func (g *gate) dismissed() (turns []func()) {
	for _, w := range g.waiting {
		turns = append(turns, w.refuse)
	}
	g.waiting = nil
	return turns
}

// dismiss refuses all that wait.
func (g *gate) dismiss() {
	g.mu.Lock()
	turns := g.dismissed()
	g.mu.Unlock()
	call(turns)
}

func call(turns []func()) {
	for _, turn := range turns {
		turn()
	}
}

// aftermath is what the end of an attempt means beyond the message.
type aftermath struct {
	refund   bool      // it says nothing about the delivery, whose attempt is not spent
	refusals int       // halvings of the rate since something was accepted
	until    time.Time // the provider is not asked before; zero: it is
	turned   bool      // the breaker has just opened or closed
}

// end notes what became of an attempt, and lets the next begin.
func (g *gate) end(now time.Time, p pass, r Result, draw float64) aftermath {
	g.mu.Lock()
	a := g.note(now, p, r, draw)
	turns := g.turns(now)
	g.mu.Unlock()
	call(turns)
	return a
}

func (g *gate) note(now time.Time, p pass, r Result, draw float64) aftermath {
	g.free++
	a := aftermath{refund: p.try.Probe && isFault(r)}
	switch {
	case r.Outcome == Accepted:
		g.rate.Accepted(p.era)
	case r.Code == codeQuota:
		a.refund, a.refusals = true, g.rate.Refused(now, p.era, lengthened(r.After, draw))
	case r.Outcome == ProviderDown:
		a.refund = true
		g.rate.Refund()
	}
	a.turned = g.breaker.End(now, p.try, r)
	if until, open := g.breaker.Pause(); open {
		a.until = until
	}
	return a
}
