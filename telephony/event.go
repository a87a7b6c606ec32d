package telephony

import (
	"cmp"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// State is what an event says of its call or message.
type State string

// The states: of a call up to Failed, of a message the others and Failed.
const (
	Placed   State = "placed" // nobody's telephone has rung yet
	Ringing  State = "ringing"
	Answered State = "answered"
	Ended    State = "ended" // after it was answered
	NoAnswer State = "no_answer"
	Busy     State = "busy"
	Rejected State = "rejected"
	Failed   State = "failed"

	Sent      State = "sent"
	Delivered State = "delivered"
	Read      State = "read"
)

var (
	callStates    = []State{Placed, Ringing, Answered, Ended, NoAnswer, Busy, Rejected, Failed} // progress in this order
	messageStates = []State{Sent, Delivered, Read, Failed}
)

// Terminal says whether a call is over in this state.
func (s State) Terminal() bool { return slices.Index(callStates, s) >= slices.Index(callStates, Ended) }

// Party is who ended a call.
type Party string

// The parties.
const (
	Courier  Party = "courier"
	Consumer Party = "consumer"
	Platform Party = "platform"
)

var parties = []Party{Courier, Consumer, Platform}

// Event is one report about a call or a message, whoever sent it. What is not
// known is the zero value. The JSON form is kept with the call; it holds no
// number.
type Event struct {
	Key      string        `json:"key"`  // the provider's own, unique among its events
	Kind     evidence.Kind `json:"kind"` // call or message
	Subject  string        `json:"-"`    // the provider's id of the call or message
	State    State         `json:"state"`
	Sequence int64         `json:"seq,omitzero"` // the provider's own order
	At       time.Time     `json:"at"`           // by the provider's clock
	Received time.Time     `json:"received"`     // by ours

	Incoming   bool           `json:"incoming,omitzero"` // the consumer rang the courier
	StartedAt  time.Time      `json:"started_at,omitzero"`
	RingAt     time.Time      `json:"ring_at,omitzero"`
	AnsweredAt time.Time      `json:"answered_at,omitzero"`
	EndedAt    time.Time      `json:"ended_at,omitzero"`
	EndedBy    Party          `json:"ended_by,omitzero"`
	Rang       evidence.Truth `json:"rang,omitzero"` // what the provider says beyond RingAt

	Reference string         `json:"-"` // what the carrier gave the provider: a waybill, or the id of an intent
	Number    doorstep.Phone `json:"-"` // the masked number
	Peer      doorstep.Phone `json:"-"` // the consumer's
}

// inOrder drops repeats and sorts by the provider's sequence, then by its clock.
// Our time of receipt has no say, nor has the order of the list: the same events
// in another order are the same call.
func inOrder(events []Event) []Event {
	sorted := slices.SortedFunc(slices.Values(events), func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), a.At.Compare(b.At), cmp.Compare(a.Key, b.Key))
	})
	return slices.CompactFunc(sorted, func(a, b Event) bool { return a.Key == b.Key })
}

// earliest is the first of the times that are known.
func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
