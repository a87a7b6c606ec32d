package push

import "time"

// Observer is told of each attempt at a provider, for metrics. It must be quick
// and safe for concurrent use.
type Observer interface {
	Attempted(provider string, r Result, took time.Duration)
}
