package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep"
	"doorstep/feed"
	"doorstep/store"
	"doorstep/store/storetest"
)

// publish commits an event of an outlet's for each object.
func (h *house) publish(outlet doorstep.OutletNo, objects ...int) {
	h.t.Helper()
	require.NoError(h.t, h.db.InTx(context.Background(), func(tx *store.Tx) error {
		for _, o := range objects {
			if err := h.db.Publish(tx, outlet, h.integrator.Company, fmt.Sprint(o)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// relay numbers what waits and says how much it was.
func (h *house) relay() int {
	h.t.Helper()
	n, held, err := relayOf(h.db, h.clock).Pass(context.Background())
	require.NoError(h.t, err)
	require.False(h.t, held)
	return n
}

func relayOf(db *store.DB, clock *storetest.Clock) *feed.Relay {
	return feed.NewRelay(db, clock.Now, slog.New(slog.DiscardHandler))
}

// fed is what the feed holds after a number: its numbers are checked to be
// dense, its objects returned.
func (h *house) fed(after int64) (objects []int) {
	h.t.Helper()
	for {
		page, err := h.db.Events(context.Background(), h.integrator.Company, after, 3)
		require.NoError(h.t, err)
		for _, e := range page {
			require.Equal(h.t, after+1, e.Seq, "a gap")
			after = e.Seq
			var o int
			require.NoError(h.t, json.Unmarshal(e.Object, &o))
			objects = append(objects, o)
		}
		if len(page) < 3 {
			return objects
		}
	}
}

func TestAFeedHasEveryCommittedEventOnceInOneOrder(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		require.Zero(t, h.relay(), "nothing waits")
		h.publish(11, 1, 2)
		h.publish(12, 3)
		require.Empty(t, h.fed(0), "not before it is numbered")
		require.Error(t, h.db.InTx(ctx, func(tx *store.Tx) error {
			require.NoError(t, h.db.Publish(tx, 11, h.integrator.Company, "99"))
			return context.Canceled
		}))

		require.Equal(t, 3, h.relay())
		require.Equal(t, []int{1, 2, 3}, h.fed(0))
		require.Zero(t, h.relay(), "each once")
		h.publish(11, 4)
		require.Equal(t, 1, h.relay())
		require.Equal(t, []int{3, 4}, h.fed(2))
		require.Empty(t, h.fed(4))

		// Another company's feed is its own, and begins at 1
		other, err := h.db.Company(ctx, "other")
		require.NoError(t, err)
		require.NoError(t, h.db.InTx(ctx, func(tx *store.Tx) error { return h.db.Publish(tx, 13, other, "7") }))
		require.Equal(t, 1, h.relay())
		theirs, err := h.db.Events(ctx, other, 0, 10)
		require.NoError(t, err)
		require.Len(t, theirs, 1)
		require.Equal(t, int64(1), theirs[0].Seq)
		require.Equal(t, []int{1, 2, 3, 4}, h.fed(0))
	})
}

func TestOldEventsAreForgottenAndTheirNumbersNeverComeAgain(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		sweeper := feed.Sweeper{Store: h.db, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler)}
		sweep := func() int {
			n, err := sweeper.Sweep(context.Background())
			require.NoError(t, err)
			return n
		}
		h.publish(11, 1, 2)
		h.relay()
		h.clock.Add(-time.Hour) // a clock that was set back
		h.publish(11, 3)
		h.relay()
		h.clock.Add(feed.Kept)
		require.Zero(t, sweep(), "the third is old, but stands behind two that are not")
		h.clock.Add(time.Hour)
		require.Equal(t, 3, sweep())
		require.Zero(t, sweep())

		h.publish(11, 4)
		h.relay()
		require.Equal(t, []int{4}, h.fed(3))
	})
}

// Invariant: whatever the order of commits, passes of two nodes and crashes in
// the middle of one, a reader who remembers next_after sees every committed
// event exactly once, and no number appears behind him.
func TestWhoReadsOnMissesNothingInAnyOrder(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, vault := storetest.NewClock(), storetest.Vault(t)
		one := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
		nodes := []*house{one}
		if url[0] == 'p' {
			nodes = append(nodes, newHouse(t, storetest.Open(t, url, vault, clock, 0), clock))
		}
		companies := 0
		rapid.Check(t, func(rt *rapid.T) {
			if companies++; companies > 20 && !t.Failed() {
				return // a database is slow, and a failure is found early
			}
			company, err := one.db.Company(context.Background(), fmt.Sprint("company ", companies))
			require.NoError(rt, err)
			for _, n := range nodes {
				n.integrator.Company = company
			}
			var read []int
			next, committed := 0, map[int]bool{}
			catchUp := func() { read = append(read, one.fed(int64(len(read)))...) } // fed checks that numbers are dense
			rt.Repeat(map[string]func(*rapid.T){
				"commit": func(t *rapid.T) {
					n := rapid.SampledFrom(nodes).Draw(t, "node")
					outlet := doorstep.OutletNo(rapid.IntRange(1, 3).Draw(t, "outlet") + 1000*companies)
					next++
					n.publish(outlet, next)
					committed[next] = true
				},
				"roll back": func(t *rapid.T) {
					_ = one.db.InTx(context.Background(), func(tx *store.Tx) error {
						_ = one.db.Publish(tx, doorstep.OutletNo(1000*companies+1), company, "-1")
						return context.Canceled
					})
				},
				"pass": func(t *rapid.T) {
					_, _, err := relayOf(rapid.SampledFrom(nodes).Draw(t, "node").db, clock).Pass(context.Background())
					require.NoError(t, err)
				},
				"both at once": func(t *rapid.T) {
					var passes sync.WaitGroup
					for _, n := range nodes {
						passes.Go(func() { _, _, _ = relayOf(n.db, clock).Pass(context.Background()) })
					}
					next++
					one.publish(doorstep.OutletNo(1000*companies+2), next)
					committed[next] = true
					passes.Wait()
				},
				"a pass cut off": func(t *rapid.T) {
					ctx, cut := context.WithCancel(context.Background())
					time.AfterFunc(time.Duration(rapid.IntRange(0, 2000).Draw(t, "after µs"))*time.Microsecond, cut)
					_, _, _ = relayOf(rapid.SampledFrom(nodes).Draw(t, "node").db, clock).Pass(ctx)
					cut()
				},
				"read": func(*rapid.T) { catchUp() },
			})
			for busy := true; busy; { // what was cut off may still be on its way out
				n, held, err := relayOf(one.db, clock).Pass(context.Background())
				require.NoError(rt, err)
				busy = n > 0 || held
			}
			catchUp()
			require.Len(rt, read, len(committed))
			for _, o := range read {
				require.True(rt, committed[o], o)
				delete(committed, o)
			}
		})
	})
}

