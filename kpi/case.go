package kpi

import (
	"time"

	"doorstep"
	"doorstep/complaints"
)

// Limits of what is counted.
const (
	durable   = 72 * time.Hour // without a dispute or a reopening
	within24h = 24 * time.Hour
	within7d  = 7 * 24 * time.Hour
)

// Case is a complaint as the figures see it.
type Case struct {
	Outlet     doorstep.OutletNo
	ID         string // of its row
	Waybill    doorstep.Waybill
	Consumer   doorstep.ConsumerID // "" once erased
	CourierNo  int64
	Category   complaints.Category // as finally set
	Status     complaints.Status
	FiledAt    time.Time
	HandledAt  time.Time // zero while no answer reached the consumer
	ReopenedAt time.Time // when an answer was first disputed, or the complaint reopened
	Paused     bool
	// What was known of earlier ones when it was filed: all there is once Consumer is
	// erased.
	Repeats, Follows bool
}

// IsCounted leaves out what its consumer took back before anybody had handled
// it.
func (c Case) IsCounted() bool { return c.Status != complaints.Withdrawn || !c.HandledAt.IsZero() }

// handledIn says whether the first answer came within a limit; the limit itself
// is in time.
func (c Case) handledIn(limit time.Duration) bool {
	return !c.HandledAt.IsZero() && c.HandledAt.Sub(c.FiledAt) <= limit
}

// TallyCases counts the complaints that an outlet got on a day. past are those of
// the same consumers, at any outlet of the company, from complaints.RepeatWindow
// before the day to its end.
func TallyCases(day Day, cases, past []Case) Tally {
	of := map[doorstep.ConsumerID][]Case{}
	for _, p := range past {
		if p.IsCounted() && p.Consumer != "" { // those who were forgotten are not one person
			of[p.Consumer] = append(of[p.Consumer], p)
		}
	}
	t := Tally{}
	for _, c := range cases {
		if !c.IsCounted() {
			continue
		}
		key := Key{CourierNo: c.CourierNo, Category: c.Category}
		n := t[key]
		n[Filed]++
		sameDay := !c.HandledAt.IsZero() && c.HandledAt.Before(day.To)
		early := c.FiledAt.Before(day.Sixteen)
		n.add(SameDay, sameDay)
		n.add(Before16, early)
		n.add(SameDayBefore16, sameDay && early)
		n.add(SameDayDurable, sameDay && (c.ReopenedAt.IsZero() || c.ReopenedAt.Sub(c.HandledAt) > durable))
		n.add(Within24h, c.handledIn(within24h))
		n.add(Within7d, c.handledIn(within7d))
		n.add(FalseSigns, c.Category == complaints.FalseSignFor)
		n.add(Confirmed, c.Status == complaints.Confirmed)
		n.add(ClosedUnconfirmed, c.Status == complaints.ClosedUnconfirmed)
		n.add(Closed, c.Status == complaints.Confirmed || c.Status == complaints.ClosedUnconfirmed)
		n.add(Paused, c.Paused)
		n.add(LatePaused, c.Paused && !c.handledIn(within24h))
		n.addRepeats(c, of[c.Consumer])
		t[key] = n
	}
	return t
}

// addRepeats looks for an earlier complaint of the same consumer: of the same
// category, which is the headline, about the same parcel, which is stricter, at
// the same outlet or of any kind, which is looser. Once the consumer is forgotten
// the first two kinds go by what stands on the complaint itself.
func (n *Counts) addRepeats(c Case, past []Case) {
	if c.Consumer == "" {
		n.add(RepeatsAnyCategory, c.Follows)
		n.add(Repeats, c.Repeats)
		return
	}
	var any, category, parcel, outlet bool
	for _, p := range past {
		before := c.FiledAt.Sub(p.FiledAt)
		if before <= 0 || before > complaints.RepeatWindow {
			continue
		}
		same := p.Category == c.Category
		any, category = true, category || same
		parcel = parcel || same && p.Waybill == c.Waybill
		outlet = outlet || p.Outlet == c.Outlet
	}
	n.add(RepeatsAnyCategory, any)
	n.add(Repeats, category)
	n.add(RepeatsSameParcel, parcel)
	n.add(RepeatsSameOutlet, outlet)
}
