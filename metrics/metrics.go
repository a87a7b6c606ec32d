// Package metrics counts what the server does, for Prometheus. Every label comes
// from a closed list: providers, tags, outcomes, codes, states, reasons, routes. No
// label and no value says anything about a person, an outlet or a parcel.
package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/webhooks"
)

// namespace begins every name but those of the process and the Go runtime.
const namespace = "doorstep"

// Queue is what is read of the database: the backlogs at each scrape, the devices
// now and then.
type Queue interface {
	Backlog(ctx context.Context, now time.Time) (push.Backlog, error)
	Devices(ctx context.Context) ([]push.DeviceCount, error)
	OldestUnsealed(ctx context.Context) (time.Time, error)
}

// Config says what is measured. Every field is needed.
type Config struct {
	Queue    Queue
	Services func() []push.ServiceState // as this process's sender sees them
	Streams  func() int                 // open event streams of this process
	Now      func() time.Time
	Log      *slog.Logger
}

// Metrics holds the measurements of one server. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	now      func() time.Time

	attempts *prometheus.CounterVec
	attempt  *prometheus.HistogramVec
	arrival  prometheus.Histogram
	ended    *prometheus.CounterVec
	held     *prometheus.CounterVec
	dropped  *prometheus.CounterVec
	paused   *prometheus.CounterVec
	signed   *prometheus.CounterVec
	hooks    *prometheus.CounterVec
	hook     prometheus.Histogram
	unhooked *prometheus.CounterVec
	requests *prometheus.CounterVec
	request  *prometheus.HistogramVec
}

// New makes metrics on a registry of their own.
func New(cfg Config) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), log: cfg.Log, now: cfg.Now,
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "push_attempts_total", Help: "Attempts to hand a message to a push service.",
		}, []string{"provider", "outcome", "code"}),
		attempt: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "push_attempt_seconds", Help: "How long a push service took to answer.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, // an attempt has 10 s
		}, []string{"provider"}),
		arrival: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "push_end_to_end_seconds",
			Help:    "From an alert to the receipt that says it is on the phone, by the server's clock.",
			Buckets: []float64{1, 2.5, 5, 10, 20, 30, 45, 60, 120, 300, 900, 3600, 14400},
		}),
		ended: counters("ending", endings, prometheus.CounterOpts{
			Namespace: namespace, Name: "push_alerts_ended_total",
			Help: "Alerts that ended: informed, or why their courier was not. Counted by the process that ended them.",
		}),
		held: counters("reason", []string{push.HeldQuiet, push.HeldBudget}, prometheus.CounterOpts{
			Namespace: namespace, Name: "push_held_total", Help: "Pushes that an outlet's rules held back: until quiet hours end, or for good.",
		}),
		dropped: counters("reason", drops, prometheus.CounterOpts{
			Namespace: namespace, Name: "sse_dropped_total", Help: "Couriers' event streams that this process ended before the phones did.",
		}),
		paused: counters("tag", tagCodes(), prometheus.CounterOpts{
			Namespace: namespace, Name: "learning_paused_total", Help: "Tags whose learning paused because too much of it was called wrong.",
		}),
		signed: counters("ground", grounds(), prometheus.CounterOpts{
			Namespace: namespace, Name: "sign_fors_total", Help: "Sign-fors, corrections and withdrawals that were kept, by what allowed them.",
		}),
		hooks: counters("outcome", outcomes(), prometheus.CounterOpts{
			Namespace: namespace, Name: "webhook_attempts_total", Help: "Attempts to deliver an event to a webhook.",
		}),
		hook: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "webhook_attempt_seconds", Help: "How long receivers of webhooks took.",
			Buckets: []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}, // an attempt has 20 s
		}),
		unhooked: counters("reason", reasons(), prometheus.CounterOpts{
			Namespace: namespace, Name: "webhooks_disabled_total", Help: "Webhooks that were disabled because of their receivers.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "http_requests_total", Help: "Answered requests.",
		}, []string{"method", "route", "status"}),
		request: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_seconds", Help: "How long requests took; event streams are left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
	}
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "sse_streams", Help: "Couriers' event streams that are open at this process.",
	}, func() float64 { return float64(cfg.Streams()) })
	m.registry.MustRegister(
		m.attempts, m.attempt, m.arrival, m.ended, m.held, m.dropped, m.paused, m.signed, m.hooks, m.hook, m.unhooked, m.requests, m.request, streams,
		&backlog{queue: cfg.Queue, now: cfg.Now}, &devices{queue: cfg.Queue, now: cfg.Now}, &services{cfg.Services},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// scrapes bounds how many are answered at once: each reads the database.
const scrapes = 2

// Handler answers a scrape. What cannot be measured is left out and logged.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: scrapes,
	})
}

