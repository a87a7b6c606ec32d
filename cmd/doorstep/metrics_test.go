package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/push/sink"
	"doorstep/store/storetest"
)

// served is a server that runs inside the test, on SQLite.
type served struct {
	console
	base string
	said string // on standard output
}

// serveHere starts a server on any free port, on a new database unless there is
// one. It has ended when the test has.
func serveHere(t *testing.T, c serveCmd) *served {
	t.Helper()
	s := &served{console: console{t: t, data: c.Database.Data}}
	if s.data == "" {
		s.data = t.TempDir()
	}
	c.Database = database{Data: s.data, TimeZone: "Asia/Shanghai"}
	c.Listen, c.LogLevel = "127.0.0.1:0", "error"
	c.PushContent, c.PushRate, c.PushInFlight = "tags", 100, 4
	started := make(chan string, 1)
	c.started = func(base string) { started <- base }
	var out bytes.Buffer
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, &streams{In: strings.NewReader(""), Out: &out, Err: io.Discard}) }()
	select {
	case s.base = <-started:
	case err := <-ended:
		stop()
		require.NoError(t, err)
	}
	s.said = out.String()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return s
}

// get asks the server, or another at a whole address.
func (s *served) get(token, path string) (status int, body string) {
	s.t.Helper()
	if !strings.HasPrefix(path, "http://") {
		path = s.base + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, path, nil)
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer.StatusCode, string(text)
}

func TestMetricsHaveAListenerOfTheirOwn(t *testing.T) {
	s := serveHere(t, serveCmd{Metrics: "127.0.0.1:0"})
	var at string
	_, err := fmt.Sscanf(strings.Split(s.said, "\n")[1], "metrics on %s", &at)
	require.NoError(t, err, s.said)
	status, text := s.get("", at)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "doorstep_push_oldest_due_seconds 0\n")
	require.Contains(t, text, "go_goroutines")

	status, _ = s.get("", strings.TrimSuffix(at, "/metrics")+"/v1/me/alerts")
	require.Equal(t, http.StatusNotFound, status, "nothing else is there")
	status, _ = s.get("", "/metrics")
	require.Equal(t, http.StatusNotFound, status, "nor are they anywhere else")
	require.NotContains(t, serveHere(t, serveCmd{}).said, "metrics")
}

// scrape is what Prometheus reads.
func (a *app) scrape() string {
	a.t.Helper()
	w := httptest.NewRecorder()
	a.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(a.t, http.StatusOK, w.Code)
	return w.Body.String()
}

func TestMetricsFollowAnAlertToThePhone(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url, gathering(20*time.Second))
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
		a.register("li", "phone-1", "token-of-li")
		a.subscribe("li", "browser-1", "browser-of-li")
		require.NoError(t, a.sink.SetRules(sink.Rule{Match: sink.Match{Provider: push.FCM}, Count: 1, Action: sink.Unavailable}))
		has := func(lines ...string) {
			t.Helper()
			got := a.scrape()
			for _, line := range lines {
				require.Contains(t, got, line+"\n")
			}
		}

		alert := *a.dispatch(parcel("SF-1", "li", anne))[0].AlertID
		has(`doorstep_push_queue{state="gathering"} 1`, `doorstep_push_oldest_due_seconds 0`,
			`doorstep_push_devices{provider="fcm",state="active"} 1`, `doorstep_push_devices{provider="webpush",state="active"} 1`)

		a.clock.Add(21 * time.Second)
		has(`doorstep_push_oldest_due_seconds 1`)
		a.sendDue()
		has(`doorstep_push_queue{state="gathering"} 0`, `doorstep_push_queue{state="queued"} 1`, `doorstep_push_queue{state="leased"} 0`,
			`doorstep_push_attempts_total{code="unavailable",outcome="retry",provider="fcm"} 1`,
			`doorstep_push_attempts_total{code="ok",outcome="accepted",provider="webpush"} 1`,
			`doorstep_push_breaker_open{provider="fcm"} 0`, `doorstep_push_rate_per_second{provider="fcm"} 10000`,
			`doorstep_push_in_flight{provider="webpush"} 0`)

		a.clock.Add(time.Minute)
		a.sendDue()
		receipt := api.ReceiptBatch{Receipts: []api.ReceiptInput{{AlertID: alert, Event: "received", At: a.clock.Now().Format(time.RFC3339)}}}
		for range 2 { // the second is a duplicate
			a.post(a.courier("li"), "/v1/me/alerts/receipts", receipt).is(http.StatusOK)
		}
		a.delete(a.courier("li"), "/v1/me/devices/browser-1").is(http.StatusNoContent)
		a.clock.Add(time.Minute) // which devices are not counted within
		has(`doorstep_push_queue{state="queued"} 0`, `doorstep_push_oldest_due_seconds 0`,
			`doorstep_push_end_to_end_seconds_sum 81`, `doorstep_push_end_to_end_seconds_count 1`,
			`doorstep_push_devices{provider="webpush",state="retired"} 1`,
			`doorstep_http_requests_total{method="POST",route="/v1/me/alerts/receipts",status="2xx"} 2`,
			`doorstep_push_alerts_ended_total{ending="informed"} 0`)

		receipt.Receipts[0].Event = "acknowledged"
		for range 2 {
			a.post(a.courier("li"), "/v1/me/alerts/receipts", receipt).is(http.StatusOK)
		}
		has(`doorstep_push_alerts_ended_total{ending="informed"} 1`)
	})
}

