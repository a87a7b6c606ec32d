// Package reading says what a consumer's words say: the category of the
// complaint, the wishes it teaches, and the words that decided. It reads
// Chinese (simplified, traditional, dialect) and English, offline and
// deterministically. What follows from a reading is for others to decide.
//
// Rules see what is spoken of and in which stance ("no" + "locker": refused);
// small networks, trained by Train on the rows of data/, read the words together
// with what the rules see in them, and decide.
package reading

import (
	"doorstep/complaints"
	"doorstep/prefs"
)

// MaxRunes is how much of a text is read; what follows is ignored, so that a
// text of any length costs a bounded time.
const MaxRunes = 4000

// MinConfidence is the confidence from which a tag is part of a reading. On authors
// whom the networks never saw, F1 is best at 0.5 (0.853) and 0.850 here, where an
// eighth fewer traps are taken and a tenth fewer of the texts that teach nothing
// get a tag: a wrong tag costs a courier's morning. What is learned needs more,
// prefs.LeastConfidence.
const MinConfidence = 0.55

// Reading is what one text says.
type Reading struct {
	Category        complaints.Category
	Confidence      float64 // of the category, 0..1
	CategoryBecause []Span
	Tags            []TagReading // sorted by tag; never two opposite tags
}

// TagReading is one wish that the text teaches.
type TagReading struct {
	Tag        prefs.Tag
	Confidence float64 // MinConfidence..1
	Because    []Span  // in order, not overlapping
}

// Span is a stretch of the text that was read, in runes: [Start, End).
type Span struct{ Start, End int }

// opposites cannot both be what one person wants now.
var opposites = [][2]prefs.Tag{
	{prefs.NoLocker, prefs.LockerOK},
	{prefs.NoPickupPoint, prefs.PickupPointOK},
	{prefs.NoCall, prefs.CallFirst},
	{prefs.EveningOnly, prefs.DaytimeOnly},
	{prefs.WeekendOnly, prefs.NoWeekend},
	{prefs.SignInPerson, prefs.FamilyMaySign},
}
