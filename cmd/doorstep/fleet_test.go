package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/push"
	"doorstep/push/sink"
	"doorstep/store/storetest"
)

// fleet is several servers on one PostgreSQL: processes of their own, which
// share nothing but the database, the keys and the phones.
type fleet struct {
	t          *testing.T
	program    string
	console    console
	db         *sqlx.DB
	phones     *sink.Sink
	integrator string
	nodes      []*member
}

// member is one server, with a way to FCM of its own.
type member struct {
	*process
	fcm   *httptest.Server
	sent  atomic.Int64 // messages that it handed to FCM
	stuck atomic.Bool  // its messages get no answer, and reach nobody
}

// fcmDelay is how long FCM takes: so long that one server alone would need some
// seconds for what all can do, and each looks once a second.
const fcmDelay = 100 * time.Millisecond

// fleetSettle is the settle window of a fleet.
const fleetSettle = time.Second

func newFleet(t *testing.T, wishes ...string) *fleet {
	f := &fleet{t: t, program: build(t), console: console{t: t, data: t.TempDir(), url: storetest.Postgres(t)}, phones: sink.New(sink.Options{})}
	f.integrator = strings.TrimSpace(f.console.ok("token", "create", "--role", "integrator"))
	var err error
	f.db, err = sqlx.Open("pgx", f.console.url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.db.Close()) })
	first := f.join()
	for _, phone := range wishes {
		f.wish(first, phone, "no_locker")
	}
	return f
}

// join starts one more server.
func (f *fleet) join() *member {
	f.t.Helper()
	m := &member{}
	m.fcm = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.sent.Add(1)
		if m.stuck.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // only then the end of the connection is seen
			<-r.Context().Done()
			return
		}
		select {
		case <-time.After(fcmDelay):
			f.phones.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	f.t.Cleanup(m.fcm.Close)
	m.process = start(f.t, f.program, f.console, "--fcm-project", "demo", "--fcm-endpoint", m.fcm.URL+"/v1",
		"--push-settle", fleetSettle.String(), "--push-in-flight", "2", "--log-level", "warn")
	f.nodes = append(f.nodes, m)
	return m
}

// wish sets what a consumer wants, through one of the servers.
func (f *fleet) wish(m *member, phone string, tags ...api.Tag) {
	f.t.Helper()
	token := strings.TrimSpace(f.console.ok("token", "create", "--role", "consumer", "--consumer-phone", phone))
	m.must(http.MethodPut, token, "/v1/me/preferences", api.PreferencesInput{Tags: tags}, nil)
}

// courier makes a courier with phones, and gives his token.
func (f *fleet) courier(id string, phones ...string) (token string) {
	f.t.Helper()
	token = strings.TrimSpace(f.console.ok("token", "create", "--role", "courier", "--courier", id))
	for _, phone := range phones {
		f.nodes[0].must(http.MethodPut, token, "/v1/me/devices/"+phone, api.DeviceInput{
			Provider: push.FCM, Address: ptr(phone + "-of-" + id), Locale: "zh-CN",
		}, nil)
	}
	return token
}

// dispatch sends parcels out through one of the servers.
func (f *fleet) dispatch(m *member, list ...api.DispatchInput) {
	f.t.Helper()
	var got api.DispatchResults
	m.must(http.MethodPost, f.integrator, "/v1/dispatches", api.DispatchBatch{Dispatches: list}, &got)
	require.Equal(f.t, len(list), got.Accepted)
}

// count is a number that the database gives.
func (f *fleet) count(query string, args ...any) (n int) {
	f.t.Helper()
	require.NoError(f.t, f.db.Get(&n, query, args...))
	return n
}

// idle waits until nothing waits to be sent, except what is leased if leases may
// stay.
func (f *fleet) idle(leases string) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		return f.count(`select (select count(*) from push where state in ('open', 'due')) + (select count(*) from delivery where state in ('queued', $1))`, leases) == 0
	}, processWait, processTick)
}

// told is what a courier's phones were sent.
func (f *fleet) told(courier string) (list []phonePush) {
	f.t.Helper()
	for _, p := range phonePushes(f.t, f.phones.Messages()) {
		if strings.HasSuffix(p.Token, "-of-"+courier) {
			list = append(list, p)
		}
	}
	return list
}