func TestMetricsShowWhoWasNotInformedAndWhy(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.wishes(anne)
		a.put(a.integrator(), "/v1/outlets/west", api.OutletInput{Name: "West", Push: &api.PushRules{PerDay: ptr(1)}}).is(http.StatusOK)
		a.register("li", "phone-1", "token-of-li")
		a.dispatch(parcel("SF-1", "li", anne))
		a.sendDue()
		a.dispatch(parcel("SF-2", "li", anne), parcel("SF-3", "mo", anne))
		a.sendDue()
		require.Contains(t, a.scrape(), `doorstep_push_held_total{reason="budget"} 1`+"\n")

		a.clock.Add(15 * time.Hour)
		closer := push.Closer{Ledger: a.db, Now: a.clock.Now, Log: slog.New(slog.DiscardHandler)}
		for range 2 {
			_, err := closer.CloseDue(t.Context())
			require.NoError(t, err)
		}
		got := a.scrape()
		for ending, n := range map[string]int{"informed": 0, "never_acked": 1, "budget": 1, "no_device": 1, "expired": 0} {
			require.Contains(t, got, fmt.Sprintf("doorstep_push_alerts_ended_total{ending=%q} %d\n", ending, n))
		}
	})
}

// series is a line of a scrape.
var (
	series = regexp.MustCompile(`^(doorstep_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)
	label  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

func TestMetricsSayNothingAboutAnybody(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		_, answers := flock(t, a)
		require.NotEmpty(t, answers)
		for i := range 20 { // strangers who try addresses
			a.get("", fmt.Sprintf("/v1/%s/%d", canaryWords, i))
			a.send("PROP"+fmt.Sprint(i), "", "/v1/me/alerts", nil)
		}
		got := a.scrape()

		shows(t, canaries(a), "a scrape", got)
		routes := []string{"other"}
		for path := range apitest.Contract().Paths.Map() {
			routes = append(routes, regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(path, ":$1"))
		}
		allowed := map[string][]string{
			"provider": {push.FCM, push.WebPush, push.None},
			"outcome": {
				"accepted", "retry", "ambiguous", "addr_gone", "bad_message", "provider_down",
				"delivered", "status", "redirect", "timeout", "unreachable", "tls", "private_address",
			},
			"code":  {"ok"}, // the sink is well
			"state": {"gathering", "queued", "leased", "active", "retired"},
			"ending": {
				"informed", "no_device", "provider_down", "refused", "expired", "quiet_hours", "budget", "never_acked", "superseded", "signed_first",
			},
			"reason": {"quiet_hours", "budget", "replaced", "too_many", "slow_reader", "token_ended", "gone", "failing"},
			"method": {http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, "other"},
			"status": {"2xx", "4xx"},
			"route":  routes,
			"tag":    codesOf(prefs.Tags),
			"ground": {"in_person", "consent", "override", "withdrawn"},
		}
		names := map[string]bool{}
		for line := range strings.Lines(got) {
			found := series.FindStringSubmatch(strings.TrimSpace(line))
			if found == nil {
				require.True(t, strings.HasPrefix(line, "#") || strings.HasPrefix(line, "go_") || strings.HasPrefix(line, "process_"), line)
				continue
			}
			names[found[1]] = true
			for _, l := range label.FindAllStringSubmatch(found[2], -1) {
				if l[1] != "le" {
					require.True(t, slices.Contains(allowed[l[1]], l[2]), line)
				}
			}
		}
		require.Equal(t, map[string]bool{
			"doorstep_http_requests_total": true, "doorstep_http_request_seconds": true, "doorstep_sse_streams": true,
			"doorstep_push_attempts_total": true, "doorstep_push_attempt_seconds": true, "doorstep_push_end_to_end_seconds": true,
			"doorstep_push_queue": true, "doorstep_push_oldest_due_seconds": true, "doorstep_push_devices": true,
			"doorstep_push_breaker_open": true, "doorstep_push_rate_per_second": true, "doorstep_push_in_flight": true,
			"doorstep_push_alerts_ended_total": true, "doorstep_push_held_total": true, "doorstep_sse_dropped_total": true,
			"doorstep_learning_paused_total": true, "doorstep_sign_fors_total": true,
			"doorstep_log_oldest_unsealed_seconds": true,
			"doorstep_webhook_attempts_total":      true, "doorstep_webhook_attempt_seconds": true, "doorstep_webhooks_disabled_total": true,
		}, names)
	})
}

func codesOf(tags []prefs.Tag) (codes []string) {
	for _, tag := range tags {
		codes = append(codes, string(tag))
	}
	return codes
}
