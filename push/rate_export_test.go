package push

import "time"

// PerSecond is the speed at the moment.
func (r *Rate) PerSecond(now time.Time) float64 {
	r.advance(now)
	return r.now
}
