// Package evidence keeps what happened so that it can be shown later: calls,
// messages, sign-fors, alerts and complaints. A record's header and the
// commitments to its fields never change; the values and their salts are kept
// apart and can be erased. It judges nobody.
package evidence

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep"
)

// Kind says what a record is about.
type Kind string

// The kinds. A courier's phone uploads the first five; the rest are facts of
// our own server.
const (
	Call      Kind = "call"
	Message   Kind = "message"
	Attempt   Kind = "attempt"
	Location  Kind = "location"
	Photo     Kind = "photo"
	Scan      Kind = "scan" // of the parcel, on its way to and from the outlet
	Dispatch  Kind = "dispatch"
	Alert     Kind = "alert"
	Push      Kind = "push"
	Receipt   Kind = "receipt"
	Complaint Kind = "complaint"

	// PhotoArrival is a declared photo whose bytes have come and have its hash.
	PhotoArrival Kind = "photo_arrival"
	// CallIntent is that a courier asked for the masked number to dial.
	CallIntent Kind = "call_intent"

	// TagVerdict is what a courier or a manager says of a tag. It is evidence of
	// what a consumer wants, never of anybody's fault.
	TagVerdict Kind = "tag_verdict"

	Access  Kind = "access"  // who opened which view of personal data
	Erasure Kind = "erasure" // which records' values went, and why

	SignFor    Kind = "sign_for"
	Correction Kind = "correction" // of a sign-for, or its withdrawal
	Consent    Kind = "consent"    // given, or withdrawn
)

// Kinds lists them.
var Kinds = []Kind{
	Call, Message, Attempt, Location, Photo, Scan, Dispatch, Alert, Push, Receipt, Complaint, CallIntent, PhotoArrival, TagVerdict, Access,
	Erasure, SignFor, Correction, Consent,
}

// Source says whose word a record is.
type Source string

// The sources, the most independent first.
const (
	Provider Source = "provider" // a telephone or message provider's own record
	Server   Source = "server"   // what our server saw itself
	Device   Source = "device"   // what the courier's phone says
	Person   Source = "person"   // what a person says
)

// Field is one named value of a record. Value is a string, a number, a bool or
// a list of strings.
type Field struct {
	Name  string
	Value any
}

// Fact is a record before its values are sealed.
type Fact struct {
	ID          string
	Outlet      doorstep.OutletNo
	Kind        Kind
	Source      Source
	CourierNo   int64 // 0: none
	Waybill     doorstep.Waybill
	ComplaintID string
	OccurredAt  time.Time // what the source claims
	ReceivedAt  time.Time // ours
	ClientID    string    // the phone's own id of an upload
	Fields      []Field
	Derived     []Field // beside what was sent under the ClientID: sent again, it may come out differently and is still the same
}

// Photo is the hash of the photo that the fact declares, or "".
func (f Fact) Photo() string {
	for _, field := range slices.Concat(f.Fields, f.Derived) {
		if field.Name == "photo_sha256" || f.Kind == Photo && field.Name == "sha256" {
			hash, _ := field.Value.(string)
			return hash
		}
	}
	return ""
}

// saltLen is how many random bytes hide one field's value from guessing.
const saltLen = 32

// Opening is what opens a record's commitments: the erasable half.
type Opening struct {
	Salts  map[string][]byte          `json:"salts"`
	Values map[string]json.RawMessage `json:"values"`
}

