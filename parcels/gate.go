package parcels

import (
	"time"

	"doorstep"
	"doorstep/prefs"
)

// Case is what the gate judges by: whose parcel it is, what he allowed and said,
// and what was recorded of it so far.
type Case struct {
	Door         prefs.Door
	Profile      prefs.Profile
	Consents     []prefs.Consent
	DispatchedAt time.Time // when we last heard that it is out; zero: never
	Made         []SignFor // the oldest first
}

// Standing is the record that holds, if the parcel is signed for. A parcel that
// went out anew is not.
func (c Case) Standing() (s SignFor, ok bool) {
	if len(c.Made) == 0 {
		return SignFor{}, false
	}
	s = c.Made[len(c.Made)-1]
	return s, s.Act != Withdrawn && !c.DispatchedAt.After(s.ReceivedAt)
}

// Clearance is the gate's leave to keep one record. Only the functions of this
// file make one that holds, and what keeps sign-fors takes nothing else: there is
// no sign-for past the gate.
type Clearance struct{ record SignFor }

// Record is what may be kept. False means that the gate never saw it.
func (c Clearance) Record() (SignFor, bool) { return c.record, c.record.Ground != "" }

// Clear judges a courier's sign-for as of the moment that it tells of. Without
// consent it gives a *ConsentRequiredError.
func (c Case) Clear(s SignFor) (Clearance, error) {
	if err := c.open(); err != nil {
		return Clearance{}, err
	}
	return c.judge(s)
}

// open says whether there is anything to sign for.
func (c Case) open() error {
	if c.DispatchedAt.IsZero() {
		return &doorstep.ConflictError{Code: "not_out", Detail: "this parcel has never been out for delivery"}
	}
	if _, signed := c.Standing(); signed {
		return &doorstep.ConflictError{Code: "already_signed", Detail: "this parcel is signed for; correct that, or withdraw it first"}
	}
	return nil
}

// Override clears a sign-for that the manager By takes upon himself, for Reason.
// The gate still says whether it was needed.
func (c Case) Override(s SignFor) (Clearance, error) {
	if err := c.open(); err != nil {
		return Clearance{}, err
	}
	if s.At.IsZero() {
		s.At = s.ReceivedAt
	}
	if cleared, err := c.judge(s); err == nil {
		return cleared, nil
	}
	s.Ground = ByOverride
	return Clearance{c.next(s)}, nil
}

// Correct clears a record that takes the place of the one that holds: by its
// courier shortly after, by a manager within his window. What is claimed now
// passes the gate like the first.
func (c Case) Correct(s SignFor) (Clearance, error) {
	standing, signed := c.Standing()
	if !signed {
		return Clearance{}, &doorstep.ConflictError{Code: "not_signed", Detail: "this parcel has no sign-for to correct"}
	}
	window := ManagerCorrects
	if s.By == "" {
		window = CourierCorrects
		if standing.CourierNo != s.CourierNo {
			return Clearance{}, doorstep.NotFound("sign-for", standing.ID)
		}
	}
	if s.ReceivedAt.Sub(c.opened()) > window {
		return Clearance{}, &doorstep.ConflictError{Code: "correction_too_late", Detail: "couriers correct within 10 minutes, managers within 7 days"}
	}
	s.CourierNo = standing.CourierNo
	if s.At.IsZero() {
		s.At = standing.At
	}
	if s.Act == Withdrawn {
		s.Method, s.Ground = "", NotSigned
		return Clearance{c.next(s)}, nil
	}
	return c.judge(s)
}

// How long after its receipt a sign-for may be corrected: a slip of the finger by
// the courier, anything by the manager while a complaint about it must still be
// answered (Provisional Regulations, art. 28).
const (
	CourierCorrects = 10 * time.Minute
	ManagerCorrects = 7 * 24 * time.Hour
)

// opened is when the sign-for that the last records correct was received:
// corrections do not prolong their own window.
func (c Case) opened() time.Time {
	for i := len(c.Made) - 1; i >= 0; i-- {
		if c.Made[i].Act == Signed {
			return c.Made[i].ReceivedAt
		}
	}
	return time.Time{}
}

// judge asks whether the consignee allowed what s tells of, and whether receipt
// is confirmed as he asked.
func (c Case) judge(s SignFor) (Clearance, error) {
	kind, needed := s.Method.Needs()
	if !needed {
		s.Ground = ToConsignee
		return Clearance{c.next(s)}, nil
	}
	consent, ok := c.Profile.Permission(c.Consents, c.Door, kind, s.Facility, s.judgedAt())
	if !ok {
		return Clearance{}, &ConsentRequiredError{Waybill: doorstep.Waybill(c.Door.Waybill), Method: s.Method, Missing: []Missing{MissingConsent}}
	}
	switch {
	case consent.ReceiptMethod == prefs.ByPhoto && s.PhotoSHA256 == "":
		return Clearance{}, &ConsentRequiredError{Waybill: doorstep.Waybill(c.Door.Waybill), Method: s.Method, Missing: []Missing{MissingPhoto}}
	case consent.ReceiptMethod == prefs.ByPickupCode && !s.PickupCodeIssued:
		return Clearance{}, &ConsentRequiredError{Waybill: doorstep.Waybill(c.Door.Waybill), Method: s.Method, Missing: []Missing{MissingPickupCode}}
	}
	s.Ground, s.ConsentID = ByConsent, consent.ID
	return Clearance{c.next(s)}, nil
}

func (c Case) next(s SignFor) SignFor {
	s.Version = len(c.Made) + 1
	return s
}

// Missing is what a sign-for lacks. It never says why: what a consumer took back
// or complained about is not told to couriers.
type Missing string

// What may be missing: the consent to the place or person, or the second half of
// one that was given, how receipt is confirmed.
const (
	MissingConsent    Missing = "consent"
	MissingPhoto      Missing = "photo_sha256"
	MissingPickupCode Missing = "pickup_code_issued"
)

// NextStep is what a courier can do about it.
type NextStep string

// The steps.
const (
	StepPhoto      NextStep = "photo"       // take the photo, and send again
	StepPickupCode NextStep = "pickup_code" // have the code issued, and send again
	StepCall       NextStep = "call"
	StepPreContact NextStep = "pre_contact"
	StepReturn     NextStep = "return" // take it back and record the attempt
	StepOverride   NextStep = "override"
)

// ConsentRequiredError refuses a sign-for that the consignee did not allow. It
// unwraps to doorstep.ErrConflict.
type ConsentRequiredError struct {
	Waybill doorstep.Waybill
	Method  Method
	Missing []Missing
}

func (e *ConsentRequiredError) Error() string { return "consent required: " + string(e.Method) }

// Unwrap gives doorstep.ErrConflict.
func (e *ConsentRequiredError) Unwrap() error { return doorstep.ErrConflict }

// NextSteps lists what to do, the quickest first.
func (e *ConsentRequiredError) NextSteps() (steps []NextStep) {
	for _, m := range e.Missing {
		switch m {
		case MissingPhoto:
			steps = append(steps, StepPhoto)
		case MissingPickupCode:
			steps = append(steps, StepPickupCode)
		}
	}
	return append(steps, StepCall, StepPreContact, StepReturn, StepOverride)
}
