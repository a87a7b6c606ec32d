package people

import (
	"slices"
	"time"

	"doorstep/parcels"
	"doorstep/prefs"
)

// Contact is how a courier announces himself.
type Contact string

// The contacts.
const (
	None    Contact = "none"
	Call    Contact = "call"
	Message Contact = "message"
)

// Habits of couriers who know of no wish, all guesses: of the easy ways the
// locker, then how they announce themselves, ring, and photograph.
const (
	lockerOfEasy = 0.6
	calls        = 0.5
	messages     = 0.2
	rings        = 0.7
	photographs  = 0.3
)

// Handover is what a courier does with a parcel.
type Handover struct {
	Place   parcels.Method
	Contact Contact
	Rings   bool // the doorbell
	Photo   bool
	Falsely bool // signed for as handed over, and left elsewhere
}

// Intends is what the courier sets out to do, told of some wishes or of none.
func (t *Town) Intends(p Parcel, told []prefs.Tag) Handover {
	h := Handover{Place: parcels.InPerson, Contact: None, Rings: p.Bell < rings, Photo: p.Photo < photographs}
	if p.Easy < t.Outlets[t.Couriers[t.Consumers[p.Consumer].Courier].Outlet].Habit {
		h.Place = parcels.AtPickupPoint
		if p.Spot < lockerOfEasy {
			h.Place = parcels.InLocker
		}
	}
	switch {
	case p.Contact < calls:
		h.Contact = Call
	case p.Contact < calls+messages:
		h.Contact = Message
	}
	if p.Followed >= t.Followed {
		return h
	}
	for _, tag := range told {
		h.heed(tag)
	}
	return h
}

// heed changes what is done so that a wish is met.
func (h *Handover) heed(tag prefs.Tag) {
	switch tag {
	case prefs.NoLocker, prefs.NoPickupPoint, prefs.ToDoor:
		if h.Against(tag) {
			h.Place = parcels.InPerson
		}
	case prefs.CallFirst:
		h.Contact = Call
	case prefs.MessageFirst:
		h.Contact = Message
	case prefs.NoCall:
		if h.Contact == Call {
			h.Contact = Message
		}
	case prefs.NoDoorbell:
		h.Rings = false
	case prefs.PhotoProof:
		h.Photo = true
	}
}

// Against says whether it goes against a wish.
func (h Handover) Against(tag prefs.Tag) bool {
	switch tag {
	case prefs.NoLocker:
		return h.Place == parcels.InLocker
	case prefs.NoPickupPoint:
		return h.Place == parcels.AtPickupPoint
	case prefs.ToDoor:
		return h.Place != parcels.InPerson
	case prefs.CallFirst:
		return h.Contact != Call
	case prefs.MessageFirst:
		return h.Contact != Message
	case prefs.NoCall:
		return h.Contact == Call
	case prefs.NoDoorbell:
		return h.Rings && h.Place == parcels.InPerson
	case prefs.PhotoProof:
		return !h.Photo
	}
	return false
}

// Refusal is what a courier does where the gate refuses a locker or a pickup
// point.
type Refusal int

// The ways out.
const (
	GoesToTheDoor Refusal = iota
	SignsFalsely
	AsksTheManager
)

// WhenRefused is the way out that is taken.
func (t *Town) WhenRefused(p Parcel) Refusal {
	switch {
	case p.Refused < t.Falsely:
		return SignsFalsely
	case p.Refused < t.Falsely+t.Override:
		return AsksTheManager
	}
	return GoesToTheDoor
}

// Grievance is what a consumer complains of: a wish that was gone against, a
// false sign-for, or a mishap that is neither.
type Grievance struct {
	Wish      prefs.Tag
	FalseSign bool
	At        time.Time
}

// complainsWithin is how long after a handover complaints come; as in the
// backtest's town.
const complainsWithin = 48

// Grieves says whether the consumer complains of a handover, and of what. Who
// was wronged twice speaks of either by lot.
func (t *Town) Grieves(p Parcel, h Handover) (g Grievance, grieves bool) {
	who := t.Consumers[p.Consumer]
	wrongs := slices.DeleteFunc(slices.Clone(who.Wishes), func(tag prefs.Tag) bool { return !h.Against(tag) })
	if h.Falsely {
		wrongs = append(wrongs, "")
	}
	g.At = p.At.Add(time.Minute + hours(complainsWithin*p.Filed))
	if !who.Speaks {
		return g, false
	}
	if len(wrongs) == 0 {
		return g, p.Mishap < t.Mishaps
	}
	g.Wish = wrongs[int(p.Wish*float64(len(wrongs)))]
	g.FalseSign = g.Wish == ""
	return g, p.Complains < t.Complains
}
