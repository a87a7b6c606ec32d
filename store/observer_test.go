package store_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/parcels"
	"doorstep/push"
	"doorstep/store"
	"doorstep/store/storetest"
)

// tally adds up what it is told.
type tally struct {
	mu    sync.Mutex
	ended map[push.Reason]int // "informed" is one
	held  map[string]int
}

const informed push.Reason = "informed"

func (c *tally) NotInformed(reason push.Reason, alerts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended[reason] += alerts
}

func (c *tally) Informed(alerts int) { c.NotInformed(informed, alerts) }

func (c *tally) SignedFor(parcels.Ground) {}

func (c *tally) Held(reason string, pushes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[reason] += pushes
}

func (h *house) observed() *tally {
	c := &tally{ended: map[push.Reason]int{}, held: map[string]int{}}
	h.db.Observe(c)
	return c
}

func TestEachEndingOfAnAlertIsCountedOnceByTheNodeThatMadeIt(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		// Given two nodes, and five alerts
		clock, v := storetest.NewClock(), storetest.Vault(t)
		one := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		two := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		first, second := one.observed(), two.observed()
		one.wishful()
		one.device("li", "phone", "addr-1")
		one.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "li", wang), order("SF4", "chen", wang), order("SF5", "chen", wang))
		one.pass(one.sender(&pager{}))
		li := one.alerts("li")
		require.Empty(t, first.ended)

		// When he acknowledges two in time, on both nodes and more than once
		one.acknowledge("li", li[0].ID, li[0].ID)
		two.acknowledge("li", li[0].ID, li[1].ID)
		require.Equal(t, 1, first.ended[informed])
		require.Equal(t, 1, second.ended[informed])

		// And the shift ends for all others, on all nodes at once
		clock.Add(14 * time.Hour)
		var closing sync.WaitGroup
		for _, h := range []*house{one, two, one, two} {
			closing.Go(func() {
				closer := push.Closer{Ledger: h.db, Now: clock.Now, Log: slog.New(slog.DiscardHandler)}
				if _, err := closer.CloseDue(context.Background()); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		closing.Wait()
		one.closeDue()
		one.acknowledge("li", li[2].ID) // too late to count

		// Then the nodes together have counted each alert once
		sum := map[push.Reason]int{}
		for _, c := range []*tally{first, second} {
			for reason, n := range c.ended {
				sum[reason] += n
			}
		}
		require.Equal(t, map[push.Reason]int{informed: 2, push.NeverAcked: 1, push.NoDevice: 2}, sum)
		require.Empty(t, first.held)
	})
}

func TestPushesThatAreHeldBackAreCountedOnceEach(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		seen := h.observed()
		h.wishful()
		h.rules(push.Rules{QuietFrom: "23:00", QuietTo: "10:00", PerDay: 1}) // it is 09:00
		h.device("li", "phone", "addr-1")
		s := h.sender(&pager{})
		h.dispatch(order("SF1", "li", wang), order("SF2", "chen", wang))
		h.clock.Add(30 * time.Minute)
		h.pass(s)
		require.Equal(t, map[string]int{push.HeldQuiet: 2}, seen.held)
		h.dispatch(order("SF3", "li", wang)) // joins the first push, which is due again before ten
		h.clock.Add(10 * time.Minute)
		h.pass(s)
		require.Equal(t, map[string]int{push.HeldQuiet: 2}, seen.held)

		h.clock.Add(20 * time.Minute)
		h.pass(s)
		require.Zero(t, seen.held[push.HeldBudget])
		h.dispatch(order("SF4", "li", wang))
		h.clock.Add(time.Minute)
		h.pass(s)
		require.Equal(t, map[string]int{push.HeldQuiet: 2, push.HeldBudget: 1}, seen.held)
	})
}

func TestWhatIsRolledBackIsNotCounted(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0), storetest.NewClock())
		told := 0
		failed := errors.New("failed")
		err := h.db.InTx(context.Background(), func(tx *store.Tx) error {
			tx.AfterCommit(func() { told++ })
			return failed
		})
		require.ErrorIs(t, err, failed)
		require.Zero(t, told)

		attempts := 0
		require.NoError(t, h.db.InTx(context.Background(), func(tx *store.Tx) error {
			attempts++
			tx.AfterCommit(func() { told++ })
			return nil
		}))
		require.Equal(t, 1, told)
		require.Equal(t, 1, attempts)
	})
}
