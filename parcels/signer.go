package parcels

import (
	"context"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
)

// Custody is where a parcel is and whose it is.
type Custody struct {
	Outlet    doorstep.OutletNo
	OutletID  string
	CourierNo int64 // who has it, or had it when it was handed over; 0: nobody yet
	Consumer  doorstep.ConsumerID
	AddressID string
	Waybill   doorstep.Waybill
	Door      *evidence.Point // nil: the carrier did not say, or nobody needs to know
}

// SignStore is what a Signer needs kept.
type SignStore interface {
	// Holding finds a parcel that the caller may speak of: a courier's that he has,
	// or had at the time; a manager's outlet's; a consumer's own; any of the
	// company. Others give ErrNotFound.
	Holding(ctx context.Context, a doorstep.Actor, w doorstep.Waybill, at time.Time) (Custody, error)
	// Doors finds where the parcels of an outlet go, of those whose carrier said.
	Doors(ctx context.Context, outlet doorstep.OutletNo, waybills []doorstep.Waybill) (map[doorstep.Waybill]evidence.Point, error)
	// Sign reads the case, asks judge and keeps what it clears with its evidence,
	// in one transaction in which nobody changes the consumer's consents or the
	// parcel's records. What was kept under the same client id already is given
	// back, and judge is not asked; other content under it is a ConflictError.
	Sign(ctx context.Context, c Custody, order Claim, judge func(Case) (Clearance, error)) (SignFor, error)
	// AddAttempt keeps an attempt with its evidence. fresh is false if it was there.
	AddAttempt(ctx context.Context, fact evidence.Fact) (fresh bool, err error)
	// History reads what was recorded of a parcel.
	History(ctx context.Context, c Custody) (History, error)
	// Overrides lists sign-fors that managers took upon themselves, the newest
	// first.
	Overrides(ctx context.Context, a doorstep.Actor, q OverrideQuery) ([]Override, error)
}

// Claim is a record that wants to pass the gate.
type Claim struct {
	SignFor
	ClientID string // "" if there is none
}

// History is what was recorded of a parcel, the oldest first.
type History struct {
	DispatchedAt time.Time // when we last heard that it is out; zero: never
	SignFors     []SignFor
	Attempts     []Attempt
}

// Standing is the sign-for that holds, if there is one.
func (h History) Standing() (SignFor, bool) {
	return Case{DispatchedAt: h.DispatchedAt, Made: h.SignFors}.Standing()
}

// Tally is what the attempts come to.
func (h History) Tally() Tally {
	_, signed := h.Standing()
	return TallyOf(h.Attempts, signed)
}

// Override is a sign-for without consent, and who took it upon himself.
type Override struct {
	SignFor
	OutletID  string
	CourierID string
}

// OverrideQuery asks for a page of them.
type OverrideQuery struct {
	From, To time.Time // of receipt: From <= t < To; zero does not narrow
	BeforeMS int64     // with BeforeID: where the page before this one ended
	BeforeID string
	Limit    int
}

