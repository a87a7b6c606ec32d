package parcels

import (
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
)

// Method says who took a parcel, or where it was left.
type Method string

// The methods. All but the first need the consignee's consent.
const (
	InPerson      Method = "in_person"
	ByProxy       Method = "proxy"
	InLocker      Method = "locker"
	AtPickupPoint Method = "pickup_point"
	AtDoorstep    Method = "doorstep"
)

// Methods lists them.
var Methods = []Method{InPerson, ByProxy, InLocker, AtPickupPoint, AtDoorstep}

// Needs is the kind of consent that a method needs, if it needs one.
func (m Method) Needs() (prefs.ConsentKind, bool) {
	kind := prefs.ConsentKind(m)
	return kind, slices.Contains(prefs.ConsentKinds, kind)
}

// Act says what a record of a parcel's sign-for does.
type Act string

// The acts.
const (
	Signed    Act = "sign_for"
	Corrected Act = "correction" // another method, or better facts
	Withdrawn Act = "withdrawal" // nothing was signed for
)

// Ground says why a record was allowed.
type Ground string

// The grounds.
const (
	ToConsignee Ground = "in_person" // needs nobody's leave
	ByConsent   Ground = "consent"
	ByOverride  Ground = "override"  // a named manager took it upon himself
	NotSigned   Ground = "withdrawn" // a withdrawal leaves nothing to allow
)

// Grounds lists them.
var Grounds = []Ground{ToConsignee, ByConsent, ByOverride, NotSigned}

// SignFor is one record of how a parcel was handed over. A parcel's records are
// versions: each takes the place of the one before, and all stay.
type SignFor struct {
	ID         string
	Waybill    doorstep.Waybill
	Version    int // 1, 2, ...
	Act        Act
	Method     Method // "" of a withdrawal
	Ground     Ground
	ConsentID  string // of ByConsent
	CourierNo  int64
	At         time.Time // the phone's clock
	ReceivedAt time.Time // ours
	Details
	By     string // the manager who overrode or corrected
	Reason string // of an override, a correction or a withdrawal
}

// Details are what a sign-for says beside its method.
type Details struct {
	Facility         string
	PhotoSHA256      string
	PickupCodeIssued bool
	Location         *Location
}

// Location is where a phone says that it was: degrees (WGS 84) and metres.
type Location struct{ Lat, Lng, AccuracyM float64 }

// LateAfter is from when on a record counts as late: evidence.md, 1.2. It is only
// marked. LatestSignFor is how old one may be; beyond it a manager has to look.
const (
	LateAfter     = 15 * time.Minute
	LatestSignFor = 72 * time.Hour
)

// Late says whether the record arrived long after what it tells of.
func (s SignFor) Late() bool { return s.ReceivedAt.Sub(s.At) > LateAfter }

// judgedAt is the moment as of which consent is asked for: a phone whose clock is
// ahead does not reach into the future.
func (s SignFor) judgedAt() time.Time {
	if s.At.After(s.ReceivedAt) {
		return s.ReceivedAt
	}
	return s.At
}

// Fact is the record as evidence. What the phone sent, and nothing of what we
// made of it, tells its repeat from other content under its id.
func (s SignFor) Fact(c Custody, clientID string) evidence.Fact {
	f := evidence.Fact{
		ID: s.ID, Outlet: c.Outlet, Kind: evidence.SignFor, Source: evidence.Device, CourierNo: s.CourierNo, Waybill: c.Waybill,
		OccurredAt: s.At, ReceivedAt: s.ReceivedAt, ClientID: clientID,
	}
	if s.Act != Signed {
		f.Kind = evidence.Correction
	}
	if s.By != "" {
		f.Source = evidence.Person
	}
	add := func(name string, value any) { f.Fields = append(f.Fields, evidence.Field{Name: name, Value: value}) }
	add("act", string(s.Act))
	for _, text := range []struct{ name, value string }{
		{"method", string(s.Method)}, {"facility", s.Facility}, {"photo_sha256", s.PhotoSHA256}, {"by", s.By}, {"reason", s.Reason},
	} {
		if text.value != "" {
			add(text.name, text.value)
		}
	}
	if s.PickupCodeIssued {
		add("pickup_code_issued", true)
	}
	f.Fields = append(f.Fields, s.Location.fields()...)
	f.Derived = append(s.Location.distance(c.Door), evidence.Field{Name: "ground", Value: string(s.Ground)})
	if s.ConsentID != "" {
		f.Derived = append(f.Derived, evidence.Field{Name: "consent_id", Value: s.ConsentID})
	}
	return f
}

