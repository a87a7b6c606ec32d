package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/push/sink"
	"doorstep/store/storetest"
)

// fault is something that goes wrong between a delivery and FCM, and what
// becomes of the delivery. Waits are with a draw of one half.
type fault struct {
	name   string
	action sink.Action
	wait   sink.RetryAfter
	serve  http.HandlerFunc // in the sink's stead
	tokens http.HandlerFunc // where access tokens come from; nil: none are needed
	setUp  func(*httptest.Server, *fcm.Config)

	requests int
	outcome  push.Outcome
	state    push.State
	code     string
	attempts int
	next     time.Duration // of a queued one, from now
	retired  bool          // the phone
	closed   bool          // the provider: others' messages wait as well
}

// bounded makes an attempt end before the test's patience does.
func bounded(_ *httptest.Server, c *fcm.Config) { c.AttemptTimeout = 300 * time.Millisecond }

// status answers a status and nothing else.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// drip answers a byte, and nothing more until the client goes.
func drip(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // a server sees a client leave only after the body
	_, _ = io.WriteString(w, "{")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

const (
	sent, queued, failed, expired = push.Sent, push.Queued, push.Failed, push.Expired
	retryWait                     = 1500 * time.Millisecond
	ambiguousWait                 = 10500 * time.Millisecond
	pause                         = 30 * time.Second
)

var faults = []fault{
	{name: "none", action: sink.OK, requests: 1, outcome: push.Accepted, state: sent, code: "ok", attempts: 1},
	{name: "wrong content type", action: sink.CType, requests: 1, outcome: push.Accepted, state: sent, code: "ok", attempts: 1},
	{name: "receipts never come", action: sink.Blackhole, requests: 1, outcome: push.Accepted, state: sent, code: "ok", attempts: 1},

	{name: "200 {}", action: sink.OKEmpty, requests: 1, outcome: push.Ambiguous, state: queued, code: "false_success", attempts: 1, next: ambiguousWait},
	{name: "200 and a page", action: sink.HTML, requests: 1, outcome: push.Ambiguous, state: queued, code: "false_success", attempts: 1, next: ambiguousWait},
	{name: "204", serve: status(204), requests: 1, outcome: push.Ambiguous, state: queued, code: "false_success", attempts: 1, next: ambiguousWait},
	{name: "302", action: sink.Redirect, requests: 1, outcome: push.Ambiguous, state: queued, code: "false_success", attempts: 1, next: ambiguousWait},
	{name: "half a body", action: sink.Half, requests: 1, outcome: push.Ambiguous, state: queued, code: "transport", attempts: 1, next: ambiguousWait},
	{name: "no answer", action: sink.Empty, requests: 1, outcome: push.Ambiguous, state: queued, code: "transport", attempts: 1, next: ambiguousWait},
	{name: "reset", action: sink.Reset, requests: 1, outcome: push.Ambiguous, state: queued, code: "transport", attempts: 1, next: ambiguousWait},
	{name: "slow drip", serve: drip, setUp: bounded, requests: 1, outcome: push.Ambiguous, state: queued, code: "timeout", attempts: 1, next: ambiguousWait},
	{name: "hang", action: sink.Hang, setUp: bounded, requests: 1, outcome: push.Ambiguous, state: queued, code: "timeout", attempts: 1, next: ambiguousWait},

	{name: "refused connection", setUp: func(s *httptest.Server, _ *fcm.Config) { s.Close() }, outcome: push.Retry, state: queued, code: "connect", attempts: 1, next: retryWait},
	{name: "503", action: sink.Unavailable, requests: 1, outcome: push.Retry, state: queued, code: "unavailable", attempts: 1, next: retryWait},
	{name: "503 for 20 s", action: sink.Unavailable, wait: "20", requests: 1, outcome: push.Retry, state: queued, code: "unavailable", attempts: 1, next: 21 * time.Second},
	{name: "500", action: sink.Internal, requests: 1, outcome: push.Retry, state: queued, code: "server", attempts: 1, next: retryWait},
	{name: "502 and a page", action: sink.BadGateway, requests: 1, outcome: push.Retry, state: queued, code: "server", attempts: 1, next: retryWait},
	{name: "504", serve: status(504), requests: 1, outcome: push.Retry, state: queued, code: "server", attempts: 1, next: retryWait},
	{name: "500 and 1 MiB", action: sink.Fat, requests: 1, outcome: push.Retry, state: queued, code: "server", attempts: 1, next: retryWait},

	{name: "429 for 20 s", action: sink.Quota, wait: "20", requests: 1, outcome: push.Retry, state: queued, code: "quota", next: 21 * time.Second, closed: true},
	{name: "429 until a date", action: sink.Quota, wait: "Mon, 02 Mar 2026 01:01:40 GMT", requests: 1, outcome: push.Retry, state: queued, code: "quota", next: 105 * time.Second, closed: true},
	{name: "429 past the shift", action: sink.Quota, wait: "86400", requests: 1, outcome: push.Retry, state: expired, code: "quota", closed: true},
	{name: "429", action: sink.Quota, requests: 1, outcome: push.Retry, state: queued, code: "quota", next: 63 * time.Second},

	{name: "unregistered", action: sink.Unregistered, requests: 1, outcome: push.AddrGone, state: failed, code: "unregistered", attempts: 1, retired: true},
	{name: "another project's address", action: sink.Mismatch, requests: 1, outcome: push.AddrGone, state: failed, code: "sender_mismatch", attempts: 1, retired: true},

	{name: "bare 404", action: sink.NotFound, requests: 1, outcome: push.ProviderDown, state: queued, code: "not_found", next: pause, closed: true},
	{name: "bare 401", action: sink.Unauthorized, requests: 1, outcome: push.ProviderDown, state: queued, code: "unauthorized", next: pause, closed: true},
	{name: "bare 403", action: sink.Forbidden, requests: 1, outcome: push.ProviderDown, state: queued, code: "forbidden", next: pause, closed: true},
	{name: "Apple refuses the key", action: sink.APNSAuth, requests: 1, outcome: push.ProviderDown, state: queued, code: "apns_auth", next: 225 * time.Second},
	{name: "no token", tokens: status(503), setUp: bounded, outcome: push.ProviderDown, state: queued, code: "credentials", next: pause, closed: true},
	{name: "token refused, as to a wrong clock", tokens: status(400), setUp: bounded, outcome: push.ProviderDown, state: queued, code: "credentials", next: pause, closed: true},

	{name: "bad argument", action: sink.BadArgument, requests: 1, outcome: push.BadMessage, state: failed, code: "bad_message", attempts: 1},
	{name: "bad field", action: sink.BadField, requests: 1, outcome: push.BadMessage, state: failed, code: "bad_message", attempts: 1},
	{name: "too big", serve: status(413), requests: 1, outcome: push.BadMessage, state: failed, code: "bad_message", attempts: 1},
}

// encrypted are the faults that only TLS has.
var encrypted = []fault{{
	name: "a certificate nobody vouches for", setUp: func(_ *httptest.Server, c *fcm.Config) { c.RootCAs = nil },
	outcome: push.ProviderDown, state: queued, code: "tls", next: pause, closed: true,
}}

// witness keeps the results of a provider.
type witness struct {
	push.Provider
	results []push.Result
}

func (w *witness) Send(ctx context.Context, to push.Address, m push.Message) push.Result {
	r := w.Provider.Send(ctx, to, m)
	w.results = append(w.results, r)
	return r
}

func TestEveryFaultIsOneRequestAndItsDeliveryKnowsWhatFollows(t *testing.T) {
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, storetest.SQLite(t))
			a.dispatch(parcel("SEED", "nobody", anne))
			a.complain(a.consumer(anne), "SEED", lockerEN)
			list := faults
			if secure {
				list = append(encrypted, list...)
			}
			for i, f := range list { // the clock stands: what waits is not met again
				t.Run(f.name, func(t *testing.T) { a.meet(t, f, fmt.Sprint("c", i), secure) })
			}
		})
	}
}

