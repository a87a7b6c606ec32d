package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"doorstep/push"
)

// services reads, at each scrape, how this process's sender sees the push
// services.
type services struct{ read func() []push.ServiceState }

var (
	breakerDesc = prometheus.NewDesc(namespace+"_push_breaker_open",
		"1 while a push service is not asked because it is down, else 0.", []string{"provider"}, nil)
	rateDesc = prometheus.NewDesc(namespace+"_push_rate_per_second",
		"Messages a second that a push service may be handed: as set, or less after it refused some.", []string{"provider"}, nil)
	inFlightDesc = prometheus.NewDesc(namespace+"_push_in_flight", "Attempts under way.", []string{"provider"}, nil)
)

// Describe implements prometheus.Collector.
func (*services) Describe(to chan<- *prometheus.Desc) {
	to <- breakerDesc
	to <- rateDesc
	to <- inFlightDesc
}

// Collect implements prometheus.Collector.
func (s *services) Collect(to chan<- prometheus.Metric) {
	for _, state := range s.read() {
		open := 0.0
		if state.Shut {
			open = 1
		}
		to <- gauge(breakerDesc, open, state.Provider)
		to <- gauge(rateDesc, state.PerSecond, state.Provider)
		to <- gauge(inFlightDesc, float64(state.InFlight), state.Provider)
	}
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}
