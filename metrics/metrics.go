// Package metrics counts what the server does, for Prometheus. Every label comes
// from a closed list: providers, outcomes, codes, states, routes. No label and no
// value says anything about a person, an outlet or a parcel.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"doorstep/push"
)

// namespace begins every name but those of the process and the Go runtime.
const namespace = "doorstep"

// Queue is what is read at each scrape.
type Queue interface {
	Backlog(ctx context.Context, now time.Time) (push.Backlog, error)
}

// Config says what is measured. Every field is needed.
type Config struct {
	Queue   Queue
	Streams func() int // open event streams of this process
	Now     func() time.Time
	Log     *slog.Logger
}

// Metrics holds the measurements of one server. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	now      func() time.Time

	attempts *prometheus.CounterVec
	attempt  *prometheus.HistogramVec
	arrival  prometheus.Histogram
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
		m.attempts, m.attempt, m.arrival, m.requests, m.request, streams, &backlog{queue: cfg.Queue, now: cfg.Now},
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

var _ push.Observer = (*Metrics)(nil)
