package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep/metrics"
	"doorstep/push"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// queue is a fake database.
type queue struct {
	waiting  push.Backlog
	devices  []push.DeviceCount
	counts   int // of devices
	unsealed time.Time
	err      error
}

func (q *queue) Backlog(context.Context, time.Time) (push.Backlog, error) { return q.waiting, q.err }

func (q *queue) OldestUnsealed(context.Context) (time.Time, error) { return q.unsealed, q.err }

func (q *queue) Devices(context.Context) ([]push.DeviceCount, error) {
	q.counts++
	return q.devices, q.err
}

// bench is metrics with what feeds them.
type bench struct {
	*metrics.Metrics
	queue    *queue
	services []push.ServiceState
	now      time.Time
	streams  int
	log      bytes.Buffer
}

func newBench() *bench {
	b := &bench{queue: &queue{}, now: noon}
	b.Metrics = metrics.New(metrics.Config{
		Queue: b.queue, Services: func() []push.ServiceState { return b.services }, Streams: func() int { return b.streams },
		Now: func() time.Time { return b.now }, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	return b
}

func (b *bench) scrape(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func TestAttemptsAreCountedByHowTheyEnded(t *testing.T) {
	b := newBench()
	b.Attempted(push.FCM, push.Result{Outcome: push.Accepted, Code: "ok", ProviderID: "projects/demo/messages/canary"}, 30*time.Millisecond)
	b.Attempted(push.FCM, push.Result{Outcome: push.Accepted, Code: "ok"}, 3*time.Second)
	b.Attempted(push.WebPush, push.Result{Outcome: push.AddrGone, Code: "gone"}, time.Second)

	got := b.scrape(t)

	require.Contains(t, got, `doorstep_push_attempts_total{code="ok",outcome="accepted",provider="fcm"} 2`)
	require.Contains(t, got, `doorstep_push_attempts_total{code="gone",outcome="addr_gone",provider="webpush"} 1`)
	require.Contains(t, got, `doorstep_push_attempt_seconds_bucket{provider="fcm",le="0.05"} 1`)
	require.Contains(t, got, `doorstep_push_attempt_seconds_sum{provider="fcm"} 3.03`)
	require.NotContains(t, got, "canary")
}

func TestTheWayToThePhoneIsMeasured(t *testing.T) {
	b := newBench()
	b.Arrived(22 * time.Second)
	got := b.scrape(t)
	require.Contains(t, got, `doorstep_push_end_to_end_seconds_bucket{le="20"} 0`)
	require.Contains(t, got, `doorstep_push_end_to_end_seconds_bucket{le="30"} 1`)
}

func TestTheQueueIsReadAtEachScrape(t *testing.T) {
	b := newBench()
	b.queue.waiting = push.Backlog{
		Gathering: 3, Queued: 2, Leased: 1, OldestDue: noon.Add(-90 * time.Second),
	}
	b.queue.unsealed = noon.Add(-3 * time.Second)
	b.streams = 5
	got := b.scrape(t)
	for _, line := range []string{
		`doorstep_push_queue{state="gathering"} 3`, `doorstep_push_queue{state="queued"} 2`, `doorstep_push_queue{state="leased"} 1`,
		`doorstep_push_oldest_due_seconds 90`, `doorstep_log_oldest_unsealed_seconds 3`, `doorstep_sse_streams 5`,
	} {
		require.Contains(t, got, line+"\n")
	}

	b.queue.waiting, b.queue.unsealed = push.Backlog{}, time.Time{}
	got = b.scrape(t)
	require.Contains(t, got, "doorstep_push_queue{state=\"queued\"} 0\n")
	require.Contains(t, got, "doorstep_push_oldest_due_seconds 0\n")
	require.Contains(t, got, "doorstep_log_oldest_unsealed_seconds 0\n")
}

func TestDevicesAreCountedOnceAMinuteHoweverOftenTheyAreAskedFor(t *testing.T) {
	b := newBench()
	const line = `doorstep_push_devices{provider="fcm",state="active"} `
	b.queue.err = errors.New("busy")
	require.NotContains(t, b.scrape(t), line)
	b.queue.err = nil
	b.queue.devices = []push.DeviceCount{{Provider: push.FCM, Count: 7}, {Provider: push.FCM, Retired: true, Count: 4}}
	got := b.scrape(t)
	require.Contains(t, got, line+"7\n", "what failed is tried again at once")
	require.Contains(t, got, `doorstep_push_devices{provider="fcm",state="retired"} 4`+"\n")

	b.queue.devices = []push.DeviceCount{{Provider: push.FCM, Count: 8}}
	for range 3 {
		b.now = b.now.Add(20*time.Second - time.Nanosecond)
		require.Contains(t, b.scrape(t), line+"7\n")
	}
	require.Equal(t, 2, b.queue.counts)
	b.now = noon.Add(time.Minute)
	got = b.scrape(t)
	require.Contains(t, got, line+"8\n")
	require.NotContains(t, got, "retired", "there are none any more")
	b.now = noon // the clock was set back
	b.scrape(t)
	require.Equal(t, 4, b.queue.counts)
}

func TestPushServicesShowHowTheyStandNow(t *testing.T) {
	b := newBench()
	b.services = []push.ServiceState{{Provider: push.FCM, Shut: true, PerSecond: 62.5, InFlight: 9}, {Provider: push.WebPush, PerSecond: 500}}
	got := b.scrape(t)
	for _, line := range []string{
		`doorstep_push_breaker_open{provider="fcm"} 1`, `doorstep_push_breaker_open{provider="webpush"} 0`,
		`doorstep_push_rate_per_second{provider="fcm"} 62.5`, `doorstep_push_rate_per_second{provider="webpush"} 500`,
		`doorstep_push_in_flight{provider="fcm"} 9`, `doorstep_push_in_flight{provider="webpush"} 0`,
	} {
		require.Contains(t, got, line+"\n")
	}
	b.services[0].Shut = false
	require.Contains(t, b.scrape(t), "doorstep_push_breaker_open{provider=\"fcm\"} 0\n")
}

func TestWhatCanHappenIsShownBeforeItDoes(t *testing.T) {
	b := newBench()
	has := func(lines ...string) {
		t.Helper()
		got := b.scrape(t)
		for _, line := range lines {
			require.Contains(t, got, line+"\n")
		}
	}
	has(`doorstep_push_alerts_ended_total{ending="informed"} 0`, `doorstep_push_alerts_ended_total{ending="never_acked"} 0`,
		`doorstep_push_held_total{reason="quiet_hours"} 0`, `doorstep_push_held_total{reason="budget"} 0`,
		`doorstep_sse_dropped_total{reason="too_many"} 0`, `doorstep_sse_dropped_total{reason="slow_reader"} 0`)

	b.Informed(3)
	b.Informed(0)
	b.NotInformed(push.NeverAcked, 2)
	b.Held(push.HeldQuiet, 4)
	b.Dropped(push.TooMany)
	has(`doorstep_push_alerts_ended_total{ending="informed"} 3`, `doorstep_push_alerts_ended_total{ending="never_acked"} 2`,
		`doorstep_push_alerts_ended_total{ending="no_device"} 0`, `doorstep_push_held_total{reason="quiet_hours"} 4`,
		`doorstep_sse_dropped_total{reason="too_many"} 1`)
}

func TestADatabaseThatDoesNotAnswerHidesNothingElse(t *testing.T) {
	b := newBench()
	b.queue.err = errors.New("the disk is gone")
	b.Arrived(time.Second)
	got := b.scrape(t)
	require.NotContains(t, got, "doorstep_push_queue")
	require.Contains(t, got, "doorstep_push_end_to_end_seconds_count 1")
	require.NotContains(t, got, "disk")
	require.Contains(t, b.log.String(), "the disk is gone")
}

func TestRequestsAreCountedByRouteAndNeverByAddress(t *testing.T) {
	b := newBench()
	e := echo.New()
	e.Use(b.Requests(e))
	e.GET("/v1/parcels/:waybill", func(c echo.Context) error {
		b.now = b.now.Add(20 * time.Millisecond)
		return c.NoContent(http.StatusOK)
	})
	e.GET("/v1/refused", func(echo.Context) error { return echo.ErrForbidden })
	e.GET("/v1/stream", func(c echo.Context) error {
		b.now = b.now.Add(time.Hour)
		c.Response().Header().Set(echo.HeaderContentType, "text/event-stream")
		return c.NoContent(http.StatusOK)
	})
	e.GET("/v1/broken", func(echo.Context) error { panic("broken") })
	ask := func(method, path string) int {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w.Code
	}

	require.Equal(t, http.StatusOK, ask("GET", "/v1/parcels/SF-canary"))
	require.Equal(t, http.StatusForbidden, ask("GET", "/v1/refused"))
	require.Equal(t, http.StatusOK, ask("GET", "/v1/stream"))
	require.Equal(t, http.StatusNotFound, ask("GET", "/canary"))
	require.Equal(t, http.StatusMethodNotAllowed, ask("CANARY", "/v1/parcels/SF-canary"))
	require.Panics(t, func() { ask("GET", "/v1/broken") })

	got := b.scrape(t)
	for _, line := range []string{
		`doorstep_http_requests_total{method="GET",route="/v1/parcels/:waybill",status="2xx"} 1`,
		`doorstep_http_requests_total{method="GET",route="/v1/refused",status="4xx"} 1`,
		`doorstep_http_requests_total{method="GET",route="/v1/stream",status="2xx"} 1`,
		`doorstep_http_requests_total{method="GET",route="/v1/broken",status="5xx"} 1`,
		`doorstep_http_requests_total{method="other",route="other",status="4xx"} 2`,
		`doorstep_http_request_seconds_sum{method="GET",route="/v1/parcels/:waybill"} 0.02`,
	} {
		require.Contains(t, got, line+"\n")
	}
	require.NotContains(t, got, `doorstep_http_request_seconds_sum{method="GET",route="/v1/stream"}`)
	require.NotContains(t, got, "canary")
	require.NotContains(t, got, "CANARY")
}
