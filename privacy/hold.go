package privacy

import (
	"context"
	"time"

	"doorstep"
)

// Hold keeps what is known of a parcel past its time, and against its
// consumer's wish, until a named human releases it: for a court, an insurer, an
// appeal.
type Hold struct {
	ID         string
	Outlet     doorstep.OutletNo
	OutletID   string
	Company    doorstep.CompanyNo
	Waybill    doorstep.Waybill
	Reason     string
	SetBy      string
	SetAt      time.Time
	ReleasedBy string
	ReleasedAt time.Time // zero while it holds
}

// HoldQuery is a page of holds, the newest first.
type HoldQuery struct {
	Waybill  doorstep.Waybill // "" for any
	BeforeMS int64            // with BeforeID: where the page before this one ended
	BeforeID string
	Limit    int
}

// HoldStore is what a Keeper needs kept.
type HoldStore interface {
	// ParcelOutlet finds where a parcel is, among the outlets that the caller may
	// see.
	ParcelOutlet(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (doorstep.OutletNo, error)
	AddHold(ctx context.Context, h Hold) (Hold, error)
	ReleaseHold(ctx context.Context, a doorstep.Actor, id, by string, at time.Time) error
	Holds(ctx context.Context, a doorstep.Actor, q HoldQuery) ([]Hold, error)
}

// Keeper sets and releases holds.
type Keeper struct {
	Store HoldStore
	Now   func() time.Time
	NewID doorstep.IDMaker
}

const maxReason = 500 // runes

// Hold holds a parcel.
func (k *Keeper) Hold(ctx context.Context, a doorstep.Actor, waybill, reason string) (Hold, error) {
	var checks doorstep.Checks
	w, err := doorstep.ParseWaybill(waybill)
	checks.Under("/waybill", err)
	reason, err = doorstep.CheckText(reason, 1, maxReason)
	checks.Under("/reason", err)
	if err := checks.Err(); err != nil {
		return Hold{}, err
	}
	outlet, err := k.Store.ParcelOutlet(ctx, a, w)
	if err != nil {
		return Hold{}, err
	}
	return k.Store.AddHold(ctx, Hold{
		ID: k.NewID(outlet), Outlet: outlet, Company: a.Company, Waybill: w, Reason: reason, SetBy: a.Subject, SetAt: k.Now(),
	})
}

// Release ends a hold. Ending it twice changes nothing.
func (k *Keeper) Release(ctx context.Context, a doorstep.Actor, id string) error {
	return k.Store.ReleaseHold(ctx, a, id, a.Subject, k.Now())
}

// Holds lists holds, also those that were released.
func (k *Keeper) Holds(ctx context.Context, a doorstep.Actor, q HoldQuery) ([]Hold, error) {
	return k.Store.Holds(ctx, a, q)
}
