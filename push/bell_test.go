package push_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

// happened says whether there is something on a channel, or whether it is
// closed.
func happened(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestABellIsHeardByTheCouriersItRingsForOnAllTheirDevices(t *testing.T) {
	var bell push.Bell
	bell.Ring(1) // nobody listens
	one, other, another := bell.Listen(1, "phone"), bell.Listen(1, "tablet"), bell.Listen(2, "phone")

	bell.Ring(1, 3)
	require.True(t, happened(one.Rung))
	require.True(t, happened(other.Rung))
	require.False(t, happened(another.Rung))

	bell.RingAll()
	for _, e := range []*push.Ear{one, other, another} {
		require.True(t, happened(e.Rung))
		require.False(t, happened(e.Rung), "it was rung once")
	}
}

func TestRingsThatNobodyTookMergeIntoOne(t *testing.T) {
	var bell push.Bell
	ear := bell.Listen(1, "phone")
	for range 3 {
		bell.Ring(1)
		bell.RingAll()
	}
	require.True(t, happened(ear.Rung))
	require.False(t, happened(ear.Rung))
}

func TestADeviceHasOneEar(t *testing.T) {
	var bell push.Bell
	first, elsewhere := bell.Listen(1, "phone"), bell.Listen(2, "phone")
	second := bell.Listen(1, "phone")
	require.True(t, happened(first.Closed))
	require.Equal(t, push.Replaced, first.Why())
	require.False(t, happened(elsewhere.Closed), "an install id is a courier's own")

	bell.Leave(first) // late, and no longer of any consequence
	bell.Ring(1)
	require.False(t, happened(first.Rung))
	require.True(t, happened(second.Rung))
	require.False(t, happened(second.Closed))
}

func TestOneMoreThanACouriersStreamsEndsHisOldest(t *testing.T) {
	var bell push.Bell
	other := bell.Listen(2, "phone-0")
	var ears []*push.Ear
	listen := func(device int) *push.Ear {
		e := bell.Listen(1, fmt.Sprint("phone-", device))
		ears = append(ears, e)
		return e
	}
	for i := range push.MaxStreams {
		listen(i)
	}
	for _, e := range ears {
		require.False(t, happened(e.Closed))
	}

	again := listen(0) // the first phone anew: its stream is now the youngest
	require.Equal(t, push.Replaced, ears[0].Why())
	for i := push.MaxStreams; i < 2*push.MaxStreams-1; i++ { // the token invents phones
		listen(i)
		oldest := ears[i-push.MaxStreams+1]
		require.True(t, happened(oldest.Closed))
		require.Equal(t, push.TooMany, oldest.Why())
		require.Equal(t, push.MaxStreams+1, bell.Listening())
	}
	require.False(t, happened(again.Closed))
	require.False(t, happened(other.Closed), "another courier has his own")

	bell.Leave(again)
	last := listen(99)
	require.False(t, happened(ears[len(ears)-2].Closed), "who left makes room")
	bell.Ring(1)
	require.True(t, happened(last.Rung))
}

func TestNothingIsKeptOfWhoLeft(t *testing.T) {
	var bell push.Bell
	var ears []*push.Ear
	for i := range 10 {
		ears = append(ears, bell.Listen(int64(i%3), fmt.Sprint("phone-", i%2)))
	}
	require.Equal(t, 6, bell.Listening())
	for _, e := range ears {
		bell.Leave(e)
		bell.Leave(e)
	}
	require.Zero(t, bell.Listening())
	require.Zero(t, bell.Couriers())
}

func TestAClosedBellClosesItsEarsAndThoseToCome(t *testing.T) {
	var bell push.Bell
	early := bell.Listen(1, "phone")
	bell.Close()
	bell.Close()
	late, again := bell.Listen(1, "phone"), bell.Listen(1, "phone")
	for _, e := range []*push.Ear{early, late, again} {
		require.True(t, happened(e.Closed))
		require.NoError(t, e.Why(), "nothing took its place")
		bell.Leave(e)
	}
	bell.Ring(1)
	bell.RingAll()
	require.False(t, happened(early.Rung))
}

// Its worth is in the race detector.
func TestABellMayBeUsedByAllAtOnce(t *testing.T) {
	var (
		bell push.Bell
		all  sync.WaitGroup
	)
	for courier := range int64(4) {
		for range 4 {
			all.Go(func() {
				for range 200 {
					e := bell.Listen(courier, "phone")
					bell.Ring(courier)
					select { // one of them: it is rung, or the next has taken its place
					case <-e.Rung:
					case <-e.Closed:
					}
					bell.Leave(e)
				}
			})
		}
		all.Go(func() {
			for range 200 {
				bell.RingAll()
			}
		})
	}
	all.Wait()
	require.Zero(t, bell.Listening())
	bell.Close()
}
