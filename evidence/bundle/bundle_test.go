package bundle_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
)

const keyName = "doorstep.example"

var filed = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// logbook is a small log in memory, under a key of its own.
type logbook struct {
	signer note.Signer
	key    string
	hashes []tlog.Hash
	size   int64
}

func newLogbook(t testing.TB, random func(name string) (signer, key string)) *logbook {
	skey, vkey := random(keyName)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	return &logbook{signer: signer, key: vkey}
}

func (l *logbook) signing() evidence.Key { return evidence.Key{Signer: l.signer, Public: l.key} }

func freshKey(name string) (signer, key string) {
	signer, key, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		panic(err)
	}
	return signer, key
}

// ReadHashes implements tlog.HashReader.
func (l *logbook) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		list[i] = l.hashes[at]
	}
	return list, nil
}

func (l *logbook) add(t testing.TB, text []byte) int64 {
	more, err := tlog.StoredHashes(l.size, text, l)
	require.NoError(t, err)
	l.hashes = append(l.hashes, more...)
	l.size++
	return l.size - 1
}

func (l *logbook) checkpoint(t testing.TB) evidence.Checkpoint {
	root, err := tlog.TreeHash(l.size, l)
	require.NoError(t, err)
	origin := evidence.Origin(keyName, "default", "west")
	signed, err := evidence.SignCheckpoint(origin, l.size, root, l.signer)
	require.NoError(t, err)
	return evidence.Checkpoint{Origin: origin, Size: l.size, Root: root, Note: signed, CreatedAt: filed.Add(time.Hour)}
}

// kept is a record as a store has it.
type kept struct {
	leaf    evidence.Leaf
	opening evidence.Opening
	index   int64
}

func (l *logbook) keep(t testing.TB, f evidence.Fact) kept {
	commitments, body, err := evidence.Commit(f.Committed(), rand.Reader)
	require.NoError(t, err)
	k := kept{leaf: evidence.Leaf{ID: f.ID, Kind: f.Kind, ReceivedAt: f.ReceivedAt, Commitments: commitments}}
	require.NoError(t, json.Unmarshal(body, &k.opening))
	k.index = l.add(t, k.leaf.Text())
	return k
}

var theCase = evidence.Case{ComplaintID: "1-case", Waybill: "SF1", Category: "locker_without_consent", FiledAt: filed, CourierNo: 7}

// facts are those of a small case.
func facts() []evidence.Fact {
	fact := func(id string, kind evidence.Kind, source evidence.Source, minutes int, fields ...evidence.Field) evidence.Fact {
		at := filed.Add(time.Duration(minutes) * time.Minute)
		return evidence.Fact{
			ID: id, Outlet: 1, Kind: kind, Source: source, CourierNo: 7, Waybill: "SF1", OccurredAt: at, ReceivedAt: at.Add(time.Second), Fields: fields,
		}
	}
	complaint := fact("r4", evidence.Complaint, evidence.Person, 0,
		evidence.Field{Name: "category", Value: theCase.Category}, evidence.Field{Name: "text", Value: "又没问我就放柜子了 <again>"},
		evidence.Field{Name: "reporter", Value: map[string]string{"phone": "+8613800000001"}})
	complaint.ComplaintID = theCase.ComplaintID
	return []evidence.Fact{
		fact("r1", evidence.Dispatch, evidence.Server, -180, evidence.Field{Name: "tags", Value: []string{"no_locker"}}),
		fact("r2", evidence.Call, evidence.Device, -60, evidence.Field{Name: "direction", Value: "outgoing"},
			evidence.Field{Name: "duration_s", Value: 31.5}, evidence.Field{Name: "outcome", Value: "answered"}),
		fact("r3", evidence.Location, evidence.Device, -50, evidence.Field{Name: "lat", Value: 31.2}, evidence.Field{Name: "lng", Value: 121.5}),
		complaint,
	}
}

