package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/prefs"
	"doorstep/push"
)

const streamPath = "/v1/me/alerts/stream"

// courierAlerts are seq from to to of an inbox.
func courierAlerts(from, to int) (list []push.Alert) {
	for seq := from; seq <= to; seq++ {
		list = append(list, push.Alert{
			ID: fmt.Sprintf("7-%d", seq), Seq: int64(seq), Waybill: doorstep.Waybill(fmt.Sprintf("SF%d", seq)),
			Tags: []prefs.Tag{"no_locker"}, CreatedAt: time.Date(2026, 3, 2, 1, 0, seq, 0, time.UTC), Version: 1,
		})
	}
	return list
}

// open asks for a stream over loopback. The answer is closed with the test.
func (a *app) open(base, query string, options ...option) *http.Response {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), "GET", base+streamPath+query, nil)
	require.NoError(a.t, err)
	for _, o := range options {
		o(r)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(a.t, err)
	a.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// serve answers over loopback until the test ends.
func (a *app) serve() (base string) {
	server := httptest.NewServer(a.handler())
	a.t.Cleanup(server.Close)
	return server.URL
}

func next(t *testing.T, events *apitest.Events) apitest.Event {
	t.Helper()
	e, err := events.Next()
	require.NoError(t, err)
	return e
}

// seqOf reads an event that is an alert.
func seqOf(t *testing.T, e apitest.Event) int64 {
	t.Helper()
	require.Equal(t, "alert", e.Type)
	var a api.Alert
	require.NoError(t, json.Unmarshal([]byte(e.Data), &a))
	require.Equal(t, fmt.Sprint(a.Seq), e.ID)
	return a.Seq
}

func TestAStreamIsOfServerSentEvents(t *testing.T) {
	a := newApp(t)
	a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
		return errors.Join(deliver(nil), deliver(courierAlerts(1, 2)), deliver(nil))
	}
	answer := a.open(a.serve(), "", as(doorstep.RoleCourier))
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, `retry: 2000

:

id: 1
event: alert
data: {"acked":false,"alert_id":"7-1","created_at":"2026-03-02T01:00:01Z","seq":1,"superseded":false,"tags":["no_locker"],"version":1,"waybill":"SF1"}

id: 2
event: alert
data: {"acked":false,"alert_id":"7-2","created_at":"2026-03-02T01:00:02Z","seq":2,"superseded":false,"tags":["no_locker"],"version":1,"waybill":"SF2"}

:

`, string(body))
}

func TestAnEventArrivesWhileTheStreamGoesOn(t *testing.T) {
	a := newApp(t)
	come := make(chan []push.Alert)
	a.follow = func(ctx context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
		for list := range come {
			if err := deliver(list); err != nil {
				return err
			}
		}
		return nil
	}
	base := a.serve()
	defer close(come)
	go func() { come <- nil }()
	events := apitest.NewEvents(a.open(base, "", as(doorstep.RoleCourier)).Body)
	require.Equal(t, "2000", next(t, events).Retry)
	require.True(t, next(t, events).Comment)
	for seq := range 3 {
		come <- courierAlerts(seq+1, seq+1)
		require.EqualValues(t, seq+1, seqOf(t, next(t, events)))
	}
}

func TestAStreamBeginsWhereThePhoneSays(t *testing.T) {
	a := newApp(t)
	var got struct {
		who    doorstep.Actor
		device string
		after  int64
	}
	a.follow = func(_ context.Context, who doorstep.Actor, device string, after int64, deliver func([]push.Alert) error) error {
		got.who, got.device, got.after = who, device, after
		return deliver(nil)
	}
	for _, tt := range []struct {
		query, lastEventID string
		device             string
		after              int64
	}{
		{"", "", "", 0},
		{"?after=0", "", "", 0},
		{"?after=41", "", "", 41},
		{"?after=41&install_id=phone-1", "42", "phone-1", 42},
		{"", "9223372036854775807", "", 9223372036854775807},
	} {
		w := a.send("GET", streamPath+tt.query, "", as(doorstep.RoleCourier), header("Last-Event-ID", tt.lastEventID))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, doorstep.RoleCourier, got.who.Role)
		require.Equal(t, tt.device, got.device)
		require.Equal(t, tt.after, got.after, "%+v", tt)
	}
}

