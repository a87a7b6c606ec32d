package push_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
)

// attic keeps the times at which devices were last seen, by outlet.
type attic struct {
	mu      sync.Mutex
	seen    map[doorstep.OutletNo][]time.Time
	batches []int
	broken  doorstep.OutletNo
}

var errAttic = errors.New("the attic is locked")

func (a *attic) UnseenOutlets(_ context.Context, before time.Time, limit int) (list []doorstep.OutletNo, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for outlet, times := range a.seen {
		for _, at := range times {
			if !at.After(before) && len(list) < limit {
				list = append(list, outlet)
				break
			}
		}
	}
	return list, nil
}

func (a *attic) ForgetDevices(_ context.Context, outlet doorstep.OutletNo, before time.Time, limit int) (n int, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if outlet == a.broken {
		return 0, errAttic
	}
	var rest []time.Time
	for _, at := range a.seen[outlet] {
		if !at.After(before) && n < limit {
			n++
			continue
		}
		rest = append(rest, at)
	}
	a.seen[outlet] = rest
	a.batches = append(a.batches, n)
	return n, nil
}

// of is when an outlet's devices were last seen.
func (a *attic) of(outlet doorstep.OutletNo) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen[outlet]
}

func sweeper(a *attic) *push.Sweeper {
	return &push.Sweeper{Store: a, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

func TestDevicesAreForgottenTwoMonthsAfterTheyWereLastSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		now := time.Now()
		a := &attic{seen: map[doorstep.OutletNo][]time.Time{
			1: {now.Add(-60 * day), now.Add(-60*day + time.Minute), now},
			2: {now.Add(-60*day + 2*time.Hour)},
		}}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- sweeper(a).Run(ctx) }()
		synctest.Wait()
		require.Len(t, a.of(1), 2, "at once")
		require.Len(t, a.of(2), 1)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []time.Time{now}, a.of(1), "and then each hour")
		require.Len(t, a.of(2), 1)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, a.of(2))
		stop()
		require.NoError(t, <-ended)
	})
}

func TestManyDevicesAreForgottenInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attic{seen: map[doorstep.OutletNo][]time.Time{7: make([]time.Time, 1200)}} // never seen at all
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- sweeper(a).Run(ctx) }()
		synctest.Wait()
		require.Equal(t, []int{500, 500, 200}, a.batches, "without waiting an hour between them")
		stop()
		require.NoError(t, <-ended)
	})
}

func TestOneOutletsTroubleDoesNotKeepTheOthersDevices(t *testing.T) {
	a := &attic{broken: 2, seen: map[doorstep.OutletNo][]time.Time{1: {{}}, 2: {{}}, 3: {{}}}}
	n, err := sweeper(a).Sweep(t.Context())
	require.ErrorIs(t, err, errAttic)
	require.ErrorContains(t, err, "outlet 2")
	require.Equal(t, 2, n)
	require.Empty(t, a.of(1))
	require.Empty(t, a.of(3))
}
