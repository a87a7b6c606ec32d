package telephony

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"doorstep"
)

// Provider names whose records they are.
type Provider string

// The providers.
const (
	Generic             Provider = "generic" // the carrier's own systems, in our form
	AlibabaPNP          Provider = "alibaba-pnp"
	HuaweiPrivateNumber Provider = "huawei-private-number"
	Twilio              Provider = "twilio"
)

// Providers lists them.
var Providers = []Provider{Generic, AlibabaPNP, HuaweiPrivateNumber, Twilio}

// adapter knows one provider's ways. Its functions are given strangers' bytes.
type adapter struct {
	// split takes a request's body apart into records. A body that cannot be
	// taken apart is refused whole.
	split func(d Delivery) ([][]byte, error)
	// read reads one record; now is when it came. One that cannot be read gives an
	// *doorstep.InvalidError.
	read func(raw []byte, now time.Time) (Event, error)
	// canonical writes a record so that two of the same meaning are alike.
	canonical func(raw []byte) ([]byte, error)
	// verify holds a request to the provider's own signature under one of the
	// keys; nil where the provider signs nothing.
	verify func(d Delivery, key string) bool
	// signs says that the provider signs always: what comes without is not its.
	signs bool
	// answer is what the provider expects to hear once everything is kept.
	answer Answer
}

// Answer is the body of an answer that a provider understands.
type Answer struct {
	Status int
	Body   string // JSON; "": none
}

var adapters = map[Provider]adapter{
	Generic:             {split: splitGeneric, read: readGeneric, canonical: canonicalJSON},
	AlibabaPNP:          {split: splitJSON, read: readAlibaba, canonical: canonicalJSON, answer: Answer{http.StatusOK, `{"code":0,"msg":"ok"}`}},
	HuaweiPrivateNumber: {split: splitHuawei, read: readHuawei, canonical: canonicalJSON, verify: verifyHuawei, answer: Answer{http.StatusOK, `{"resultcode":"0","resultdesc":"Success"}`}},
	Twilio:              {split: splitForm, read: readTwilio, canonical: canonicalForm, verify: verifyTwilio, signs: true, answer: Answer{Status: http.StatusNoContent}},
}

// Delivery is a provider's request.
type Delivery struct {
	URL       string // as the provider called it
	Reference string // of the address' query: what the carrier put there
	Header    http.Header
	Body      []byte
	From      netip.Addr
	At        time.Time // ours
}

// MaxRecords is how many records a request may carry.
const MaxRecords = 1000

// Bounds of what providers choose, in runes.
const (
	maxKey     = 200
	maxSubject = 128
)

// Record is one record as it came.
type Record struct {
	Key    string // of its event; where it has none that can be read, of its bytes
	Digest string // SHA-256 of its canonical form
	Raw    []byte
	Event  Event
	Err    error // why it cannot be read
}

// record reads one of the provider's records.
func (a adapter) record(raw []byte, now time.Time) Record {
	r := Record{Raw: raw}
	canonical, err := a.canonical(raw)
	if err != nil {
		canonical, r.Err = raw, malformed("")
	}
	sum := sha256.Sum256(canonical)
	r.Digest = hex.EncodeToString(sum[:])
	if r.Err == nil {
		r.Event, r.Err = a.read(raw, now)
	}
	r.Key = r.Event.Key
	if r.Err != nil || r.Key == "" {
		r.Key = "sha256:" + r.Digest
	}
	r.Event.Received = now
	return r
}

// Reason is the code of what is wrong with a record, and where.
func (r Record) Reason() string {
	var invalid *doorstep.InvalidError
	if !errors.As(r.Err, &invalid) {
		return "unreadable"
	}
	parts := make([]string, len(invalid.Fields))
	for i, f := range invalid.Fields {
		parts[i] = strings.TrimSpace(f.Code + " " + f.Pointer)
	}
	return strings.Join(parts, ", ")
}

// malformed refuses what is no record of the provider's.
func malformed(pointer string) error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
		Pointer: pointer, Code: "malformed_record", Detail: "is not a record of this provider",
	}}}
}

// ErrUnreadable refuses a body that cannot be taken apart into records.
var ErrUnreadable = errors.New("body is not of this provider's form")

func canonicalJSON(raw []byte) ([]byte, error) {
	v := jsontext.Value(bytes.Clone(raw))
	err := v.Canonicalize()
	return v, err
}

// splitJSON takes an array of records apart, or a single one.
func splitJSON(d Delivery) ([][]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(d.Body))
	if dec.PeekKind() != '[' {
		v, err := dec.ReadValue()
		one := bytes.Clone(v) // what is read next overwrites v
		if err != nil || v.Kind() != '{' || dec.PeekKind() != jsontext.KindInvalid {
			return nil, ErrUnreadable
		}
		return [][]byte{one}, nil
	}
	list, err := elements(dec)
	if err != nil || dec.PeekKind() != jsontext.KindInvalid {
		return nil, ErrUnreadable
	}
	return list, nil
}

// elements reads an array's values.
func elements(dec *jsontext.Decoder) (list [][]byte, err error) {
	if dec.PeekKind() != '[' {
		return nil, ErrUnreadable
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if len(list) == MaxRecords {
			return nil, ErrUnreadable
		}
		list = append(list, bytes.Clone(v))
	}
	_, err = dec.ReadToken()
	return list, err
}

// text trims what a provider wrote and refuses what no id is made of.
func text(pointer, s string, most int, checks *doorstep.Checks) string {
	s = strings.TrimSpace(s)
	if s == "" || utf8.RuneCountInString(s) > most || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		checks.Add(pointer, "invalid_id", fmt.Sprintf("must be 1 to %d printable characters", most))
		return ""
	}
	return s
}

// phone reads a number if it is one; a record is no worse without.
func phone(s string) doorstep.Phone {
	p, err := doorstep.ParsePhone(s)
	if err != nil {
		return ""
	}
	return p
}

// clock reads times of one layout and zone, holding them to what clocks say.
type clock struct {
	layout string
	zone   *time.Location
	now    time.Time
	checks *doorstep.Checks
}

// at reads a time that may be left out.
func (c clock) at(pointer, s string) time.Time {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(c.layout, s, c.zone)
	if err != nil {
		c.checks.Add(pointer, "invalid_time", "is not a time in this provider's form")
		return time.Time{}
	}
	return doorstep.CheckEventTime(pointer, t, c.now, c.checks)
}

// must is at for a time that is needed.
func (c clock) must(pointer, s string) time.Time {
	t := c.at(pointer, s)
	if strings.TrimSpace(s) == "" {
		c.checks.Add(pointer, "required", "must be given")
	}
	return t
}

// code is a number that some write as text.
type code int

// UnmarshalJSON reads 3 and "3"; an empty text is 0.
func (c *code) UnmarshalJSON(text []byte) error {
	s := strings.Trim(string(text), `"`)
	if s == "" || s == "null" {
		*c = 0
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	*c = code(n)
	return err
}
