// Package sink is a local stand-in for Firebase Cloud Messaging: it speaks the
// wire protocol, refuses what FCM refuses, keeps messages for devices that are
// offline as FCM does, simulates its faults on request and draws the phones.
// Under /wp/ it is a browser's push service as well, with the browser behind it.
// Tests, the sink command and the demo use it, so that no line of a sender is
// tried for the first time against the real service.
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
	Seed uint64           // of all that is left to chance: ids, order, faults
}

// Sink is an http.Handler and safe for concurrent use.
type Sink struct {
	handler http.Handler
	now     func() time.Time
	seed    uint64

	mu       sync.Mutex
	chance   *rand.Rand // of the ids
	messages tail[Received]
	requests tail[Request]
	events   tail[Event]
	news     chan struct{} // closed at the next event
	devices  *fleet
	rules    []*ruleState
	couriers *Couriers // nil: nobody
	tokens   int       // access tokens given out
}

// New makes a sink that answers ok to all that is well formed.
func New(opts Options) *Sink {
	s := &Sink{
		now: opts.Now, seed: opts.Seed, chance: rand.New(rand.NewPCG(opts.Seed, 0)),
		news: make(chan struct{}), devices: newFleet(opts.Seed),
	}
	if s.now == nil {
		s.now = time.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/projects/{project}/messages:send", s.send)
	mux.HandleFunc("GET /wp/{subscription}", s.showSubscription)
	mux.HandleFunc("POST /wp/{subscription}", s.webPush)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /_sink/messages", s.listMessages)
	mux.HandleFunc("DELETE /_sink/messages", s.clearMessages)
	mux.HandleFunc("GET /_sink/requests", s.listRequests)
	mux.HandleFunc("GET /_sink/rules", s.listRules)
	mux.HandleFunc("PUT /_sink/rules", s.putRules)
	mux.HandleFunc("GET /_sink/devices", s.listDevices)
	mux.HandleFunc("PUT /_sink/devices/{token}", s.putDevice)
	mux.HandleFunc("POST /_sink/devices/{token}/acknowledgements", s.acknowledge)
	mux.HandleFunc("GET /_sink/events", s.stream)
	mux.HandleFunc("GET /_sink/phones", s.phones)
	mux.HandleFunc("GET /_sink/page.css", asset("page.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /_sink/page.js", asset("page.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /_sink/icon.svg", asset("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /_sink/{$}", s.page)
	mux.HandleFunc("GET /{$}", s.page)
	// The sink asks nobody who they are: a stranger's page in the same browser
	// must not press its buttons.
	s.handler = http.NewCrossOriginProtection().Handler(mux)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// newID is the next message's id: its number, and chance so that the ids of two
// sinks differ. The caller holds mu.
func (s *Sink) newID(number int) string {
	return fmt.Sprintf("%d-%08x", number, s.chance.Uint32())
}
