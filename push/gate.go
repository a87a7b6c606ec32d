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
	places  int // attempts that may be under way
	free    int // of them
}

// fewPlaces is the share of the places, as its divisor, that must be free for a
// claim: many small claims would cost more than they bring sooner.
const fewPlaces = 4

// pass is one attempt, as its gate knows it.
type pass struct {
	try Try
	era int
}

// room is how many deliveries may be claimed now.
func (g *gate) room(now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free < g.places/fewPlaces {
		return 0
	}
	return g.breaker.Admits(now, min(g.free, g.rate.Room(now)))
}

// wait is how long the rate alone leaves no room.
func (g *gate) wait(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rate.Wait(now)
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

// begin lets one attempt pass, unless the gate has shut since its delivery was
// claimed.
func (g *gate) begin(now time.Time) (p pass, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.breaker.Admits(now, min(g.free, g.rate.Room(now))) == 0 {
		return pass{}, false
	}
	g.free--
	return pass{try: g.breaker.Begin(), era: g.rate.Begin(now)}, true
}

// aftermath is what the end of an attempt means beyond the message.
type aftermath struct {
	refund   bool      // it says nothing about the delivery, whose attempt is not spent
	refusals int       // halvings of the rate since something was accepted
	until    time.Time // the provider is not asked before; zero: it is
	turned   bool      // the breaker has just opened or closed
}

// end notes what became of an attempt.
func (g *gate) end(now time.Time, p pass, r Result, draw float64) aftermath {
	g.mu.Lock()
	defer g.mu.Unlock()
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
