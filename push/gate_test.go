package push_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

func TestASenderTellsHowEachServiceStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		s, stop := running(b, 100, 4,
			slow{"slow", 5 * time.Second, accepted}, slow{"full", 0, quota}, slow{"broken", 0, refused}, slow{"idle", 0, accepted})
		idle := push.ServiceState{Provider: "idle", PerSecond: 100}
		require.Equal(t, []push.ServiceState{
			{Provider: "broken", PerSecond: 100}, {Provider: "full", PerSecond: 100}, idle, {Provider: "slow", PerSecond: 100},
		}, s.Services())

		b.mu.Lock()
		b.load("slow", 3)
		b.load("full", 1)
		b.load("broken", 5)
		b.mu.Unlock()
		s.Wake()
		time.Sleep(4 * time.Second)
		require.Equal(t, []push.ServiceState{
			{Provider: "broken", PerSecond: 100, Shut: true}, {Provider: "full", PerSecond: 50}, idle, {Provider: "slow", PerSecond: 100, InFlight: 3},
		}, s.Services(), "a quota halves the rate and leaves the breaker alone, faults do the reverse")

		time.Sleep(90 * time.Second)
		require.Zero(t, s.Services()[3].InFlight)
		require.Greater(t, s.Services()[1].PerSecond, 50.0, "it rises by itself, without anything to send")
		require.True(t, s.Services()[0].Shut, "until a probe is answered, also once it may be made")
		require.NoError(t, stop())
	})
}
