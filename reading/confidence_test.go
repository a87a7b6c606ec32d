package reading

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfidenceRisesWithTheLogOdds(t *testing.T) {
	last := -1.0
	for x := float32(-20); x < 20; x += 0.1 {
		q := confidence(x)
		require.True(t, last <= q && 0 <= q && q < 1, "%v at %v, after %v", q, x, last)
		last = q
	}
	require.InDelta(t, MinConfidence, confidence(1.3), 1e-6)
}
