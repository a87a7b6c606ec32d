package prefs

import (
	"slices"
	"strings"
	"time"
)

// Scope is where an explicit preference holds: always, at one address, or for
// one parcel.
type Scope string

// Standing holds for every delivery.
const Standing Scope = "standing"

// AtAddress holds for deliveries to the carrier's address id.
func AtAddress(id string) Scope { return Scope("address:" + id) }

// ForParcel holds for one parcel.
func ForParcel(waybill string) Scope { return Scope("parcel:" + waybill) }

// AddressID is the address that the scope names, or "".
func (s Scope) AddressID() string { return s.named("address:") }

// Waybill is the parcel that the scope names, or "".
func (s Scope) Waybill() string { return s.named("parcel:") }

// Name is the scope as consents name it: parcel, address or all.
func (s Scope) Name() string {
	switch {
	case s.Waybill() != "":
		return "parcel"
	case s.AddressID() != "":
		return "address"
	}
	return "all"
}

func (s Scope) named(prefix string) string {
	rest, ok := strings.CutPrefix(string(s), prefix)
	if !ok {
		return ""
	}
	return rest
}

// Preference is what a consumer said about one tag in one scope.
type Preference struct {
	Scope Scope
	Tag   Tag
	On    bool // false: the consumer took it away, a tombstone against learning it again
	SetAt time.Time
}

// Profile is all that decides about one consumer's deliveries.
type Profile struct {
	LearningOff bool  // the consumer switched learning off: Evidence does not count
	Paused      []Tag // of which nothing that was learned counts, at this carrier
	Preferences []Preference
	Evidence    []Evidence
}

// Door is what a delivery goes to. Either field may be empty.
type Door struct {
	Waybill   string
	AddressID string
}

// Source says which level decided.
type Source string

// The levels, the most specific first.
const (
	ByParcel   Source = "parcel"
	ByStanding Source = "standing"
	ByAddress  Source = "address"
	Learned    Source = "learned"
)

// Level says how firm an instruction is.
type Level string

// The levels of firmness.
const (
	Advise Level = "advise" // talk to the consumer first
	Avoid  Level = "avoid"  // do as the tag says
)

// Decision is one tag that holds for a delivery.
type Decision struct {
	Tag   Tag
	Level Level
	By    Source
}

// Decide says what the courier should know at the door, sorted by tag: parcel
// beats standing beats address beats learned; what contradicts a more specific
// level is left out.
func (p Profile) Decide(door Door, now time.Time) []Decision {
	var decided []Decision
	add := func(tag Tag, level Level, by Source) {
		contradicted := func(d Decision) bool {
			return d.Tag == tag || d.By != by && slices.Contains(tag.Opposites(), d.Tag)
		}
		if !slices.ContainsFunc(decided, contradicted) {
			decided = append(decided, Decision{Tag: tag, Level: level, By: by})
		}
	}
	for _, level := range []struct {
		by    Source
		scope Scope
	}{{ByParcel, ForParcel(door.Waybill)}, {ByStanding, Standing}, {ByAddress, AtAddress(door.AddressID)}} {
		for _, pref := range p.explicit(level.scope) {
			if !p.suspended(pref) {
				add(pref.Tag, Avoid, level.by)
			}
		}
	}
	if len(p.Evidence) > 0 && !p.LearningOff {
		learned := p.weigh(door.AddressID, now, true)
		for i, tag := range Tags {
			if level := learned[i].level(); level != "" && p.mayDecide(tag) {
				add(tag, level, Learned)
			}
		}
	}
	slices.SortFunc(decided, func(a, b Decision) int { return strings.Compare(string(a.Tag), string(b.Tag)) })
	return decided
}

// mayDecide says whether what was learned of tag is told to couriers, and not
// only asked about.
func (p Profile) mayDecide(tag Tag) bool {
	return !tag.needsAnswer() && !slices.Contains(p.Paused, tag)
}

// explicit lists what holds in scope, contradictions resolved.
func (p Profile) explicit(scope Scope) []Preference {
	var on []Preference
	for _, pref := range p.Preferences {
		if pref.Scope == scope && pref.On {
			on = append(on, pref)
		}
	}
	return slices.DeleteFunc(slices.Clone(on), func(pref Preference) bool {
		return slices.ContainsFunc(on, func(other Preference) bool { return beats(other, pref) })
	})
}

// beats says whether a contradicts b and wins within a level.
func beats(a, b Preference) bool {
	for _, pair := range strictPairs {
		if a.Tag == pair[0] && b.Tag == pair[1] {
			return true
		}
	}
	for _, pair := range newerPairs {
		if a.Tag == pair[0] && b.Tag == pair[1] {
			return !b.SetAt.After(a.SetAt)
		}
		if a.Tag == pair[1] && b.Tag == pair[0] {
			return a.SetAt.After(b.SetAt)
		}
	}
	return false
}

// suspended says whether a complaint newer than an explicit permission speaks
// against it. The permission then waits for the consumer's answer.
func (p Profile) suspended(pref Preference) bool {
	if !pref.On || !pref.Tag.IsPermission() {
		return false
	}
	return slices.ContainsFunc(p.Evidence, func(e Evidence) bool {
		return e.sign() == Complained && e.At.After(pref.SetAt) && slices.Contains(pref.Tag.Opposites(), e.Tag)
	})
}

// tombstoneLife is how long a tag that the consumer removed is only asked
// about: a year. askAgain is how long an explicit preference goes unquestioned;
// it holds until the consumer answers.
const (
	tombstoneLife = 365 * 24 * time.Hour
	askAgain      = 365 * 24 * time.Hour
)

// mutedUntil is when the tombstone of a tag ends; the zero time if it has none.
// What is said of the tag before never counts by itself.
func (p Profile) mutedUntil(tag Tag) time.Time {
	for _, pref := range p.Preferences {
		if !pref.On && pref.Scope == Standing && pref.Tag == tag {
			return pref.SetAt.Add(tombstoneLife)
		}
	}
	return time.Time{}
}

// Resolve drops what loses a contradiction within one list: the stricter wins,
// of two wishes with neither stricter the later in the list.
func Resolve(tags []Tag) []Tag {
	prefs := make([]Preference, len(tags))
	for i, tag := range tags {
		// The place in the list stands for the time, so that later is newer.
		prefs[i] = Preference{Scope: Standing, Tag: tag, On: true, SetAt: time.Unix(int64(i), 0)}
	}
	var kept []Tag
	for _, pref := range (Profile{Preferences: prefs}).explicit(Standing) {
		if !slices.Contains(kept, pref.Tag) {
			kept = append(kept, pref.Tag)
		}
	}
	slices.Sort(kept)
	return kept
}
