package kpi

import (
	"fmt"
	"net/url"
	"time"
)

// DefinitionVersion changes whenever a figure is counted differently.
const DefinitionVersion = 1

// Scales of figures.
const (
	Share      = 1
	PerTenThou = 10_000 // of parcels
)

// Definition says how a figure is counted: Num by Den.
type Definition struct {
	Name     string
	Num, Den Column
	Scale    int64         // of the value
	Ripe     time.Duration // how old a complaint must be to count at all; younger ones are pending
	Settled  time.Duration // how old it must be for its part to be final; younger ones are counted, and said to be immature
	Censored bool          // looks back past the day on which the company began
	Undone   bool          // nothing can be in the numerator yet: no value rather than 0
	Cases    string        // what of the list of complaints is the numerator; "" if that is not made of complaints
}

// Definitions lists all figures.
var Definitions = []Definition{
	{Name: "complaint_rate", Num: Filed, Den: Parcels, Scale: PerTenThou, Cases: "counted=true"},
	{Name: "penalty_rate", Num: Penalties, Den: Parcels, Scale: PerTenThou, Undone: true},
	{Name: "same_day_share", Num: SameDay, Den: Filed, Scale: Share, Cases: "counted=true&handled=same_day"},
	{Name: "within_24h_share", Num: Within24h, Den: Filed, Scale: Share, Ripe: within24h, Cases: "counted=true&handled=within_24h"},
	{Name: "within_7d_share", Num: Within7d, Den: Filed, Scale: Share, Ripe: within7d, Cases: "counted=true&handled=within_7d"},
	{Name: "repeat_rate_30d", Num: Repeats, Den: Filed, Scale: Share, Settled: 30 * 24 * time.Hour, Censored: true, Cases: "counted=true&repeat=true"},
	{Name: "false_sign_per_day", Num: FalseSigns, Den: Days, Scale: 1, Cases: "counted=true&category=false_sign_for"},

	{Name: "same_day_before_16h", Num: SameDayBefore16, Den: Before16, Scale: Share},
	{Name: "same_day_durable", Num: SameDayDurable, Den: Filed, Scale: Share, Settled: within24h + durable},
	{Name: "repeat_any_category_30d", Num: RepeatsAnyCategory, Den: Filed, Scale: Share, Settled: 30 * 24 * time.Hour, Censored: true, Cases: "counted=true&repeat=any_category"},
	{Name: "repeat_same_parcel_30d", Num: RepeatsSameParcel, Den: Filed, Scale: Share, Settled: 30 * 24 * time.Hour, Censored: true, Cases: "counted=true&repeat=same_parcel"},
	{Name: "repeat_same_outlet_30d", Num: RepeatsSameOutlet, Den: Filed, Scale: Share, Settled: 30 * 24 * time.Hour, Censored: true, Cases: "counted=true&repeat=same_outlet"},
	{Name: "confirmed_share", Num: Confirmed, Den: Closed, Scale: Share, Cases: "counted=true&status=confirmed"},
	{Name: "closed_unconfirmed_share", Num: ClosedUnconfirmed, Den: Closed, Scale: Share, Cases: "counted=true&status=closed_unconfirmed"},
	{Name: "promise_breach_share", Num: Late, Den: Filed, Scale: Share, Ripe: within24h, Cases: "counted=true&breached=true"},
	{Name: "promise_breach_paused_share", Num: LatePaused, Den: Late, Scale: Share, Ripe: within24h, Cases: "counted=true&breached=true&paused=true"},
	{Name: "paused_share", Num: Paused, Den: Filed, Scale: Share, Cases: "counted=true&paused=true"},

	{Name: "alert_delivery_share", Num: Delivered, Den: Alerted, Scale: Share},
	{Name: "informed_share", Num: Informed, Den: Alerted, Scale: Share},
	{Name: "alert_effect_followed", Num: FollowedBlamed, Den: Followed, Scale: PerTenThou},
	{Name: "alert_effect_unfollowed", Num: UnfollowedBlamed, Den: Unfollowed, Scale: PerTenThou},
	{Name: "alert_effect_none", Num: UnalertedBlamed, Den: Unalerted, Scale: PerTenThou},
}

// Sample is what figures are made of: the counts of a group over a period, and of
// those complaints in it that were younger than each age at AsOf.
type Sample struct {
	Counts   Counts
	Young    map[time.Duration]Counts
	Days     int64
	AsOf     time.Time
	Censored bool // the company began less than complaints.RepeatWindow before the period, or in it
}

// Ages are those for which a Sample needs the young.
var Ages = []time.Duration{within24h, within24h + durable, within7d, 30 * 24 * time.Hour}

// Figure is a definition's outcome. Value is nil where there is nothing to divide
// by, or nothing can have happened yet.
type Figure struct {
	Num, Den int64
	Value    *float64
	AsOf     time.Time
	Immature int64
	Pending  int64
	Censored bool
	Interval *Interval // nil where counts are no share of each other
	Until    time.Time // the youngest complaint that counts was filed by then; zero: any
}

// Of works a figure out.
func (d Definition) Of(s Sample) Figure {
	counts, f := s.Counts, Figure{AsOf: s.AsOf, Censored: d.Censored && s.Censored}
	if d.Ripe > 0 {
		counts, f.Pending, f.Until = counts.without(s.Young[d.Ripe]), s.Young[d.Ripe][Filed], s.AsOf.Add(-d.Ripe)
	}
	if d.Settled > 0 {
		f.Immature = s.Young[d.Settled][Filed]
	}
	counts[Late], counts[Days] = counts[Filed]-counts[Within24h], s.Days
	f.Num, f.Den = counts[d.Num], counts[d.Den]
	if f.Den == 0 || d.Undone {
		return f
	}
	value := float64(f.Num) * float64(d.Scale) / float64(f.Den)
	f.Value = &value
	if d.Den != Days && f.Num <= f.Den {
		f.Interval = wilson(f.Num, f.Den, d.Scale)
	}
	return f
}

// Printed is a figure as people read it, rounded half up: a share in percent with
// one decimal, a rate with two.
func (d Definition) Printed(f Figure) string {
	switch {
	case f.Value == nil:
		return ""
	case d.Scale == PerTenThou:
		return decimal(f.Num*d.Scale, f.Den, 2)
	case d.Den == Days:
		return decimal(f.Num, f.Den, 1)
	}
	return decimal(f.Num*100, f.Den, 1) + " %"
}

// decimal divides and rounds half up, in integers.
func decimal(num, den int64, places int) string {
	unit := int64(1)
	for range places {
		unit *= 10
	}
	n := (2*num*unit + den) / (2 * den)
	return fmt.Sprintf("%d.%0*d", n/unit, places, n%unit)
}

// Link finds the complaints of a figure's numerator; "" where it is not made of
// complaints, or no list shows them.
func (d Definition) Link(f Figure, narrowed url.Values) string {
	if d.Cases == "" {
		return ""
	}
	query, err := url.ParseQuery(d.Cases)
	if err != nil { // Definitions are ours
		panic(err)
	}
	for name, values := range narrowed {
		if given, ok := query[name]; ok && given[0] != values[0] {
			return "" // a group of another category has none
		}
		query[name] = values
	}
	if !f.Until.IsZero() {
		query.Set("filed_until", f.Until.Format(time.RFC3339Nano))
	}
	return "/v1/complaints?" + query.Encode()
}
