package kpi

import (
	"cmp"
	"slices"
	"time"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
)

// Signature is one record that says how a parcel ended: a sign-for of ours, in
// its versions, or a terminal scan of the carrier's, whose version is 0.
type Signature struct {
	Waybill    doorstep.Waybill
	Version    int
	Act        parcels.Act
	Method     parcels.Method // "" where a scan does not say
	CourierNo  int64
	At         time.Time
	ReceivedAt time.Time
}

// Carried is a dispatch of a parcel with what its courier was told.
type Carried struct {
	Waybill      doorstep.Waybill
	CourierNo    int64
	DispatchedAt time.Time
	ReceivedAt   time.Time
	Alerted      bool        // there was an alert that told of something
	Tags         []prefs.Tag // what it told of; none once that is erased
	DeliveredAt  time.Time   // to a phone; zero if it never was
	InformedAt   time.Time
}

// Handover is a parcel's first terminal sign-for: from then on it counts as
// delivered.
type Handover struct {
	Signature
	Carried Carried // by whoever had it then; zero if nobody is known to
	Blamed  bool    // somebody complained of the parcel
}

// Ending finds the handover of a parcel in all its signatures, those of a version
// in any order. False: what was signed was withdrawn, and nothing took its place.
func Ending(list []Signature) (h Handover, ok bool) {
	list = slices.SortedFunc(slices.Values(list), func(a, b Signature) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Version, b.Version))
	})
	last, withdrawn := Signature{}, 0
	for _, s := range list {
		if s.Version > last.Version {
			last = s
		}
		if s.Act == parcels.Withdrawn {
			withdrawn = max(withdrawn, s.Version)
		}
	}
	for _, s := range list {
		if s.Version != 0 && (s.Version <= withdrawn || s.Act == parcels.Withdrawn) {
			continue
		}
		if !ok {
			h.Signature, ok = s, true
		}
	}
	if ok && last.Version > withdrawn {
		h.Method = last.Method // as it was corrected
	}
	return h, ok
}

// carrier picks the dispatch that a handover ended: the last that we knew of when
// we heard of the handover.
func (h *Handover) carrier(list []Carried) {
	for _, c := range list {
		if !c.ReceivedAt.After(h.ReceivedAt) && !c.DispatchedAt.Before(h.Carried.DispatchedAt) {
			h.Carried = c
		}
	}
}

// Verdict says whether a handover was as the consignee wished.
type Verdict int

// The verdicts. A sign-for cannot judge every wish.
const (
	Unjudged Verdict = iota
	AsWished
	AgainstWish
)

// Judge holds how a parcel was handed over against the wishes that its courier
// was told of. Only wishes about the place and the person can be judged so.
func Judge(tags []prefs.Tag, method parcels.Method) Verdict {
	if method == "" {
		return Unjudged
	}
	verdict := Unjudged
	for _, tag := range tags {
		var against []parcels.Method
		switch tag {
		case prefs.NoLocker:
			against = []parcels.Method{parcels.InLocker}
		case prefs.NoPickupPoint:
			against = []parcels.Method{parcels.AtPickupPoint}
		case prefs.ToDoor:
			against = []parcels.Method{parcels.InLocker, parcels.AtPickupPoint}
		case prefs.SignInPerson:
			against = []parcels.Method{parcels.ByProxy, parcels.InLocker, parcels.AtPickupPoint, parcels.AtDoorstep}
		default:
			continue
		}
		if slices.Contains(against, method) {
			return AgainstWish
		}
		verdict = AsWished
	}
	return verdict
}

// TallyHandovers counts the parcels of a day. signed are all signatures of the
// parcels that have one on the day, carried their dispatches, blamed those that
// were complained of.
func TallyHandovers(day Day, signed map[doorstep.Waybill][]Signature, carried map[doorstep.Waybill][]Carried, blamed map[doorstep.Waybill]bool) Tally {
	t := Tally{}
	for waybill, list := range signed {
		h, ok := Ending(list)
		if !ok || h.At.Before(day.From) || !h.At.Before(day.To) {
			continue
		}
		h.carrier(carried[waybill])
		h.Blamed = blamed[waybill]
		key := Key{CourierNo: cmp.Or(h.CourierNo, h.Carried.CourierNo)}
		t[key] = t[key].Plus(h.counts())
	}
	return t
}

func (h Handover) counts() (n Counts) {
	n[Parcels] = 1
	if !h.Carried.Alerted {
		n[Unalerted] = 1
		n.add(UnalertedBlamed, h.Blamed)
		return n
	}
	before := func(t time.Time) bool { return !t.IsZero() && !t.After(h.ReceivedAt) }
	n[Alerted] = 1
	n.add(Delivered, before(h.Carried.DeliveredAt) || before(h.Carried.InformedAt))
	n.add(Informed, before(h.Carried.InformedAt))
	verdict := Judge(h.Carried.Tags, h.Method)
	n.add(Followed, verdict == AsWished)
	n.add(FollowedBlamed, verdict == AsWished && h.Blamed)
	n.add(Unfollowed, verdict == AgainstWish)
	n.add(UnfollowedBlamed, verdict == AgainstWish && h.Blamed)
	return n
}
