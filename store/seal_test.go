package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"doorstep"
	"doorstep/evidence"
	"doorstep/store"
	"doorstep/store/storetest"
)

// seal puts all that waits into the logs and says how much it was.
func (h *house) seal() int {
	h.t.Helper()
	n, held, err := sealerOf(h.db).Pass(context.Background())
	require.NoError(h.t, err)
	require.False(h.t, held)
	return n
}

func sealerOf(db *store.DB) *evidence.Sealer {
	return evidence.NewSealer(db, slog.New(slog.DiscardHandler))
}

func (h *house) ledger() *evidence.Ledger {
	return &evidence.Ledger{Store: h.db, Keys: h.db.LogKeys(), Now: h.clock.Now}
}

// log is an outlet's, or without one the company's.
func (h *house) log(outlet string) evidence.Log {
	h.t.Helper()
	log, err := h.ledger().Find(context.Background(), "", outlet)
	require.NoError(h.t, err)
	return log
}

// check makes a log anew from its records.
func (h *house) check(log evidence.Log) (int64, error) {
	c := evidence.Checker{Store: h.db, Ledger: h.ledger()}
	return c.Check(context.Background(), log)
}

// side opens the database past the store, as whoever has all rights may.
func side(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	driver := "pgx"
	if url[0] != 'p' {
		driver = "sqlite3"
	}
	db, err := sqlx.Open(driver, url)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// fact is one of a test's own.
func (h *house) fact(outlet doorstep.OutletNo, word string) evidence.Fact {
	return evidence.Fact{
		ID: doorstep.MakeID(outlet), Outlet: outlet, Kind: evidence.Call, Source: evidence.Server, Waybill: "SF1",
		OccurredAt: h.clock.Now(), ReceivedAt: h.clock.Now(), Fields: []evidence.Field{{Name: "word", Value: word}},
	}
}

func TestWhatIsAcknowledgedIsSealedOnceAndProven(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		h.upload("li", h.call("SF1", 1), h.call("SF2", 2))
		again := h.call("SF1", 3)
		h.upload("li", again, h.call("SF2", 4))
		h.upload("li", again)
		waits, err := h.db.OldestUnsealed(ctx)
		require.NoError(t, err)
		require.True(t, waits.Equal(h.clock.Now()))

		n := h.seal()
		require.Equal(t, len(h.evidence("west")), n)
		require.Zero(t, h.seal(), "each once")
		waits, err = h.db.OldestUnsealed(ctx)
		require.NoError(t, err)
		require.Zero(t, waits)
		leaves, err := h.check(h.log("west"))
		require.NoError(t, err)
		require.Equal(t, int64(n), leaves)

		verifier, err := note.NewVerifier(h.db.LogKeys().Public()[0])
		require.NoError(t, err)
		origin := h.ledger().Origin(h.log("west"))
		for _, item := range h.evidence("west") {
			p, err := h.ledger().Inclusion(ctx, h.log("west"), item.ID, 0)
			require.NoError(t, err)
			read, err := evidence.ParseInclusion(p.Text())
			require.NoError(t, err)
			leaf, err := evidence.ParseLeaf(p.Leaf)
			require.NoError(t, err)
			require.Equal(t, item.ID, leaf.ID)
			for name := range item.Opening.Values {
				require.True(t, item.Opening.Opens(leaf.Commitments, name), name)
			}
			_, err = read.Check(leaf.Hash(), origin, note.VerifierList(verifier))
			require.NoError(t, err)
		}
	})
}

// A lease lasts as long as its transaction: one takes what it was asked for and about
// a row more, whether rows are of one record, of many, or of before the log.
func TestALeaseTakesAboutWhatItWasAskedFor(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		ctx := t.Context()
		h.dispatch(order("SF1", "li", wang))
		h.seal()
		west := h.log("west")
		written := 0
		add := func(calls, size int) {
			for range calls {
				facts := make([]evidence.Fact, size)
				for i := range facts {
					facts[i] = h.fact(west.No, "w")
				}
				require.NoError(t, h.db.AddFacts(ctx, facts, nil))
				written += size
			}
		}
		add(40, 1)
		db := side(t, url)
		db.MustExec(`update seal_queue set hashes = null`)
		add(3, 70)
		for _, want := range []int{25, 85, 70, 70, 0} {
			n, held, err := h.db.Seal(ctx, west.No, 25)
			require.NoError(t, err)
			require.False(t, held)
			require.Equal(t, want, n)
			written -= n
		}
		require.Zero(t, written)
		_, err := h.check(west)
		require.NoError(t, err)
	})
}

