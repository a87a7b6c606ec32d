package complaints

import (
	"slices"
	"time"

	"doorstep"
	"doorstep/prefs"
)

// Status is how far a complaint has come.
type Status string

// The states.
const (
	Filed             Status = "filed"
	InProgress        Status = "in_progress"
	Answered          Status = "answered"
	Confirmed         Status = "confirmed"
	Disputed          Status = "disputed"
	ClosedUnconfirmed Status = "closed_unconfirmed"
	Reopened          Status = "reopened"
	Withdrawn         Status = "withdrawn"
)

// Statuses lists them.
var Statuses = []Status{Filed, InProgress, Answered, Confirmed, Disputed, ClosedUnconfirmed, Reopened, Withdrawn}

// Complaint is one consumer's grievance about one parcel.
type Complaint struct {
	ID         string
	Company    doorstep.CompanyNo
	Outlet     doorstep.OutletNo
	OutletID   string // the carrier's
	OutletName string
	Waybill    doorstep.Waybill
	Consumer   doorstep.ConsumerID
	CourierNo  int64 // who had the parcel; 0 if nobody yet
	CourierID  string
	Category   Category
	Status     Status
	Text       string // with what was added since, oldest first
	Channel    string // where it came in
	Learned    []prefs.Tag
	FiledAt    time.Time
	ReceivedAt time.Time
	PromiseDue time.Time
	LegalDue   time.Time
	RepeatOf   string // an earlier complaint of the same consumer and category

	Merged bool // an answer to filing: it was open already
}

// PromiseClock and LegalClock are the complaint's deadlines.
func (c Complaint) PromiseClock() Clock { return Clock{From: c.FiledAt, Due: c.PromiseDue} }

// LegalClock runs from filing to the regulator's limit.
func (c Complaint) LegalClock() Clock { return Clock{From: c.FiledAt, Due: c.LegalDue} }

// RepeatWindow is how far back an earlier complaint of the same consumer and
// category makes this one a repeat: 30 times 24 hours between filings.
const RepeatWindow = 30 * 24 * time.Hour

// implied is the wish behind a category that a person chose. A category that
// was only read from the text teaches nothing: its tags were read too.
var implied = map[Category]prefs.Tag{
	LockerWithoutConsent:      prefs.NoLocker,
	PickupPointWithoutConsent: prefs.NoPickupPoint,
	NotToDoor:                 prefs.ToDoor,
	NoCallBeforeDelivery:      prefs.CallFirst,
}

// Lessons is what a complaint teaches, sorted by tag: what its text was read to
// wish, and the wish behind the category if a person chose it and the text does
// not say the opposite.
func Lessons(read Reading, chosen Category) []prefs.Evidence {
	var list []prefs.Evidence
	for _, t := range read.Tags {
		if w := prefs.TextWeight(t.Confidence); w > 0 {
			list = append(list, prefs.Evidence{Tag: t.Tag, Weight: w})
		}
	}
	if tag, ok := implied[chosen]; ok {
		contradicted := slices.ContainsFunc(list, func(e prefs.Evidence) bool { return slices.Contains(tag.Opposites(), e.Tag) })
		at := slices.IndexFunc(list, func(e prefs.Evidence) bool { return e.Tag == tag })
		switch {
		case at >= 0:
			list[at].Weight = prefs.CategoryWeight
		case !contradicted:
			list = append(list, prefs.Evidence{Tag: tag, Weight: prefs.CategoryWeight})
		}
	}
	slices.SortFunc(list, func(a, b prefs.Evidence) int {
		return slices.Index(prefs.Tags, a.Tag) - slices.Index(prefs.Tags, b.Tag)
	})
	return list
}
