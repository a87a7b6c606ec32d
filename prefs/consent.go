package prefs

import (
	"time"

	"doorstep/evidence"
)

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
var ReceiptMethods = []string{"in_person", ByPickupCode, ByPhoto, Unspecified}

// The receipt methods that ask something of whoever drops the parcel, and that of
// a consent that a permission records.
const (
	ByPickupCode = "pickup_code"
	ByPhoto      = "photo"
	Unspecified  = "unspecified"
)

// Consent allows one kind of drop.
type Consent struct {
	ID            string
	Kind          ConsentKind
	Scope         Scope  // Standing = all
	Facility      string // empty = any
	ReceiptMethod string
	ByPreference  bool // recorded by an explicit permission, and withdrawn with it
	GivenAt       time.Time
	FreeUntil     time.Time // until when keeping it there costs nothing; zero: not said
	FeeFen        int64     // what a day after that costs; 0: not said
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
	return c.Scope.covers(door)
}

// Fact is what became of the consent, as evidence. It names no person.
func (c Consent) Fact(outcome string) evidence.Fact {
	f := evidence.Fact{Kind: evidence.Consent, Source: evidence.Person}
	add := func(name string, value any) { f.Fields = append(f.Fields, evidence.Field{Name: name, Value: value}) }
	add("outcome", outcome)
	add("consent_id", c.ID)
	add("method", string(c.Kind))
	add("receipt_method", c.ReceiptMethod)
	for _, text := range []struct{ name, value string }{
		{"scope", c.Scope.Name()}, {"address_id", c.Scope.AddressID()}, {"facility", c.Facility},
		{"free_until", stamp(c.FreeUntil)}, {"valid_until", stamp(c.ValidUntil)},
	} {
		if text.value != "" {
			add(text.name, text.value)
		}
	}
	if c.FeeFen != 0 {
		add("fee_fen", c.FeeFen)
	}
	return f
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