// What came into a log behind a checkpoint takes no place of what was before it.
func TestTheRecordsOfACaseAreCountedAsOfItsCheckpoint(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		h.dispatch(order("SF1", "li", wang))
		h.seal()
		west := h.log("west")
		tree, err := h.db.Tree(t.Context(), west.No)
		require.NoError(t, err)
		later := h.fact(west.No, "w")
		later.ID = doorstep.MakeID(west.No)[:2] + "00000000-0000-7000-8000-000000000000" // before all others by its id
		require.NoError(t, h.db.AddFacts(t.Context(), []evidence.Fact{later}, nil))
		h.seal()
		all, err := h.db.CaseRecords(t.Context(), west.No, "SF1", tree.Size, 100)
		require.NoError(t, err)
		require.NotEmpty(t, all)
		bounded, err := h.db.CaseRecords(t.Context(), west.No, "SF1", tree.Size, len(all))
		require.NoError(t, err)
		require.Equal(t, all, bounded)
	})
}

// Invariant: whatever the order of commits, of passes of two nodes and of crashes
// in the middle of one, every committed record stands in its outlet's log exactly
// once, in the order of commits that waited for each other, and the log holds
// together.
func TestTheLogHasEveryCommittedRecordOnceInAnyOrder(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, vault := storetest.NewClock(), storetest.Vault(t)
		one := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
		nodes := []*house{one}
		if url[0] == 'p' {
			nodes = append(nodes, newHouse(t, storetest.Open(t, url, vault, clock, 0), clock))
		}
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			if runs++; runs > 15 && !t.Failed() {
				return // a database is slow, and a failure is found early
			}
			var logs []evidence.Log
			for i := range 2 {
				no := doorstep.OutletNo(1000*runs + i)
				logs = append(logs, evidence.Log{No: no, Company: "default", Outlet: fmt.Sprint(no)})
			}
			committed := map[doorstep.OutletNo][]string{}
			commit := func(t *rapid.T, n *house) {
				var facts []evidence.Fact
				for range rapid.IntRange(1, 300).Draw(t, "records") {
					facts = append(facts, n.fact(rapid.SampledFrom(logs).Draw(t, "outlet").No, "w"))
				}
				slices.SortStableFunc(facts, func(a, b evidence.Fact) int { return int(a.Outlet - b.Outlet) })
				require.NoError(t, n.db.AddFacts(context.Background(), facts, nil))
				for _, f := range facts {
					committed[f.Outlet] = append(committed[f.Outlet], f.ID)
				}
			}
			node := func(t *rapid.T) *house { return rapid.SampledFrom(nodes).Draw(t, "node") }
			rt.Repeat(map[string]func(*rapid.T){
				"commit": func(t *rapid.T) { commit(t, node(t)) },
				"roll back": func(t *rapid.T) {
					require.Error(t, node(t).db.AddFacts(context.Background(), []evidence.Fact{one.fact(logs[0].No, "never")}, context.Canceled))
				},
				"pass": func(t *rapid.T) {
					_, _, err := sealerOf(node(t).db).Pass(context.Background())
					require.NoError(t, err)
				},
				"both at once": func(t *rapid.T) {
					var passes sync.WaitGroup
					for _, n := range nodes {
						passes.Go(func() { _, _, _ = sealerOf(n.db).Pass(context.Background()) })
					}
					commit(t, one)
					passes.Wait()
				},
				"a pass cut off": func(t *rapid.T) {
					ctx, cut := context.WithCancel(context.Background())
					time.AfterFunc(time.Duration(rapid.IntRange(0, 4000).Draw(t, "after µs"))*time.Microsecond, cut)
					_, _, _ = sealerOf(node(t).db).Pass(ctx)
					cut()
				},
				"sign": func(t *rapid.T) {
					_, err := node(t).ledger().Checkpoint(context.Background(), rapid.SampledFrom(logs).Draw(t, "log"))
					require.NoError(t, err)
				},
			})
			for busy := true; busy; { // what was cut off may still be on its way out
				n, held, err := sealerOf(one.db).Pass(context.Background())
				require.NoError(rt, err)
				busy = n > 0 || held
			}
			for _, log := range logs {
				_, err := one.check(log)
				require.NoError(rt, err)
				require.Equal(rt, committed[log.No], one.sealed(log))
			}
		})
	})
}

// sealed lists the ids of a log's records in their order.
func (h *house) sealed(log evidence.Log) (ids []string) {
	h.t.Helper()
	for {
		page, err := h.db.Logged(context.Background(), log.No, int64(len(ids)), 700)
		require.NoError(h.t, err)
		for _, r := range page {
			ids = append(ids, r.Header.ID)
		}
		if len(page) == 0 {
			return ids
		}
	}
}

