package webhooks

import (
	"encoding/json"
	"fmt"
	"time"

	"doorstep/feed"
)

// State is how far a delivery is.
type State string

const (
	Waiting   State = "waiting"   // for its time, or under way
	Queued    State = "queued"    // behind an earlier event about the same object
	Delivered State = "delivered" // the receiver answered 2xx
	Failed    State = "failed"    // given up
)

// States lists them.
var States = []State{Waiting, Queued, Delivered, Failed}

// Delivery is one event on its way to one webhook. Of the events about one
// object the lowest that is not delivered yet goes out, the others are queued
// behind it; events about different objects do not wait for each other.
type Delivery struct {
	Seq       int64 // of the event in the feed
	EventID   string
	Type      feed.Type
	State     State
	Attempts  int       // since it was last put on its way
	DueAt     time.Time // of the next attempt, while Waiting
	Last      Result    // of the last attempt; zero before the first
	Attempted time.Time // when that was; zero before the first
}

// Fault says what was wrong with an attempt. The receiver's own words are not
// kept: they may repeat what was sent.
type Fault string

const (
	BadStatus      Fault = "status"          // neither 2xx nor 3xx
	Redirected     Fault = "redirect"        // 3xx: redirects are not followed
	TimedOut       Fault = "timeout"         // no whole answer in time
	Unreachable    Fault = "unreachable"     // no connection
	Untrusted      Fault = "tls"             // no valid certificate
	PrivateAddress Fault = "private_address" // the name leads where webhooks may not go
)

// Faults lists them.
var Faults = []Fault{BadStatus, Redirected, TimedOut, Unreachable, Untrusted, PrivateAddress}

// Result is what became of an attempt.
type Result struct {
	Fault  Fault // "" for success
	Status int   // of HTTP; 0 without an answer
	Took   time.Duration
}

// statusGone is the answer by which a receiver says that it wants no more.
const statusGone = 410

// schedule is how long to wait after each failed attempt: the one that Standard
// Webhooks recommends, 75 h 35 min in all.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
	20 * time.Hour, 24 * time.Hour,
}

// jitter lengthens a wait by up to this part, so that what failed together does
// not come back together. It never shortens: Patience relies on it.
const jitter = 0.2

// Patience is how long nothing at all may succeed before a delivery that is given
// up takes its webhook with it. It is shorter than the schedule.
const Patience = 72 * time.Hour

// record takes the result of an attempt in. draw gives 0 to 1. What a webhook was
// disabled with goes on waiting, for the day when it is enabled again.
func (d *Delivery) record(w *Webhook, r Result, now time.Time, draw float64) {
	d.Attempts++
	d.Last, d.Attempted = r, now
	if r.Fault == "" {
		d.State, w.FailingSince = Delivered, time.Time{}
		return
	}
	if w.FailingSince.IsZero() {
		w.FailingSince = now
	}
	switch {
	case r.Status == statusGone:
		d.DueAt = now
		w.disable(Gone, now)
	case d.Attempts <= len(schedule):
		wait := schedule[d.Attempts-1]
		d.DueAt = now.Add(wait + time.Duration(jitter*draw*float64(wait)))
	case now.Sub(w.FailingSince) >= Patience:
		d.DueAt = now
		w.disable(Failing, now)
	default:
		d.State = Failed
	}
}

// Message is a request to a receiver.
type Message struct {
	URL     string
	ID      string // of the event: the same in every attempt, and at every webhook
	At      time.Time
	Body    []byte
	Secrets []string
}

// payload is the body of a request.
type payload struct {
	Type      feed.Type       `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Seq       int64           `json:"seq,omitempty"`
	Sequence  int64           `json:"sequence,omitempty"`
	Data      json.RawMessage `json:"data"`
}

// message makes the request of an event.
func (w *Webhook) message(e feed.Event, now time.Time) (Message, error) {
	body, err := json.Marshal(payload{Type: e.Type, Timestamp: e.At, Seq: e.Seq, Sequence: e.Sequence, Data: e.Object})
	if err != nil {
		return Message{}, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	return Message{URL: w.URL, ID: e.ID, At: now, Body: body, Secrets: w.Secrets.Signing(now)}, nil
}
