package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"doorstep/api"
	"doorstep/evidence"
	"doorstep/push/sink"
)

// What a round of killing posts: enough that windows are open, pushes are under
// way and requests wait when the server dies.
const (
	crashCouriers = 12
	crashBatches  = 10
	crashBatch    = 30 // parcels
)

// killRounds is how often the server is killed; make kill asks for more.
func killRounds(t *testing.T) int {
	t.Helper()
	given := os.Getenv("DOORSTEP_KILL_ROUNDS")
	if given == "" {
		return 3
	}
	rounds, err := strconv.Atoi(given)
	require.NoError(t, err, "DOORSTEP_KILL_ROUNDS")
	return rounds
}

// crash is a server that is killed again and again, and what it acknowledged.
type crash struct {
	t          *testing.T
	program    string
	console    console
	phones     *sink.Sink
	args       []string
	server     *process
	integrator string
	couriers   []string          // tokens
	alerts     map[string]string // waybill to the alert that was acknowledged
}

// newCrash starts a server with couriers who have a phone, and a consignee about
// whose every parcel there is an alert.
func newCrash(t *testing.T, program string, c console, settle string) *crash {
	x := &crash{t: t, program: program, console: c, phones: sink.New(sink.Options{}), alerts: map[string]string{}}
	fcm := httptest.NewServer(x.phones)
	t.Cleanup(fcm.Close)
	x.args = []string{"--fcm-project", "demo", "--fcm-endpoint", fcm.URL + "/v1", "--push-settle", settle, "--log-level", "warn"}
	x.integrator = strings.TrimSpace(c.ok("token", "create", "--role", "integrator"))
	consumer := strings.TrimSpace(c.ok("token", "create", "--role", "consumer", "--consumer-phone", anne))
	x.server = start(t, program, c, x.args...)
	x.server.must(http.MethodPut, consumer, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}, nil)
	for i := range crashCouriers {
		token := strings.TrimSpace(c.ok("token", "create", "--role", "courier", "--courier", fmt.Sprintf("c%d", i)))
		x.server.must(http.MethodPut, token, "/v1/me/devices/phone", api.DeviceInput{
			Provider: "fcm", Address: ptr(fmt.Sprintf("token-of-c%d", i)), Locale: "zh-CN",
		}, nil)
		x.couriers = append(x.couriers, token)
	}
	return x
}

// loseNothing kills a server at different moments. Whatever it acknowledged is
// afterwards in the inbox once and on the phones, and a resend is a duplicate.
func loseNothing(t *testing.T, program string, c console) {
	x := newCrash(t, program, c, "100ms")
	for round := range killRounds(t) {
		x.round(round)
	}
	x.endLeases()
	x.heard()
	require.Zero(t, x.server.stop(), x.server.log)
}

// batch is one call of a round.
func (x *crash) batch(round, n int) api.DispatchBatch {
	var b api.DispatchBatch
	for i := range crashBatch {
		b.Dispatches = append(b.Dispatches, parcel(fmt.Sprintf("R%d-B%d-%02d", round, n, i), fmt.Sprintf("c%d", (n*crashBatch+i)%crashCouriers), anne))
	}
	return b
}

// post sends a batch and notes what was acknowledged. False means that no
// answer came.
func (x *crash) post(b api.DispatchBatch) (api.DispatchResults, bool) {
	var got api.DispatchResults
	status, body, err := x.server.call(http.MethodPost, x.integrator, "/v1/dispatches", b)
	if err != nil {
		return got, false
	}
	if status != http.StatusOK || json.Unmarshal(body, &got) != nil {
		x.t.Errorf("dispatches answered %d %s", status, body)
		return got, false
	}
	return got, true
}

func (x *crash) round(round int) {
	x.t.Helper()
	told := len(x.phones.Requests())
	underWay := round%3 == 2
	if underWay { // the server dies while it waits for FCM
		require.NoError(x.t, x.phones.SetRules(sink.Rule{Action: sink.Hang}))
	}
	answered := make(chan int, crashBatches)
	results := make([]api.DispatchResults, crashBatches)
	go func() {
		defer close(answered)
		for n := range crashBatches {
			got, ok := x.post(x.batch(round, n))
			if !ok {
				return
			}
			results[n] = got
			answered <- n
		}
	}()
	last := 1 + (3*round)%(crashBatches-1)
	acknowledged := 0
	for n := range answered {
		acknowledged++
		if n == last {
			break
		}
	}
	require.Equal(x.t, last+1, acknowledged, x.server.log)
	if underWay {
		require.Eventually(x.t, func() bool { return len(x.phones.Requests()) > told }, processWait, time.Millisecond)
	}
	x.server.kill() // right after an answer, with the next request under way
	require.NoError(x.t, x.phones.SetRules())
	for range answered {
		acknowledged++
	}
	x.server = start(x.t, x.program, x.console, x.args...)
	for _, got := range results[:acknowledged] {
		for _, r := range got.Results {
			require.Equal(x.t, api.ItemStatus("accepted"), r.Status)
			x.alerts[r.Waybill] = *r.AlertID
		}
	}
	x.inboxes(round)

	// The carrier sends all of it again.
	for n := range crashBatches {
		got, ok := x.post(x.batch(round, n))
		require.True(x.t, ok, x.server.log)
		require.Equal(x.t, crashBatch, got.Accepted+got.Duplicate)
		for _, r := range got.Results {
			if was, known := x.alerts[r.Waybill]; known {
				require.Equal(x.t, api.ItemStatus("duplicate"), r.Status, r.Waybill)
				require.Equal(x.t, was, *r.AlertID, r.Waybill)
			}
			x.alerts[r.Waybill] = *r.AlertID
		}
	}
	require.Len(x.t, x.alerts, (round+1)*crashBatches*crashBatch)
	x.inboxes(round)
	x.sealed(round)
}

