package privacy

import (
	"context"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Access is one opening of personal data.
type Access struct {
	ID          string
	OutletID    string
	Opened      evidence.Opened
	Role        doorstep.Role
	By          string // "" of consumers
	ComplaintID string // of a case's file
	Waybill     doorstep.Waybill
	Waybills    []doorstep.Waybill // that a list told of
	At          time.Time
	Erased      bool // who it was is past its time
}

// AccessQuery narrows the access log. Zero fields do not narrow.
type AccessQuery struct {
	Waybill     doorstep.Waybill // its file, or a list of its records alone
	ComplaintID string
	From, To    time.Time // From <= t < To
	BeforeMS    int64     // with BeforeID: where the page before this one ended
	BeforeID    string
	Limit       int
}

// AccessStore is what an AccessLog needs kept.
type AccessStore interface {
	Accesses(ctx context.Context, a doorstep.Actor, q AccessQuery) ([]Access, error)
}

// AccessLog shows who opened what: headquarters all of it, a manager what
// concerns his outlet, a courier his own cases.
type AccessLog struct{ Store AccessStore }

// List lists openings, the newest first. A courier names the case.
func (l *AccessLog) List(ctx context.Context, a doorstep.Actor, q AccessQuery) ([]Access, error) {
	if a.Role == doorstep.RoleCourier && q.ComplaintID == "" {
		return nil, &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/complaint_id", Code: "required", Detail: "must name a case of your own",
		}}}
	}
	return l.Store.Accesses(ctx, a, q)
}
