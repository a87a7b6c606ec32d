package prefs

import (
	"cmp"
	"slices"
	"time"
)

// Sign says what a piece of evidence is a sign of. It is evidence of what the
// consumer wants; whether anybody was at fault is decided elsewhere and changes
// nothing here.
type Sign string

// The signs.
const (
	Complained  Sign = "complaint" // a complaint about a parcel said so
	Remarked    Sign = "remark"    // said in a chat and not confirmed
	MarkedRight Sign = "right"     // a courier or an outlet says that the tag is right
	MarkedWrong Sign = "wrong"     // or that it is wrong
	AgreedOnce  Sign = "agreed"    // the consumer agreed to the opposite for one parcel
	Undisturbed Sign = "silence"   // the opposite was done, and no complaint came within 7 days
)

// What a piece of evidence weighs, at most, when it is new.
const (
	CategoryWeight = 4.0 // a complaint whose category names the wish, or whose text says so for certain
	RemarkWeight   = 1.0
	RightWeight    = 2.0
	WrongWeight    = 4.0 // less than a complaint with its prior: the consumer's own words outweigh one click
	AgreedWeight   = 2.0 // one parcel says little about the next
	SilenceWeight  = 0.5 // and silence less
)

// LeastConfidence is what a reading of free text needs to teach at all.
const LeastConfidence = 0.6

// TextWeight is what a complaint's text teaches about a tag that it was read to
// express with the given confidence (0..1). Below LeastConfidence it is 0.
func TextWeight(confidence float64) float64 {
	if confidence < LeastConfidence {
		return 0
	}
	return CategoryWeight * min(confidence, 1)
}

// Limits of what may count within a time, however often it is said.
const (
	complaintsCount = 8.0 // weight, within complaintWindow
	complaintWindow = 30 * 24 * time.Hour
	silenceCounts   = 2.0 // weight, within one half-life

	// VerdictWindow is how long one person's "right" about a tag is not counted
	// again.
	VerdictWindow = 30 * 24 * time.Hour
)

// MostKept is how many complaints that taught a tag, and how many other signs of
// it, are kept of one consumer: more would change nothing that matters.
const MostKept = 32

// Evidence is one sign of what a consumer wants.
type Evidence struct {
	Tag       Tag
	Sign      Sign   // "" = Complained
	SourceID  string // what it came from: a complaint's id
	Category  string // of the complaint
	Waybill   string // of the parcel; empty when unknown
	AddressID string // where it happened; empty when unknown
	By        string // whose verdict it is
	Weight    float64
	At        time.Time
}

// window is how much weight of such evidence may count within a time. No time
// means that there is no limit.
func (e Evidence) window() (most float64, within time.Duration) {
	switch e.sign() {
	case Complained:
		return complaintsCount, complaintWindow
	case MarkedRight:
		return RightWeight, VerdictWindow // of the same person
	case Undisturbed:
		return silenceCounts, halfLife
	}
	return 0, 0
}

func (e Evidence) sign() Sign {
	if e.Sign == "" {
		return Complained
	}
	return e.Sign
}

// said says whether the consumer himself said so.
func (e Evidence) said() bool { return e.sign() == Complained || e.Sign == Remarked }

// supports says whether it speaks for its tag.
func (e Evidence) supports() bool { return e.said() || e.Sign == MarkedRight }

// Signs lists them, in the order in which they are taken when they are of one
// instant.
var Signs = []Sign{Complained, Remarked, MarkedRight, MarkedWrong, AgreedOnce, Undisturbed}

// compareEvidence orders evidence by time. Whatever the order in which rows are
// read, the same ones are taken in the same order.
func compareEvidence(a, b Evidence) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(slices.Index(Signs, a.sign()), slices.Index(Signs, b.sign())), cmp.Compare(a.Tag, b.Tag),
		cmp.Compare(a.Waybill, b.Waybill), cmp.Compare(a.AddressID, b.AddressID), cmp.Compare(a.SourceID, b.SourceID), cmp.Compare(a.Weight, b.Weight))
}

// SortEvidence puts evidence into the order in which it is taken. It need not be
// sorted to be weighed; sorted it costs less.
func SortEvidence(list []Evidence) {
	if !slices.IsSortedFunc(list, compareEvidence) {
		slices.SortFunc(list, compareEvidence)
	}
}
