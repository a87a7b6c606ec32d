package evidence_test

import (
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/evidence"
)

func TestACommitmentOpensOnlyWithItsOwnSaltAndValue(t *testing.T) {
	fields := []evidence.Field{{"outcome", "no_answer"}, {"duration_s", 12.5}, {"tags", []string{"no_locker"}}}
	commitments, opening, err := evidence.Commit(fields, rand.Reader)
	require.NoError(t, err)
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

func TestAnyFieldsOpenAfterARoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOf(rapid.StringMatching(`[a-z_]{1,12}`), rapid.String()).Draw(t, "values")
		var fields []evidence.Field
		for name, v := range values {
			fields = append(fields, evidence.Field{Name: name, Value: v})
		}
		commitments, opening, err := evidence.Commit(fields, rand.Reader)
		require.NoError(t, err)
		kept, err := json.Marshal(opening)
		require.NoError(t, err)
		var back evidence.Opening
		require.NoError(t, json.Unmarshal(kept, &back))
		for name := range values {
			require.True(t, back.Opens(commitments, name), name)
		}
	})
}
