package telephony

import (
	"slices"
	"time"

	"doorstep/evidence"
)

// Call is what the events of a call come to.
type Call struct {
	State      State
	Incoming   bool
	StartedAt  time.Time
	RingAt     time.Time // zero: it never rang, or nobody says when
	AnsweredAt time.Time
	EndedAt    time.Time
	EndedBy    Party // "": nobody says
	Rang       evidence.Truth
}

// FoldCall makes a call of its events, in any order and with any repeats. The
// first terminal state in the provider's order stays; until there is one, a call
// only gets further.
func FoldCall(events []Event) (c Call) {
	for _, e := range inOrder(events) {
		c.Incoming = c.Incoming || e.Incoming
		c.StartedAt = earliest(c.StartedAt, e.StartedAt, e.At)
		c.RingAt = earliest(c.RingAt, e.RingAt)
		c.AnsweredAt = earliest(c.AnsweredAt, e.AnsweredAt)
		if !c.State.Terminal() && slices.Index(callStates, e.State) > slices.Index(callStates, c.State) {
			c.State = e.State
		}
		if e.State.Terminal() {
			if c.EndedAt.IsZero() {
				c.EndedAt = e.EndedAt
			}
			if c.EndedBy == "" {
				c.EndedBy = e.EndedBy
			}
		}
		if c.Rang != evidence.True && e.Rang != evidence.Unknown {
			c.Rang = e.Rang
		}
	}
	if !c.RingAt.IsZero() || !c.AnsweredAt.IsZero() {
		c.Rang = evidence.True
	}
	return c
}

// Direction is outgoing if the courier rang.
func (c Call) Direction() string {
	if c.Incoming {
		return "incoming"
	}
	return "outgoing"
}

// Rings is how long it rang until somebody answered or gave up; false where it
// did not ring, rings still, or nobody says.
func (c Call) Rings() (time.Duration, bool) {
	until := c.AnsweredAt
	if until.IsZero() {
		until = c.EndedAt
	}
	return between(c.RingAt, until)
}

// Talk is how long the two talked; false where they did not, talk still, or
// nobody says.
func (c Call) Talk() (time.Duration, bool) { return between(c.AnsweredAt, c.EndedAt) }

// between is never negative: of a provider's clocks one may be behind.
func between(from, to time.Time) (time.Duration, bool) {
	if from.IsZero() || to.IsZero() {
		return 0, false
	}
	return max(0, to.Sub(from)), true
}

// Distinct counts the attempts among a courier's calls: those less than apart
// after the last that counted are the same attempt, dialled again.
func Distinct(calls []Call, apart time.Duration) (n int) {
	var last time.Time
	for _, c := range slices.SortedFunc(slices.Values(calls), func(a, b Call) int { return a.StartedAt.Compare(b.StartedAt) }) {
		if !c.Incoming && (n == 0 || c.StartedAt.Sub(last) >= apart) {
			n, last = n+1, c.StartedAt
		}
	}
	return n
}
