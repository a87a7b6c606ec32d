package evidence

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
)

// Leaf is what the log keeps of a record: enough to bind all of it, and nothing
// that tells of a person.
type Leaf struct {
	ID          string
	Kind        Kind
	ReceivedAt  time.Time
	Commitments string // as Commit gives them
}

const (
	leafHeader = "doorstep/evidence/v1"
	leafTime   = "2006-01-02T15:04:05.000Z" // RFC 3339, UTC, milliseconds
)

// Text is the leaf as it is hashed: one line a thing, each with its end, the
// commitments sorted by name.
func (l Leaf) Text() []byte {
	text := make([]byte, 0, len(leafHeader)+len(l.ID)+len(l.Commitments)+2*lineLen)
	text = append(append(append(text, leafHeader+"\nid "...), l.ID...), "\nkind "...)
	text = append(append(text, l.Kind...), "\nreceived "...)
	text = append(l.ReceivedAt.UTC().AppendFormat(text, leafTime), '\n')
	for line := range strings.SplitSeq(l.Commitments, "\n") {
		if line != "" {
			text = append(append(append(text, "f "...), line...), '\n')
		}
	}
	return text
}

// Hash is the leaf's hash in the log.
func (l Leaf) Hash() tlog.Hash { return tlog.RecordHash(l.Text()) }

var errLeaf = errors.New("not a leaf of doorstep/evidence/v1")

// ParseLeaf reads a leaf's text. It takes only what Text writes, byte for byte.
func ParseLeaf(text []byte) (l Leaf, err error) {
	lines := strings.Split(string(text), "\n")
	if len(lines) < 5 || lines[0] != leafHeader || lines[len(lines)-1] != "" {
		return Leaf{}, errLeaf
	}
	var ok [3]bool
	var kind, received string
	l.ID, ok[0] = strings.CutPrefix(lines[1], "id ")
	kind, ok[1] = strings.CutPrefix(lines[2], "kind ")
	received, ok[2] = strings.CutPrefix(lines[3], "received ")
	at, err := time.Parse(leafTime, received)
	if err != nil || slices.Contains(ok[:], false) {
		return Leaf{}, errLeaf
	}
	l.Kind, l.ReceivedAt = Kind(kind), at
	commitments := lines[4 : len(lines)-1]
	last := ""
	for i, line := range commitments {
		line, isField := strings.CutPrefix(line, "f ")
		name, sum, _ := strings.Cut(line, " ")
		if _, err := parseHash(sum); err != nil || !isField || !isName(name) || name <= last {
			return Leaf{}, errLeaf
		}
		commitments[i], last = line, name
	}
	l.Commitments = strings.Join(commitments, "\n")
	if !bytes.Equal(l.Text(), text) { // a time may be written in several ways
		return Leaf{}, errLeaf
	}
	return l, nil
}

// parseHash reads 32 bytes in base64. tlog.ParseHash and its decoder pass over
// line ends and loose bits: two texts must not be one hash.
func parseHash(text string) (tlog.Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != tlog.HashSize || len(text) != base64.StdEncoding.EncodedLen(tlog.HashSize) {
		return tlog.Hash{}, errors.New("not a hash")
	}
	return tlog.Hash(b), nil
}

// AboutField is the field that binds what a record's header says and its leaf
// does not.
const AboutField = "about"

// About is that field's value. Couriers are named by our own number, which never
// changes and which everyone who writes records has.
type About struct {
	Source     Source           `json:"source"`
	CourierNo  int64            `json:"courier_no,omitempty"`
	Waybill    doorstep.Waybill `json:"waybill,omitempty"`
	Complaint  string           `json:"complaint_id,omitempty"`
	OccurredAt string           `json:"occurred_at"`
	ClientID   string           `json:"client_id,omitempty"`
}

// About is the fact's header.
func (f Fact) About() About {
	return About{
		Source: f.Source, CourierNo: f.CourierNo, Waybill: f.Waybill, Complaint: f.ComplaintID,
		OccurredAt: f.OccurredAt.UTC().Format(leafTime), ClientID: f.ClientID,
	}
}

// Committed are all fields of the fact that are committed to: its own and the
// one about its header.
func (f Fact) Committed() []Field {
	return append(slices.Clip(f.Fields), Field{AboutField, f.About()})
}