// meet sends one courier's push under a fault, and then another's.
func (a *app) meet(t *testing.T, f fault, courier string, secure bool) {
	a.register(courier, "phone", "token-of-"+courier)
	a.dispatch(parcel("SF-"+courier, courier, anne))
	require.NoError(t, a.sink.SetRules())
	if f.action != "" {
		require.NoError(t, a.sink.SetRules(sink.Rule{Action: f.action, RetryAfter: f.wait}))
	}
	var requests, multiplexed atomic.Int32
	server := a.stand(t, secure, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.ProtoMajor == 2 {
			multiplexed.Add(1)
		}
		if f.serve != nil {
			f.serve(w, r)
			return
		}
		a.sink.ServeHTTP(w, r)
	})
	cfg := fcm.Config{Project: "demo", Endpoint: server.URL + "/v1", Now: a.clock.Now}
	if secure {
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AddCert(server.Certificate())
	}
	if f.tokens != nil {
		cfg.CredentialsFile = writeAccount(t, a.stand(t, false, f.tokens).URL)
	}
	if f.setUp != nil {
		f.setUp(server, &cfg)
	}
	provider, err := fcm.New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(provider.Close)
	w := &witness{Provider: provider}
	s := a.senderOf(w, 1)

	_, err = s.SendDue(t.Context())
	require.NoError(t, err)

	require.EqualValues(t, f.requests, requests.Load())
	require.Equal(t, secure && f.requests > 0, multiplexed.Load() > 0)
	require.Len(t, w.results, 1)
	require.Equal(t, f.outcome, w.results[0].Outcome)
	got := a.delivery(courier)
	require.Equal(t, f.state, got.State)
	require.Equal(t, f.code, got.Code)
	require.Equal(t, f.attempts, got.Attempt)
	require.Equal(t, f.retired, got.Retired)
	if f.state == queued {
		require.Equal(t, a.clock.Now().Add(f.next).UTC(), time.UnixMilli(got.NextMS).UTC())
	}

	// Whether the next one's message goes on says whether the provider does.
	other := courier + "-other"
	a.register(other, "phone", "token-of-"+other)
	a.dispatch(parcel("SF-"+other, other, anne))
	_, err = s.SendDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, f.closed, len(w.results) == 1)
	a.end(other)
}

