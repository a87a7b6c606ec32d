package prefs

import (
	"slices"
	"time"
)

// Questions lists, in the vocabulary's order, the tags that wait for the
// consumer's word at now because of what a complaint just taught: those that it
// speaks for, and the permissions that it speaks against.
func (p Profile) Questions(taught []Tag, now time.Time) (ask []Tag) {
	for _, t := range p.Overview(now) {
		concerned := slices.Contains(taught, t.Tag) || slices.ContainsFunc(t.Tag.Opposites(), func(o Tag) bool { return slices.Contains(taught, o) })
		if concerned && t.State == Asked && t.Scope == Standing && !slices.Contains(ask, t.Tag) {
			ask = append(ask, t.Tag)
		}
	}
	return ask
}

// ForAnswer is where the note of an answer about one parcel is kept, beside what
// the consumer wrote as a note of one's own.
func ForAnswer(waybill string) Scope { return Scope("answer:" + waybill) }