func TestServersThatShareADatabaseAreAsOne(t *testing.T) {
	f := newFleet(t, anne, bela)
	one, two := f.nodes[0], f.join()

	t.Run("ADigestGathersWhatEachOfThemTook", func(t *testing.T) {
		f.courier("li", "phone")
		for i, m := range []*member{one, two, one, two} {
			f.dispatch(m, parcel(fmt.Sprintf("DIGEST%d", i), "li", anne))
		}
		f.idle("leased")
		told := f.told("li")
		require.Len(t, told, 1)
		require.Len(t, told[0].Alerts, 4)
	})
	t.Run("AnAlertThatOneTookIsAtOnceOnAStreamOfTheOther", func(t *testing.T) {
		stream := openStream(t, two, f.courier("mo"))
		f.dispatch(one, parcel("STREAM", "mo", anne))
		require.Equal(t, "STREAM", stream().Waybill)
	})
	t.Run("AChangedWishIsToldOnce", func(t *testing.T) {
		const couriers = 10
		tokens := make([]string, couriers)
		var batch []api.DispatchInput
		for i := range couriers {
			id := fmt.Sprintf("w%d", i)
			tokens[i] = f.courier(id, "phone")
			p := parcel(fmt.Sprintf("WISH%d", i), id, bela)
			p.OutletID = fmt.Sprintf("outlet-%d", i%4)
			batch = append(batch, p)
		}
		f.dispatch(two, batch...)
		f.idle("leased")
		f.wish(one, bela, "call_first")
		require.Eventually(t, func() bool { return f.count(`select count(*) from wish_change`) == 0 }, processWait, processTick)
		f.idle("leased")
		for i, token := range tokens {
			inbox := two.inbox(token)
			require.Len(t, inbox, 2)
			require.Equal(t, []int{1, 2}, []int{inbox[0].Version, inbox[1].Version})
			require.Len(t, f.told(fmt.Sprintf("w%d", i)), 2)
		}
	})
	t.Run("AStepOfAnEscalationIsTakenOnce", func(t *testing.T) {
		f.courier("xu", "old", "new")
		f.dispatch(one, parcel("STEP", "xu", anne))
		f.idle("leased")
		require.Len(t, f.told("xu"), 2)
		due := f.count(`select count(*) from escalation where state = 'due'`)
		require.Positive(t, due)
		_, err := f.db.Exec(`update escalation set due_at_ms = 0 where step = $1 and state = 'due'`, push.SecondDevice)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			return f.count(`select count(*) from escalation where step = $1 and state = 'due'`, push.SecondDevice) == 0
		}, processWait, processTick)
		f.idle("leased")
		reminders := 0
		for _, p := range f.told("xu") {
			if p.Kind == push.KindRemind {
				reminders++
			}
		}
		require.Equal(t, 1, reminders)
	})
	t.Run("TheyShareTheWorkAndFinishWhatADeadOneHadBegun", func(t *testing.T) {
		doomed := f.join()
		doomed.stuck.Store(true)
		before := [2]int64{one.sent.Load(), two.sent.Load()}
		const couriers = 60
		for i := range couriers {
			_ = f.courier(fmt.Sprintf("d%d", i), "phone")
		}
		// More work, until the doomed one has leased some of it.
		rounds := 0
		require.Eventually(t, func() bool {
			var batch []api.DispatchInput
			for i := range couriers {
				p := parcel(fmt.Sprintf("DEAD%d-%d", rounds, i), fmt.Sprintf("d%d", i), anne)
				p.OutletID = fmt.Sprintf("outlet-%d", i%4)
				batch = append(batch, p)
			}
			f.dispatch(f.nodes[rounds%2], batch...)
			rounds++
			return waitFor(2*fleetSettle, func() bool { return doomed.sent.Load() > 0 })
		}, processWait, time.Millisecond)
		f.idle("nothing of")
		leased := 0
		require.Eventually(t, func() bool { // the others have ended what they leased
			leased = f.count(`select count(*) from delivery where state = 'leased'`)
			return one.sent.Load()-before[0]+two.sent.Load()-before[1]+int64(leased) == int64(rounds*couriers)
		}, processWait, processTick)
		require.Positive(t, leased, "the doomed one holds on")
		require.Greater(t, one.sent.Load(), before[0])
		require.Greater(t, two.sent.Load(), before[1])
		doomed.kill()
		_, err := f.db.Exec(`update delivery set next_at_ms = 0 where state = 'leased'`) // the minute is over
		require.NoError(t, err)
		f.idle("leased")
		for i := range couriers {
			seen := map[string]int{}
			for _, p := range f.told(fmt.Sprintf("d%d", i)) {
				for _, alert := range p.Alerts {
					seen[alert.ID]++
				}
			}
			require.Len(t, seen, rounds)
			for id, times := range seen {
				require.Equal(t, 1, times, "alert %s", id)
			}
		}
	})
	require.Zero(t, one.stop(), one.log)
	require.Zero(t, two.stop(), two.log)
	require.Empty(t, one.log.String()+two.log.String())
}

// waitFor looks until something is so or the time is over.
func waitFor(most time.Duration, is func() bool) bool {
	for deadline := time.Now().Add(most); time.Now().Before(deadline); {
		if is() {
			return true
		}
		<-time.After(processTick)
	}
	return is()
}

// openStream follows a courier's inbox on a server. What it returns waits for
// the next alert, which must come soon.
func openStream(t *testing.T, m *member, token string) (next func() api.Alert) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+"/v1/me/alerts/stream", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	events := apitest.NewEvents(bufio.NewReader(answer.Body))
	for { // the first heartbeat says that there is nothing yet
		e, err := events.Next()
		require.NoError(t, err)
		if e.Comment {
			break
		}
	}
	return func() (alert api.Alert) {
		late := time.AfterFunc(soon, cancel)
		defer late.Stop()
		for {
			e, err := events.Next()
			require.NoError(t, err)
			if e.Type == "alert" {
				require.NoError(t, json.Unmarshal([]byte(e.Data), &alert))
				return alert
			}
		}
	}
}
