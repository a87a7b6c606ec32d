// Package sink is a local stand-in for Firebase Cloud Messaging: it speaks the
// wire protocol, refuses what FCM refuses, simulates its faults on request and
// shows what arrived. Tests, the sink command and the demo use it, so that no
// line of the sender is tried for the first time against the real service.
//
// What it validates it validates by its own tables (schema.go), not by the
// SDK's types, so that a mistake of the SDK shows here.
package sink

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// keep bounds the memory: that many messages, and that many requests.
const keep = 10_000

// Options are the sources of time and chance.
type Options struct {
	Now  func() time.Time // nil: time.Now
	Seed uint64           // of the message ids
}

// Sink is an http.Handler and safe for concurrent use.
type Sink struct {
	mux *http.ServeMux
	now func() time.Time

	mu       sync.Mutex
	chance   *rand.Rand
	messages tail[Received]
	requests tail[Request]
	rules    []*ruleState
	tokens   int // access tokens given out
}

// New makes a sink that answers ok to all that is well formed.
func New(opts Options) *Sink {
	s := &Sink{mux: http.NewServeMux(), now: opts.Now}
	if s.now == nil {
		s.now = time.Now
	}
	s.chance = rand.New(rand.NewPCG(opts.Seed, 0))
	s.mux.HandleFunc("POST /v1/projects/{project}/messages:send", s.send)
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("GET /_sink/messages", s.listMessages)
	s.mux.HandleFunc("DELETE /_sink/messages", s.clearMessages)
	s.mux.HandleFunc("GET /_sink/requests", s.listRequests)
	s.mux.HandleFunc("GET /_sink/rules", s.listRules)
	s.mux.HandleFunc("PUT /_sink/rules", s.putRules)
	s.mux.HandleFunc("GET /_sink/{$}", s.page)
	s.mux.HandleFunc("GET /{$}", s.page)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// newID is the next message's id: its number, and chance so that the ids of two
// sinks differ. The caller holds mu.
func (s *Sink) newID(number int) string {
	return fmt.Sprintf("%d-%08x", number, s.chance.Uint32())
}