// Commit draws a salt for each field and returns the commitments, one line a
// field, "name base64", sorted by name, and the Opening that opens them, as
// JSON. Names are of a-z, 0-9 and _, no two alike, so that a line can be read
// in one way only.
func Commit(fields []Field, random io.Reader) (commitments string, opening []byte, err error) {
	salts := make([]byte, saltLen*len(fields))
	if _, err := io.ReadFull(random, salts); err != nil {
		return "", nil, fmt.Errorf("draw salts: %w", err)
	}
	sorted := slices.Clone(fields)
	slices.SortFunc(sorted, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	lines := make([]byte, 0, lineLen*len(fields))
	opening = append(make([]byte, 0, 2*lineLen*len(fields)+len(`{"salts":{},"values":{}}`)), `{"salts":{`...)
	values := make([]byte, 0, lineLen*len(fields))
	for i, f := range sorted {
		if !isName(f.Name) || i > 0 && f.Name == sorted[i-1].Name {
			return "", nil, fmt.Errorf("evidence field %q: not a name of its own", f.Name)
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return "", nil, fmt.Errorf("evidence field %s: %w", f.Name, err)
		}
		if i > 0 {
			lines, opening, values = append(lines, '\n'), append(opening, ','), append(values, ',')
		}
		salt := salts[i*saltLen : (i+1)*saltLen]
		lines = append(append(lines, f.Name...), ' ')
		lines = base64.StdEncoding.AppendEncode(lines, commitment(salt, f.Name, value))
		opening = append(append(append(opening, '"'), f.Name...), `":"`...)
		opening = append(base64.StdEncoding.AppendEncode(opening, salt), '"')
		values = append(append(append(append(values, '"'), f.Name...), `":`...), value...)
	}
	opening = append(append(append(opening, `},"values":{`...), values...), "}}"...)
	return string(lines), opening, nil
}

// lineLen is about how long a field's line is, or its value: a name and 32 bytes
// in base64.
const lineLen = 64

func isName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}

// commitment is HMAC-SHA256(salt, "doorstep/field/v1" 00 len(name) 00 name 00
// value), the length as four bytes, big-endian. The JSON of the value is
// hashed, so that a number cannot pass for its text. The HMAC (RFC 2104) is spelt
// out: crypto/hmac makes five objects each time, which took three times as long.
func commitment(salt []byte, name string, value []byte) []byte {
	const block = sha256.BlockSize
	if len(salt) > block { // no salt of ours is
		return nil
	}
	text := make([]byte, block, block+2*lineLen)
	copy(text, salt)
	for i := range block {
		text[i] ^= 0x36
	}
	text = append(text, "doorstep/field/v1\x00"...)
	text = binary.BigEndian.AppendUint32(text, uint32(len(name)))
	text = append(append(append(append(text, 0), name...), 0), value...)
	inner := sha256.Sum256(text)
	var outer [block + sha256.Size]byte
	copy(outer[:], salt)
	for i := range block {
		outer[i] ^= 0x5c
	}
	copy(outer[block:], inner[:])
	sum := sha256.Sum256(outer[:])
	return sum[:]
}

// Without is the opening without some fields. Their commitments stay, and open
// no more.
func (o Opening) Without(names ...string) Opening {
	kept := Opening{Salts: maps.Clone(o.Salts), Values: maps.Clone(o.Values)}
	for _, name := range names {
		delete(kept.Salts, name)
		delete(kept.Values, name)
	}
	return kept
}

// Opens says whether the opening's field still gives the committed line.
func (o Opening) Opens(commitments, name string) bool {
	for committed, sum := range Commitments(commitments) {
		if committed == name {
			return o.Gives(name, sum)
		}
	}
	return false
}

// Gives says whether the opening's field has this commitment, in base64.
func (o Opening) Gives(name, sum string) bool {
	salt, value := o.Salts[name], o.Values[name]
	if salt == nil || value == nil || len(sum) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return false
	}
	var text [64]byte
	return string(base64.StdEncoding.AppendEncode(text[:0], commitment(salt, name, value))) == sum
}

// Commitments are the names and sums of a record's commitments, as Commit gives
// them.
func Commitments(lines string) iter.Seq2[string, string] {
	return func(yield func(name, sum string) bool) {
		for line := range strings.SplitSeq(lines, "\n") {
			if name, sum, ok := strings.Cut(line, " "); ok && !yield(name, sum) {
				return
			}
		}
	}
}
