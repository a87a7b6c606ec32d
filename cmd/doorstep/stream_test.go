package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"doorstep/access"
	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/push"
	"doorstep/store"
	"doorstep/store/storetest"
)

// soon is how long news may take on a busy machine. It is far less than the
// heartbeat, by which an alert would come even if nobody had rung.
const soon = push.Heartbeat / 2

// inboxStream is a courier's open stream.
type inboxStream struct {
	t      *testing.T
	events *apitest.Events
	close  context.CancelFunc
}

// follow opens a stream over loopback and waits until it stands.
func (a *app) follow(token, query string, headers ...header) *inboxStream {
	a.t.Helper()
	ctx, cancel := context.WithCancel(a.t.Context())
	a.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base()+"/v1/me/alerts/stream"+query, nil)
	require.NoError(a.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	for _, h := range headers {
		h(r)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(a.t, err)
	a.t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(a.t, http.StatusOK, answer.StatusCode)
	s := &inboxStream{t: a.t, events: apitest.NewEvents(answer.Body), close: cancel}
	first, err := s.events.Next()
	require.NoError(a.t, err)
	require.Equal(a.t, "6000", first.Retry)
	return s
}

// base is where the app listens on loopback, from its first use on.
func (a *app) base() string {
	if a.server == nil {
		a.server = httptest.NewServer(a.streams)
		a.t.Cleanup(a.server.Close)
	}
	return a.server.URL
}

// block is the next event, which must come soon.
func (s *inboxStream) block() (apitest.Event, error) {
	s.t.Helper()
	late := time.AfterFunc(soon, s.close)
	defer late.Stop()
	return s.events.Next()
}

// alert is the next event of the stream, which must be one.
func (s *inboxStream) alert() (alert api.Alert) {
	s.t.Helper()
	e, err := s.block()
	require.NoError(s.t, err)
	require.Equal(s.t, "alert", e.Type)
	require.NoError(s.t, json.Unmarshal([]byte(e.Data), &alert))
	require.Equal(s.t, fmt.Sprint(alert.Seq), e.ID)
	return alert
}

// quiet reads the first heartbeat, which says that there is nothing yet.
func (s *inboxStream) quiet() *inboxStream {
	s.t.Helper()
	e, err := s.block()
	require.NoError(s.t, err)
	require.True(s.t, e.Comment)
	return s
}

// wishes makes every parcel for phone an alert.
func (a *app) wishes(phone string) {
	a.t.Helper()
	a.put(a.consumer(phone), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
}

func TestADispatchIsOnTheStreamAtOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.wishes(anne)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", anne))
		stream := a.follow(a.courier("li"), "")
		require.Equal(t, "SF1", stream.alert().Waybill)

		results := a.dispatch(parcel("SF3", "li", anne), parcel("SF4", "mo", anne), parcel("SF5", "li", anne), parcel("SF6", "li", bela))
		second, third := stream.alert(), stream.alert()
		require.Equal(t, a.inbox("li")[1:], []api.Alert{second, third})
		require.Equal(t, *results[0].AlertID, second.AlertID)
		require.Equal(t, []api.Tag{"no_locker"}, second.Tags)
		stream.close()

		// Another connection goes on where this one was.
		a.dispatch(parcel("SF7", "li", anne))
		again := a.follow(a.courier("li"), "?after=0", withHeader("Last-Event-ID", fmt.Sprint(second.Seq)))
		require.Equal(t, third, again.alert())
		require.Equal(t, "SF7", again.alert().Waybill)
		require.Equal(t, "SF7", a.follow(a.courier("li"), fmt.Sprintf("?install_id=tablet&after=%d", third.Seq)).alert().Waybill)
	})
}

func TestACourierWhomNobodyHasNamedYetHearsOfHisFirstParcel(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.wishes(anne)
		li, mo := a.follow(a.courier("li"), "?install_id=app").quiet(), a.follow(a.courier("mo"), "?install_id=app").quiet()
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", anne))
		require.Equal(t, "SF1", li.alert().Waybill)
		require.Equal(t, "SF2", mo.alert().Waybill)
	})
}

