package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

var (
	accepted  = push.Result{Outcome: push.Accepted, Code: "ok"}
	lost      = push.Result{Outcome: push.Ambiguous, Code: "transport"}
	refused   = push.Result{Outcome: push.Retry, Code: "connect"}
	quota     = push.Result{Outcome: push.Retry, Code: "quota"}
	gone      = push.Result{Outcome: push.AddrGone, Code: "unregistered"}
	bad       = push.Result{Outcome: push.BadMessage, Code: "bad_message"}
	keyless   = push.Result{Outcome: push.ProviderDown, Code: "unauthorized"}
	appleless = push.Result{Outcome: push.ProviderDown, Code: "apns_auth"}
)

// attempts makes attempts that end as told, all at noon, until the breaker turns.
func attempts(b *push.Breaker, results ...push.Result) (made int) {
	for i, r := range results {
		if b.End(noon, b.Begin(), r) {
			return i + 1
		}
	}
	return 0
}

func repeat(n int, results ...push.Result) (list []push.Result) {
	for range n {
		list = append(list, results...)
	}
	return list
}

func TestWhatOpensABreaker(t *testing.T) {
	for name, c := range map[string]struct {
		results []push.Result
		opens   int // with the so-manyth; 0: never
	}{
		"five faults in a row":              {repeat(5, lost), 5},
		"of either kind":                    {[]push.Result{lost, refused, lost, refused, lost}, 5},
		"four are not enough":               {repeat(9, append(repeat(4, refused), repeat(6, accepted)...)...), 0},
		"half of the last twenty is not":    {repeat(40, lost, accepted), 0},
		"over half of the last twenty is":   {append(repeat(10, lost, accepted), repeat(2, lost, lost, accepted)...), 22},
		"over half of fewer is not":         {[]push.Result{lost, lost, accepted, lost, lost, accepted, lost}, 0},
		"a quota is an answer":              {repeat(30, quota), 0},
		"so is a dead address":              {repeat(30, lost, lost, gone, bad, gone), 0},
		"wrong credentials open it at once": {[]push.Result{accepted, keyless}, 2},
		"Apple's do not":                    {repeat(30, appleless), 0},
	} {
		var b push.Breaker
		require.Equal(t, c.opens, attempts(&b, c.results...), name)
		_, open := b.Pause()
		require.Equal(t, c.opens > 0, open, name)
	}
}

func TestAnOpenBreakerAdmitsOneProbeAfterEachPause(t *testing.T) {
	var b push.Breaker
	require.Equal(t, 9, b.Admits(noon, 9))
	require.Equal(t, 5, attempts(&b, repeat(5, lost)...))
	now := noon
	for i, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
		until, _ := b.Pause()
		require.Equal(t, now.Add(pause), until)
		require.Zero(t, b.Admits(until.Add(-time.Nanosecond), 9))
		now = until
		require.Equal(t, 1, b.Admits(now, 9))
		require.Zero(t, b.Admits(now, 0), "no room is no room")
		probe := b.Begin()
		require.True(t, probe.Probe)
		require.Zero(t, b.Admits(now, 9), "one probe at a time")
		require.True(t, b.End(now, probe, []push.Result{lost, keyless}[i%2]))
	}
}

func TestAnyAnswerToAProbeClosesTheBreaker(t *testing.T) {
	for _, answer := range []push.Result{accepted, gone, bad, quota, appleless} {
		var b push.Breaker
		attempts(&b, repeat(5, lost)...)
		until, _ := b.Pause()
		require.True(t, b.End(until, b.Begin(), answer))
		require.Equal(t, 9, b.Admits(until, 9))

		// The next trouble starts from nothing.
		require.Equal(t, 5, attempts(&b, repeat(5, lost)...))
		again, _ := b.Pause()
		require.Equal(t, noon.Add(30*time.Second), again)
	}
}

func TestWhatBeganBeforeABreakerTurnedSaysNothing(t *testing.T) {
	var b push.Breaker
	old := b.Begin()
	attempts(&b, repeat(5, lost)...)
	until, _ := b.Pause()
	for _, r := range []push.Result{accepted, lost, keyless} {
		require.False(t, b.End(noon.Add(time.Second), old, r))
		still, open := b.Pause()
		require.True(t, open)
		require.Equal(t, until, still)
	}
	require.True(t, b.End(until, b.Begin(), accepted))
	require.False(t, b.End(until, old, keyless))
	require.Equal(t, 9, b.Admits(until, 9))
}