func (l *Location) fields() []evidence.Field {
	if l == nil {
		return nil
	}
	return []evidence.Field{{Name: "lat", Value: l.Lat}, {Name: "lng", Value: l.Lng}, {Name: "accuracy_m", Value: l.AccuracyM}}
}

// distance is how far from the door the phone was at the least. Nothing can be said
// where either place is unknown.
func (l *Location) distance(door *evidence.Point) []evidence.Field {
	if l == nil || door == nil {
		return nil
	}
	fix := evidence.Fix{Point: evidence.Point{Lat: l.Lat, Lng: l.Lng}, AccuracyM: l.AccuracyM}
	return []evidence.Field{fix.Distance(*door)}
}

// Bounds of what a sign-for may say, in runes and metres.
const (
	maxFacility = 200
	maxReason   = 500
	maxAccuracy = 100_000
)

// SignOrder is a sign-for as a phone or a manager's page sends it.
type SignOrder struct {
	Method           string
	At               string
	Location         *LocationOrder
	PhotoSHA256      string
	Facility         string
	PickupCodeIssued bool
	ClientID         string
}

// check reads an order, received at now.
func (o SignOrder) check(now time.Time, checks *doorstep.Checks) (s SignFor, clientID string) {
	s = SignFor{Act: Signed, Method: o.method(checks), ReceivedAt: now, At: checkMoment(o.At, now, checks), Details: o.details(checks)}
	return s, checkClientID(o.ClientID, checks)
}

func (o SignOrder) method(checks *doorstep.Checks) Method {
	if !slices.Contains(Methods, Method(o.Method)) {
		checks.Add("/method", "unknown_method", "must be in_person, proxy, locker, pickup_point or doorstep")
	}
	return Method(o.Method)
}

func (o SignOrder) details(checks *doorstep.Checks) Details {
	d := Details{PickupCodeIssued: o.PickupCodeIssued, Location: o.Location.check(checks)}
	var err error
	d.Facility, err = doorstep.CheckText(o.Facility, 0, maxFacility)
	checks.Under("/facility", err)
	d.PhotoSHA256 = checkDigest(o.PhotoSHA256, checks)
	return d
}

func checkMoment(text string, now time.Time, checks *doorstep.Checks) time.Time {
	at := doorstep.ParseEventTime("/at", text, now, checks)
	if !at.IsZero() && now.Sub(at) > LatestSignFor {
		checks.Add("/at", "too_late", "is more than 72 h ago; the outlet's manager can still enter it")
	}
	return at
}

func checkDigest(text string, checks *doorstep.Checks) string {
	raw, err := hex.DecodeString(text)
	if text != "" && (err != nil || len(raw) != 32) {
		checks.Add("/photo_sha256", "invalid_sha256", "must be 64 hexadecimal digits")
	}
	return hex.EncodeToString(raw)
}

// LocationOrder is a location as it arrived: each part may be missing.
type LocationOrder struct{ Lat, Lng, AccuracyM *float64 }

func (o *LocationOrder) check(checks *doorstep.Checks) *Location {
	if o == nil {
		return nil
	}
	number := func(name string, given *float64, least, most float64) float64 {
		if given == nil || math.IsNaN(*given) || *given < least || *given > most {
			checks.Add("/location/"+name, "out_of_range", "is missing or out of range")
			return 0
		}
		return *given
	}
	return &Location{
		Lat: number("lat", o.Lat, -90, 90), Lng: number("lng", o.Lng, -180, 180),
		AccuracyM: number("accuracy_m", o.AccuracyM, 0, maxAccuracy),
	}
}

// checkClientID reads the id that a phone made of what it sends: a UUID, as of
// its other evidence.
func checkClientID(text string, checks *doorstep.Checks) string {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		checks.Add("/client_id", "invalid_uuid", "must be a UUID made by the phone")
	}
	return id.String()
}

func checkReason(text string, checks *doorstep.Checks) string {
	reason, err := doorstep.CheckText(text, 1, maxReason)
	checks.Under("/reason", err)
	return reason
}
