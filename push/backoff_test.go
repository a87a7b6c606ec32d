package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

func TestHowLongADeliveryWaits(t *testing.T) {
	hint := func(r push.Result, after time.Duration) push.Result {
		r.After = after
		return r
	}
	const s = time.Second
	for _, c := range []struct {
		name         string
		result       push.Result
		n            int
		least, below time.Duration // for draws from 0 to just under 1
	}{
		{"first", refused, 1, s, 2 * s},
		{"second", refused, 2, 2 * s, 4 * s},
		{"eighth", refused, 8, 128 * s, 256 * s},
		{"ninth", refused, 9, 150 * s, 300 * s},
		{"hundredth", refused, 100, 150 * s, 300 * s},
		{"a hint", hint(refused, 7*s), 1, 7 * s, 7700 * time.Millisecond},
		{"a hint that is less than ours", hint(refused, s), 3, 4 * s, 8 * s},
		{"it may have arrived", lost, 1, 10 * s, 11 * s},
		{"it may have arrived, again", lost, 2, 10 * s, 20 * s},
		{"it may have arrived, with a hint", hint(lost, 30*s), 1, 30 * s, 33 * s},
		{"a quota", quota, 1, 60 * s, 66 * s},
		{"no refusal counted yet", quota, 0, 60 * s, 66 * s},
		{"a quota again", quota, 2, 60 * s, 120 * s},
		{"a quota for long", quota, 9, 150 * s, 300 * s},
		{"a quota with a hint", hint(quota, 7*s), 1, 7 * s, 7700 * time.Millisecond},
		{"Apple's key", appleless, 1, 150 * s, 300 * s},
	} {
		require.Equal(t, c.least, push.Wait(c.result, c.n, 0), c.name)
		last := push.Wait(c.result, c.n, 0.999999)
		require.Less(t, last, c.below, c.name)
		require.Greater(t, last, c.below-c.below/1000, c.name)
	}
}
