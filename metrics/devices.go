package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// devicesAge is how old the count of devices may be: it costs a read of each.
const devicesAge = time.Minute

// devices counts devices once in a while, and tells what it last counted
// between. All processes of one database see the same, each by its own minute.
type devices struct {
	queue Queue
	now   func() time.Time

	mu      sync.Mutex
	counted time.Time // zero: never
	last    []prometheus.Metric
}

var devicesDesc = prometheus.NewDesc(namespace+"_push_devices",
	"Devices of couriers, as of at most a minute ago; at most 100000 are counted.", []string{"provider", "state"}, nil)

// Describe implements prometheus.Collector.
func (*devices) Describe(to chan<- *prometheus.Desc) { to <- devicesDesc }

// Collect implements prometheus.Collector.
func (d *devices) Collect(to chan<- prometheus.Metric) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.counted.IsZero() || now.Sub(d.counted) >= devicesAge || now.Before(d.counted) {
		if err := d.count(now); err != nil {
			to <- prometheus.NewInvalidMetric(devicesDesc, err)
			return
		}
	}
	for _, m := range d.last {
		to <- m
	}
}

func (d *devices) count(now time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	list, err := d.queue.Devices(ctx)
	if err != nil {
		return err
	}
	d.counted, d.last = now, nil
	for _, c := range list {
		state := "active"
		if c.Retired {
			state = "retired"
		}
		d.last = append(d.last, gauge(devicesDesc, float64(c.Count), c.Provider, state))
	}
	return nil
}