// Signer records how parcels are handed over.
type Signer struct {
	Store SignStore
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// Sign records a courier's sign-for, if the consignee allowed it at the time.
func (s *Signer) Sign(ctx context.Context, a doorstep.Actor, waybill string, order SignOrder) (SignFor, error) {
	var checks doorstep.Checks
	record, clientID := order.check(s.Now(), &checks)
	return s.record(ctx, a, waybill, Claim{record, clientID}, &checks, Case.Clear)
}

// Override records a sign-for that a manager takes upon himself.
func (s *Signer) Override(ctx context.Context, a doorstep.Actor, waybill string, order SignOrder, reason string) (SignFor, error) {
	var checks doorstep.Checks
	now := s.Now()
	record := SignFor{
		Act: Signed, Method: order.method(&checks), ReceivedAt: now, Details: order.details(&checks), By: a.Subject, Reason: checkReason(reason, &checks),
	}
	if order.At != "" {
		record.At = doorstep.ParseEventTime("/at", order.At, now, &checks)
	}
	return s.record(ctx, a, waybill, Claim{record, order.clientID(&checks)}, &checks, Case.Override)
}

// Correct records what is true instead of the sign-for that holds; with withdraw,
// that nothing was handed over.
func (s *Signer) Correct(ctx context.Context, a doorstep.Actor, waybill string, order SignOrder, reason string, withdraw bool) (SignFor, error) {
	var checks doorstep.Checks
	now := s.Now()
	record := SignFor{Act: Corrected, ReceivedAt: now, Details: order.details(&checks), Reason: checkReason(reason, &checks)}
	moment := checkMoment
	if a.Role == doorstep.RoleManager {
		record.By = a.Subject
		moment = func(at string, now time.Time, checks *doorstep.Checks) time.Time {
			return doorstep.ParseEventTime("/at", at, now, checks)
		}
	}
	switch {
	case withdraw && order.Method != "":
		checks.Add("/method", "not_with_withdraw", "give either a method or withdraw")
	case withdraw:
		record.Act = Withdrawn
	default:
		record.Method = order.method(&checks)
	}
	if order.At != "" {
		record.At = moment(order.At, now, &checks)
	}
	return s.record(ctx, a, waybill, Claim{record, order.clientID(&checks)}, &checks, Case.Correct)
}

// clientID is optional where no phone stores and sends again.
func (o SignOrder) clientID(checks *doorstep.Checks) string {
	if o.ClientID == "" {
		return ""
	}
	return checkClientID(o.ClientID, checks)
}

func (s *Signer) record(ctx context.Context, a doorstep.Actor, waybill string, claim Claim, checks *doorstep.Checks, judge func(Case, SignFor) (Clearance, error)) (SignFor, error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return SignFor{}, doorstep.NotFound("parcel", "") // no such number can be ours
	}
	if err := checks.Err(); err != nil {
		return SignFor{}, err
	}
	c, err := s.holding(ctx, a, w, claim.judgedAt(), claim.Location)
	if err != nil {
		return SignFor{}, err
	}
	claim.ID, claim.Waybill, claim.CourierNo = s.NewID(c.Outlet), w, c.CourierNo
	return s.Store.Sign(ctx, c, claim, func(found Case) (Clearance, error) {
		found.Door = prefs.Door{Waybill: string(w), AddressID: c.AddressID}
		return judge(found, claim.SignFor)
	})
}

// holding finds a parcel and, for a phone that says where it was, its door.
func (s *Signer) holding(ctx context.Context, a doorstep.Actor, w doorstep.Waybill, when time.Time, place *Location) (Custody, error) {
	c, err := s.Store.Holding(ctx, a, w, when)
	if err != nil || place == nil {
		return c, err
	}
	doors, err := s.Store.Doors(ctx, c.Outlet, []doorstep.Waybill{w})
	if door, ok := doors[w]; ok {
		c.Door = &door
	}
	return c, err
}

// Attempt records a delivery that failed. fresh is false if it was recorded before.
func (s *Signer) Attempt(ctx context.Context, a doorstep.Actor, waybill string, order AttemptOrder) (got Attempt, h History, fresh bool, err error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return got, h, false, doorstep.NotFound("parcel", "")
	}
	var checks doorstep.Checks
	got, clientID, shown, place := order.check(s.Now(), &checks)
	if err := checks.Err(); err != nil {
		return got, h, false, err
	}
	c, err := s.holding(ctx, a, w, got.At, place)
	if err != nil {
		return got, h, false, err
	}
	got.ID, got.CourierNo = s.NewID(c.Outlet), c.CourierNo
	fact := got.Fact(c, clientID, append(shown, place.distance(c.Door)...))
	if fresh, err = s.Store.AddAttempt(ctx, fact); err != nil {
		return got, h, false, err
	}
	h, err = s.Store.History(ctx, c)
	for _, made := range h.Attempts {
		if made.ClientID == clientID {
			got = made
		}
	}
	return got, h, fresh, err
}

// Parcel shows what was recorded of a parcel.
func (s *Signer) Parcel(ctx context.Context, a doorstep.Actor, waybill string) (Custody, History, error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return Custody{}, History{}, doorstep.NotFound("parcel", "")
	}
	c, err := s.Store.Holding(ctx, a, w, s.Now())
	if err != nil {
		return c, History{}, err
	}
	h, err := s.Store.History(ctx, c)
	return c, h, err
}

// Overrides lists the sign-fors that managers of the caller's outlet, or company,
// took upon themselves.
func (s *Signer) Overrides(ctx context.Context, a doorstep.Actor, q OverrideQuery) ([]Override, error) {
	return s.Store.Overrides(ctx, a, q)
}
