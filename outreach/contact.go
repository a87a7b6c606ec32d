package outreach

import (
	"context"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/push"
)

// Choice is what a consumer wants done with a parcel that is out.
type Choice string

// The choices that a pre-contact offers.
const (
	Door        Choice = "door"
	Locker      Choice = "locker"
	PickupPoint Choice = "pickup_point"
	Neighbour   Choice = "neighbour"
	OtherTime   Choice = "other_time" // needs a note that says when
)

// Choices lists them in the order in which the form offers them.
var Choices = []Choice{Door, Locker, PickupPoint, Neighbour, OtherTime}

// Tag is the wish that a choice is, if the vocabulary has it.
func (c Choice) Tag() (prefs.Tag, bool) {
	switch c {
	case Door:
		return prefs.ToDoor, true
	case Locker:
		return prefs.LockerOK, true
	case PickupPoint:
		return prefs.PickupPointOK, true
	case Neighbour:
		return prefs.FamilyMaySign, true
	}
	return "", false
}

// Replaces are the wishes for the parcel that a choice takes the place of: those
// that say where it goes or who takes it.
func (c Choice) Replaces() []prefs.Tag {
	if c == OtherTime {
		return nil
	}
	return []prefs.Tag{
		prefs.ToDoor, prefs.LockerOK, prefs.PickupPointOK, prefs.FamilyMaySign, prefs.LeaveAtDoorOK,
		prefs.NoLocker, prefs.NoPickupPoint, prefs.SignInPerson,
	}
}

const (
	// MaxWords bounds what a consumer adds to a choice, in runes: it stands in the
	// note to the courier behind our own words.
	MaxWords = 120

	maxContacts = 200 // pre-contacts of one courier, or of one outlet's manager, a day
)

// Out is a parcel that is out for delivery today.
type Out struct {
	Outlet    doorstep.OutletNo
	CourierNo int64
	Consumer  doorstep.ConsumerID
	Waybill   doorstep.Waybill
	Zone      *time.Location
	Flagged   bool // its courier was told of wishes that hold
	Day       int  // the outlet's
}

// Contact is a pre-contact of a parcel.
type Contact struct {
	Waybill   doorstep.Waybill
	SentAt    time.Time
	ExpiresAt time.Time
	New       bool // false: it was sent earlier today
}

// PreContact asks the consignee of a flagged parcel what to do with it, once a
// parcel and day. Couriers ask about parcels of their own run, managers about
// their outlet's.
func (d *Desk) PreContact(ctx context.Context, a doorstep.Actor, waybill string) (Contact, error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return Contact{}, doorstep.NotFound("parcel", "") // no such number can be ours
	}
	now := d.Now()
	out, err := d.Store.Out(ctx, a, w, now)
	if err != nil {
		return Contact{}, err
	}
	if !out.Flagged {
		return Contact{}, &doorstep.ConflictError{Code: "not_flagged", Detail: "the consignee has no wishes beyond the usual: deliver as usual"}
	}
	asker := string(a.Role)
	if a.Role == doorstep.RoleCourier {
		asker += ":" + a.Courier
	}
	letter, err := d.letter(Link{
		Outlet: out.Outlet, Kind: PreContact, Company: a.Company, Consumer: out.Consumer, Waybill: w, Asker: asker, Day: out.Day,
		CreatedAt: now, ExpiresAt: push.EndOfShift(now, out.Zone),
	})
	if err != nil {
		return Contact{}, err
	}
	return d.Store.AddContact(ctx, letter, maxContacts, evidence.Fact{
		ID: d.NewID(out.Outlet), Outlet: out.Outlet, Kind: evidence.Message, Source: evidence.Server, CourierNo: out.CourierNo, Waybill: w,
		OccurredAt: now, ReceivedAt: now,
		Fields: []evidence.Field{{Name: "template", Value: string(PreContact)}, {Name: "outcome", Value: "relayed"}, {Name: "asked_by", Value: string(a.Role)}},
	})
}

// ContactAnswer is what a consumer chose.
type ContactAnswer struct {
	Choice  Choice
	Consent *prefs.Consent // that a permission records, for this parcel
	Note    string         // to the courier
	Fact    evidence.Fact  // that it was chosen
	At      time.Time
	Locale  string // of the form
}

// AnswerContact makes a choice an instruction for the one parcel and, where it
// permits something, a consent. say is told the outlet's language and gives
// what the courier reads before the consumer's own words. The last answer counts
// while the link holds.
func (d *Desk) AnswerContact(ctx context.Context, secret string, choice Choice, words, locale string, say func(outletLocale string) string) error {
	link, err := d.open(ctx, secret, PreContact)
	if err != nil {
		return err
	}
	var checks doorstep.Checks
	if !slices.Contains(Choices, choice) {
		checks.Add("/choice", "unknown_choice", "must be door, locker, pickup_point, neighbour or other_time")
	}
	least := 0
	if choice == OtherTime {
		least = 1
	}
	words, err = doorstep.CheckText(words, least, MaxWords)
	checks.Under("/words", err)
	if err := checks.Err(); err != nil {
		return err
	}
	outletLocale, err := d.Store.OutletLocale(ctx, link.Outlet)
	if err != nil {
		return err
	}
	now := d.Now()
	answer := ContactAnswer{Choice: choice, Note: say(outletLocale), At: now, Locale: locale, Fact: evidence.Fact{
		ID: d.NewID(link.Outlet), Outlet: link.Outlet, Kind: evidence.Message, Source: evidence.Person, Waybill: link.Waybill,
		OccurredAt: now, ReceivedAt: now,
		Fields: []evidence.Field{{Name: "template", Value: string(PreContact)}, {Name: "outcome", Value: string(choice)}},
	}}
	if words != "" {
		answer.Note += " " + words
	}
	if tag, ok := choice.Tag(); ok {
		if kind, ok := tag.Allows(); ok {
			answer.Consent = &prefs.Consent{
				ID: d.NewID(link.Company), Kind: kind, Scope: prefs.ForParcel(string(link.Waybill)), ReceiptMethod: prefs.Unspecified,
				ByPreference: true, GivenAt: now,
			}
		}
	}
	return d.Store.AnswerContact(ctx, link.actor(), link, answer)
}
