package evidence_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
)

const (
	unknown = evidence.Unknown
	no      = evidence.False
	yes     = evidence.True
)

func TestTruthsCombineAsKleeneSays(t *testing.T) {
	for _, c := range []struct{ a, b, and, or evidence.Truth }{
		{yes, yes, yes, yes}, {yes, no, no, yes}, {no, no, no, no},
		{unknown, yes, unknown, yes}, {unknown, no, no, unknown}, {unknown, unknown, unknown, unknown},
	} {
		require.Equal(t, c.and, c.a.And(c.b), "%v and %v", c.a, c.b)
		require.Equal(t, c.and, c.b.And(c.a), "%v and %v", c.b, c.a)
		require.Equal(t, c.or, c.a.Or(c.b), "%v or %v", c.a, c.b)
		require.Equal(t, c.or, c.b.Or(c.a), "%v or %v", c.b, c.a)
	}
	require.Equal(t, unknown, unknown.Not())
	require.Equal(t, no, yes.Not())
}

func TestTruthIsWrittenInWords(t *testing.T) {
	text, err := json.Marshal([]evidence.Truth{unknown, no, yes})
	require.NoError(t, err)
	require.JSONEq(t, `["unknown","false","true"]`, string(text))
	var back []evidence.Truth
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, []evidence.Truth{unknown, no, yes}, back)
	require.Error(t, json.Unmarshal([]byte(`["maybe"]`), &back))
}
