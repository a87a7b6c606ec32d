package parcels

import (
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Attempt is one delivery that did not end in a sign-for. A parcel's attempts are
// numbered as they reached us.
type Attempt struct {
	ID         string
	No         int
	ClientID   string // the phone's own
	CourierNo  int64
	Outcome    string
	Reason     string
	At         time.Time // the phone's clock
	ReceivedAt time.Time // ours
}

// FreeAttempts is how many failed deliveries a consignee has before a parcel may
// be sent back or elsewhere, or another delivery charged: Guangzhou Express
// Regulations, in force since 2023-07-01.
const FreeAttempts = 2

// Outcomes of an attempt: it failed, the consignee refused the parcel, or asked
// for another time.
const (
	Failed    = "failed"
	Refused   = "refused"
	Postponed = "postponed"
)

// Outcomes lists them.
var Outcomes = []string{Failed, Refused, Postponed}

// Reasons are why an attempt ended as it did. Of those that are the carrier's own
// nothing counts against the consignee.
var Reasons = []AttemptReason{
	{"nobody_home", false}, {"no_answer", false}, {"no_access", false}, {"wrong_address", false}, {"incomplete_address", false},
	{"refused_parcel", false}, {"asked_for_another_time", false}, {"no_consent", false},
	{"out_of_time", true}, {"bad_weather", true}, {"vehicle_trouble", true}, {"parcel_damaged", true}, {"other", false},
}

// AttemptReason is one of the vocabulary.
type AttemptReason struct {
	Code     string
	Carriers bool // the carrier's own
}

// Counts says whether the attempt is one of the free ones. Phones that upload it
// among their other evidence use words of their own; such a word counts.
func (a Attempt) Counts() bool {
	if a.Outcome == Refused || a.Outcome == Postponed {
		return false
	}
	return !slices.Contains(Reasons, AttemptReason{Code: a.Reason, Carriers: true})
}

// AttemptOf reads an attempt out of the record that a phone uploaded. Words that
// are not of the vocabulary stay in the record alone.
func AttemptOf(f evidence.Fact) (a Attempt) {
	for _, field := range f.Fields {
		word, _ := field.Value.(string)
		switch {
		case field.Name == "outcome" && slices.Contains(Outcomes, word):
			a.Outcome = word
		case (field.Name == "reason" || field.Name == "outcome") && isReason(word):
			a.Reason = word
		}
	}
	return a
}

func isReason(word string) bool {
	return slices.ContainsFunc(Reasons, func(r AttemptReason) bool { return r.Code == word })
}

// Way is what may be done next with a parcel.
type Way string

// The ways. Another free delivery is always one, until the parcel is signed for.
const (
	Deliver Way = "deliver"
	Return  Way = "return"
	Reroute Way = "reroute"
)

// Tally is what a parcel's attempts come to.
type Tally struct {
	Made     int // all
	Counted  int // of them failed ones that are not the carrier's own
	FreeLeft int
	Next     []Way
}

// Chargeable says whether the free attempts are used up.
func (t Tally) Chargeable() bool { return t.FreeLeft == 0 }

// TallyOf applies the two-free-attempts rule. A parcel that its consignee refused
// may go back at once: that is his word.
func TallyOf(attempts []Attempt, signed bool) Tally {
	t := Tally{Made: len(attempts)}
	refused := false
	for _, a := range attempts {
		if a.Counts() {
			t.Counted++
		}
		refused = refused || a.Outcome == Refused
	}
	t.FreeLeft = max(0, FreeAttempts-t.Counted)
	switch {
	case signed:
	case t.Chargeable():
		t.Next = []Way{Deliver, Return, Reroute}
	case refused:
		t.Next = []Way{Deliver, Return}
	default:
		t.Next = []Way{Deliver}
	}
	return t
}

// AttemptOrder is an attempt as a phone sends it.
type AttemptOrder struct {
	Outcome     string
	Reason      string
	At          string
	EvidenceIDs []string // the phone's own ids of records that show it
	Location    *LocationOrder
	PhotoSHA256 string
	ClientID    string
}

// maxShown bounds how many records an attempt names.
const maxShown = 20

func (o AttemptOrder) check(now time.Time, checks *doorstep.Checks) (a Attempt, clientID string, shown []evidence.Field, at *Location) {
	a = Attempt{Outcome: o.Outcome, Reason: o.Reason, ReceivedAt: now}
	if !slices.Contains(Outcomes, o.Outcome) {
		checks.Add("/outcome", "unknown_outcome", "must be failed, refused or postponed")
	}
	if !isReason(o.Reason) {
		checks.Add("/reason", "unknown_reason", "is not in the vocabulary")
	}
	a.At = doorstep.ParseEventTime("/at", o.At, now, checks)
	if len(o.EvidenceIDs) > maxShown {
		checks.Add("/evidence_ids", "too_many", "must be at most 20")
	}
	for i, id := range o.EvidenceIDs {
		_, err := doorstep.CheckID(id)
		checks.Under(fmt.Sprintf("/evidence_ids/%d", i), err)
	}
	if len(o.EvidenceIDs) > 0 {
		shown = append(shown, evidence.Field{Name: "evidence_ids", Value: o.EvidenceIDs})
	}
	if photo := checkDigest(o.PhotoSHA256, checks); photo != "" {
		shown = append(shown, evidence.Field{Name: "photo_sha256", Value: photo})
	}
	at = o.Location.check(checks)
	return a, checkClientID(o.ClientID, checks), append(shown, at.fields()...), at
}

// Fact is the attempt as evidence: the very record that a phone may upload among
// others, so that both under one id are one attempt.
func (a Attempt) Fact(c Custody, clientID string, shown []evidence.Field) evidence.Fact {
	sent := []evidence.Field{{Name: "outcome", Value: a.Outcome}, {Name: "reason", Value: a.Reason}}
	return evidence.Fact{
		ID: a.ID, Outlet: c.Outlet, Kind: evidence.Attempt, Source: evidence.Device, CourierNo: a.CourierNo, Waybill: c.Waybill,
		OccurredAt: a.At, ReceivedAt: a.ReceivedAt, ClientID: clientID, Fields: sent, Derived: shown,
	}
}
