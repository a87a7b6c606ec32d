// Package bundle packs a complaint's file with the proofs that its records are in
// the log, and verifies such a bundle with nothing but the log's public key: no
// network, no database, nobody's word.
package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/evidence"
)

// The files of a bundle beside those of its records.
const (
	manifestName    = "manifest.json"
	signatureName   = "manifest.note"
	checkpointName  = "checkpoint.txt"
	consistencyName = "consistency.txt"
	fileName        = "file.json"
)

// Contents is what a bundle is made of.
type Contents struct {
	File       evidence.File
	Checkpoint evidence.Checkpoint   // of the log of the case's outlet
	Others     []evidence.Checkpoint // of other outlets' logs that hold some of the records
	Records    []Record
	Photos     []Photo // those that the records declare, sorted by hash
	Since      *Consistency
}

// Record is one of the case, and the proof that it is in the log.
type Record struct {
	Leaf       evidence.Leaf
	Disclosure evidence.Disclosure
	ErasedBy   string // the record that says why values are gone
	In         int    // the log that holds it: 0 for the case's, n for the nth of the others
	Index      int64
	Proof      tlog.RecordProof
}

// Consistency proves that the log of the bundle's checkpoint is that of an older
// one, grown.
type Consistency struct {
	Size  int64 // of the older one
	Proof tlog.TreeProof
}

// fields is a record's fields.json.
type fields struct {
	Record   string   `json:"record"`
	Fields   []field  `json:"fields"`
	Withheld []string `json:"withheld,omitempty"`
	Erased   []string `json:"erased,omitempty"`
	ErasedBy string   `json:"erased_by,omitempty"`
}

type field struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
	Salt  []byte          `json:"salt"`
}

func fieldsOf(r Record) fields {
	f := fields{Record: r.Leaf.ID, Fields: []field{}, Withheld: r.Disclosure.Withheld, Erased: r.Disclosure.Erased, ErasedBy: r.ErasedBy}
	for _, name := range r.Leaf.Names() {
		if value, ok := r.Disclosure.Opening.Values[name]; ok {
			f.Fields = append(f.Fields, field{name, value, r.Disclosure.Opening.Salts[name]})
		}
	}
	return f
}

// disclosure is what the fields say, as the file's rules read it.
func (f fields) disclosure() evidence.Disclosure {
	d := evidence.Disclosure{Withheld: f.Withheld, Erased: f.Erased, Opening: evidence.Opening{
		Salts: make(map[string][]byte, len(f.Fields)), Values: make(map[string]json.RawMessage, len(f.Fields)),
	}}
	for _, field := range f.Fields {
		d.Opening.Salts[field.Name], d.Opening.Values[field.Name] = field.Salt, field.Value
	}
	return d
}

// Pack writes a bundle, signed with each of the keys: the log's newest, and the one
// before for whoever knows only that. The same contents give the same bytes.
func Pack(c Contents, keys ...evidence.Key) ([]byte, error) {
	f := files{checkpointName: []byte(c.Checkpoint.Note)}
	var err error
	if f[fileName], err = encode(c.File); err != nil {
		return nil, err
	}
	if c.Since != nil {
		f[consistencyName] = c.Since.text()
	}
	for i, other := range c.Others {
		f[otherName(i)] = []byte(other.Note)
	}
	checkpoints := append([]evidence.Checkpoint{c.Checkpoint}, c.Others...)
	for i, r := range c.Records {
		name := recordName(i)
		proof := evidence.Inclusion{Index: r.Index, Hashes: r.Proof, Checkpoint: checkpoints[r.In].Note}
		f[name+".leaf"], f[name+".tlog-proof"] = r.Leaf.Text(), []byte(proof.Text())
		if f[name+".fields.json"], err = encode(fieldsOf(r)); err != nil {
			return nil, err
		}
	}
	var missing []absent
	for _, photo := range c.Photos {
		if photo.Absent != "" {
			missing = append(missing, absent{photo.SHA256, photo.Absent})
			continue
		}
		f[photoName(photo)] = photo.Bytes
	}
	m := newManifest(f)
	m.Absent = missing
	for _, key := range keys {
		m.Keys = append(m.Keys, key.Public)
	}
	m.Case, m.Created, m.Origin, m.Size = c.File.Case.ComplaintID, c.Checkpoint.CreatedAt.UTC().Format(time.RFC3339Nano), c.Checkpoint.Origin, c.Checkpoint.Size
	if f[manifestName], err = encode(m); err != nil {
		return nil, err
	}
	if f[signatureName], err = sign(f[manifestName], m.Case, keys); err != nil {
		return nil, err
	}
	return f.archive()
}

// recordName is what the files of the i-th record are called, from 0001 on.
func recordName(i int) string { return fmt.Sprintf("records/%04d", i+1) }

// otherName is what the checkpoint of the i-th other log is called.
func otherName(i int) string { return fmt.Sprintf("checkpoints/%04d.txt", i+1) }

// encode writes JSON as a person may read it. Values keep their bytes, which are
// committed to: they are compact already.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return append(text, '\n'), nil
}

const consistencyHeader = "doorstep/consistency/v1"

func (c Consistency) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nfrom %d\n", consistencyHeader, c.Size)
	for _, h := range c.Proof {
		fmt.Fprintln(&b, h)
	}
	return b.Bytes()
}

func parseConsistency(text []byte) (c Consistency, err error) {
	bad := fmt.Errorf("%s is not of %s", consistencyName, consistencyHeader)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 2 || len(lines) > 2+64 || lines[0] != consistencyHeader {
		return c, bad
	}
	if c.Size, err = strconv.ParseInt(strings.TrimPrefix(lines[1], "from "), 10, 64); err != nil {
		return c, bad
	}
	for _, line := range lines[2:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return c, bad
		}
		c.Proof = append(c.Proof, h)
	}
	if !bytes.Equal(c.text(), text) {
		return c, bad
	}
	return c, nil
}