func TestAStreamFromABadPlaceIsRefused(t *testing.T) {
	a := newApp(t) // whose Follow would panic
	for _, tt := range []struct {
		query, lastEventID string
		status             int
		pointer            string
	}{
		{"?after=-1", "", 422, "/after"},
		{"?after=", "", 422, "/after"},
		{"?after=x", "", 422, "/after"},
		{"?after=9223372036854775808", "", 422, "/after"},
		{"?after=1", "-1", 422, "/Last-Event-ID"},
		{"", "one", 422, "/Last-Event-ID"},
		{"?after=%ff", "", 400, ""},
		{"?install_id=a%00b", "", 400, ""},
	} {
		w := a.send("GET", streamPath+tt.query, "", as(doorstep.RoleCourier), header("Last-Event-ID", tt.lastEventID))
		require.Equal(t, tt.status, w.Code, "%+v", tt)
		if p := problemOf(t, w); tt.pointer != "" {
			require.Equal(t, []problemField{{tt.pointer, "invalid_after", "must be the seq of an alert, or 0"}}, p.Errors)
		}
	}
}

func TestOnlyCouriersHaveAStream(t *testing.T) {
	a := newApp(t)
	a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
		return deliver(nil)
	}
	require.Equal(t, http.StatusUnauthorized, a.send("GET", streamPath, "").Code)
	for _, role := range doorstep.Roles {
		want := http.StatusForbidden
		if role == doorstep.RoleCourier {
			want = http.StatusOK
		}
		require.Equal(t, want, a.send("GET", streamPath, "", as(role)).Code, role)
	}
}

func TestPhonesReturnAtDifferentTimes(t *testing.T) {
	for draw, retry := range map[float64]string{0: "2000", 0.5: "6000", 0.9999: "9999"} {
		a := newApp(t)
		a.draw = draw
		a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
			return deliver(nil)
		}
		w := a.send("GET", streamPath, "", as(doorstep.RoleCourier))
		require.Equal(t, retry, next(t, apitest.NewEvents(w.Body)).Retry)
	}
}

func TestWhatGoesWrongBeforeAStreamBeginsIsAnsweredAsAProblem(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("store: %w", doorstep.ErrUnavailable), http.StatusServiceUnavailable},
		{fmt.Errorf("device: %w", doorstep.ErrInvalid), http.StatusUnprocessableEntity},
		{errors.New("secret"), http.StatusInternalServerError},
	} {
		a := newApp(t)
		a.follow = func(context.Context, doorstep.Actor, string, int64, func([]push.Alert) error) error { return tt.err }
		w := a.send("GET", streamPath, "", as(doorstep.RoleCourier))
		require.Equal(t, tt.status, w.Code)
		require.NotContains(t, w.Body.String(), "secret")
		problemOf(t, w)
	}
}

func TestAFaultInAStreamEndsItAndIsLogged(t *testing.T) {
	a := newApp(t)
	a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
		return errors.Join(deliver(courierAlerts(1, 1)), errors.New("the disk is full"))
	}
	body, err := io.ReadAll(a.open(a.serve(), "", as(doorstep.RoleCourier)).Body)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(body), "}\n\n"), "%q", body)
	require.Contains(t, a.log.String(), "the disk is full")
}

// revocable lets everybody in as a courier until it is told otherwise.
type revocable struct{ revoked atomic.Bool }

func (r *revocable) Authenticate(context.Context, string) (doorstep.Actor, error) {
	if r.revoked.Load() {
		return doorstep.Actor{}, api.ErrUnauthorized
	}
	return doorstep.Actor{TokenID: "token-1", Role: doorstep.RoleCourier}, nil
}

func TestAStreamEndsWhenItsTokenDoes(t *testing.T) {
	a := newApp(t)
	door := &revocable{}
	a.tokens = door
	a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
		if err := deliver(courierAlerts(1, 1)); err != nil {
			return err
		}
		door.revoked.Store(true)
		return deliver(courierAlerts(2, 2))
	}
	events := apitest.NewEvents(a.open(a.serve(), "", as(doorstep.RoleCourier)).Body)
	require.NotEmpty(t, next(t, events).Retry)
	require.EqualValues(t, 1, seqOf(t, next(t, events)))
	_, err := events.Next()
	require.Equal(t, io.EOF, err)
	require.Equal(t, push.TokenEnded, <-a.dropped)
	require.Empty(t, a.log.String(), "this is no fault")
}

func TestAStreamThatAnotherReplacesEndsWithoutAFault(t *testing.T) {
	for _, why := range []push.Drop{push.Replaced, push.TooMany} {
		a := newApp(t)
		a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
			return errors.Join(deliver(courierAlerts(1, 1)), why)
		}
		events := apitest.NewEvents(a.open(a.serve(), "", as(doorstep.RoleCourier)).Body)
		require.NotEmpty(t, next(t, events).Retry)
		require.EqualValues(t, 1, seqOf(t, next(t, events)))
		_, err := events.Next()
		require.Equal(t, io.EOF, err)
		require.Equal(t, why, <-a.dropped)
		require.Empty(t, a.log.String())
	}
}

