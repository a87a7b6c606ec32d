package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorstep/push"
)

// readTime bounds a scrape's look at the database.
const readTime = 3 * time.Second

// backlog reads the queue at each scrape. All processes of one database see the
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
)

// Describe implements prometheus.Collector.
func (*backlog) Describe(to chan<- *prometheus.Desc) {
	to <- queueDesc
	to <- oldestDesc
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	now := b.now()
	got, err := b.queue.Backlog(ctx, now)
	if err != nil {
		to <- prometheus.NewInvalidMetric(queueDesc, err)
		return
	}
	to <- gauge(queueDesc, float64(got.Gathering), "gathering")
	to <- gauge(queueDesc, float64(got.Queued), string(push.Queued))
	to <- gauge(queueDesc, float64(got.Leased), string(push.Leased))
	var oldest time.Duration
	if !got.OldestDue.IsZero() {
		oldest = now.Sub(got.OldestDue)
	}
	to <- gauge(oldestDesc, oldest.Seconds())
}
