package prefs

import "time"

// Probability is how likely the consumer minds what tag is about, at an address
// and a time, from the evidence alone. Deliveries are decided by Decide; this is
// for whoever measures how good the numbers are.
func (p Profile) Probability(tag Tag, addressID string, now time.Time) float64 {
	return p.belief(tag, addressID, now).probability()
}
