package prefs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorstep"
)

// maxNote bounds a note to the courier, in runes.
const maxNote = 200

// Store is what a Book needs kept.
type Store interface {
	// Profiles reads what decides about each consumer's deliveries, in one go.
	// A consumer of whom nothing is known may be missing from the answer.
	Profiles(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]Profile, error)
	// ReplaceScope replaces what the consumer said in one scope, and the
	// consents that its permissions recorded.
	ReplaceScope(ctx context.Context, a doorstep.Actor, s ScopeChange) error
	// SetTag records one standing preference, with the consent if it is a
	// permission.
	SetTag(ctx context.Context, a doorstep.Actor, tag Tag, at time.Time, consent *Consent) error
	// RemoveTag forgets what was said and learned about tag and leaves a
	// tombstone; with a scope other than Standing only what was said there.
	RemoveTag(ctx context.Context, a doorstep.Actor, tag Tag, scope Scope, at time.Time) error
	// CorrectTag removes one tag and records another in its place.
	CorrectTag(ctx context.Context, a doorstep.Actor, wrong, tag Tag, at time.Time, consent *Consent) error
	// SetLearning switches learning on or off for a consumer.
	SetLearning(ctx context.Context, a doorstep.Actor, enabled bool, at time.Time) error
	// AddConsent and Consents keep consents; RevokeConsent gives ErrNotFound for
	// an id that is not the consumer's.
	AddConsent(ctx context.Context, a doorstep.Actor, c Consent) error
	Consents(ctx context.Context, consumer doorstep.ConsumerID, p ConsentPage) ([]Consent, error)
	RevokeConsent(ctx context.Context, a doorstep.Actor, id string, only Scope) error
	// Notes reads consumers' notes to couriers, by scope.
	Notes(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]map[Scope]string, error)
	// ParcelAddress is the address id of a consumer's parcel. A parcel that is
	// not the consumer's gives ErrNotFound.
	ParcelAddress(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (string, error)
}

// ScopeChange is what a consumer wants of one scope, all of it.
type ScopeChange struct {
	Scope    Scope
	Tags     []Tag
	Note     string
	Consents []Consent // that the permissions among Tags record
	At       time.Time
}

// ConsentPage asks for consents older than Before, at most Limit.
type ConsentPage struct {
	Only   Scope  // "" = any
	Before string // id; "" = the newest
	Limit  int
}

