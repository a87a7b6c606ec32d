package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/evidence"
)

// State says how a field stands.
type State string

// The states of a field. Mismatch alone is a fault.
const (
	OK       State = "ok"       // disclosed, and what was committed to
	Withheld State = "withheld" // not for whom the bundle was made
	Absent   State = "absent"   // of a photo: not there, for a reason that is said
	Erased   State = "erased"   // gone, as a record in the bundle says
	Mismatch State = "MISMATCH"
)

// Report is what a verification found.
type Report struct {
	Case       string
	Created    string // when the checkpoint was made, by the server's word
	Origin     string // of the log
	Size       int64
	Others     []evidence.Checkpoint // of other outlets' logs
	Files      int
	Records    []RecordReport
	Photos     []PhotoReport
	NotCovered []string // what no proof here speaks of
	Problems   []string // why the bundle does not hold; none if it does
}

// RecordReport is how one record stands.
type RecordReport struct {
	Name   string // of its files
	ID     string
	Kind   evidence.Kind
	Fields []FieldReport
}

// FieldReport is how one field stands.
type FieldReport struct {
	Name  string
	State State
	Note  string
}

// Holds says whether everything was as it should be.
func (r Report) Holds() bool { return len(r.Problems) == 0 }

// Verify checks a bundle against the log's public key and, unless it is "", an
// older checkpoint of the same log. An error means that it could not even be
// read as a bundle which the key has signed; the report says whether it holds.
func Verify(data []byte, key, since string) (Report, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return Report{}, fmt.Errorf("the key is not one that GET /v1/log/key gives: %w", err)
	}
	f, err := unpack(data)
	if err != nil {
		return Report{}, err
	}
	m, err := f.openManifest(verifier)
	if err != nil {
		return Report{}, err
	}
	v := verification{
		files: f, report: Report{Case: m.Case, Created: m.Created, Origin: m.Origin, Size: m.Size, Files: len(f)},
		logs: map[string]evidence.Checkpoint{},
	}
	v.checkpoint, err = evidence.OpenCheckpoint(string(f[checkpointName]), note.VerifierList(verifier))
	switch {
	case err != nil:
		return Report{}, fmt.Errorf("%s: %w", checkpointName, err)
	case v.checkpoint.Origin != m.Origin || v.checkpoint.Size != m.Size:
		return Report{}, fmt.Errorf("%s is of another log than %s says", checkpointName, manifestName)
	}
	if err := v.addLog(v.checkpoint, verifier); err != nil {
		return Report{}, err
	}
	if err := v.readOthers(verifier); err != nil {
		return Report{}, err
	}
	if err := v.checkRecords(); err != nil {
		return Report{}, err
	}
	v.checkErasures()
	v.checkPhotos(m.Absent)
	v.checkFile()
	v.checkSince(since, verifier)
	return v.report, nil
}

// verification is one on its way.
type verification struct {
	files      files
	checkpoint evidence.Checkpoint
	logs       map[string]evidence.Checkpoint // by the note of each, whose signature was checked
	records    []evidence.Record
	fields     []fields
	report     Report
}

func (v *verification) problem(format string, args ...any) {
	v.report.Problems = append(v.report.Problems, fmt.Sprintf(format, args...))
}

// addLog takes a checkpoint that the key has signed, of a log of its own.
func (v *verification) addLog(c evidence.Checkpoint, verifier note.Verifier) error {
	if !strings.HasPrefix(c.Origin, verifier.Name()+"/") {
		return fmt.Errorf("the log %q is not one of the key %s", c.Origin, verifier.Name())
	}
	for _, known := range v.logs {
		if known.Origin == c.Origin {
			return fmt.Errorf("there are two checkpoints of the log %q", c.Origin)
		}
	}
	v.logs[c.Note] = c
	return nil
}

// readOthers reads the checkpoints of other outlets' logs, numbered from 0001.
func (v *verification) readOthers(verifier note.Verifier) error {
	for i := 0; v.files[otherName(i)] != nil; i++ {
		c, err := evidence.OpenCheckpoint(string(v.files[otherName(i)]), note.VerifierList(verifier))
		if err == nil {
			err = v.addLog(c, verifier)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", otherName(i), err)
		}
		v.report.Others = append(v.report.Others, c)
	}
	return nil
}

