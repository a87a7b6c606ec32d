package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// take begins as many messages as there is room for.
func take(r *push.Rate, now time.Time) (n int, eras []int) {
	for ; r.Room(now) > 0; n++ {
		eras = append(eras, r.Begin(now))
	}
	return n, eras
}

func TestABucketHoldsASecondsWorth(t *testing.T) {
	r := push.NewRate(50, noon)
	for _, c := range []struct {
		at   time.Duration
		want int
	}{
		{0, 50},
		{time.Millisecond, 0},
		{20 * time.Millisecond, 1},
		{time.Second, 49},
		{time.Hour, 50},
		{time.Minute, 0}, // the clock was set back
		{time.Minute + 100*time.Millisecond, 5},
	} {
		n, _ := take(r, noon.Add(c.at))
		require.Equal(t, c.want, n, c.at)
	}
}

func TestASlowRateStillBeginsWholeMessages(t *testing.T) {
	r := push.NewRate(0.5, noon)
	n, _ := take(r, noon)
	require.Equal(t, 1, n)
	require.Equal(t, 2*time.Second, r.Wait(noon, 1))
	n, _ = take(r, noon.Add(2*time.Second-time.Millisecond))
	require.Zero(t, n)
	n, _ = take(r, noon.Add(2*time.Second))
	require.Equal(t, 1, n)
}

func TestARefusalHalvesTheRateOnceForAllThatWasUnderWay(t *testing.T) {
	r := push.NewRate(100, noon)
	_, eras := take(r, noon)
	for range 10 {
		r.Refused(noon, eras[0], 0)
	}
	require.Equal(t, 50.0, r.PerSecond(noon))
	now := noon.Add(time.Second)
	_, eras = take(r, now)
	require.Len(t, eras, 50)
	r.Refused(now, eras[0], 0)
	require.Equal(t, 25.0, r.PerSecond(now))
}

func TestTheRateNeverFallsBelowOneASecondNorBelowALowerSetting(t *testing.T) {
	for set, floor := range map[float64]float64{500: 1, 0.25: 0.25} {
		r := push.NewRate(set, noon)
		for range 20 {
			r.Refused(noon, r.Begin(noon), 0)
		}
		require.Equal(t, floor, r.PerSecond(noon))
	}
}

func TestTenSecondsWithoutARefusalRaiseTheRateByATenthUpToTheSetting(t *testing.T) {
	r := push.NewRate(100, noon)
	r.Refused(noon, r.Begin(noon), 0)
	require.Equal(t, 50.0, r.PerSecond(noon.Add(10*time.Second-time.Nanosecond)))
	require.InDelta(t, 55, r.PerSecond(noon.Add(10*time.Second)), 1e-9)
	require.InDelta(t, 60.5, r.PerSecond(noon.Add(20*time.Second)), 1e-9)
	require.Less(t, r.PerSecond(noon.Add(79*time.Second)), 100.0)
	require.Equal(t, 100.0, r.PerSecond(noon.Add(80*time.Second)))
	require.Equal(t, 100.0, r.PerSecond(noon.Add(time.Hour)))
}

func TestARestIsWaitedForAndTheCleanTimeStartsAfterIt(t *testing.T) {
	r := push.NewRate(100, noon)
	r.Refused(noon, r.Begin(noon), 7*time.Second)
	r.Refused(noon.Add(time.Second), 0, time.Second) // a shorter rest ends no longer one
	require.Equal(t, 7*time.Second, r.Wait(noon, 1))
	require.Zero(t, r.Room(noon.Add(7*time.Second-time.Nanosecond)))
	require.Equal(t, 50, r.Room(noon.Add(7*time.Second)))
	require.Equal(t, 50.0, r.PerSecond(noon.Add(17*time.Second-time.Nanosecond)))
	require.InDelta(t, 55, r.PerSecond(noon.Add(17*time.Second)), 1e-9)
}

func TestHalvingsInARowAreCountedUntilSomethingIsAccepted(t *testing.T) {
	r := push.NewRate(100, noon)
	first := r.Begin(noon)
	require.Equal(t, 1, r.Refused(noon, first, 0))
	require.Equal(t, 1, r.Refused(noon, first, 0))
	r.Accepted(first)
	second := r.Begin(noon)
	require.Equal(t, 2, r.Refused(noon, second, 0), "what was accepted had begun before")
	r.Accepted(r.Begin(noon))
	require.Equal(t, 1, r.Refused(noon, r.Begin(noon), 0))
}

func TestARefundGivesTheTokenBackAndNoMore(t *testing.T) {
	r := push.NewRate(10, noon)
	take(r, noon)
	r.Refund()
	require.Equal(t, 1, r.Room(noon))
	for range 20 {
		r.Refund()
	}
	require.Equal(t, 10, r.Room(noon))
}
