package kpi

import (
	"time"

	"doorstep/parcels"
)

// Day is a local day of an outlet.
type Day struct {
	No       int // 20260301
	From, To time.Time
	Sixteen  time.Time // what is filed later has little of the day left
}

// DayOf is the day of t. Its length is what the zone makes it: a day on which
// clocks change has 23 hours or 25.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	at := func(day, hour int) time.Time { return time.Date(y, m, day, hour, 0, 0, 0, zone).UTC() }
	return Day{No: parcels.Day(t, zone), From: at(d, 0), To: at(d+1, 0), Sixteen: at(d, 16)}
}

// DayAt is the day of a number that ParseDay or DayOf gave.
func DayAt(no int, zone *time.Location) Day {
	return DayOf(time.Date(no/10000, time.Month(no/100%100), no%100, 12, 0, 0, 0, zone), zone)
}

// Next is the day after.
func (d Day) Next(zone *time.Location) Day { return DayOf(d.To.Add(time.Hour), zone) }

// ParseDay reads a date such as 2026-03-01 as a day's number.
func ParseDay(date string) (no int, ok bool) {
	t, err := time.Parse(time.DateOnly, date)
	return parcels.Day(t, time.UTC), err == nil
}

// Date writes a day's number as a date.
func Date(no int) string { return DayAt(no, time.UTC).From.Format(time.DateOnly) }

// DaysBetween counts calendar days, both ends included.
func DaysBetween(from, to int) int64 {
	return int64(DayAt(to, time.UTC).From.Sub(DayAt(from, time.UTC).From)/(24*time.Hour)) + 1
}
