package kpi

import (
	"cmp"

	"doorstep/complaints"
)

// Column is one of the counts that are kept of an outlet's day.
type Column int

// The columns. Those of complaints belong to the day on which a complaint was
// filed, those of parcels to the day of their first terminal sign-for.
const (
	Filed Column = iota
	SameDay
	Within24h
	Within7d
	Before16        // filed before 16:00
	SameDayBefore16 // of those, handled the same day
	SameDayDurable  // handled the same day and not found wanting within 72 hours
	Repeats
	RepeatsAnyCategory
	RepeatsSameParcel
	RepeatsSameOutlet
	FalseSigns
	Closed
	Confirmed
	ClosedUnconfirmed
	Paused
	LatePaused // paused at some time, and not handled within 24 hours
	Penalties  // final decisions with an amount

	Parcels
	Unalerted
	UnalertedBlamed // of those, complained of
	Alerted
	Delivered  // the alert reached a phone before the parcel was signed for
	Informed   // the courier had seen it by then
	Followed   // what the sign-for says agrees with what was wished
	Unfollowed // and here it does not
	FollowedBlamed
	UnfollowedBlamed

	Kept // how many columns are kept; what follows is made of them

	Late // complaints not handled within 24 hours
	Days // of the calendar

	columns
)

// Names are the columns' names where they are kept.
var Names = [Kept]string{
	"filed", "same_day", "within_24h", "within_7d", "before_16", "same_day_before_16", "same_day_durable", "repeats", "repeats_any_category",
	"repeats_same_parcel", "repeats_same_outlet", "false_signs", "closed", "confirmed", "closed_unconfirmed", "paused", "late_paused", "penalties",
	"parcels", "unalerted", "unalerted_blamed", "alerted", "delivered", "informed", "followed", "unfollowed", "followed_blamed", "unfollowed_blamed",
}

// Counts has a number for each column.
type Counts [columns]int64

// add counts one more where yes holds.
func (c *Counts) add(column Column, yes bool) {
	if yes {
		c[column]++
	}
}

// Plus sums two.
func (c Counts) Plus(other Counts) Counts {
	for i := range c {
		c[i] += other[i]
	}
	return c
}

// without leaves the young out. If they are more than there are, they have come
// since c was counted, and none of c is known to be ripe.
func (c Counts) without(young Counts) Counts {
	if young[Filed] > c[Filed] {
		return Counts{}
	}
	for i := range c {
		c[i] -= young[i]
	}
	return c
}

// Key is what an outlet's counts of a day are kept by. Category is empty where
// parcels are counted.
type Key struct {
	CourierNo int64 // 0: nobody had the parcel yet
	Category  complaints.Category
}

// Compare orders keys as they are kept.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.CourierNo, other.CourierNo), cmp.Compare(k.Category, other.Category))
}

// Tally is an outlet's counts of a day.
type Tally map[Key]Counts

// Add sums another tally into this one.
func (t Tally) Add(other Tally) {
	for k, c := range other {
		t[k] = t[k].Plus(c)
	}
}