// A node that dies between claim and commit takes nothing with it: the other
// waits for no time-out, and uses the numbers that were never seen.
func TestANodeThatDiesWhileItNumbersLeavesNoGap(t *testing.T) {
	url, clock, vault := storetest.Postgres(t), storetest.NewClock(), storetest.Vault(t)
	one := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
	two := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
	one.publish(11, 1)
	one.relay()
	one.publish(11, 2, 3)
	one.publish(12, 4)

	// Given a node that has the lease and stands just before it writes
	side, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	defer side.Close()
	gate := side.MustBegin()
	gate.MustExec(`lock table event in share mode`)
	died := make(chan error, 1)
	go func() {
		_, _, err := one.db.NumberEvents(context.Background(), feed.Source{Outlet: 11, Company: one.integrator.Company}, clock.Now(), 100)
		died <- err
	}()
	var victim int
	require.Eventually(t, func() bool {
		return side.Get(&victim, `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%into event %'`) == nil
	}, 10*time.Second, 5*time.Millisecond)

	// When the other looks, it leaves the company alone, and readers see no more than before
	n, held, err := relayOf(two.db, clock).Pass(context.Background())
	require.NoError(t, err)
	require.True(t, held)
	require.Zero(t, n)
	require.Equal(t, []int{1}, two.fed(0))

	// And when the first is killed, the other numbers all of it
	side.MustExec(`select pg_terminate_backend($1)`, victim)
	require.Error(t, <-died)
	require.NoError(t, gate.Rollback())
	require.Equal(t, 3, two.relay())
	require.Equal(t, []int{1, 2, 3, 4}, two.fed(0))
	require.Zero(t, one.relay())
}

// A transaction that is still open when a later one commits gets later numbers,
// and no number appears behind a reader.
func TestALateCommitGetsALateNumber(t *testing.T) {
	url, clock, vault := storetest.Postgres(t), storetest.NewClock(), storetest.Vault(t)
	h := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
	written, goOn, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- h.db.InTx(context.Background(), func(tx *store.Tx) error {
			err := h.db.Publish(tx, 11, h.integrator.Company, "1")
			close(written)
			<-goOn
			return err
		})
	}()
	<-written
	h.publish(11, 2)
	require.Equal(t, 1, h.relay())
	require.Equal(t, []int{2}, h.fed(0))
	close(goOn)
	require.NoError(t, <-done)
	require.Equal(t, 1, h.relay())
	require.Equal(t, []int{2, 1}, h.fed(0))
}

// fakeRelayStore counts what a relay asks.
type fakeRelayStore struct{ looks, waiting, heldFor int }

func (s *fakeRelayStore) WaitingEvents(context.Context, int) ([]feed.Source, error) {
	s.looks++
	if s.waiting == 0 {
		return nil, nil
	}
	return []feed.Source{{Outlet: 1, Company: 2}}, nil
}

func (s *fakeRelayStore) NumberEvents(context.Context, feed.Source, time.Time, int) (int, bool, error) {
	if s.heldFor > 0 {
		s.heldFor--
		return 0, true, nil
	}
	s.waiting--
	return 1, false, nil
}

func TestARelayLooksWhenItIsWokenAndSeldomElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeRelayStore{}
		r := feed.NewRelay(s, time.Now, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(61 * time.Second)
		synctest.Wait()
		require.LessOrEqual(t, s.looks, 13, "an idle feed costs one small statement every five seconds")

		s.waiting, s.heldFor = 3, 2
		r.Wake()
		r.Wake()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, s.waiting, "all of it, and again soon after another had the lease")
		stop()
		require.NoError(t, <-ended)
	})
}
