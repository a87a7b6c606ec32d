package evidence_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/evidence"
)

func TestACommitmentOpensOnlyWithItsOwnSaltAndValue(t *testing.T) {
	fields := []evidence.Field{{"outcome", "no_answer"}, {"duration_s", 12.5}, {"tags", []string{"no_locker"}}}
	commitments, kept, err := evidence.Commit(fields, rand.Reader)
	require.NoError(t, err)
	opening := open(t, kept)
	for _, f := range fields {
		require.True(t, opening.Opens(commitments, f.Name), f.Name)
	}
	require.NotContains(t, commitments, "no_answer")

	opening.Values["outcome"] = json.RawMessage(`"answered"`)
	require.False(t, opening.Opens(commitments, "outcome"))
	opening.Values["duration_s"] = json.RawMessage(`"12.5"`)
	require.False(t, opening.Opens(commitments, "duration_s"), "a number is not its text")
	opening.Salts["tags"] = opening.Salts["outcome"]
	require.False(t, opening.Opens(commitments, "tags"))
	require.False(t, opening.Opens(commitments, "nothing"))
}

func TestEqualValuesHaveUnequalCommitments(t *testing.T) {
	fields := []evidence.Field{{"outcome", "no_answer"}}
	a, _, err := evidence.Commit(fields, rand.Reader)
	require.NoError(t, err)
	b, _, err := evidence.Commit(fields, rand.Reader)
	require.NoError(t, err)
	require.NotEqual(t, a, b)
}

// Records outlive programs: a commitment made once must open for ever.
func TestTheFormOfCommitmentsAndOpeningsStays(t *testing.T) {
	var salts [3 * 32]byte
	for i := range salts {
		salts[i] = byte(i)
	}
	commitments, kept, err := evidence.Commit([]evidence.Field{
		{"direction", "outgoing"}, {"duration_s", 23.5}, {"template", "<on & on>"},
	}, bytes.NewReader(salts[:]))
	require.NoError(t, err)
	require.Equal(t, `direction +aRTxboKburKx82wIVgGoANF6AfEY++fNAKVf305ZsA=
duration_s DotJrmYtYg0NIW+XPUP7KJu/Ovl0qThzXqmnxjOT5vY=
template OALiuKB4RQxw6gV1loGQGXGm/gFqDl9+jLCYEhuC+fY=`, commitments)
	require.Equal(t, `{"salts":{"direction":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",`+
		`"duration_s":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=","template":"QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="},`+
		`"values":{"direction":"outgoing","duration_s":23.5,"template":"\u003con \u0026 on\u003e"}}`, string(kept))
}

func TestNamesThatCouldBeReadInTwoWaysAreRefused(t *testing.T) {
	for _, names := range [][]string{{""}, {"two words"}, {"line\nline"}, {`a"b`}, {"é"}, {"same", "same"}} {
		var fields []evidence.Field
		for _, name := range names {
			fields = append(fields, evidence.Field{Name: name, Value: 1})
		}
		_, _, err := evidence.Commit(fields, rand.Reader)
		require.Error(t, err, names)
	}
}

func TestAnyFieldsOpenAfterARoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOf(rapid.StringMatching(`[a-z_]{1,12}`), rapid.String()).Draw(t, "values")
		var fields []evidence.Field
		for name, v := range values {
			fields = append(fields, evidence.Field{Name: name, Value: v})
		}
		commitments, kept, err := evidence.Commit(fields, rand.Reader)
		require.NoError(t, err)
		opening := open(t, kept)
		again, err := json.Marshal(opening)
		require.NoError(t, err)
		require.Equal(t, string(again), string(kept))
		for name := range values {
			require.True(t, opening.Opens(commitments, name), name)
		}
	})
}

// open reads an opening as it is kept.
func open(t require.TestingT, kept []byte) (o evidence.Opening) {
	require.NoError(t, json.Unmarshal(kept, &o))
	return o
}
