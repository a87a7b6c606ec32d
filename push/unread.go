package push

import (
	"context"
	"time"

	"doorstep"
)

// UnreadState says how an alert that nobody acknowledged stands.
type UnreadState string

// The states.
const (
	Unacknowledged UnreadState = "unacknowledged" // there is still time
	NotInformed    UnreadState = "not_informed"   // it ended, and nothing shows that the courier knew
)

// Unread is an alert that nobody acknowledged, as its outlet sees it.
type Unread struct {
	Alert
	CourierID   string
	State       UnreadState
	Reason      Reason    // empty where the courier opened it without acknowledging
	InformedAt  time.Time // zero: nothing shows that he knows
	EscalatedAt time.Time // zero: not yet brought to the manager
}

// AlertQuery narrows an outlet's list. An empty State means both.
type AlertQuery struct {
	State    UnreadState
	BeforeMS int64 // with BeforeID: where the page before this one ended
	BeforeID string
	Limit    int
}

// WatchStore is what a Watch reads.
type WatchStore interface {
	// OutletAlerts lists an outlet's unread alerts, the newest first. An outlet
	// that the caller may not see gives ErrNotFound.
	OutletAlerts(ctx context.Context, a doorstep.Actor, outletID string, q AlertQuery) ([]Unread, error)
}

// Watch shows an outlet who has not seen what, while there is still time.
type Watch struct{ Store WatchStore }

// Alerts lists an outlet's unread alerts.
func (w *Watch) Alerts(ctx context.Context, a doorstep.Actor, outletID string, q AlertQuery) ([]Unread, error) {
	if q.State != "" && q.State != Unacknowledged && q.State != NotInformed {
		return nil, &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/state", Code: "unknown_state", Detail: "must be unacknowledged or not_informed",
		}}}
	}
	return w.Store.OutletAlerts(ctx, a, outletID, q)
}