// contents are those of the case's bundle for a reader.
func contents(t testing.TB, l *logbook, reader evidence.Reader, list ...kept) bundle.Contents {
	c := bundle.Contents{Checkpoint: l.checkpoint(t)}
	var records []evidence.Record
	for _, k := range list {
		proof, err := tlog.ProveRecord(l.size, k.index, l)
		require.NoError(t, err)
		d := reader.Disclose(k.leaf, k.opening)
		c.Records = append(c.Records, bundle.Record{Leaf: k.leaf, Disclosure: d, Index: k.index, Proof: proof})
		records = append(records, evidence.ReadRecord(k.leaf, d))
	}
	c.File = evidence.Assemble(theCase, records, []evidence.Feed{{Provider: "generic", From: filed.Add(-time.Hour), To: filed, Healthy: evidence.True}})
	return c
}

var manager = evidence.Reader{Role: doorstep.RoleManager}

// small is a bundle of the small case, in a log that has other records too.
func small(t testing.TB) (l *logbook, data []byte) {
	l = newLogbook(t, freshKey)
	var list []kept
	for i, f := range facts() {
		l.add(t, fmt.Appendf(nil, "another record %d\n", i))
		list = append(list, l.keep(t, f))
	}
	data, err := bundle.Pack(contents(t, l, manager, list...), l.signing())
	require.NoError(t, err)
	return l, data
}

func TestABundleHoldsByItsKeyAlone(t *testing.T) {
	l, data := small(t)
	report, err := bundle.Verify(data, l.key, "")
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.Len(t, report.Records, 4)
	require.Equal(t, "doorstep.example/default/west", report.Origin)
	states := map[bundle.State]int{}
	for _, r := range report.Records {
		for _, f := range r.Fields {
			states[f.State]++
		}
	}
	require.Equal(t, map[bundle.State]int{bundle.OK: 4 + 1 + 3 + 2 + 2, bundle.Withheld: 1}, states, "the reporter alone is withheld")
	require.NotContains(t, string(data), "13800000001")

	again, err := bundle.Pack(contents(t, l, manager), l.signing())
	require.NoError(t, err)
	report, err = bundle.Verify(again, l.key, "")
	require.NoError(t, err)
	require.Empty(t, report.Problems, "a case without records is possible too")

	_, other := freshKey(keyName)
	_, err = bundle.Verify(data, other, "")
	require.Error(t, err)
}

// Whoever knows only the key before the newest can check a bundle, all of it.
func TestABundleOfTwoKeysHoldsForEither(t *testing.T) {
	l, list := smallCase(t)
	skey, public, err := note.GenerateKey(rand.Reader, l.signer.Name())
	require.NoError(t, err)
	newest, err := note.NewSigner(skey)
	require.NoError(t, err)
	c := contents(t, l, manager, list...)
	c.Checkpoint.Note, err = evidence.SignCheckpoint(c.Checkpoint.Origin, c.Checkpoint.Size, c.Checkpoint.Root, newest, l.signer)
	require.NoError(t, err)
	data, err := bundle.Pack(c, evidence.Key{Signer: newest, Public: public}, l.signing())
	require.NoError(t, err)
	for _, key := range []string{public, l.key} {
		report, err := bundle.Verify(data, key, "")
		require.NoError(t, err)
		require.Empty(t, report.Problems)
		from := bytes.Index(data, []byte("doorstep/bundle/v1\ncase ")) // the manifest's note
		for i := from; i < from+bytes.Index(data[from:], []byte("PK\x03\x04")); i++ {
			data[i] ^= 1
			report, err := bundle.Verify(data, key, "")
			require.True(t, err != nil || !report.Holds(), "byte %d", i)
			data[i] ^= 1
		}
	}
	_, third, err := note.GenerateKey(rand.Reader, l.signer.Name())
	require.NoError(t, err)
	_, err = bundle.Verify(data, third, "")
	require.ErrorContains(t, err, "manifest.note")
}
