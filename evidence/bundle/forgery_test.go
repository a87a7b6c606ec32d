package bundle_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
)

// Here the outlet itself cheats: it has the key and signs what it packs.

// packed packs and verifies contents.
func packed(t *testing.T, l *logbook, c bundle.Contents, since string) bundle.Report {
	t.Helper()
	data, err := bundle.Pack(c, l.signing())
	require.NoError(t, err)
	report, err := bundle.Verify(data, l.key, since)
	require.NoError(t, err)
	return report
}

// smallCase is a log with the small case's records, and those.
func smallCase(t *testing.T) (*logbook, []kept) {
	l := newLogbook(t, freshKey)
	var list []kept
	for _, f := range facts() {
		list = append(list, l.keep(t, f))
	}
	return l, list
}

func stateOf(r bundle.Report, record int, field string) bundle.State {
	fields := r.Records[record].Fields
	return fields[slices.IndexFunc(fields, func(f bundle.FieldReport) bool { return f.Name == field })].State
}

func TestAChangedValueIsAMismatch(t *testing.T) {
	l, list := smallCase(t)
	list[1].opening.Values["outcome"] = json.RawMessage(`"no_answer"`)
	report := packed(t, l, contents(t, l, manager, list...), "")
	require.False(t, report.Holds())
	require.Equal(t, bundle.Mismatch, stateOf(report, 1, "outcome"))
	require.Equal(t, bundle.OK, stateOf(report, 1, "direction"))
}

func TestARecordThatIsNotInTheLogIsFound(t *testing.T) {
	l, list := smallCase(t)
	other := newLogbook(t, freshKey)
	forged := other.keep(t, facts()[1])
	forged.index = list[1].index
	report := packed(t, l, contents(t, l, manager, list[0], forged, list[3]), "")
	require.Len(t, report.Problems, 1)
	require.Contains(t, report.Problems[0], "records/0002: is not in the log")

	report = packed(t, l, contents(t, l, manager, list[0], list[0]), "")
	require.Contains(t, strings.Join(report.Problems, "\n"), "is there twice")
}

func TestAFileThatDoesNotFollowFromItsRecordsIsFound(t *testing.T) {
	l, list := smallCase(t)
	for name, change := range map[string]func(*bundle.Contents){
		"a fact":             func(c *bundle.Contents) { c.File.Facts[0].Truth = evidence.False },
		"the completeness":   func(c *bundle.Contents) { c.File.Completeness++ },
		"an entry":           func(c *bundle.Contents) { c.File.Timeline = c.File.Timeline[1:] },
		"a record":           func(c *bundle.Contents) { c.Records = slices.Delete(c.Records, 1, 2) },
		"whose parcel it is": func(c *bundle.Contents) { c.File.Case.CourierNo = 8 },
	} {
		c := contents(t, l, manager, list...)
		change(&c)
		require.False(t, packed(t, l, c, "").Holds(), name)
	}
	c := contents(t, l, manager, list...)
	c.File.Rules = "doorstep/file/v9"
	report := packed(t, l, c, "")
	require.True(t, report.Holds())
	require.Contains(t, report.NotCovered[0], "does not know", "another version's file is signed, and said not to be made again")
}

func TestErasedValuesNameTheErasureThatTookThem(t *testing.T) {
	l, list := smallCase(t)
	for _, name := range []string{"outcome", "duration_s"} {
		delete(list[1].opening.Values, name)
		delete(list[1].opening.Salts, name)
	}
	report := packed(t, l, contents(t, l, manager, list...), "")
	require.False(t, report.Holds(), "nothing says why")

	for _, tt := range []struct {
		kind    evidence.Kind
		records []string
		holds   bool
	}{{evidence.Erasure, []string{"r9", "r2"}, true}, {evidence.Erasure, []string{"r9"}, false}, {evidence.Photo, []string{"r2"}, false}} {
		fact := facts()[0]
		fact.ID, fact.Fields = "e1", []evidence.Field{{Name: "class", Value: "contact"}, {Name: "records", Value: tt.records}}
		fact.Kind = tt.kind
		erasure := l.keep(t, fact)
		c := contents(t, l, manager, append(slices.Clone(list), erasure)...)
		c.Records[1].ErasedBy = "e1"
		report = packed(t, l, c, "")
		require.Equal(t, tt.holds, report.Holds(), "%v %v", tt, report.Problems)
		require.Equal(t, bundle.Erased, stateOf(report, 1, "outcome"))
		require.Equal(t, bundle.OK, stateOf(report, 1, "direction"))
	}
}

