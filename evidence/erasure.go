package evidence

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"doorstep"
)

// ErasureFact records that values of records went. The records' headers and
// commitments stay, and so does every proof. fields names, of records of which
// something is left, all that is gone: what went before, too.
func ErasureFact(id string, outlet doorstep.OutletNo, class, reason string, records []string, fields map[string][]string, now time.Time) Fact {
	f := Fact{
		ID: id, Outlet: outlet, Kind: Erasure, Source: Server, OccurredAt: now, ReceivedAt: now,
		Fields: []Field{{"class", class}, {"reason", reason}, {"records", records}},
	}
	if len(fields) > 0 {
		f.Fields = append(f.Fields, Field{"fields", fields})
	}
	return f
}

// Erases says whether the record is of an erasure that took the other's values of
// these names.
func (r Record) Erases(id string, names []string) bool {
	var ids []string
	if r.Kind != Erasure || json.Unmarshal(r.Values["records"], &ids) != nil || !slices.Contains(ids, id) {
		return false
	}
	var fields map[string][]string
	if r.Values["fields"] != nil && json.Unmarshal(r.Values["fields"], &fields) != nil {
		return false
	}
	gone, some := fields[id]
	return !some || !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(gone, name) })
}

// work are the fields that say what a courier or a machine did. They outlive the
// wish of a consumer to be forgotten: they are the courier's proof, and name
// nobody at the door. A field that is not here goes, and so does all that a
// person said.
var work = map[Kind][]string{
	Call:    {"direction", "duration_s", "outcome"},
	Message: {"channel", "template", "outcome", "asked_by"},
	Attempt: {"outcome"},

	Scan:         {"status", "code", "system"},
	CallIntent:   {"provider"},
	PhotoArrival: {"arrived_at"},
	SignFor:      {"act", "method", "ground", "photo_sha256"},
	Correction:   {"act", "method", "ground", "photo_sha256"},

	Receipt: {"alert_id", "event"},
	Push:    {"push_id", "provider", "outcome", "code", "attempt", "provider_ref"},
}

// AboutConsumer lists the fields of a record that go when its consumer asks to
// be forgotten.
func AboutConsumer(kind Kind, source Source, o Opening) []string {
	var kept []string
	if source != Person {
		kept = work[kind]
	}
	return slices.DeleteFunc(AllFields(kind, source, o), func(name string) bool { return name == AboutField || slices.Contains(kept, name) })
}

// AllFields lists the fields of a record.
func AllFields(_ Kind, _ Source, o Opening) []string { return slices.Sorted(maps.Keys(o.Values)) }

// CoordinatesOf lists the coordinates that a record still holds. They go before
// the rest of it.
func CoordinatesOf(_ Kind, _ Source, o Opening) []string {
	return slices.DeleteFunc(slices.Clone(Coordinates), func(name string) bool { return o.Values[name] == nil })
}

// Gone lists the fields that a record committed to and has no more.
func (o Opening) Gone(commitments string) (names []string) {
	for name := range Commitments(commitments) {
		if o.Values[name] == nil && o.Salts[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

// Bare says whether nothing is left but what the header says, too.
func (o Opening) Bare() bool {
	_, about := o.Values[AboutField]
	return len(o.Values) == 0 || about && len(o.Values) == 1
}
