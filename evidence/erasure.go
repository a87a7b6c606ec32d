package evidence

import (
	"maps"
	"slices"
	"time"

	"doorstep"
)

// ErasureFact records that the values of records went. The records' headers and
// commitments stay, and so does every proof.
func ErasureFact(id string, outlet doorstep.OutletNo, class, reason string, records []string, now time.Time) Fact {
	return Fact{
		ID: id, Outlet: outlet, Kind: Erasure, Source: Server, OccurredAt: now, ReceivedAt: now,
		Fields: []Field{{"class", class}, {"reason", reason}, {"records", records}},
	}
}

// work are the fields that say what a courier or a machine did. They outlive the
// wish of a consumer to be forgotten: they are the courier's proof, and name
// nobody at the door. A field that is not here goes, and so does all that a
// person said.
var work = map[Kind][]string{
	Call:    {"direction", "duration_s", "outcome"},
	Message: {"channel", "template", "outcome", "asked_by"},
	Attempt: {"outcome"},

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

// Bare says whether nothing is left but what the header says, too.
func (o Opening) Bare() bool {
	_, about := o.Values[AboutField]
	return len(o.Values) == 0 || about && len(o.Values) == 1
}
