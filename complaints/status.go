package complaints

import (
	"fmt"
	"slices"

	"doorstep"
)

// Status is how far a complaint has come.
type Status string

// The states.
const (
	Filed             Status = "filed"
	InProgress        Status = "in_progress"        // somebody at the outlet has taken it up
	Answered          Status = "answered"           // the consumer has not said yet whether that solves it
	Confirmed         Status = "confirmed"          // by the consumer
	Disputed          Status = "disputed"           // the consumer says the answer does not solve it
	ClosedUnconfirmed Status = "closed_unconfirmed" // the consumer said nothing in time
	Reopened          Status = "reopened"
	Withdrawn         Status = "withdrawn" // by the consumer
)

// Statuses lists them.
var Statuses = []Status{Filed, InProgress, Answered, Confirmed, Disputed, ClosedUnconfirmed, Reopened, Withdrawn}

// Action is what somebody does to a complaint.
type Action string

// The actions that move a complaint.
const (
	TakeUp   Action = "take_up"
	Answer   Action = "answer"
	Confirm  Action = "confirmation"
	Dispute  Action = "dispute"
	Expire   Action = "expiry" // of the time to confirm
	Reopen   Action = "reopening"
	Withdraw Action = "withdrawal"
)

// moves is the machine: from which states an action leads where. What is not
// here is refused.
var moves = map[Action]struct {
	from []Status
	to   Status
}{
	TakeUp:   {[]Status{Filed}, InProgress},
	Answer:   {[]Status{Filed, InProgress, Disputed, Reopened}, Answered},
	Confirm:  {[]Status{Answered}, Confirmed},
	Dispute:  {[]Status{Answered}, Disputed},
	Expire:   {[]Status{Answered}, ClosedUnconfirmed},
	Reopen:   {[]Status{Confirmed, ClosedUnconfirmed}, Reopened},
	Withdraw: {[]Status{Filed, InProgress, Answered, Disputed, Reopened}, Withdrawn},
}

// owesAnswer says whether the outlet has yet to answer.
func (s Status) owesAnswer() bool { return slices.Contains(moves[Answer].from, s) }

// IsOpen says whether the complaint may still move without being reopened.
func (s Status) IsOpen() bool { return s.owesAnswer() || s == Answered }

// Takes says whether an action is possible in this state.
func (s Status) Takes(a Action) bool { return slices.Contains(moves[a].from, s) }

// move makes the step, or refuses it with a *doorstep.ConflictError.
func (s *Status) move(a Action) error {
	m := moves[a]
	if !s.Takes(a) {
		return &doorstep.ConflictError{Code: "not_in_this_state", Detail: fmt.Sprintf("a complaint that is %s takes no %s", *s, a)}
	}
	*s = m.to
	return nil
}
