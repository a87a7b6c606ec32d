package evidence_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/evidence"
)

var aCall = evidence.Fact{
	ID: "7k-0192d3c4-0000-7000-8000-000000000001", Outlet: 272, Kind: evidence.Call, Source: evidence.Device, CourierNo: 31,
	Waybill: "SF1234567890", ClientID: "5b0a4b1e-0000-4000-8000-000000000001",
	OccurredAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("CST", 8*3600)),
	ReceivedAt: time.Date(2026, 3, 2, 1, 0, 30, 250_000_000, time.UTC),
	Fields:     []evidence.Field{{"outcome", "no_answer"}, {"duration_s", 23.5}},
}

// leafOf commits to the fact with salts of 0, 1, 2 ... and gives its leaf.
func leafOf(t require.TestingT, f evidence.Fact) (evidence.Leaf, evidence.Opening) {
	salts := make([]byte, 32*(len(f.Fields)+1))
	for i := range salts {
		salts[i] = byte(i)
	}
	commitments, kept, err := evidence.Commit(f.Committed(), bytes.NewReader(salts))
	require.NoError(t, err)
	return evidence.Leaf{ID: f.ID, Kind: f.Kind, ReceivedAt: f.ReceivedAt, Commitments: commitments}, open(t, kept)
}

// Logs outlive programs: a leaf made once must be made again, byte for byte.
func TestTheFormOfALeafStays(t *testing.T) {
	leaf, opening := leafOf(t, aCall)
	require.Equal(t, `doorstep/evidence/v1
id 7k-0192d3c4-0000-7000-8000-000000000001
kind call
received 2026-03-02T01:00:30.250Z
f about p7laeHk0bknYxLIAxdnOvOWFxMJ3IOibmto3ET6JRN8=
f duration_s DotJrmYtYg0NIW+XPUP7KJu/Ovl0qThzXqmnxjOT5vY=
f outcome G54z0N3JtOU8hbXxsHXylRIpXddPceecXawNIAePcL0=
`, string(leaf.Text()))
	require.Equal(t, `{"source":"device","courier_no":31,"waybill":"SF1234567890","occurred_at":"2026-03-02T01:00:00.000Z",`+
		`"client_id":"5b0a4b1e-0000-4000-8000-000000000001"}`, string(opening.Values[evidence.AboutField]))
	require.Equal(t, "Zt6Jophl00MStjda+xXbvNhlXCNVfaoN0x8Cg8oEgnQ=", leaf.Hash().String())
}

func TestARecordFromBeforeTheLogHasALeafWithoutFields(t *testing.T) {
	leaf := evidence.Leaf{ID: "1-a", Kind: evidence.Push, ReceivedAt: aCall.ReceivedAt}
	parsed, err := evidence.ParseLeaf(leaf.Text())
	require.NoError(t, err)
	require.Equal(t, leaf, parsed)
}

func TestEveryPartOfTheHeaderIsBound(t *testing.T) {
	leaf, _ := leafOf(t, aCall)
	for name, change := range map[string]func(*evidence.Fact){
		"id":        func(f *evidence.Fact) { f.ID += "x" },
		"kind":      func(f *evidence.Fact) { f.Kind = evidence.Message },
		"source":    func(f *evidence.Fact) { f.Source = evidence.Person },
		"courier":   func(f *evidence.Fact) { f.CourierNo++ },
		"waybill":   func(f *evidence.Fact) { f.Waybill = "SF1" },
		"complaint": func(f *evidence.Fact) { f.ComplaintID = "c" },
		"occurred":  func(f *evidence.Fact) { f.OccurredAt = f.OccurredAt.Add(time.Millisecond) },
		"received":  func(f *evidence.Fact) { f.ReceivedAt = f.ReceivedAt.Add(time.Millisecond) },
		"client id": func(f *evidence.Fact) { f.ClientID = "" },
		"fields":    func(f *evidence.Fact) { f.Fields = []evidence.Field{{"outcome", "answered"}, {"duration_s", 23.5}} },
	} {
		changed := aCall
		change(&changed)
		other, _ := leafOf(t, changed)
		require.NotEqual(t, leaf.Hash(), other.Hash(), name)
	}
}

func TestALeafIsReadBackAndInOneWayOnly(t *testing.T) {
	leaf, _ := leafOf(t, aCall)
	text := leaf.Text()
	parsed, err := evidence.ParseLeaf(text)
	require.NoError(t, err)
	require.Equal(t, leaf.Hash(), parsed.Hash())
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(text)
		bad[rapid.IntRange(0, len(bad)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if got, err := evidence.ParseLeaf(bad); err == nil {
			require.Equal(t, string(bad), string(got.Text()))
			require.NotEqual(t, leaf.Hash(), got.Hash())
		}
	})
}

func FuzzParseLeaf(f *testing.F) {
	leaf, _ := leafOf(f, aCall)
	f.Add(leaf.Text())
	f.Add([]byte("doorstep/evidence/v1\nid 1\nkind call\nreceived 2026-03-02T01:00:30,250Z\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := evidence.ParseLeaf(text); err == nil {
			require.Equal(t, string(text), string(got.Text()))
		}
	})
}

func TestTheFieldAboutTheHeaderIsNobodyElses(t *testing.T) {
	fact := aCall
	fact.Fields = []evidence.Field{{evidence.AboutField, json.RawMessage(`{}`)}}
	_, _, err := evidence.Commit(fact.Committed(), bytes.NewReader(make([]byte, 64)))
	require.Error(t, err)
}
