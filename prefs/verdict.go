package prefs

import (
	"context"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Verdict is what a courier or an outlet's manager says of a tag at a door.
type Verdict string

// The verdicts.
const (
	Right Verdict = "right"
	Wrong Verdict = "wrong"
)

// Evidence is what a verdict is a sign of, and its weight.
func (v Verdict) Evidence() (Sign, float64) {
	if v == Right {
		return MarkedRight, RightWeight
	}
	return MarkedWrong, WrongWeight
}

// Judged is a parcel whose tags somebody may judge.
type Judged struct {
	Outlet    doorstep.OutletNo
	Consumer  doorstep.ConsumerID
	AddressID string
	CourierNo int64 // of a courier who judges; 0 of a manager
	Told      []Tag // what its courier was ever told
}

// Opinion is a verdict with all that is kept of it.
type Opinion struct {
	Judged
	Tag     Tag
	Waybill doorstep.Waybill
	Verdict Verdict
	Learned bool // it is about what was learned, not about what the consumer said
	At      time.Time
	Fact    evidence.Fact
}

// Learning says how the learning of one tag does at a carrier: what couriers and
// outlets said of it since it was last resumed.
type Learning struct {
	Tag      Tag
	Verdicts int
	Wrong    int
	PausedAt time.Time // zero: it goes on
}

// Learning pauses where more than three in ten of at least fifty verdicts are
// "wrong".
const (
	fewestVerdicts      = 50
	mostWrong, ofSoMany = 3, 10
)

// Fails says whether so much was wrong that learning must pause.
func (l Learning) Fails() bool {
	return l.Verdicts >= fewestVerdicts && l.Wrong*ofSoMany > l.Verdicts*mostWrong
}

// VerdictStore is what a Panel needs kept.
type VerdictStore interface {
	// Judged finds a parcel that was dispatched to the calling courier, or at the
	// calling manager's outlet. Others give ErrNotFound.
	Judged(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (Judged, error)
	// Profiles is that of Store.
	Profiles(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]Profile, error)
	// AddVerdict keeps a verdict with its fact, its weight as evidence if it is
	// about what was learned, and its place in the count of the company, all in
	// one transaction. The same verdict again changes nothing; another one of the
	// same person takes its place. It says since when the verdict stands, and
	// whether it was the one that paused the tag's learning.
	AddVerdict(ctx context.Context, a doorstep.Actor, o Opinion) (since time.Time, paused bool, err error)
	// Learning lists the tags of which there are verdicts, sorted.
	Learning(ctx context.Context, company doorstep.CompanyNo) ([]Learning, error)
	// ResumeLearning lets a paused tag be learned again and counts anew; another
	// tag it leaves as it is.
	ResumeLearning(ctx context.Context, company doorstep.CompanyNo, tag Tag, at time.Time) error
}

// Panel takes what couriers and outlets say of tags, and watches over what is
// learned.
type Panel struct {
	Store  VerdictStore
	Now    func() time.Time
	NewID  doorstep.IDMaker
	Paused func(Tag) // told when learning pauses; nil: nobody
}

// Judge takes one verdict and gives it back as it stands. A tag that nothing is known of at the parcel's
// consignee is not there.
func (p *Panel) Judge(ctx context.Context, a doorstep.Actor, waybill, code, verdict string) (Opinion, error) {
	o := Opinion{Verdict: Verdict(verdict), At: p.Now()}
	var known bool
	if o.Tag, known = ParseTag(code); !known {
		return o, doorstep.NotFound("tag", code)
	}
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return o, doorstep.NotFound("parcel", waybill)
	}
	o.Waybill = w
	if o.Verdict != Right && o.Verdict != Wrong {
		return o, &doorstep.InvalidError{Fields: []doorstep.FieldError{{Pointer: "/verdict", Code: "unknown_verdict", Detail: "must be right or wrong"}}}
	}
	if o.Judged, err = p.Store.Judged(ctx, a, o.Waybill); err != nil {
		return o, err
	}
	profiles, err := p.Store.Profiles(ctx, []doorstep.ConsumerID{o.Consumer})
	if err != nil {
		return o, err
	}
	if o.Learned, known = profiles[o.Consumer].knows(o.Tag, o.Judged, o.Waybill); !known {
		return o, doorstep.NotFound("tag", code)
	}
	o.Fact = evidence.Fact{
		ID: p.NewID(o.Outlet), Outlet: o.Outlet, Kind: evidence.TagVerdict, Source: evidence.Person, CourierNo: o.CourierNo,
		Waybill: o.Waybill, OccurredAt: o.At, ReceivedAt: o.At,
		Fields: []evidence.Field{{Name: "tags", Value: []Tag{o.Tag}}, {Name: "verdict", Value: o.Verdict}},
	}
	if a.Subject != "" {
		o.Fact.Fields = append(o.Fact.Fields, evidence.Field{Name: "by", Value: a.Subject})
	}
	var paused bool
	o.At, paused, err = p.Store.AddVerdict(ctx, a, o)
	if err == nil && paused && p.Paused != nil {
		p.Paused(o.Tag)
	}
	return o, err
}

// knows says whether a tag can be judged at a parcel - its courier was told, or
// something is known of it - and whether what is judged was learned.
func (p Profile) knows(tag Tag, j Judged, w doorstep.Waybill) (learned, known bool) {
	for _, pref := range p.Preferences {
		if pref.On && pref.Tag == tag && slices.Contains([]Scope{Standing, ForParcel(string(w)), AtAddress(j.AddressID)}, pref.Scope) {
			return false, true
		}
	}
	taught := slices.ContainsFunc(p.Evidence, func(e Evidence) bool { return e.Tag == tag })
	return taught, taught || slices.Contains(j.Told, tag)
}

// Learning lists how each tag of which there are verdicts does at the carrier.
func (p *Panel) Learning(ctx context.Context, a doorstep.Actor) ([]Learning, error) {
	return p.Store.Learning(ctx, a.Company)
}

// Resume lets a paused tag be learned again. What counts is then said anew.
func (p *Panel) Resume(ctx context.Context, a doorstep.Actor, code string) (Learning, error) {
	tag, ok := ParseTag(code)
	if !ok {
		return Learning{}, doorstep.NotFound("tag", code)
	}
	if err := p.Store.ResumeLearning(ctx, a.Company, tag, p.Now()); err != nil {
		return Learning{}, err
	}
	list, err := p.Store.Learning(ctx, a.Company)
	for _, l := range list {
		if l.Tag == tag {
			return l, err
		}
	}
	return Learning{Tag: tag}, err
}
