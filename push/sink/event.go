package sink

import (
	"encoding/json"
	"time"
)

// EventKind says what happened to a phone.
type EventKind string

// The kinds of event.
const (
	Arrived         EventKind = "arrived"          // a message is on the phone
	Missed          EventKind = "missed"           // a message found the phone offline; it waits, if it may
	DeletedMessages EventKind = "deleted_messages" // the phone is told that too many waited and were dropped
	Online          EventKind = "online"
	Offline         EventKind = "offline"
	Acknowledged    EventKind = "acknowledged" // the courier has pressed the button
	Cleared         EventKind = "cleared"      // the sink forgot all messages
)

// Event is something that happened to a phone, or to all for want of a token.
type Event struct {
	Number    int             `json:"number"` // from 1, without gaps
	At        time.Time       `json:"at"`
	Kind      EventKind       `json:"kind"`
	Token     string          `json:"token,omitempty"`
	MessageID string          `json:"message_id,omitempty"`
	Buzz      bool            `json:"buzz,omitempty"`
	Message   json.RawMessage `json:"message,omitempty"` // of arrived
}

// Events lists what happened, the oldest first.
func (s *Sink) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events.after(0, keep)
}

// publish numbers an event and wakes the streams. The caller holds mu.
func (s *Sink) publish(e Event) {
	e.Number = s.events.next()
	s.events.add(e)
	close(s.news)
	s.news = make(chan struct{})
}

// eventsAfter lists at most limit events above number. news is closed at the
// next event; ok is false for a reader that is too far behind: an event it has
// not read is no longer kept.
func (s *Sink) eventsAfter(number, limit int) (list []Event, news <-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events.after(number, limit), s.news, number >= s.events.forgotten()
}
