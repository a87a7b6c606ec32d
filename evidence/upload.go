package evidence

import (
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"doorstep"
)

// MaxUpload is how many records a phone may send at once.
const MaxUpload = 500

// Upload is one record as a courier's phone sends it. Which fields it may
// carry depends on its kind; a field of another kind is refused.
type Upload struct {
	ID         string // a UUID that the phone made: sending it again changes nothing
	Kind       string
	Waybill    string
	OccurredAt string

	Direction *string  // call
	DurationS *float64 // call
	Outcome   *string  // call, message, attempt
	Channel   *string  // message
	Template  *string  // message
	Reason    *string  // attempt
	Lat       *float64 // location
	Lng       *float64 // location
	AccuracyM *float64 // location
	SHA256    *string  // photo
	TakenAt   *string  // photo
}

// The vocabularies of uploads.
var (
	directions      = []string{"outgoing", "incoming"}
	callOutcomes    = []string{"answered", "no_answer", "busy", "rejected", "failed"}
	channels        = []string{"sms", "app", "other"}
	messageOutcomes = []string{"sent", "delivered", "read", "failed"}
)

const (
	maxCall   = 24 * 60 * 60 // seconds
	maxWords  = 64           // of an outcome, a reason or a template's name, in runes
	maxMetres = 100_000
)

// form checks one upload and gathers its fields.
type form struct {
	checks doorstep.Checks
	fields []Field
	known  []string // fields that the kind may carry
}

// fact checks an upload and turns it into a fact without id, outlet or
// courier. A bad one gives an *doorstep.InvalidError that names every bad
// field.
func (u Upload) fact(now time.Time) (Fact, error) {
	var f form
	fact := Fact{Kind: Kind(u.Kind), Source: Device, ReceivedAt: now}

	id, err := uuid.Parse(u.ID)
	if err != nil || len(u.ID) != 36 {
		f.checks.Add("/id", "invalid_uuid", "must be a UUID made by the phone")
	}
	fact.ClientID = id.String()
	fact.Waybill, err = doorstep.ParseWaybill(u.Waybill)
	f.checks.Under("/waybill", err)
	fact.OccurredAt = doorstep.ParseEventTime("/occurred_at", u.OccurredAt, now, &f.checks)

	switch fact.Kind {
	case Call:
		f.choice("direction", orDefault(u.Direction, "outgoing"), directions)
		if f.known = append(f.known, "duration_s"); u.DurationS != nil { // a page cannot see it: unknown, not zero
			f.number("duration_s", u.DurationS, 0, maxCall)
		}
		f.choice("outcome", u.Outcome, callOutcomes)
	case Message:
		f.choice("channel", u.Channel, channels)
		f.words("template", u.Template, false)
		f.choice("outcome", u.Outcome, messageOutcomes)
	case Attempt:
		f.words("outcome", u.Outcome, true)
		f.words("reason", u.Reason, true)
	case Location:
		f.number("lat", u.Lat, -90, 90)
		f.number("lng", u.Lng, -180, 180)
		f.number("accuracy_m", u.AccuracyM, 0, maxMetres)
	case Photo:
		f.digest("sha256", u.SHA256)
		f.known = append(f.known, "taken_at")
		if taken := doorstep.ParseEventTime("/taken_at", value(u.TakenAt), now, &f.checks); !taken.IsZero() {
			f.fields = append(f.fields, Field{"taken_at", taken.Format(time.RFC3339Nano)})
		}
	default:
		f.checks.Add("/kind", "unknown_kind", "must be call, message, attempt, location or photo")
		return Fact{}, f.checks.Err()
	}
	f.refuseOthers(u)
	fact.Fields = f.fields
	return fact, f.checks.Err()
}

// refuseOthers names the fields that the kind does not have, so that nothing a
// phone sends is dropped unseen.
func (f *form) refuseOthers(u Upload) {
	for _, has := range []struct {
		name  string
		given bool
	}{
		{"direction", u.Direction != nil}, {"duration_s", u.DurationS != nil}, {"outcome", u.Outcome != nil},
		{"channel", u.Channel != nil}, {"template", u.Template != nil}, {"reason", u.Reason != nil},
		{"lat", u.Lat != nil}, {"lng", u.Lng != nil}, {"accuracy_m", u.AccuracyM != nil},
		{"sha256", u.SHA256 != nil}, {"taken_at", u.TakenAt != nil},
	} {
		if has.given && !slices.Contains(f.known, has.name) {
			f.checks.Add("/"+has.name, "not_of_this_kind", "records of this kind have no such field")
		}
	}
}

func (f *form) choice(name string, given *string, allowed []string) {
	f.known = append(f.known, name)
	if given == nil || !slices.Contains(allowed, *given) {
		f.checks.Add("/"+name, "not_allowed", "is missing or not in the vocabulary")
		return
	}
	f.fields = append(f.fields, Field{name, *given})
}

func (f *form) number(name string, given *float64, least, most float64) {
	f.known = append(f.known, name)
	if given == nil || math.IsNaN(*given) || *given < least || *given > most {
		f.checks.Add("/"+name, "out_of_range", "is missing or out of range")
		return
	}
	f.fields = append(f.fields, Field{name, *given})
}

func (f *form) words(name string, given *string, required bool) {
	f.known = append(f.known, name)
	if given == nil && !required {
		return
	}
	least := 0
	if required {
		least = 1
	}
	text, err := doorstep.CheckText(value(given), least, maxWords)
	f.checks.Under("/"+name, err)
	f.fields = append(f.fields, Field{name, text})
}

func (f *form) digest(name string, given *string) {
	f.known = append(f.known, name)
	raw, err := hex.DecodeString(value(given))
	if err != nil || len(raw) != 32 {
		f.checks.Add("/"+name, "invalid_sha256", "must be 64 hexadecimal digits")
		return
	}
	f.fields = append(f.fields, Field{name, hex.EncodeToString(raw)})
}

func orDefault(s *string, d string) *string {
	if s == nil {
		return &d
	}
	return s
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
