package kpi_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/complaints"
	"doorstep/kpi"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func figure(t *testing.T, name string, s kpi.Sample) (kpi.Figure, string) {
	t.Helper()
	for _, d := range kpi.Definitions {
		if d.Name == name {
			f := d.Of(s)
			return f, d.Printed(f)
		}
	}
	require.Fail(t, "no figure "+name)
	return kpi.Figure{}, ""
}

func sample(days int64, counts map[kpi.Column]int64) kpi.Sample {
	s := kpi.Sample{Days: days}
	for column, n := range counts {
		s.Counts[column] = n
	}
	return s
}

func compare(t *testing.T, name string, now, base kpi.Sample) kpi.Comparison {
	t.Helper()
	n, _ := figure(t, name, now)
	b, _ := figure(t, name, base)
	return kpi.Compare(n, b)
}

// The seeds' headline figures, to the digit.
func TestTheHeadlineFigures(t *testing.T) {
	base := sample(1, map[kpi.Column]int64{kpi.Parcels: 1_000_000, kpi.Filed: 400, kpi.FalseSigns: 120_000})
	now := sample(1, map[kpi.Column]int64{kpi.Parcels: 1_200_000, kpi.Filed: 228, kpi.FalseSigns: 48_000})

	_, printed := figure(t, "complaint_rate", base)
	require.Equal(t, "4.00", printed)
	_, printed = figure(t, "complaint_rate", now)
	require.Equal(t, "1.90", printed)
	rate := compare(t, "complaint_rate", now, base)
	require.Equal(t, "52.5 %", rate.Printed())
	require.True(t, rate.Halved)
	require.InDelta(t, 0.525, *rate.Decline, 1e-12)
	require.Less(t, rate.Interval.Low, 0.525)
	require.Greater(t, rate.Interval.High, 0.525)
	require.Less(t, rate.Interval.Low, 0.5, "more than half is not certain with these counts")

	signs := compare(t, "false_sign_per_day", now, base)
	require.Equal(t, "60.0 %", signs.Printed())
	f, printed := figure(t, "false_sign_per_day", now)
	require.Equal(t, "48000.0", printed)
	require.Nil(t, f.Interval)

	before := sample(30, map[kpi.Column]int64{kpi.Filed: 100, kpi.Repeats: 20})
	after := sample(30, map[kpi.Column]int64{kpi.Filed: 100, kpi.Repeats: 5})
	_, printed = figure(t, "repeat_rate_30d", before)
	require.Equal(t, "20.0 %", printed)
	_, printed = figure(t, "repeat_rate_30d", after)
	require.Equal(t, "5.0 %", printed)
	require.Equal(t, "75.0 %", compare(t, "repeat_rate_30d", after, before).Printed())
}

// Nobody can decide on a penalty yet: the figure has no value, but its formula
// has.
func TestThePenaltyRateIsDefinedBeforeThereArePenalties(t *testing.T) {
	i := 1
	require.Equal(t, "penalty_rate", kpi.Definitions[i].Name)
	d := kpi.Definitions[i]
	base := sample(30, map[kpi.Column]int64{kpi.Parcels: 1_000_000, kpi.Penalties: 300})
	now := sample(30, map[kpi.Column]int64{kpi.Parcels: 1_200_000, kpi.Penalties: 120})
	require.Nil(t, d.Of(base).Value)
	d.Undone = false
	require.Equal(t, "3.00", d.Printed(d.Of(base)))
	require.Equal(t, "1.00", d.Printed(d.Of(now)))
	require.Equal(t, "66.7 %", kpi.Compare(d.Of(now), d.Of(base)).Printed())
}

func TestHalfIsNotMoreThanHalf(t *testing.T) {
	base := sample(1, map[kpi.Column]int64{kpi.Parcels: 1_000_000, kpi.Filed: 400})
	for filed, halved := range map[int64]bool{199: true, 200: false, 201: false} {
		now := sample(1, map[kpi.Column]int64{kpi.Parcels: 1_000_000, kpi.Filed: filed})
		require.Equal(t, halved, compare(t, "complaint_rate", now, base).Halved, filed)
	}
}

// aDay is the fixture's: 100 complaints filed from 8:00 in Shanghai on, 8 minutes
// apart, of which 49 are handled on the day and 97 within 24 hours.
func aDay(shift time.Duration) (cases []kpi.Case) {
	first := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(shift)
	midnight := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC).Add(shift)
	for i := range 100 {
		c := kpi.Case{
			ID: fmt.Sprint(i), Consumer: doorstep.ConsumerID(fmt.Sprint(i)), Category: complaints.Delay, Status: complaints.Answered,
			FiledAt: first.Add(time.Duration(i) * 8 * time.Minute),
		}
		switch {
		case i < 49:
			c.HandledAt = midnight.Add(-time.Millisecond)
		case i < 97:
			c.HandledAt = c.FiledAt.Add(24 * time.Hour) // exactly: in time
		case i < 99:
			c.HandledAt = c.FiledAt.Add(24*time.Hour + time.Millisecond)
		default:
			c.Status = complaints.Filed
		}
		cases = append(cases, c)
	}
	return cases
}

func total(t kpi.Tally) (sum kpi.Counts) {
	for _, c := range t {
		sum = sum.Plus(c)
	}
	return sum
}