func TestAStreamEndsWithItsTokenOrWithANewerStreamOfThePhone(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.wishes(anne)
		token := a.freshToken(access.Request{Role: "courier", Company: "default", CourierID: "li", TTL: access.DefaultTTL})
		first := a.follow(token, "").quiet()
		second := a.follow(token, "").quiet()
		_, err := first.block()
		require.Error(t, err)

		list, err := a.db.Tokens(t.Context())
		require.NoError(t, err)
		require.NoError(t, a.office().Revoke(t.Context(), list[0].ID))
		a.clock.Add(time.Second)
		a.dispatch(parcel("SF1", "li", anne))
		_, err = second.block()
		require.Error(t, err, "what comes after the revocation is not for the token")
		a.showsSoon(`doorstep_sse_dropped_total{reason="replaced"} 1`, `doorstep_sse_dropped_total{reason="token_ended"} 1`,
			`doorstep_sse_dropped_total{reason="too_many"} 0`, `doorstep_sse_streams 0`)
	})
}

// showsSoon waits for lines of a scrape: a phone may see the end of a stream
// before it is counted.
func (a *app) showsSoon(lines ...string) {
	a.t.Helper()
	require.EventuallyWithT(a.t, func(c *assert.CollectT) {
		got := a.scrape()
		for _, line := range lines {
			assert.Contains(c, got, line+"\n")
		}
	}, soon, time.Millisecond)
}

func TestOnePhoneMoreThanACourierMayHaveEndsHisOldestStream(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.wishes(anne)
		phones := make([]*inboxStream, push.MaxStreams+2)
		for i := range phones {
			phones[i] = a.follow(a.courier("li"), fmt.Sprintf("?install_id=phone-%d", i)).quiet()
		}
		other := a.follow(a.courier("mo"), "").quiet()
		for _, oldest := range phones[:2] {
			_, err := oldest.block()
			require.Equal(t, io.EOF, err)
		}
		a.showsSoon(`doorstep_sse_dropped_total{reason="too_many"} 2`, `doorstep_sse_dropped_total{reason="replaced"} 0`,
			fmt.Sprintf(`doorstep_sse_streams %d`, push.MaxStreams+1))
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", anne))
		for _, phone := range phones[2:] {
			require.Equal(t, "SF1", phone.alert().Waybill)
		}
		require.Equal(t, "SF2", other.alert().Waybill)
	})
}

// neighbour starts another node, and waits until it hears of the others.
func (s *site) neighbour(t *testing.T) (a *app, lost chan error) {
	t.Helper()
	a = s.node(t)
	listening, lost := make(chan struct{}, 1), make(chan error, 100)
	a.db.OnNews(func(n store.News) {
		ring(a.bell, n)
		if n.Missed {
			select {
			case listening <- struct{}{}:
			default:
			}
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.db.Hear(ctx, func(err error) { lost <- err }) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	select {
	case <-listening:
	case <-time.After(processWait):
		require.Fail(t, "the node does not listen")
	}
	return a, lost
}

func TestAnAlertOfOneNodeIsAtOnceOnAStreamOfAnother(t *testing.T) {
	one := newApp(t, storetest.Postgres(t))
	one.wishes(anne)
	two, lost := one.neighbour(t)
	stream := two.follow(two.courier("li"), "").quiet()
	one.dispatch(parcel("SF1", "li", anne))
	require.Equal(t, "SF1", stream.alert().Waybill)

	// The connection that listens is cut. What is dispatched meanwhile comes
	// as soon as there is another.
	admin, err := sqlx.Open("pgx", one.url)
	require.NoError(t, err)
	defer admin.Close()
	_, err = admin.Exec(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`)
	require.NoError(t, err)
	select {
	case <-lost:
	case <-time.After(processWait):
		require.Fail(t, "the loss is not noticed")
	}
	one.dispatch(parcel("SF2", "li", anne))
	require.Equal(t, "SF2", stream.alert().Waybill)
	one.dispatch(parcel("SF3", "li", anne))
	require.Equal(t, "SF3", stream.alert().Waybill)
}