func TestAFieldCannotBeHiddenWithoutAWord(t *testing.T) {
	l, list := smallCase(t)
	c := contents(t, l, manager, list...)
	d := &c.Records[1].Disclosure
	d.Opening.Values = maps.Clone(d.Opening.Values)
	delete(d.Opening.Values, "outcome")
	report := packed(t, l, c, "")
	require.Equal(t, bundle.Mismatch, stateOf(report, 1, "outcome"))
	d.Withheld = append(d.Withheld, "outcome", "nothing_of_the_kind")
	require.False(t, packed(t, l, c, "").Holds(), "nor may there be more than the leaf has")
}

func TestACouriersBundleHoldsToo(t *testing.T) {
	l, list := smallCase(t)
	report := packed(t, l, contents(t, l, evidence.Reader{Role: doorstep.RoleCourier, CourierNo: 7}, list...), "")
	require.Empty(t, report.Problems)
	require.Equal(t, bundle.Withheld, stateOf(report, 3, "text"))
	require.Equal(t, bundle.OK, stateOf(report, 2, "lat"), "where he was himself")
	report = packed(t, l, contents(t, l, evidence.Reader{Role: doorstep.RoleCourier, CourierNo: 8}, list...), "")
	require.Equal(t, bundle.Withheld, stateOf(report, 2, "lat"))
}

// grown adds the proof that the log has grown from a size.
func grown(t *testing.T, l *logbook, c bundle.Contents, from int64) bundle.Contents {
	proof, err := tlog.ProveTree(l.size, from, l)
	require.NoError(t, err)
	c.Since = &bundle.Consistency{Size: from, Proof: proof}
	return c
}

func TestARewrittenLogIsFoundByAnOlderCheckpoint(t *testing.T) {
	l, list := smallCase(t)
	old := l.checkpoint(t)
	list = append(list, l.keep(t, facts()[2]))
	grown := func(l *logbook, from int64) bundle.Contents {
		return grown(t, l, contents(t, l, manager, list[:4]...), from)
	}
	require.Empty(t, packed(t, l, grown(l, old.Size), old.Note).Problems)
	require.NotEmpty(t, packed(t, l, grown(l, 2), old.Note).Problems, "that is the proof from another size")
	require.NotEmpty(t, packed(t, l, contents(t, l, manager, list[:4]...), old.Note).Problems, "there is none")
	now := l.checkpoint(t)
	require.Empty(t, packed(t, l, contents(t, l, manager, list[:4]...), now.Note).Problems, "it is the very same")

	forger := &logbook{signer: l.signer, key: l.key}
	list = nil
	for i, f := range append(facts(), facts()[2]) {
		if i == 1 {
			f.Fields[2].Value = "no_answer"
		}
		list = append(list, forger.keep(t, f))
	}
	require.True(t, packed(t, forger, grown(forger, old.Size), "").Holds(), "by itself it is sound")
	require.Contains(t, packed(t, forger, grown(forger, old.Size), old.Note).Problems[0], "the log was rewritten")
	require.Contains(t, packed(t, forger, grown(forger, old.Size), now.Note).Problems[0], "two checkpoints of the same size differ")
	require.NotEmpty(t, packed(t, l, grown(l, old.Size), "not a checkpoint").Problems)
}

func TestABundleOfAnotherKeysLogIsRefused(t *testing.T) {
	l, list := smallCase(t)
	other := newLogbook(t, freshKey)
	data, err := bundle.Pack(contents(t, l, manager, list...), other.signing())
	require.NoError(t, err)
	for _, key := range []string{l.key, other.key, "", "no key"} {
		_, err = bundle.Verify(data, key, "")
		require.Error(t, err, key)
	}
}
