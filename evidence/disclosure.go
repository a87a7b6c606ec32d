package evidence

import (
	"encoding/json"
	"slices"

	"doorstep"
)

// Disclosure is what a reader gets of a record: each field that the leaf commits
// to is disclosed, withheld from this reader, or erased for everybody.
type Disclosure struct {
	Opening  Opening
	Withheld []string
	Erased   []string
}

// secret are fields that nobody gets out of a file: who somebody is and how to
// reach them proves nothing of what was done.
var secret = []string{"phone", "peer", "peer_hash", "reporter", "name", "address", "address_id"}

// courierSees are the fields that a courier gets: what was done, by whom and
// when, not the consumer's words.
var courierSees = []string{
	AboutField, "opened", "role", "by", "category", "class", "records", "fields",
	"direction", "duration_s", "outcome", "channel", "template", "reason", "asked_by", "provider", "intent_id",
	"call_id", "message_id", "event", "state", "rang", "started_at", "ring_at", "answered_at", "ended_at", "ended_by",
	"tags", "alert_id", "supersedes", "push_id", "code", "status", "system", "attempt", "provider_ref",
	"act", "method", "ground", "consent_id", "receipt_method", "pickup_code_issued", "facility", "free_until", "fee_fen", "valid_until",
	"distance_m", "accuracy_m", "sha256", "photo_sha256", "taken_at",
}

// places are where somebody stood: a courier gets only his own.
var places = []string{"lat", "lng"}

// Reader is who reads a file.
type Reader struct {
	Role      doorstep.Role
	CourierNo int64 // of a courier
}

// mayRead says whether a record is part of the file at all. What anybody thinks
// of a consumer's tags is nothing of the case, and a courier gets nothing of
// other complaints.
func (r Reader) mayRead(c Case, record Record) bool {
	if record.Kind == TagVerdict {
		return false
	}
	if r.Role != doorstep.RoleCourier || record.About.Complaint == c.ComplaintID {
		return true
	}
	return record.About.Complaint == "" && record.Kind != Complaint
}

// Disclose splits a record's fields for a reader.
func (r Reader) Disclose(l Leaf, o Opening) Disclosure {
	d := Disclosure{Opening: Opening{Salts: map[string][]byte{}, Values: map[string]json.RawMessage{}}}
	var about About
	_ = json.Unmarshal(o.Values[AboutField], &about)
	for _, name := range l.Names() {
		switch salt, value := o.Salts[name], o.Values[name]; {
		case salt == nil || value == nil:
			d.Erased = append(d.Erased, name)
		case r.withholds(name, about):
			d.Withheld = append(d.Withheld, name)
		default:
			d.Opening.Salts[name], d.Opening.Values[name] = salt, value
		}
	}
	return d
}

func (r Reader) withholds(name string, about About) bool {
	switch {
	case slices.Contains(secret, name):
		return true
	case r.Role != doorstep.RoleCourier, slices.Contains(courierSees, name):
		return false
	case slices.Contains(places, name):
		return about.CourierNo != r.CourierNo
	}
	return true
}

// SeesPhoto says whether the reader gets the photo that a record declares: a
// courier only what he took himself.
func (r Reader) SeesPhoto(about About) bool {
	return r.Role != doorstep.RoleCourier || about.CourierNo == r.CourierNo
}

// Names are the fields that the leaf commits to, sorted.
func (l Leaf) Names() (names []string) {
	for name := range Commitments(l.Commitments) {
		names = append(names, name)
	}
	return names
}
