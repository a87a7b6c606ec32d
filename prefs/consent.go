package prefs

import "time"

// ConsentKind is a kind of drop that needs the consignee's consent.
type ConsentKind string

// The kinds.
const (
	Locker      ConsentKind = "locker"
	PickupPoint ConsentKind = "pickup_point"
	Proxy       ConsentKind = "proxy"
	Doorstep    ConsentKind = "doorstep"
)

// ConsentKinds lists them.
var ConsentKinds = []ConsentKind{Locker, PickupPoint, Proxy, Doorstep}

// Contradicts are the wishes that speak against such a drop.
func (k ConsentKind) Contradicts() (list []Tag) {
	for _, tag := range Tags {
		if allowed, ok := tag.Allows(); ok && allowed == k {
			list = append(list, tag.Opposites()...)
		}
	}
	return list
}

// ReceiptMethods lists how the consumer wants to receive what is dropped.
var ReceiptMethods = []string{"in_person", "pickup_code", "photo", "unspecified"}

// Unspecified is the receipt method of a consent that a permission records.
const Unspecified = "unspecified"

// Consent allows one kind of drop.
type Consent struct {
	ID            string
	Kind          ConsentKind
	Scope         Scope  // Standing = all
	Facility      string // empty = any
	ReceiptMethod string
	ByPreference  bool // recorded by an explicit permission, and withdrawn with it
	GivenAt       time.Time
	ValidUntil    time.Time // zero: no end
	RevokedAt     time.Time // zero: not revoked
}

// HoldsAt says whether the consent covers a drop at the door at time t.
func (c Consent) HoldsAt(door Door, facility string, t time.Time) bool {
	switch {
	case t.Before(c.GivenAt),
		!c.ValidUntil.IsZero() && !t.Before(c.ValidUntil),
		!c.RevokedAt.IsZero() && !t.Before(c.RevokedAt),
		c.Facility != "" && c.Facility != facility:
		return false
	}
	return c.Scope == Standing || c.Scope == ForParcel(door.Waybill) || c.Scope == AtAddress(door.AddressID)
}

// Permitted lists the drops that the consumer allowed at the door at time t.
// Evidence can only shorten the list: a complaint newer than the consent and
// against it suspends it.
func (p Profile) Permitted(consents []Consent, door Door, facility string, t time.Time) []ConsentKind {
	var kinds []ConsentKind
	for _, kind := range ConsentKinds {
		for _, c := range consents {
			if c.Kind == kind && c.HoldsAt(door, facility, t) && !p.speaksAgainst(c) {
				kinds = append(kinds, kind)
				break
			}
		}
	}
	return kinds
}

func (p Profile) speaksAgainst(c Consent) bool {
	for _, tag := range Tags {
		if kind, ok := tag.Allows(); ok && kind == c.Kind {
			return p.suspended(Preference{Tag: tag, On: true, SetAt: c.GivenAt})
		}
	}
	return false
}
