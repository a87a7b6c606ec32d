package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorstep/push"
)

// readTime bounds a scrape's look at the database.
const readTime = 3 * time.Second

// backlog reads the queues at each scrape. All processes of one database see the
// same numbers.
type backlog struct {
	queue Queue
	now   func() time.Time
}

var (
	queueDesc = prometheus.NewDesc(namespace+"_push_queue",
		"Pushes that gather alerts, deliveries that wait, deliveries under way. Pushes and deliveries are counted up to 10000 each.", []string{"state"}, nil)
	oldestDesc = prometheus.NewDesc(namespace+"_push_oldest_due_seconds",
		"For how long the longest waiting push or delivery has been due; 0 if nothing is.", nil, nil)
	unsealedDesc = prometheus.NewDesc(namespace+"_log_oldest_unsealed_seconds",
		"For how long a committed record has waited for its place in a log; 0 if none does.", nil, nil)
)

// Describe implements prometheus.Collector.
func (*backlog) Describe(to chan<- *prometheus.Desc) {
	to <- queueDesc
	to <- oldestDesc
	to <- unsealedDesc
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	now := b.now()
	age := func(since time.Time) float64 {
		if since.IsZero() {
			return 0
		}
		return now.Sub(since).Seconds()
	}
	if unsealed, err := b.queue.OldestUnsealed(ctx); err != nil {
		to <- prometheus.NewInvalidMetric(unsealedDesc, err)
	} else {
		to <- gauge(unsealedDesc, age(unsealed))
	}
	got, err := b.queue.Backlog(ctx, now)
	if err != nil {
		to <- prometheus.NewInvalidMetric(queueDesc, err)
		return
	}
	to <- gauge(queueDesc, float64(got.Gathering), "gathering")
	to <- gauge(queueDesc, float64(got.Queued), string(push.Queued))
	to <- gauge(queueDesc, float64(got.Leased), string(push.Leased))
	to <- gauge(oldestDesc, age(got.OldestDue))
}
