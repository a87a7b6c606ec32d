package evidence_test

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
	"doorstep/evidence"
)

// fakeQueue is a queue of records that counts what a sealer asks.
type fakeQueue struct {
	mu      sync.Mutex
	waiting map[doorstep.OutletNo]int
	looks   int
	heldFor int
	broken  doorstep.OutletNo
}

func (q *fakeQueue) UnsealedOutlets(context.Context) (list []doorstep.OutletNo, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.looks++
	for outlet, n := range q.waiting {
		if n > 0 {
			list = append(list, outlet)
		}
	}
	return list, nil
}

func (q *fakeQueue) Seal(_ context.Context, outlet doorstep.OutletNo, limit int) (int, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.heldFor > 0 {
		q.heldFor--
		return 0, true, nil
	}
	if outlet == q.broken {
		return 0, false, errors.New("broken")
	}
	n := min(limit, q.waiting[outlet])
	q.waiting[outlet] -= n
	return n, false, nil
}

func (q *fakeQueue) left(outlet doorstep.OutletNo) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting[outlet]
}

func TestASealerSealsWithinASecondAndGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{waiting: map[doorstep.OutletNo]int{}}
		s := evidence.NewSealer(q, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.LessOrEqual(t, q.looks, 61, "an idle log costs one small statement a second")

		q.looks = 0
		for range 100 { // a second of records that come one by one
			q.mu.Lock()
			q.waiting[1]++
			q.mu.Unlock()
			s.Wake()
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		require.LessOrEqual(t, q.looks, 6)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		require.Zero(t, q.left(1))

		q.mu.Lock()
		q.waiting[1], q.waiting[2], q.heldFor = 5000, 1, 2
		q.mu.Unlock()
		time.Sleep(1500 * time.Millisecond) // nobody wakes it: another node's records, and its lease
		synctest.Wait()
		require.Zero(t, q.left(1))
		require.Zero(t, q.left(2))
		stop()
		require.NoError(t, <-ended)
	})
}

func TestOneBrokenLogKeepsNoOtherWaiting(t *testing.T) {
	q := &fakeQueue{waiting: map[doorstep.OutletNo]int{1: 1, 2: 1, 3: 1}, broken: 2}
	n, held, err := evidence.NewSealer(q, slog.New(slog.DiscardHandler)).Pass(context.Background())
	require.ErrorContains(t, err, "outlet 2: broken")
	require.Equal(t, 2, n)
	require.False(t, held)
}
