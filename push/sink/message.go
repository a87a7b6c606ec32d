package sink

import (
	"encoding/json"
	"time"
)

// Received is a message that the sink took. Whether and when it reached a phone
// the events tell.
type Received struct {
	ID            string          `json:"id"` // "12-9f3ca4b1": its number, and chance
	At            time.Time       `json:"at"`
	Provider      string          `json:"provider"`
	Project       string          `json:"project,omitempty"` // of FCM
	Token         string          `json:"token"`
	Message       json.RawMessage `json:"message"`       // whole, as it came
	Authorization bool            `json:"authorization"` // the request brought some
}

// Request is a well-formed send and what was done to it.
type Request struct {
	At       time.Time `json:"at"`
	Provider string    `json:"provider"`
	Project  string    `json:"project,omitempty"`
	Token    string    `json:"token"`
	Action   Action    `json:"action"`
}

// Messages lists the messages taken, the oldest first.
func (s *Sink) Messages() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages.after(0, keep)
}

// Requests lists the well-formed sends, the oldest first, whatever became of
// them.
func (s *Sink) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.after(0, keep)
}

// incoming is a well-formed send of any provider.
type incoming struct {
	provider, project string
	token             string // the device; a topic or condition goes by its own text
	message           json.RawMessage
	authorization     bool
	ttl               time.Duration // how long it may wait for the device; 0: now or never
	collapse          string        // replaces what waits under the same key; empty: nothing
}

// receive decides what becomes of a send, notes it, and hands on what is taken.
func (s *Sink) receive(in incoming) (Action, RetryAfter, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UTC()
	d := s.devices.heardOf(in.token)
	d.sends++
	action, wait := s.decide(in.provider, d, now)
	s.requests.add(Request{At: now, Provider: in.provider, Project: in.project, Token: in.token, Action: action})
	id := s.newID(s.messages.next())
	if action.takes() {
		m := Received{
			ID: id, At: now, Provider: in.provider, Project: in.project, Token: in.token,
			Message: in.message, Authorization: in.authorization,
		}
		s.messages.add(m)
		s.deliver(d, delivery{Received: m, ttl: in.ttl, collapse: in.collapse}, now)
	}
	return action, wait, id
}