// checkRecords checks every record by itself, on all processors.
func (v *verification) checkRecords() error {
	n := 0
	for v.files[recordName(n)+".leaf"] != nil {
		n++
	}
	others := len(v.files) - 3*n - len(v.report.Others)
	for _, name := range fixedNames {
		if v.files[name] != nil {
			others--
		}
	}
	for name := range v.files {
		if photoNames.MatchString(name) {
			others--
		}
	}
	if others != 0 {
		return errors.New("the records' files are not numbered from 0001 without a gap, three each, or other checkpoints are not")
	}
	v.records, v.fields, v.report.Records = make([]evidence.Record, n), make([]fields, n), make([]RecordReport, n)
	checked := make([]error, n)
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for i := w; i < n; i += workers {
				checked[i] = v.checkRecord(i)
			}
		})
	}
	wait.Wait()
	seen := make(map[string]bool, n)
	for i, err := range checked {
		switch id := v.records[i].ID; {
		case err != nil:
			v.problem("%s: %v", recordName(i), err)
		case seen[id]:
			v.problem("%s: record %q is there twice", recordName(i), id)
		default:
			seen[id] = true
		}
	}
	return nil
}

// checkRecord reads the i-th record's three files and checks it.
func (v *verification) checkRecord(i int) error {
	name := recordName(i)
	report := &v.report.Records[i]
	report.Name = name
	leaf, err := evidence.ParseLeaf(v.files[name+".leaf"])
	if err != nil {
		return err
	}
	report.ID, report.Kind = leaf.ID, leaf.Kind
	proof, err := evidence.ParseInclusion(string(v.files[name+".tlog-proof"]))
	if err != nil {
		return err
	}
	checkpoint, ok := v.logs[proof.Checkpoint]
	if !ok {
		return errors.New("the proof is for another checkpoint")
	}
	given := &v.fields[i]
	if err := decode(v.files[name+".fields.json"], given); err != nil {
		return fmt.Errorf("fields.json: %w", err)
	}
	if given.Record != leaf.ID {
		return errors.New("fields.json is of another record")
	}
	r := Record{Leaf: leaf, Disclosure: given.disclosure(), Index: proof.Index, Proof: proof.Hashes}
	if len(given.Fields) != len(r.Disclosure.Opening.Values) {
		return errors.New("fields.json says a field twice")
	}
	v.records[i] = evidence.ReadRecord(leaf, r.Disclosure)
	report.Fields, err = r.Check(checkpoint)
	return err
}

// Check checks that the record is in the log, and says of every field that its
// leaf commits to how it stands. Each must be disclosed, withheld or erased, and
// no other may be there.
func (r Record) Check(c evidence.Checkpoint) ([]FieldReport, error) {
	if r.Index >= c.Size {
		return nil, errors.New("the proof is of a leaf behind the end of the log")
	}
	if err := tlog.CheckRecord(r.Proof, c.Size, c.Root, r.Index, r.Leaf.Hash()); err != nil {
		return nil, fmt.Errorf("is not in the log: %w", err)
	}
	d := r.Disclosure
	reports := make([]FieldReport, 0, 8)
	var bad error
	for name, sum := range evidence.Commitments(r.Leaf.Commitments) {
		_, disclosed := d.Opening.Values[name]
		f := FieldReport{Name: name, State: Mismatch}
		switch withheld, erased := slices.Contains(d.Withheld, name), slices.Contains(d.Erased, name); {
		case disclosed && !withheld && !erased && d.Opening.Gives(name, sum):
			f.State = OK
		case withheld && !disclosed && !erased:
			f.State = Withheld
		case erased && !disclosed && !withheld:
			f.State = Erased
		default:
			bad = fmt.Errorf("field %s is not what was committed to", name)
		}
		reports = append(reports, f)
	}
	if said := len(d.Opening.Values) + len(d.Withheld) + len(d.Erased); bad == nil && said != len(reports) {
		bad = errors.New("something is said of fields that the leaf does not have, or twice of one")
	}
	return reports, bad
}