// stand starts a server for one test.
func (a *app) stand(t *testing.T, secure bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // broken handshakes are the point
	if secure {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (a *app) senderOf(p push.Provider, inFlight int) *push.Sender {
	return push.NewSender(push.Sender{
		Queue: a.db, Providers: map[string]push.Provider{push.FCM: p}, Content: a.content, Now: a.clock.Now,
		Draw: func() float64 { return 0.5 }, NewToken: uuid.NewString, Log: slog.New(slog.DiscardHandler), Rate: 1000, InFlight: inFlight,
	})
}

// table opens the database beside the server, to see what no interface shows.
func (a *app) table() *sqlx.DB {
	a.t.Helper()
	db, err := sqlx.Open("sqlite3", "file:"+a.url+"?_busy_timeout=5000")
	require.NoError(a.t, err)
	return db
}

type deliveryRow struct {
	State   push.State
	Code    string
	Attempt int
	NextMS  int64 `db:"next_at_ms"`
	Retired bool
}

// delivery is the courier's only one.
func (a *app) delivery(courier string) (row deliveryRow) {
	a.t.Helper()
	db := a.table()
	defer db.Close()
	require.NoError(a.t, db.Get(&row, `select delivery.state, delivery.code, delivery.attempt, delivery.next_at_ms, device.retired_at_ms is not null as retired
from delivery join device on device.id = delivery.device_id where delivery.courier_no = (select no from courier where id = ?)`, courier))
	return row
}

// end ends the courier's deliveries, so that no later test meets them.
func (a *app) end(courier string) {
	a.t.Helper()
	db := a.table()
	defer db.Close()
	_, err := db.Exec(`update delivery set state = 'failed' where courier_no = (select no from courier where id = ?)`, courier)
	require.NoError(a.t, err)
}

// throwAwayKey belongs to nobody.
var throwAwayKey = sync.OnceValues(func() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
})

// writeAccount writes the credentials of a service account whose tokens come
// from tokenURL.
func writeAccount(t *testing.T, tokenURL string) string {
	t.Helper()
	key, err := throwAwayKey()
	require.NoError(t, err)
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "demo", "private_key_id": "k1", "private_key": string(key),
		"client_email": "pusher@demo.example", "client_id": "1", "token_uri": tokenURL,
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "account.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

func TestAnHourWithoutFCMCostsNoAlertItsPush(t *testing.T) {
	for _, action := range []sink.Action{sink.Unavailable, sink.Reset, sink.Unauthorized} {
		t.Run(string(action), func(t *testing.T) {
			// Given couriers whose alerts come while FCM is dead
			const couriers, alerts, step = 12, 60, 10 * time.Second
			a := newApp(t, storetest.SQLite(t))
			a.dispatch(parcel("SEED", "c0", anne))
			a.complain(a.consumer(anne), "SEED", lockerEN)
			for i := range couriers {
				a.register(fmt.Sprint("c", i), "phone", fmt.Sprint("token-of-c", i))
			}
			provider, err := fcm.New(t.Context(), fcm.Config{Project: "demo", Endpoint: a.sinkURL + "/v1", Now: a.clock.Now})
			require.NoError(t, err)
			s := a.senderOf(provider, 1)
			pass := func() {
				for n := 1; n > 0; {
					n, err = s.SendDue(t.Context())
					require.NoError(t, err)
				}
			}
			require.NoError(t, a.sink.SetRules(sink.Rule{Action: action}))
			for i := range int(time.Hour / step) {
				if i%6 == 0 {
					a.dispatch(parcel(fmt.Sprint("SF", i/6), fmt.Sprint("c", i/6%couriers), anne))
				}
				pass()
				a.clock.Add(step)
			}
			require.Empty(t, a.pushes())
			require.LessOrEqual(t, len(a.sink.Requests()), 20, "a few to notice, and the probes")
			db := a.table()
			defer db.Close()
			var spent int
			require.NoError(t, db.Get(&spent, `select sum(attempt) from delivery`))
			require.LessOrEqual(t, spent, 5, "what it took to notice")
			var need []string
			require.NoError(t, db.Select(&need, `select alert.id from delivery join alert on alert.push_id = delivery.push_id
where delivery.state = 'queued' order by delivery.next_at_ms, delivery.id`))
			require.Len(t, need, alerts)

			// When it is back
			require.NoError(t, a.sink.SetRules())
			for range int(5*time.Minute/step) + 1 {
				pass()
				a.clock.Add(step)
			}

			// Then every alert arrives, the one that was due first first
			var pushed []string
			for _, p := range a.pushes() {
				require.Len(t, p.Alerts, 1)
				pushed = append(pushed, p.Alerts[0].ID)
			}
			require.Equal(t, need, pushed)
		})
	}
}
