package complaints

import (
	"slices"
	"time"

	"doorstep"
)

// Handover is one event of a parcel's custody chain.
type Handover struct {
	Kind    string            `json:"kind"` // scan, dispatch, attempt or sign_for
	Outlet  doorstep.OutletNo `json:"-"`
	Code    string            `json:"code,omitempty"` // of a scan our status, of a sign-for its method
	At      time.Time         `json:"at"`
	Courier int64             `json:"-"`

	Consumer doorstep.ConsumerID `json:"-"` // to whom a dispatch went; "" once erased
}

// endsWay says whether a handover is of the end of a way: a sign-for, a deposit,
// an attempt.
func (h Handover) endsWay() bool {
	return h.Kind == BySignFor || h.Kind == ByAttempt || slices.Contains(doorCodes, h.Code)
}

// since leaves out of a chain, given oldest first, what happened while the number
// was another consignee's: carriers use numbers again. What ended the way then
// may have come after the last dispatch to him.
func since(consumer doorstep.ConsumerID, chain []Handover) []Handover {
	last := -1
	for i, h := range chain {
		if h.Kind == ByDispatch && h.Consumer != consumer {
			last = i
		}
	}
	if last < 0 {
		return chain
	}
	chain = chain[last+1:]
	out := slices.IndexFunc(chain, func(h Handover) bool { return h.Kind == ByDispatch })
	if out < 0 {
		out = len(chain)
	}
	return append(slices.DeleteFunc(slices.Clone(chain[:out]), Handover.endsWay), chain[out:]...)
}

// The kinds of handovers.
const (
	ByScan     = "scan"
	ByDispatch = "dispatch"
	ByAttempt  = "attempt"
	BySignFor  = "sign_for"
)

// RoutingRule says why an outlet is the responsible one.
type RoutingRule string

// The rules, the first that applies wins.
const (
	CustodyRule     RoutingRule = "custody_at_event" // it had the parcel when what is complained of happened
	DispatchRule    RoutingRule = "dispatch"         // it sent the parcel out last
	DestinationRule RoutingRule = "destination"      // the parcel was on its way there
	RerouteRule     RoutingRule = "reroute"          // a person sent it there
)

// Routing is where a complaint goes and why.
type Routing struct {
	Outlet doorstep.OutletNo `json:"-"`
	Rule   RoutingRule       `json:"rule"`
	Events []Handover        `json:"events"` // those that decided, the oldest first
}

// atTheDoor are the categories whose event is what happened at the end of the
// way: a sign-for, a deposit, an attempt. What the others complain of lasts until
// now or happened on the way, and is answered by whoever has the parcel.
var atTheDoor = []Category{
	FalseSignFor, LockerWithoutConsent, PickupPointWithoutConsent, NotToDoor, NoCallBeforeDelivery, Attitude, WrongAddress,
}

// doorCodes are the statuses of scans that end a way.
var doorCodes = []string{
	"deposited", "signed_self", "signed_proxy", "signed_facility", "signed_after_exception", "attempt_failed", "unreachable", "refused",
}

// onTheWay are the statuses of scans that name where a parcel is going.
var onTheWay = []string{"created", "picked_up", "in_transit", "arrived_city", "redirected"}

// Route picks the responsible outlet from the custody chain, given oldest first.
// False: nothing is known of the parcel.
func Route(category Category, chain []Handover) (Routing, bool) {
	last := func(match func(Handover) bool) (Handover, bool) {
		for _, h := range slices.Backward(chain) {
			if match(h) {
				return h, true
			}
		}
		return Handover{}, false
	}
	if slices.Contains(atTheDoor, category) {
		if h, ok := last(Handover.endsWay); ok {
			return Routing{Outlet: h.Outlet, Rule: CustodyRule, Events: []Handover{h}}, true
		}
	} else if h, ok := last(func(h Handover) bool { return !slices.Contains(onTheWay, h.Code) }); ok {
		return Routing{Outlet: h.Outlet, Rule: CustodyRule, Events: []Handover{h}}, true
	}
	if h, ok := last(func(h Handover) bool { return h.Kind == ByDispatch }); ok {
		return Routing{Outlet: h.Outlet, Rule: DispatchRule, Events: []Handover{h}}, true
	}
	if h, ok := last(func(Handover) bool { return true }); ok {
		return Routing{Outlet: h.Outlet, Rule: DestinationRule, Events: []Handover{h}}, true
	}
	return Routing{}, false
}
