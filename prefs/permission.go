package prefs

import (
	"slices"
	"time"
)

// Permission finds the consent under which a drop at the door was allowed at
// time t. The most specific decides, of equals the newest: parcel beats standing
// beats address. It says where, and how receipt is confirmed. What the consumer
// takes back later does not count, and what he gives later does not help. A
// restriction of a more specific scope, or a newer one of the same, speaks
// against a consent; so does a newer complaint. Objections that he has taken
// back since are forgotten.
func (p Profile) Permission(consents []Consent, door Door, kind ConsentKind, facility string, t time.Time) (found Consent, ok bool) {
	for _, c := range consents {
		if c.Kind == kind && c.HoldsAt(door, facility, t) && !p.objects(c, door, t) && (!ok || c.decidesBefore(found)) {
			found, ok = c, true
		}
	}
	return found, ok
}

// Permitted lists the drops that the consumer allowed at the door at time t.
func (p Profile) Permitted(consents []Consent, door Door, facility string, t time.Time) []ConsentKind {
	var kinds []ConsentKind
	for _, kind := range ConsentKinds {
		if _, ok := p.Permission(consents, door, kind, facility, t); ok {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (c Consent) decidesBefore(other Consent) bool {
	if a, b := c.Scope.rank(), other.Scope.rank(); a != b {
		return a < b
	}
	if !c.GivenAt.Equal(other.GivenAt) {
		return c.GivenAt.After(other.GivenAt)
	}
	return c.ID > other.ID
}

// rank orders scopes, the one that decides first.
func (s Scope) rank() int {
	switch {
	case s.Waybill() != "":
		return 0
	case s == Standing:
		return 1
	}
	return 2
}

// objects says whether the consumer had spoken against what c allows by time t.
func (p Profile) objects(c Consent, door Door, t time.Time) bool {
	against := c.Kind.Contradicts()
	if slices.ContainsFunc(p.Evidence, func(e Evidence) bool {
		return e.sign() == Complained && e.At.After(c.GivenAt) && !e.At.After(t) && slices.Contains(against, e.Tag)
	}) {
		return true
	}
	if c.Kind == Locker || c.Kind == PickupPoint {
		against = append(against, ToDoor) // as an instruction it goes with either, as a word about this drop it does not
	}
	return slices.ContainsFunc(p.Preferences, func(said Preference) bool {
		if !said.On || said.SetAt.After(t) || !slices.Contains(against, said.Tag) || !said.Scope.covers(door) {
			return false
		}
		mine, theirs := c.Scope.rank(), said.Scope.rank()
		return theirs < mine || theirs == mine && said.SetAt.After(c.GivenAt)
	})
}

// covers says whether the scope is about the door.
func (s Scope) covers(door Door) bool {
	return s == Standing || door.Waybill != "" && s == ForParcel(door.Waybill) || door.AddressID != "" && s == AtAddress(door.AddressID)
}
