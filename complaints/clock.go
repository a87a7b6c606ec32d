package complaints

import "time"

// Promise is what the consumer is told: an answer within 24 hours, wall time.
// Legal is the longest the regulator allows for handling a complaint: seven
// days (PRC express delivery service rules).
const (
	Promise = 24 * time.Hour
	Legal   = 7 * 24 * time.Hour

	warnedAt = 0.5 // the share of a clock after which it warns
)

// ClockState says how a clock stands.
type ClockState string

// The states of a clock.
const (
	Running  ClockState = "running"
	Warned   ClockState = "warned" // half the time is gone
	Breached ClockState = "breached"
	Met      ClockState = "met"
)

// Clock is one deadline of a complaint.
type Clock struct {
	From, Due time.Time
	MetAt     time.Time // zero while open
}

// State is how the clock stands at now. Due itself is still in time.
func (c Clock) State(now time.Time) ClockState {
	end := now
	if !c.MetAt.IsZero() {
		end = c.MetAt
	}
	switch {
	case end.After(c.Due):
		return Breached
	case !c.MetAt.IsZero():
		return Met
	case now.Sub(c.From) >= time.Duration(float64(c.Due.Sub(c.From))*warnedAt):
		return Warned
	}
	return Running
}