// Book is where consumers look up, say and correct what couriers are told.
type Book struct {
	Store Store
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// Tags lists what is known of the caller's wishes and whether learning is on.
// The holder of a parcel's link sees that parcel's only.
func (b *Book) Tags(ctx context.Context, a doorstep.Actor) (tags []TagState, learning bool, err error) {
	profile, err := b.profile(ctx, a)
	if err != nil {
		return nil, false, err
	}
	tags = profile.Overview(b.Now())
	if !a.IsPerson() {
		own := ForParcel(string(a.Waybill))
		tags = slices.DeleteFunc(tags, func(t TagState) bool { return t.Scope != own })
	}
	return tags, !profile.LearningOff, nil
}

// Notes are what the caller wrote to couriers, by scope. The holder of a parcel's
// link sees that parcel's only.
func (b *Book) Notes(ctx context.Context, a doorstep.Actor) (map[Scope]string, error) {
	all, err := b.Store.Notes(ctx, []doorstep.ConsumerID{a.Consumer})
	notes := all[a.Consumer]
	if !a.IsPerson() {
		own := ForParcel(string(a.Waybill))
		maps.DeleteFunc(notes, func(s Scope, _ string) bool { return s != own })
	}
	return notes, err
}

// Preferences is what a consumer asks for in one scope, as it arrived.
type Preferences struct {
	Tags      []string
	Note      string
	AddressID string
	Waybill   string
}

// SetPreferences replaces one scope: the parcel, the address, or with neither
// the standing wishes. Of contradicting tags the winner is kept.
func (b *Book) SetPreferences(ctx context.Context, a doorstep.Actor, in Preferences) (ScopeChange, error) {
	change := ScopeChange{At: b.Now()}
	var checks doorstep.Checks
	var tags []Tag
	for i, code := range in.Tags {
		tag, ok := ParseTag(code)
		if !ok {
			checks.Add(fmt.Sprintf("/tags/%d", i), "unknown_tag", "is not in the vocabulary")
		}
		tags = append(tags, tag)
	}
	var err error
	change.Note, err = doorstep.CheckText(in.Note, 0, maxNote)
	checks.Under("/note", err)
	change.Scope, err = b.scope(ctx, a, in.Waybill, in.AddressID, &checks)
	if err == nil {
		err = checks.Err()
	}
	if err != nil {
		return ScopeChange{}, err
	}
	change.Tags = Resolve(tags)
	for _, tag := range change.Tags {
		if c, ok := b.consentOf(tag, a, change.Scope, change.At); ok {
			change.Consents = append(change.Consents, c)
		}
	}
	return change, b.Store.ReplaceScope(ctx, a, change)
}

// scope reads which scope is meant and whether the caller may speak for it.
// Bad values go to checks.
func (b *Book) scope(ctx context.Context, a doorstep.Actor, waybill, addressID string, checks *doorstep.Checks) (Scope, error) {
	switch {
	case waybill != "" && addressID != "":
		checks.Add("/address_id", "one_scope_only", "give either waybill or address_id")
		return "", nil
	case waybill != "":
		w, err := doorstep.ParseWaybill(waybill)
		if err != nil {
			checks.Under("/waybill", err)
			return "", nil
		}
		_, err = b.Store.ParcelAddress(ctx, a, w)
		return ForParcel(string(w)), err
	case !a.IsPerson():
		return "", doorstep.ErrPersonRequired
	case addressID != "":
		id, err := doorstep.CheckID(addressID)
		checks.Under("/address_id", err)
		return AtAddress(id), nil
	}
	return Standing, nil
}

// consentOf is the consent that an explicit permission records.
func (b *Book) consentOf(tag Tag, a doorstep.Actor, scope Scope, at time.Time) (Consent, bool) {
	kind, ok := tag.Allows()
	return Consent{
		ID: b.NewID(a.Company), Kind: kind, Scope: scope, ReceiptMethod: Unspecified, ByPreference: true, GivenAt: at,
	}, ok
}

// Confirm makes a tag the consumer's own word: a standing preference.
func (b *Book) Confirm(ctx context.Context, a doorstep.Actor, code string) (TagState, error) {
	return b.say(a, code, func(tag Tag, at time.Time, consent *Consent) error {
		return b.Store.SetTag(ctx, a, tag, at, consent)
	})
}

// Correct puts another tag, such as its opposite, in the place of a wrong one.
// The wrong one is removed for good, the other is the consumer's own word.
func (b *Book) Correct(ctx context.Context, a doorstep.Actor, wrong, code string) (TagState, error) {
	removed, ok := ParseTag(wrong)
	if !ok {
		return TagState{}, doorstep.NotFound("tag", wrong)
	}
	var checks doorstep.Checks
	if _, ok := ParseTag(code); !ok {
		checks.Add("/tag", "unknown_tag", "is not in the vocabulary")
	}
	if code == wrong {
		checks.Add("/tag", "same_tag", "must be another tag than the one that it corrects")
	}
	if err := checks.Err(); err != nil {
		return TagState{}, err
	}
	return b.say(a, code, func(tag Tag, at time.Time, consent *Consent) error {
		return b.Store.CorrectTag(ctx, a, removed, tag, at, consent)
	})
}

// say records a standing preference by what keep does.
func (b *Book) say(a doorstep.Actor, code string, keep func(Tag, time.Time, *Consent) error) (TagState, error) {
	tag, ok := ParseTag(code)
	if !ok {
		return TagState{}, doorstep.NotFound("tag", code)
	}
	if !a.IsPerson() {
		return TagState{}, doorstep.ErrPersonRequired
	}
	now := b.Now()
	var consent *Consent
	if c, ok := b.consentOf(tag, a, Standing, now); ok {
		consent = &c
	}
	if err := keep(tag, now, consent); err != nil {
		return TagState{}, err
	}
	return TagState{
		Tag: tag, State: On, Level: Avoid, Explicit: true, Scope: Standing, Since: now, AskAgainAt: now.Add(askAgain),
	}, nil
}

// Remove takes a tag away. It is never silently learned again: for a year a new
// complaint only raises a question.
func (b *Book) Remove(ctx context.Context, a doorstep.Actor, code string) error {
	tag, ok := ParseTag(code)
	if !ok {
		return doorstep.NotFound("tag", code)
	}
	scope := Standing
	if !a.IsPerson() {
		scope = ForParcel(string(a.Waybill))
	}
	return b.Store.RemoveTag(ctx, a, tag, scope, b.Now())
}

// SetLearning switches learning from the caller's complaints on or off. Off,
// nothing new is learned and nothing learned counts.
func (b *Book) SetLearning(ctx context.Context, a doorstep.Actor, enabled bool) error {
	if !a.IsPerson() {
		return doorstep.ErrPersonRequired
	}
	return b.Store.SetLearning(ctx, a, enabled, b.Now())
}

func (b *Book) profile(ctx context.Context, a doorstep.Actor) (Profile, error) {
	all, err := b.Store.Profiles(ctx, []doorstep.ConsumerID{a.Consumer})
	return all[a.Consumer], err
}
