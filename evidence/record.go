package evidence

import (
	"encoding/json"
	"time"

	strict "github.com/go-json-experiment/json"
)

// Record is what a leaf, and what opens it, say of a record. It has nothing that
// the log does not bind, so whoever holds a bundle reads the same.
type Record struct {
	Leaf
	About      About     // zero where it was erased or never committed to
	OccurredAt time.Time // as the source claims; ReceivedAt where nobody says
	Values     map[string]json.RawMessage
	Erased     bool // values that the leaf commits to are gone
}

// ReadRecord reads a record as far as it was disclosed.
func ReadRecord(l Leaf, d Disclosure) Record {
	r := Record{Leaf: l, OccurredAt: l.ReceivedAt, Values: d.Opening.Values, Erased: len(d.Erased) > 0}
	if about, ok := r.Values[AboutField]; ok && strict.Unmarshal(about, &r.About) == nil {
		if at, err := time.Parse(leafTime, r.About.OccurredAt); err == nil {
			r.OccurredAt = at
		}
	}
	return r
}

// Photo is the hash of the photo that the record declares, "" if it declares none
// or that was not disclosed.
func (r Record) Photo() string {
	if hash := r.text("photo_sha256"); hash != "" || r.Kind != Photo {
		return hash
	}
	return r.text("sha256")
}

// Arrived is the hash of the photo that the record says has come, "" of others.
func (r Record) Arrived() string {
	if r.Kind != PhotoArrival {
		return ""
	}
	return r.text("sha256")
}

// text is a value that is a text, "" if it is none.
func (r Record) text(name string) (s string) {
	_ = json.Unmarshal(r.Values[name], &s)
	return s
}

// number is a value that is a number; false if it is none.
func (r Record) number(name string) (n float64, ok bool) {
	if len(r.Values[name]) == 0 {
		return 0, false
	}
	return n, json.Unmarshal(r.Values[name], &n) == nil
}

// moment is a value that is a time, the zero time if it is none.
func (r Record) moment(name string) time.Time {
	at, err := time.Parse(time.RFC3339, r.text(name))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// has says whether a value is there and is neither null, false nor empty.
func (r Record) has(name string) bool {
	switch string(r.Values[name]) {
	case "", "null", "false", `""`, "[]":
		return false
	}
	return true
}