// Attempted implements push.Observer.
func (m *Metrics) Attempted(provider string, r push.Result, took time.Duration) {
	m.attempts.WithLabelValues(provider, r.Outcome.String(), r.Code).Inc()
	m.attempt.WithLabelValues(provider).Observe(took.Seconds())
}

// Arrived notes that an alert was first said to be on its courier's phone, so
// long after it was made.
func (m *Metrics) Arrived(after time.Duration) { m.arrival.Observe(after.Seconds()) }

// LearningPaused notes that a company's learning of a tag paused.
func (m *Metrics) LearningPaused(tag prefs.Tag) { m.paused.WithLabelValues(string(tag)).Inc() }

// WebhookAttempted implements webhooks.Observer.
func (m *Metrics) WebhookAttempted(r webhooks.Result) {
	m.hooks.WithLabelValues(cmp.Or(string(r.Fault), delivered)).Inc()
	m.hook.Observe(r.Took.Seconds())
}

// WebhookDisabled implements webhooks.Observer.
func (m *Metrics) WebhookDisabled(because webhooks.Reason) {
	m.unhooked.WithLabelValues(string(because)).Inc()
}

// delivered is the outcome that is not a webhooks.Fault.
const delivered = "delivered"

func outcomes() []string {
	list := []string{delivered}
	for _, f := range webhooks.Faults {
		list = append(list, string(f))
	}
	return list
}

func reasons() (list []string) {
	for _, r := range webhooks.Reasons {
		list = append(list, string(r))
	}
	return list
}

func tagCodes() []string {
	codes := make([]string, len(prefs.Tags))
	for i, tag := range prefs.Tags {
		codes[i] = string(tag)
	}
	return codes
}

// informed is the ending that is not a push.Reason.
const informed = "informed"

// What may stand in labels, each shown from the start, so that the first event
// is seen as an increase.
var (
	endings = []string{
		informed, string(push.NoDevice), string(push.ProviderFail), string(push.Refused), string(push.RanOut),
		string(push.Quiet), string(push.OverBudget), string(push.NeverAcked), string(push.Superseded), string(push.SignedFirst),
	}
	drops = []string{string(push.Replaced), string(push.TooMany), string(push.SlowReader), string(push.TokenEnded)}
)

func counters(label string, values []string, opts prometheus.CounterOpts) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(opts, []string{label})
	for _, v := range values {
		vec.WithLabelValues(v)
	}
	return vec
}

// Informed implements store.Observer.
func (m *Metrics) Informed(alerts int) { m.ended.WithLabelValues(informed).Add(float64(alerts)) }

// NotInformed implements store.Observer.
func (m *Metrics) NotInformed(reason push.Reason, alerts int) {
	m.ended.WithLabelValues(string(reason)).Add(float64(alerts))
}

// Held implements store.Observer.
func (m *Metrics) Held(reason string, pushes int) {
	m.held.WithLabelValues(reason).Add(float64(pushes))
}

// SignedFor implements store.Observer.
func (m *Metrics) SignedFor(ground parcels.Ground) { m.signed.WithLabelValues(string(ground)).Inc() }

func grounds() (list []string) {
	for _, g := range parcels.Grounds {
		list = append(list, string(g))
	}
	return list
}

// Dropped notes a stream that the server ended.
func (m *Metrics) Dropped(why push.Drop) { m.dropped.WithLabelValues(string(why)).Inc() }

var _ push.Observer = (*Metrics)(nil)