// sealed checks that soon every record stands in its log, that the logs hold
// together, and that the server signs for it.
func (x *crash) sealed(round int) {
	x.t.Helper()
	db, err := database{Data: x.console.data, DB: x.console.url, TimeZone: "Asia/Shanghai"}.open(x.t.Context(), 0)
	require.NoError(x.t, err)
	defer func() { require.NoError(x.t, db.Close()) }()
	require.Eventually(x.t, func() bool {
		waiting, err := db.UnsealedOutlets(x.t.Context())
		return err == nil && len(waiting) == 0
	}, processWait, processTick, "round %d: records wait for the log", round)
	later := func() time.Time { return time.Now().Add(2 * evidence.LongestUnsealed) } // nothing may wait
	checker := evidence.Checker{Store: db, Ledger: &evidence.Ledger{Store: db, Keys: db.LogKeys(), Now: later}}
	log, err := checker.Ledger.Find(x.t.Context(), "", "west")
	require.NoError(x.t, err)
	leaves, err := checker.Check(x.t.Context(), log)
	require.NoError(x.t, err, "round %d", round)
	require.GreaterOrEqual(x.t, leaves, int64(len(x.alerts)), "round %d: a record a parcel, at least", round)

	var got api.LogCheckpoint
	x.server.must(http.MethodGet, "", "/v1/log/checkpoint?outlet_id=west", nil, &got)
	key, err := note.NewVerifier(db.LogKeys().Public()[0])
	require.NoError(x.t, err)
	c, err := evidence.OpenCheckpoint(got.Checkpoint, note.VerifierList(key))
	require.NoError(x.t, err)
	require.GreaterOrEqual(x.t, c.Size, leaves, "round %d", round)
}

// inboxes checks that every acknowledged alert stands in an inbox once, and
// that the inboxes have no gaps. What was not acknowledged may stand there too.
func (x *crash) inboxes(round int) {
	x.t.Helper()
	found := map[string]string{}
	for _, token := range x.couriers {
		for i, alert := range x.server.inbox(token) {
			require.Equal(x.t, int64(i+1), alert.Seq, "round %d", round)
			require.NotContains(x.t, found, alert.Waybill, "round %d: stands twice", round)
			found[alert.Waybill] = alert.AlertID
		}
	}
	for waybill, id := range x.alerts {
		require.Equal(x.t, id, found[waybill], "round %d: %s was acknowledged", round, waybill)
	}
}

// endLeases makes good for the minute after which a dead node's leases end on
// PostgreSQL. On SQLite a server that starts does it by itself.
func (x *crash) endLeases() {
	x.t.Helper()
	if x.console.url == "" {
		return
	}
	db, err := database{Data: x.console.data, DB: x.console.url, TimeZone: "Asia/Shanghai"}.open(x.t.Context(), 0)
	require.NoError(x.t, err)
	require.NoError(x.t, db.TakeOver(x.t.Context(), time.Now()))
	require.NoError(x.t, db.Close())
}

// heard waits until every alert was listed, or counted as one more, in a push
// that FCM took.
func (x *crash) heard() {
	x.t.Helper()
	var missing []string
	all := func() bool {
		listed, more := map[string]bool{}, 0
		for _, p := range phonePushes(x.t, x.phones.Messages()) {
			for _, alert := range p.Alerts {
				listed[alert.ID] = true
			}
			n, err := strconv.Atoi(p.More)
			require.NoError(x.t, err)
			more += n
		}
		missing = nil
		for waybill, id := range x.alerts {
			if !listed[id] {
				missing = append(missing, waybill)
			}
		}
		return len(missing) <= more
	}
	// Half of a lease: whoever waits for a dead server's to end is too late.
	for deadline := time.After(30 * time.Second); !all(); {
		select {
		case <-time.After(processTick):
		case <-deadline:
			require.Fail(x.t, "no push", "about %d alerts, such as %s\n%s", len(missing), missing[0], x.server.log)
		}
	}
}
