package sink

import (
	"encoding/json"
	"time"
)

// Received is a message that the sink took and a phone would show.
type Received struct {
	ID            string          `json:"id"` // "12-9f3ca4b1": its number, and chance
	At            time.Time       `json:"at"`
	Project       string          `json:"project"`
	Token         string          `json:"token"`
	Message       json.RawMessage `json:"message"`       // whole, as it came
	Authorization bool            `json:"authorization"` // the request brought some
}

// Request is a well-formed send and what was done to it.
type Request struct {
	At      time.Time `json:"at"`
	Project string    `json:"project"`
	Token   string    `json:"token"`
	Action  Action    `json:"action"`
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