// A pass that fails at any of its statements leaves everything as it was.
func TestASealingPassThatFailsAnywhereChangesNothing(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		log := evidence.Log{No: 4000, Company: "default", Outlet: "o"}
		var facts []evidence.Fact
		for range evidence.TileWidth + 3 {
			facts = append(facts, h.fact(log.No, "w"))
		}
		require.NoError(t, h.db.AddFacts(context.Background(), facts, nil))
		db := side(t, url)
		for _, step := range []string{"insert on log_leaf", "insert on log_tile", "update on log_head", "delete on seal_queue"} {
			fail(t, db, step, func() {
				_, _, err := sealerOf(h.db).Pass(context.Background())
				require.Error(t, err, step)
			})
			require.Empty(t, h.sealed(log), step)
		}
		require.Equal(t, len(facts), h.seal())
		n, err := h.check(log)
		require.NoError(t, err)
		require.Equal(t, int64(len(facts)), n)
	})
}

// fail has a kind of statement fail, "insert on a_table", while do runs.
func fail(t *testing.T, db *sqlx.DB, step string, do func()) {
	t.Helper()
	event, table, _ := strings.Cut(step, " on ")
	if db.DriverName() == "pgx" {
		db.MustExec(`create or replace function broken() returns trigger language plpgsql as $$ begin raise exception 'broken'; end; $$`)
		db.MustExec(`create trigger broken before ` + event + ` on ` + table + ` for each row execute function broken()`)
		defer db.MustExec(`drop trigger broken on ` + table)
	} else {
		db.MustExec(`create trigger broken before ` + event + ` on ` + table + ` begin select raise(abort, 'broken'); end`)
		defer db.MustExec(`drop trigger broken`)
	}
	do()
}

// A node that freezes in the middle of a pass loses the log within the lease's
// time, and cannot commit when it wakes.
func TestAFrozenNodeLosesTheLogAndCannotCommit(t *testing.T) {
	url, clock, vault := storetest.Postgres(t), storetest.NewClock(), storetest.Vault(t)
	one := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
	two := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
	log := evidence.Log{No: 4000, Company: "default", Outlet: "o"}
	require.NoError(t, one.db.AddFacts(context.Background(), []evidence.Fact{one.fact(log.No, "w")}, nil))
	require.Equal(t, 1, one.seal())
	require.NoError(t, one.db.AddFacts(context.Background(), []evidence.Fact{one.fact(log.No, "w")}, nil))

	// Given a node that holds the log and freezes
	frozen, wake, woke := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		woke <- one.db.HoldLog(context.Background(), log.No, func() {
			close(frozen)
			<-wake
		})
	}()
	<-frozen
	n, held, err := sealerOf(two.db).Pass(context.Background())
	require.NoError(t, err)
	require.True(t, held, "the other has it")
	require.Zero(t, n)

	// Then another has the log soon
	began := time.Now()
	require.Eventually(t, func() bool {
		n, _, err := sealerOf(two.db).Pass(context.Background())
		return err == nil && n == 1
	}, store.LeaseTime+10*time.Second, 50*time.Millisecond)
	t.Logf("the other had the log after %s", time.Since(began))

	// And the first cannot commit
	close(wake)
	require.Error(t, <-woke)
	leaves, err := two.check(log)
	require.NoError(t, err)
	require.Equal(t, int64(2), leaves)
}

// Whoever sealed meanwhile, without the lock, is found by the size that he left.
func TestALeaseThatWasLostIsFoundByTheSize(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		err := h.db.AppendAfterAnother(context.Background(), 4000)
		require.ErrorIs(t, err, store.ErrLeaseLost)
	})
}

func TestALogIsToBeSignedOnceItHasGrownAndItsTimeHasCome(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		h.seal()
		grown := func(before time.Time) (names []string) {
			logs, err := h.db.GrownLogs(t.Context(), before, 10)
			require.NoError(t, err)
			for _, l := range logs {
				names = append(names, l.Company+"/"+l.Outlet)
			}
			return names
		}
		west := h.log("west")
		name := west.Company + "/west"
		require.Equal(t, []string{name}, grown(h.clock.Now()), "it was never signed")
		_, err := h.ledger().Checkpoint(t.Context(), west)
		require.NoError(t, err)
		require.Empty(t, grown(h.clock.Now()), "it has not grown since")
		h.dispatch(order("SF2", "li", wang))
		h.seal()
		require.Empty(t, grown(h.clock.Now().Add(-time.Second)), "it was signed lately")
		require.Equal(t, []string{name}, grown(h.clock.Now()))
	})
}
