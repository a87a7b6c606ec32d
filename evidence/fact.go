// Package evidence keeps what happened so that it can be shown later: calls,
// messages, sign-fors, alerts and complaints. A record's header and the
// commitments to its fields never change; the values and their salts are kept
// apart and can be erased. It judges nobody.
package evidence

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
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
	Dispatch  Kind = "dispatch"
	Alert     Kind = "alert"
	Push      Kind = "push"
	Receipt   Kind = "receipt"
	Complaint Kind = "complaint"
)

// Kinds lists them.
var Kinds = []Kind{Call, Message, Attempt, Location, Photo, Dispatch, Alert, Push, Receipt, Complaint}

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
}

// saltLen is how many random bytes hide one field's value from guessing.
const saltLen = 32

// Opening is what opens a record's commitments: the erasable half.
type Opening struct {
	Salts  map[string][]byte          `json:"salts"`
	Values map[string]json.RawMessage `json:"values"`
}

// Commit draws a salt for each field and returns the commitments, one line a
// field, "name base64", sorted by name, and what opens them.
func Commit(fields []Field, random io.Reader) (commitments string, o Opening, err error) {
	o = Opening{Salts: make(map[string][]byte, len(fields)), Values: make(map[string]json.RawMessage, len(fields))}
	lines := make([]string, 0, len(fields))
	salts := make([]byte, saltLen*len(fields))
	if _, err := io.ReadFull(random, salts); err != nil {
		return "", Opening{}, fmt.Errorf("draw salts: %w", err)
	}
	for i, f := range fields {
		value, err := json.Marshal(f.Value)
		if err != nil {
			return "", Opening{}, fmt.Errorf("evidence field %s: %w", f.Name, err)
		}
		salt := salts[i*saltLen : (i+1)*saltLen]
		o.Salts[f.Name], o.Values[f.Name] = salt, value
		lines = append(lines, f.Name+" "+base64.StdEncoding.EncodeToString(commitment(salt, f.Name, value)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), o, nil
}

// commitment is HMAC-SHA256(salt, "doorstep/field/v1" 00 len(name) 00 name 00
// value), the length as four bytes, big-endian. The JSON of the value is
// hashed, so that a number cannot pass for its text.
func commitment(salt []byte, name string, value []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("doorstep/field/v1\x00"))
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name))))
	mac.Write([]byte("\x00" + name + "\x00"))
	mac.Write(value)
	return mac.Sum(nil)
}

// Opens says whether the opening's field still gives the committed line.
func (o Opening) Opens(commitments, name string) bool {
	salt, value := o.Salts[name], o.Values[name]
	if salt == nil || value == nil {
		return false
	}
	line := name + " " + base64.StdEncoding.EncodeToString(commitment(salt, name, value))
	return slices.Contains(strings.Split(commitments, "\n"), line)
}
