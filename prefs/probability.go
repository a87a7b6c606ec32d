package prefs

import "time"

// Probabilities are how likely the consumer minds what each tag is about, at an
// address and a time, from the evidence alone; by the places of Tags. Deliveries
// are decided by Decide; this is for whoever measures how good the numbers are.
func (p Profile) Probabilities(addressID string, now time.Time) []float64 {
	believed := p.weigh(addressID, now, true)
	all := make([]float64, len(Tags))
	for i := range all {
		all[i] = believed[i].probability()
	}
	return all
}
