package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/complaints"
	"doorstep/kpi"
)

const month = 30 * 24 * time.Hour

var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func filed(id string, before time.Duration, change ...func(*kpi.Case)) kpi.Case {
	c := kpi.Case{ID: id, Outlet: 1, Waybill: "SF1", Consumer: "anne", Category: complaints.Delay, Status: complaints.Filed, FiledAt: noon.Add(-before)}
	for _, do := range change {
		do(&c)
	}
	return c
}

func tally(t *testing.T, c kpi.Case, past ...kpi.Case) kpi.Counts {
	t.Helper()
	return total(kpi.TallyCases(kpi.DayOf(c.FiledAt, zone(t, "Asia/Shanghai")), []kpi.Case{c}, append(past, c)))
}

func TestWhatMakesARepeat(t *testing.T) {
	for name, c := range map[string]struct {
		past                          kpi.Case
		category, any, parcel, outlet int64
	}{
		"the same":           {filed("a", time.Hour), 1, 1, 1, 1},
		"30 days to the ms":  {filed("a", month), 1, 1, 1, 1},
		"a millisecond more": {filed("a", month+time.Millisecond), 0, 0, 0, 0},
		"at the same moment": {filed("a", 0), 0, 0, 0, 0},
		"later":              {filed("a", -time.Second), 0, 0, 0, 0},
		"another parcel":     {filed("a", time.Hour, func(c *kpi.Case) { c.Waybill = "SF2" }), 1, 1, 0, 1},
		"another category":   {filed("a", time.Hour, func(c *kpi.Case) { c.Category = complaints.Lost }), 0, 1, 0, 1},
		"another outlet":     {filed("a", time.Hour, func(c *kpi.Case) { c.Outlet = 2 }), 1, 1, 1, 0},
		"an erased one":      {filed("a", time.Hour, func(c *kpi.Case) { c.Consumer = "" }), 0, 0, 0, 0},
		"another consumer":   {filed("a", time.Hour, func(c *kpi.Case) { c.Consumer = "bela" }), 0, 0, 0, 0},
		"one taken back":     {filed("a", time.Hour, func(c *kpi.Case) { c.Status = complaints.Withdrawn }), 0, 0, 0, 0},
		"one taken back after an answer": {filed("a", time.Hour, func(c *kpi.Case) {
			c.Status, c.HandledAt = complaints.Withdrawn, noon
		}), 1, 1, 1, 1},
	} {
		n := tally(t, filed("b", 0), c.past)
		got := []int64{n[kpi.Repeats], n[kpi.RepeatsAnyCategory], n[kpi.RepeatsSameParcel], n[kpi.RepeatsSameOutlet]}
		require.Equal(t, []int64{c.category, c.any, c.parcel, c.outlet}, got, name)
	}
}

func TestThoseWhoWereForgottenAreNotOnePerson(t *testing.T) {
	nobody := func(c *kpi.Case) { c.Consumer = "" }
	n := tally(t, filed("b", 0, nobody), filed("a", time.Hour, nobody))
	require.Equal(t, []int64{0, 0}, []int64{n[kpi.Repeats], n[kpi.RepeatsAnyCategory]})
	n = tally(t, filed("b", 0, nobody, func(c *kpi.Case) { c.Follows = true }))
	require.Equal(t, []int64{0, 1}, []int64{n[kpi.Repeats], n[kpi.RepeatsAnyCategory]}, "what was known when it was filed stays")
	n = tally(t, filed("b", 0, nobody, func(c *kpi.Case) { c.Repeats, c.Follows = true, true }))
	require.Equal(t, []int64{1, 1}, []int64{n[kpi.Repeats], n[kpi.RepeatsAnyCategory]})
}

func TestOfAChainAllButTheFirstAreRepeats(t *testing.T) {
	a, b, c := filed("a", 20*24*time.Hour), filed("b", 10*24*time.Hour), filed("c", 0)
	for _, last := range []struct {
		of   kpi.Case
		want int64
	}{{a, 0}, {b, 1}, {c, 1}} {
		require.Equal(t, last.want, tally(t, last.of, a, b, c)[kpi.Repeats], last.of.ID)
	}
}

func TestWithdrawnBeforeAnAnswerIsNotCounted(t *testing.T) {
	gone := filed("a", 0, func(c *kpi.Case) { c.Status = complaints.Withdrawn })
	require.Zero(t, tally(t, gone))
	gone.HandledAt = noon.Add(time.Hour)
	require.Equal(t, int64(1), tally(t, gone)[kpi.Filed])
}

func TestAnAnswerThatHeldIsDurable(t *testing.T) {
	answered := noon.Add(time.Hour)
	for after, want := range map[time.Duration]int64{0: 1, 72 * time.Hour: 0, 72*time.Hour + time.Millisecond: 1} {
		c := filed("a", 0, func(c *kpi.Case) {
			c.HandledAt = answered
			if after > 0 {
				c.ReopenedAt = answered.Add(after)
			}
		})
		require.Equal(t, want, tally(t, c)[kpi.SameDayDurable], after)
		require.Equal(t, int64(1), tally(t, c)[kpi.SameDay])
	}
}

func TestBefore16IsOnTheOutletsClock(t *testing.T) {
	sixteen := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) // in Shanghai
	for shift, want := range map[time.Duration]int64{-time.Millisecond: 1, 0: 0} {
		c := filed("a", 0, func(c *kpi.Case) { c.FiledAt, c.HandledAt = sixteen.Add(shift), sixteen.Add(time.Hour) })
		n := tally(t, c)
		require.Equal(t, want, n[kpi.Before16])
		require.Equal(t, want, n[kpi.SameDayBefore16])
		require.Equal(t, int64(1), n[kpi.SameDay])
	}
}
