package complaints

import "time"

// ClockName tells a complaint's three clocks apart.
type ClockName string

// The clocks. Promise is wall time, and what the consumer is told; work counts
// the outlet's hours and stops while the complaint is paused; legal is the
// longest that the regulator allows.
const (
	PromiseClock ClockName = "promise"
	WorkClock    ClockName = "work"
	LegalClock   ClockName = "legal"
)

// ClockNames lists them.
var ClockNames = []ClockName{PromiseClock, WorkClock, LegalClock}

// ClockState says how a clock stands.
type ClockState string

// The states of a clock.
const (
	Running  ClockState = "running"
	Warned   ClockState = "warned" // the first warning's time is past
	Breached ClockState = "breached"
	Met      ClockState = "met"
)

// Clock is one deadline of a complaint.
type Clock struct {
	WarnsAt, Due time.Time
	MetAt        time.Time // zero while open
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
	case !now.Before(c.WarnsAt):
		return Warned
	}
	return Running
}