// A phone that goes, and a server that stops, drop nothing; nor does a fault.
func TestAStreamThatEndsOtherwiseIsNotCalledDropped(t *testing.T) {
	for name, end := range map[string]error{"in order": nil, "by a fault": errors.New("the disk is full")} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t)
			a.follow = func(_ context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
				return errors.Join(deliver(nil), end)
			}
			_, err := io.ReadAll(a.open(a.serve(), "", as(doorstep.RoleCourier)).Body)
			require.NoError(t, err)
			require.Empty(t, a.dropped)
		})
	}
	t.Run("by the phone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := newApp(t)
			ended := make(chan error, 1)
			a.follow = func(ctx context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
				<-ctx.Done()
				err := deliver(courierAlerts(1, 1))
				ended <- err
				return err
			}
			phone := a.serveOnWire().ask(t, "")
			synctest.Wait()
			require.NoError(t, phone.Close())
			require.Error(t, <-ended)
			synctest.Wait()
			require.Empty(t, a.dropped)
		})
	})
}

// wire is a listener without a network, whose connections know deadlines by the
// time of a bubble. What is written waits until it is read.
type wire chan net.Conn

func (w wire) Accept() (net.Conn, error) {
	conn, ok := <-w
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (w wire) Close() error   { return nil }
func (w wire) Addr() net.Addr { return &net.TCPAddr{} }

// ask opens a connection and asks for a stream.
func (w wire) ask(t *testing.T, query string) net.Conn {
	phone, server := net.Pipe()
	w <- server
	_, err := fmt.Fprintf(phone, "GET %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer courier\r\n\r\n", streamPath, query)
	require.NoError(t, err)
	return phone
}

// serveOnWire serves in a bubble of synctest, with the patience of the program,
// until the test ends.
func (a *app) serveOnWire() wire {
	w := make(wire)
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(w) })
	a.t.Cleanup(func() {
		close(w)
		require.NoError(a.t, server.Close())
		serving.Wait()
	})
	return w
}

// hear reads the events of a connection until it ends.
func hear(conn net.Conn) <-chan apitest.Event {
	heard := make(chan apitest.Event)
	go func() {
		defer close(heard)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return
		}
		for events := apitest.NewEvents(answer.Body); ; {
			e, err := events.Next()
			if err != nil {
				return
			}
			heard <- e
		}
	}()
	return heard
}

func TestASlowReaderIsCutOffAndDelaysNobody(t *testing.T) {
	t.Run("at a page", func(t *testing.T) { cutOffSlowReader(t, 200) })
	t.Run("at one alert", func(t *testing.T) { cutOffSlowReader(t, 1) })
}

func cutOffSlowReader(t *testing.T, alerts int) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		news, cut := make(chan []push.Alert), make(chan error)
		a.follow = func(_ context.Context, _ doorstep.Actor, device string, _ int64, deliver func([]push.Alert) error) error {
			if device == "stuck" {
				err := deliver(courierAlerts(1, alerts))
				cut <- err
				return err
			}
			for list := range news {
				if err := deliver(list); err != nil {
					return err
				}
			}
			return nil
		}
		w := a.serveOnWire()

		// Given a phone that does not read
		began := time.Now()
		stuck := w.ask(t, "?install_id=stuck")
		synctest.Wait()

		// Then another is served at once
		healthy := hear(w.ask(t, ""))
		news <- courierAlerts(1, 1)
		require.NotEmpty(t, (<-healthy).Retry)
		require.EqualValues(t, 1, seqOf(t, <-healthy))
		require.Zero(t, time.Since(began))

		// And the slow one is cut off
		require.ErrorIs(t, <-cut, os.ErrDeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(began))
		require.Equal(t, push.SlowReader, <-a.dropped)
		_, err := io.ReadAll(stuck)
		require.NoError(t, err, "its connection is closed")
		news <- courierAlerts(2, 2)
		require.EqualValues(t, 2, seqOf(t, <-healthy))
		close(news)
		_, more := <-healthy
		require.False(t, more)
		require.Empty(t, a.log.String(), "a slow phone is no fault")
	})
}

// The server bounds how long a request may take to arrive, and a stream how long
// a write may. Neither bounds how long it is answered.
func TestAStreamOutlivesAllTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.follow = func(ctx context.Context, _ doorstep.Actor, _ string, _ int64, deliver func([]push.Alert) error) error {
			for seq := 1; ctx.Err() == nil; seq++ {
				if err := deliver(courierAlerts(seq, seq)); err != nil {
					return err
				}
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Minute):
				}
			}
			return nil
		}
		w, began := a.serveOnWire(), time.Now()
		phone := w.ask(t, "")
		events := hear(phone)
		require.NotEmpty(t, (<-events).Retry)
		for seq := range 6 {
			require.EqualValues(t, seq+1, seqOf(t, <-events))
		}
		require.Equal(t, 50*time.Minute, time.Since(began))
		require.NoError(t, phone.Close()) // which ends the stream, or the bubble would not
	})
}
