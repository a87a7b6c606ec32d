package telephony

import (
	"slices"
	"time"

	"doorstep/evidence"
)

// Feed is what is known of a provider's feed about an interval.
type Feed struct {
	Provider  Provider
	Zone      *time.Location // of its days
	Since     time.Time      // first heard of; zero: never
	LastHeard time.Time
	Heard     []time.Time // in the interval, in order, with the last before and the first after it
	Days      []Day       // of those that a total was declared for

	Waiting     int // records not yet read
	Unassigned  int // calls and messages of no known parcel
	Quarantined int // records that cannot be read
	Conflicts   int // records under the key of another
}

// Day is a day by the provider's count and by ours.
type Day struct {
	Day      string // 2026-11-28, in the feed's zone
	Declared int
	Received int
	At       time.Time // when it was declared
}

// Gap is a silence longer than a healthy feed's.
type Gap struct{ From, To time.Time }

// Gaps lists the silences that reach into the interval. What is still silent ends
// now.
func (p Policy) Gaps(f Feed, from, to, now time.Time) (list []Gap) {
	last := f.Since
	if len(f.Heard) > 0 {
		last = f.Heard[0]
	}
	for _, at := range append(slices.Clone(f.Heard), earliest(to.Add(p.Silence.Duration()), now)) {
		if at.Sub(last) > p.Silence.Duration() && last.Before(to) && at.After(from) {
			list = append(list, Gap{last, at})
		}
		if at.After(last) {
			last = at
		}
	}
	return list
}

// Healthy says whether no record in the interval means that nothing happened.
// Totals that the provider declared decide where every day of the interval has
// one; else there must be no silence, and late records must have had their time.
func (p Policy) Healthy(f Feed, from, to, now time.Time) evidence.Truth {
	if f.Since.IsZero() || f.Since.After(from) || !from.Before(to) {
		return evidence.Unknown
	}
	declared := true
	for day := from.In(f.Zone); ; day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		if name > to.Add(-time.Nanosecond).In(f.Zone).Format(time.DateOnly) {
			break
		}
		i := slices.IndexFunc(f.Days, func(d Day) bool { return d.Day == name })
		switch {
		case i < 0 || f.Days[i].At.In(f.Zone).Format(time.DateOnly) <= name: // none, or one of a day that was not over
			declared = false
		case f.Days[i].Received < f.Days[i].Declared:
			return evidence.False
		}
	}
	switch {
	case declared && f.Waiting == 0:
		return evidence.True
	case len(p.Gaps(f, from, to, now)) > 0:
		return evidence.False
	case f.Waiting > 0 || to.Add(p.Late.Duration()).After(now):
		return evidence.Unknown
	}
	return evidence.True
}
