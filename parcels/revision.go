package parcels

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/push"
)

// Out is a parcel that is out for delivery today, to a consumer whose wishes
// have changed.
type Out struct {
	Key
	CourierHome doorstep.OutletNo
	Consumer    doorstep.ConsumerID
	AddressID   string
	Zone        *time.Location
	Alert       *push.Alert // what its courier was told last; nil: nothing yet
	NotedAt     time.Time   // when the consumer wrote a note about this parcel; zero: never
}

// Revision is what changed wishes make of a parcel that is out: the alert of
// now takes the place of the one before.
type Revision struct {
	Out
	Next *push.Alert // nil: there is nothing left to tell
	Fact evidence.Fact
}

// RevisionStore is what a Reviser needs kept.
type RevisionStore interface {
	// ReviseDue takes at most limit consumers whose changes have settled, asks
	// revise about every parcel that is out to them, and keeps the revisions
	// that it makes, all in one transaction. It says how many consumers it took.
	ReviseDue(ctx context.Context, now time.Time, limit int, revise func(Out, prefs.Profile) (Revision, bool)) (int, error)
}

// Reviser tells couriers of wishes that changed after the dispatch.
type Reviser struct {
	Store RevisionStore
	Now   func() time.Time
	NewID doorstep.IDMaker
	Log   *slog.Logger
}

const (
	revisionInterval = time.Second
	revisionBatch    = 64 // consumers, in one transaction
)

// Run repeats ReviseDue until ctx ends.
func (r *Reviser) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, revisionInterval, r.ReviseDue, func(err error) {
		r.Log.ErrorContext(ctx, "revise alerts", "error", err)
	})
}

// ReviseDue makes one pass and says how many consumers it dealt with.
func (r *Reviser) ReviseDue(ctx context.Context) (int, error) {
	now := r.Now()
	return r.Store.ReviseDue(ctx, now, revisionBatch, func(out Out, profile prefs.Profile) (Revision, bool) {
		return r.revise(out, profile, now)
	})
}

// revise decides anew. What comes to the same is left alone: nobody rings twice
// for one wish. A newer note is something to read, where there is an alert at all.
func (r *Reviser) revise(out Out, profile prefs.Profile, now time.Time) (Revision, bool) {
	tags := TagsOf(profile.Decide(prefs.Door{Waybill: string(out.Waybill), AddressID: out.AddressID}, now))
	was := push.Alert{}
	if out.Alert != nil {
		was = *out.Alert
	}
	if !was.SupersededAt.IsZero() { // it was taken back: nothing holds
		was.Tags = nil
	}
	noted := len(tags) > 0 && out.NotedAt.After(was.CreatedAt)
	if slices.Equal(tags, was.Tags) && !noted {
		return Revision{}, false
	}
	revision := Revision{Out: out, Fact: evidence.Fact{
		ID: r.NewID(out.Outlet), Outlet: out.Outlet, Kind: evidence.Alert, Source: evidence.Server, CourierNo: out.CourierNo,
		Waybill: out.Waybill, OccurredAt: now, ReceivedAt: now,
		Fields: []evidence.Field{{Name: "tags", Value: tags}, {Name: "supersedes", Value: was.ID}},
	}}
	if len(tags) > 0 {
		revision.Next = &push.Alert{
			ID: r.NewID(out.Outlet), Waybill: out.Waybill, Tags: tags, Version: was.Version + 1, Supersedes: was.ID,
			CreatedAt: now, ExpiresAt: push.EndOfShift(now, out.Zone),
		}
		revision.Fact.Fields = append(revision.Fact.Fields, evidence.Field{Name: "alert_id", Value: revision.Next.ID})
	}
	return revision, true
}
