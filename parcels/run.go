package parcels

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/prefs"
)

// Stop is one parcel of a courier's day.
type Stop struct {
	Waybill   doorstep.Waybill
	Consumer  doorstep.ConsumerID
	AddressID string
	AlertID   string
	Acked     bool
	Signed    bool // for; there is nothing left to do
	Attempts  int  // made before, here or by others

	Decisions []prefs.Decision
	Note      string // the consumer's own words to the courier
}

// First is what the courier does before going to the door.
type First string

// What to do first.
const (
	CallFirst    First = "call"
	MessageFirst First = "message"
	NothingFirst First = "none"
)

// DoFirst reads it from the decisions: whoever wants to be called and messaged
// is called.
func (s Stop) DoFirst() First {
	switch {
	case s.has(prefs.CallFirst):
		return CallFirst
	case s.has(prefs.MessageFirst):
		return MessageFirst
	}
	return NothingFirst
}

func (s Stop) has(tag prefs.Tag) bool {
	return slices.ContainsFunc(s.Decisions, func(d prefs.Decision) bool { return d.Tag == tag })
}

// RunStore is what a Runner needs kept.
type RunStore interface {
	// Stops lists the courier's parcels of the outlets' own today, each parcel
	// once, by waybill; with only, that parcel alone. Who has no run has no stops.
	Stops(ctx context.Context, a doorstep.Actor, only doorstep.Waybill, now time.Time) ([]Stop, error)
	Profiles(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error)
	// Notes reads the consumers' notes to couriers, by scope.
	Notes(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]map[prefs.Scope]string, error)
	// RemindOfStop rings the courier's phones about his alert, once however often
	// it is asked for, and says whether it does so now. It need not if the alert
	// has expired.
	RemindOfStop(ctx context.Context, alertID string, now time.Time) (bool, error)
}

// Runner lays out a courier's day.
type Runner struct {
	Store RunStore
	Now   func() time.Time
}

// Run lists the caller's parcels of today with the instructions of now, those
// with instructions first, those that are signed for last.
func (r *Runner) Run(ctx context.Context, a doorstep.Actor) ([]Stop, error) {
	now := r.Now()
	stops, err := r.Store.Stops(ctx, a, "", now)
	if err != nil || len(stops) == 0 {
		return nil, err
	}
	if err := r.instruct(ctx, stops, now); err != nil {
		return nil, err
	}
	plain := func(s Stop) int {
		if s.Signed {
			return 2
		}
		if len(s.Decisions) == 0 && s.Note == "" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(stops, func(a, b Stop) int { return cmp.Compare(plain(a), plain(b)) })
	return stops, nil
}

// Next is called when the stop before is done: it gives what to know at the
// next one, and rings about it unless the app is in front of the courier's
// eyes. rung is true once per alert.
func (r *Runner) Next(ctx context.Context, a doorstep.Actor, waybill string, inForeground bool) (stop Stop, rung bool, err error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		var checks doorstep.Checks
		checks.Under("/waybill", err)
		return Stop{}, false, checks.Err()
	}
	now := r.Now()
	stops, err := r.Store.Stops(ctx, a, w, now)
	if err != nil {
		return Stop{}, false, err
	}
	if len(stops) == 0 {
		return Stop{}, false, doorstep.NotFound("parcel", string(w))
	}
	if err := r.instruct(ctx, stops, now); err != nil {
		return Stop{}, false, err
	}
	stop = stops[0]
	if stop.AlertID == "" || stop.Signed || inForeground {
		return stop, false, nil
	}
	rung, err = r.Store.RemindOfStop(ctx, stop.AlertID, now)
	return stop, rung, err
}

// instruct fills in what the couriers should know of the stops now.
func (r *Runner) instruct(ctx context.Context, stops []Stop, now time.Time) error {
	consumers := make([]doorstep.ConsumerID, 0, len(stops))
	for _, s := range stops {
		consumers = append(consumers, s.Consumer)
	}
	slices.Sort(consumers)
	consumers = slices.Compact(consumers)
	profiles, err := r.Store.Profiles(ctx, consumers)
	if err != nil {
		return err
	}
	notes, err := r.Store.Notes(ctx, consumers)
	if err != nil {
		return err
	}
	for i := range stops {
		s := &stops[i]
		door := prefs.Door{Waybill: string(s.Waybill), AddressID: s.AddressID}
		s.Decisions = profiles[s.Consumer].Decide(door, now)
		said := notes[s.Consumer]
		s.Note = cmp.Or(said[prefs.ForParcel(door.Waybill)], said[prefs.Standing], said[prefs.AtAddress(door.AddressID)])
		if answer := said[prefs.ForAnswer(door.Waybill)]; answer != "" {
			s.Note = strings.TrimSpace(answer + "\n" + s.Note)
		}
	}
	return nil
}