func TestNearlyHalfTheSameDay(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	cases := aDay(0)
	day := kpi.DayOf(cases[0].FiledAt, shanghai)
	s := kpi.Sample{Counts: total(kpi.TallyCases(day, cases, cases))}
	for name, num := range map[string]int64{"same_day_share": 49, "within_24h_share": 97, "within_7d_share": 99, "promise_breach_share": 3} {
		f, printed := figure(t, name, s)
		require.Equal(t, []int64{num, 100}, []int64{f.Num, f.Den}, name)
		require.Equal(t, fmt.Sprintf("%d.0 %%", num), printed)
	}
}

// filedOn counts all that falls on a day of a zone, as a store would.
func filedOn(day kpi.Day, cases []kpi.Case) (list []kpi.Case) {
	for _, c := range cases {
		if !c.FiledAt.Before(day.From) && c.FiledAt.Before(day.To) {
			list = append(list, c)
		}
	}
	return list
}

func TestTheDayIsTheOutletsOwn(t *testing.T) {
	at := func(shift time.Duration, zoneName string) (filed, sameDay int64) {
		z, cases := zone(t, zoneName), aDay(shift)
		for day := kpi.DayOf(cases[0].FiledAt, z); !day.From.After(cases[99].FiledAt); day = day.Next(z) {
			n := total(kpi.TallyCases(day, filedOn(day, cases), cases))
			filed, sameDay = filed+n[kpi.Filed], sameDay+n[kpi.SameDay]
		}
		return filed, sameDay
	}
	filed, sameDay := at(0, "Asia/Shanghai")
	require.Equal(t, []int64{100, 49}, []int64{filed, sameDay})
	filed, sameDay = at(time.Hour, "Asia/Shanghai") // all 49 are handled past midnight now
	require.Equal(t, int64(100), filed)
	require.Zero(t, sameDay)
	_, sameDay = at(0, "Asia/Tokyo") // an hour further east, the same
	require.Zero(t, sameDay)
	_, sameDay = at(0, "Europe/Berlin")
	require.Equal(t, int64(49), sameDay)
}

func TestADayIsAsLongAsItsZoneMakesIt(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	require.Equal(t, 23*time.Hour, length(kpi.DayAt(20260329, berlin)))
	require.Equal(t, 25*time.Hour, length(kpi.DayAt(20261025, berlin)))
	require.Equal(t, 24*time.Hour, length(kpi.DayAt(20260301, berlin)))
	// Shanghai had summer time until 1991: a hard +8 would be wrong.
	require.Equal(t, "1988-06-30T15:00:00Z", kpi.DayAt(19880701, zone(t, "Asia/Shanghai")).From.Format(time.RFC3339))
	require.Equal(t, "2026-02-28T16:00:00Z", kpi.DayAt(20260301, zone(t, "Asia/Shanghai")).From.Format(time.RFC3339))
}

func length(d kpi.Day) time.Duration { return d.To.Sub(d.From) }

func TestAFigureOfNothingHasNoValue(t *testing.T) {
	for _, d := range kpi.Definitions {
		f := d.Of(kpi.Sample{Days: 1})
		if d.Name == "false_sign_per_day" {
			require.Zero(t, *f.Value)
			continue
		}
		require.Nil(t, f.Value, d.Name)
		require.Empty(t, d.Printed(f))
	}
}

func TestTheYoungArePending(t *testing.T) {
	s := sample(1, map[kpi.Column]int64{kpi.Filed: 10, kpi.Within24h: 6, kpi.SameDay: 5})
	var young kpi.Counts
	young[kpi.Filed], young[kpi.Within24h] = 4, 3
	s.Young = map[time.Duration]kpi.Counts{24 * time.Hour: young}
	f, _ := figure(t, "within_24h_share", s)
	require.Equal(t, []int64{3, 6, 4}, []int64{f.Num, f.Den, f.Pending})
	f, _ = figure(t, "promise_breach_share", s)
	require.Equal(t, []int64{3, 6, 4}, []int64{f.Num, f.Den, f.Pending})
	f, _ = figure(t, "same_day_share", s)
	require.Equal(t, []int64{5, 10, 0}, []int64{f.Num, f.Den, f.Pending}, "open ones count from the first minute")

	young[kpi.Filed], young[kpi.Within24h] = 15, 2
	s.Young[24*time.Hour] = young
	f, _ = figure(t, "within_24h_share", s)
	require.Nil(t, f.Value, "five came since the days were counted: of the ten none is known to be ripe")
	require.Equal(t, []int64{0, 0, 15}, []int64{f.Num, f.Den, f.Pending})
}

// Wilson's own interval of 1 in 10, and the ends.
func TestIntervalsStayWithinThePossible(t *testing.T) {
	f, _ := figure(t, "same_day_share", sample(1, map[kpi.Column]int64{kpi.Filed: 10, kpi.SameDay: 1}))
	require.InDelta(t, 0.0179, f.Interval.Low, 0.0001)
	require.InDelta(t, 0.4042, f.Interval.High, 0.0001)
	f, _ = figure(t, "same_day_share", sample(1, map[kpi.Column]int64{kpi.Filed: 10}))
	require.Zero(t, f.Interval.Low)
	f, _ = figure(t, "same_day_share", sample(1, map[kpi.Column]int64{kpi.Filed: 10, kpi.SameDay: 10}))
	require.Equal(t, 1.0, f.Interval.High)
}