// checkErasures looks for the record that says why values are gone.
func (v *verification) checkErasures() {
	places := make(map[string]int, len(v.records))
	for i, r := range v.records {
		places[r.ID] = i
	}
	for i, f := range v.fields {
		if len(f.Erased) == 0 {
			continue
		}
		at, there := places[f.ErasedBy]
		if !there || !v.records[at].Erases(f.Record, f.Erased) {
			v.problem("%s: values are gone, and no erasure in the bundle says so", recordName(i))
			continue
		}
		for n := range v.report.Records[i].Fields {
			if field := &v.report.Records[i].Fields[n]; field.State == Erased {
				field.Note = fmt.Sprintf("by record %q", f.ErasedBy)
			}
		}
	}
}

// checkFile lays the case out again, from nothing but the records.
func (v *verification) checkFile() {
	var rules struct {
		Rules string `json:"rules"`
	}
	text := v.files[fileName]
	if err := json.Unmarshal(text, &rules); err != nil {
		v.problem("%s: %v", fileName, err)
		return
	}
	if rules.Rules != evidence.FileRules {
		v.notCovered("%s follows the rules %q, which this program does not know: it is signed, and was not made again", fileName, rules.Rules)
		return
	}
	var file evidence.File
	if err := json.Unmarshal(text, &file); err != nil {
		v.problem("%s: %v", fileName, err)
		return
	}
	if file.Case.ComplaintID != v.report.Case {
		v.problem("%s is of another case than %s says", fileName, manifestName)
	}
	again, err := encode(evidence.Assemble(file.Case, v.records, file.Feeds))
	if err != nil || !bytes.Equal(again, text) {
		v.problem("%s does not follow from the records", fileName)
	}
	v.checkCase(file.Case)
	v.notCovered("that no record of the case was left out: ask each side for what it kept")
	if len(file.Feeds) > 0 {
		v.notCovered("how healthy the providers' feeds were: the server's word")
	}
}

func (v *verification) notCovered(format string, args ...any) {
	v.report.NotCovered = append(v.report.NotCovered, fmt.Sprintf(format, args...))
}

// checkCase compares what the file says of the complaint with its record.
func (v *verification) checkCase(c evidence.Case) {
	for _, r := range v.records {
		if r.Kind != evidence.Complaint || r.About.Complaint != c.ComplaintID {
			continue
		}
		if r.About.Waybill != c.Waybill || r.About.CourierNo != c.CourierNo || !r.OccurredAt.Equal(c.FiledAt.Truncate(time.Millisecond)) {
			v.problem("%s: the case is not the one that record %q tells of", fileName, r.ID)
		}
		var category string
		if json.Unmarshal(r.Values["category"], &category) != nil || category != c.Category {
			v.notCovered("the category %q of the complaint: its record says another or none", c.Category)
		}
		return
	}
	v.notCovered("the case itself: no record of its complaint is disclosed")
}

// checkSince checks that the log has grown from an older checkpoint and that
// nothing in it was rewritten.
func (v *verification) checkSince(since string, verifier note.Verifier) {
	var c Consistency
	if text := v.files[consistencyName]; text != nil {
		var err error
		if c, err = parseConsistency(text); err != nil {
			v.problem("%v", err)
			return
		}
	}
	if since == "" {
		if v.files[consistencyName] != nil {
			v.notCovered("%s: it is signed, and proves something only beside the older checkpoint (--since)", consistencyName)
		}
		return
	}
	old, err := evidence.OpenCheckpoint(since, note.VerifierList(verifier))
	switch {
	case err != nil:
		v.problem("--since: %v", err)
	case old.Origin != v.checkpoint.Origin:
		v.problem("--since: the older checkpoint is of the log %q", old.Origin)
	case old.Size > v.checkpoint.Size:
		v.problem("--since: that checkpoint is the newer one: the log had %d leaves, and %d in the bundle", old.Size, v.checkpoint.Size)
	case old.Size == v.checkpoint.Size:
		if old.Root != v.checkpoint.Root {
			v.problem("--since: the log was rewritten: two checkpoints of the same size differ")
		}
	case old.Size == 0: // everything grows from nothing
	case v.files[consistencyName] == nil || c.Size != old.Size:
		v.problem("--since: the bundle holds no proof from size %d; ask for one with ?since=%d", old.Size, old.Size)
	default:
		if err := tlog.CheckTree(c.Proof, v.checkpoint.Size, v.checkpoint.Root, old.Size, old.Root); err != nil {
			v.problem("--since: the log was rewritten: %v", err)
		}
	}
}
