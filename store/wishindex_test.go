package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"doorstep"
	"doorstep/prefs"
	"doorstep/store"
	"doorstep/store/storetest"
)

func TestAFilterNeverMissesWhoWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := store.NewBloom(rapid.IntRange(0, 1000).Draw(t, "made for"))
		added := rapid.SliceOf(rapid.String()).Draw(t, "added")
		for i, c := range added {
			f.Add(doorstep.ConsumerID(c))
			for _, c := range added[:i+1] {
				require.True(t, f.MayHave(doorstep.ConsumerID(c)), "%q", c)
			}
		}
	})
}

func TestAFilterTakesFewStrangersForMembers(t *testing.T) {
	const members, strangers = 200_000, 200_000
	f := store.NewBloom(members)
	mistakes := func() (n int) {
		for i := range strangers {
			if f.MayHave(doorstep.ConsumerID(fmt.Sprintf("stranger-%d", i))) {
				n++
			}
		}
		return n
	}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			f.Add(doorstep.ConsumerID(fmt.Sprintf("member-%d", i)))
		}
	}
	require.Zero(t, mistakes(), "empty")
	add(0, members)
	require.Less(t, mistakes(), strangers/500)
	add(members, 2*members)
	require.Less(t, mistakes(), strangers/20, "twice as many as it was made for")
}

func TestAFilterHasABound(t *testing.T) {
	require.LessOrEqual(t, store.NewBloom(0).Bytes(), 64<<10)
	require.LessOrEqual(t, store.NewBloom(10_000_000).Bytes(), 40_000_000)
	require.LessOrEqual(t, store.NewBloom(2_000_000_000).Bytes(), 64<<20)
}

// tend has the index built, however late it is: one pass sees what is not heard,
// the next that it will not be.
func tend(t testing.TB, db *store.DB) {
	t.Helper()
	for range 2 {
		_, err := db.TendWishIndex(context.Background())
		require.NoError(t, err)
	}
	answers(t, db, true)
}

// answers tells whether readers are spared the tables.
func answers(t testing.TB, db *store.DB, want bool) {
	t.Helper()
	got, err := db.WishIndexAnswers(context.Background())
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// nodes opens one database several times: nodes on PostgreSQL, on SQLite a
// server and commands beside it.
func nodes(t *testing.T, url string, n int) (list []*house) {
	v, clock := storetest.Vault(t), storetest.NewClock()
	for range n {
		list = append(list, newHouse(t, storetest.Open(t, url, v, clock, 0), clock))
	}
	return list
}

// said are the standing preferences that a dispatch would find.
func (h *house) said(t testing.TB, c doorstep.ConsumerID) (tags []prefs.Tag) {
	t.Helper()
	profiles, err := h.db.Profiles(context.Background(), []doorstep.ConsumerID{c})
	require.NoError(t, err)
	for _, p := range profiles[c].Preferences {
		if p.On {
			tags = append(tags, p.Tag)
		}
	}
	return tags
}

func (h *house) say(t testing.TB, c doorstep.ConsumerID, tags ...string) {
	t.Helper()
	me := doorstep.Actor{Role: doorstep.RoleConsumer, Company: h.integrator.Company, Consumer: c}
	_, err := h.book().SetPreferences(context.Background(), me, prefs.Preferences{Tags: tags})
	require.NoError(t, err)
}

func TestWishesCountAtOnceThoughMostAreDeniedFromMemory(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao))
		h.complain("SF1", "locker again", prefs.NoLocker)
		answers(t, h.db, false)
		tend(t, h.db)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.tags(wang), "from before")
		require.Empty(t, h.tags(zhao))

		h.complain("SF2", "ring first", prefs.CallFirst)
		answers(t, h.db, true)
		require.Equal(t, []prefs.Tag{prefs.CallFirst}, h.tags(zhao))
		require.NoError(t, h.book().SetLearning(context.Background(), h.consumer(zhao), false))
		require.Empty(t, h.tags(zhao))
		require.NoError(t, h.book().Remove(context.Background(), h.consumer(wang), "no_locker"))
		require.Empty(t, h.tags(wang), "what was removed stays removed")
		answers(t, h.db, true)
	})
}

func TestWishesOutliveARestart(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		list := nodes(t, url, 2)
		list[0].say(t, "somebody", "no_locker")
		again := list[1] // knows nothing of what the first one heard
		tend(t, again.db)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, again.said(t, "somebody"))
		require.Empty(t, again.said(t, "somebody else"))
	})
}

// What another process commits is never heard on SQLite. The same holds of a
// notification that was lost, and of a commit whose process died before it took
// note.
func TestAChangeThatIsNeverHeardIsSeenAtOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		list := nodes(t, url, 2)
		server, beside := list[0], list[1]
		tend(t, server.db)
		beside.say(t, "somebody", "no_locker")
		answers(t, server.db, false)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, server.said(t, "somebody"))
		require.Empty(t, server.said(t, "somebody else"))

		server.say(t, "somebody else", "to_door") // heard, but not what came before it
		answers(t, server.db, false)
		require.Equal(t, []prefs.Tag{prefs.ToDoor}, server.said(t, "somebody else"))

		built, err := server.db.TendWishIndex(t.Context())
		require.NoError(t, err)
		require.False(t, built, "it may be on its way")
		tend(t, server.db)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, server.said(t, "somebody"))
		require.Equal(t, []prefs.Tag{prefs.ToDoor}, server.said(t, "somebody else"))
	})
}

func TestAnIndexWaitsOnlySoLongForAChange(t *testing.T) {
	h := nodes(t, storetest.SQLite(t), 1)[0]
	tend(t, h.db)
	edition := h.db.WishEdition()
	const late = 5000
	for no := int64(late); no > 1; no-- { // 1 is missing
		h.db.HearWish(no, "somebody")
	}
	h.db.HearWish(1, "somebody")
	require.NoError(t, h.db.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Exec(`insert into counter (name, value) values ('wishes', ?)`, late)
	}))
	answers(t, h.db, false)
	tend(t, h.db)
	require.NotSame(t, edition, h.db.WishEdition())
}

func TestAnIndexThatIsAheadOfTheDatabaseIsNotBelieved(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.say(t, "somebody", "no_locker")
		tend(t, h.db)
		require.NoError(t, h.db.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.Exec(`update counter set value = 0 where name = 'wishes'`) // as a copy from yesterday would have it
		}))
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.said(t, "somebody"))
		answers(t, h.db, false)
		tend(t, h.db)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.said(t, "somebody"))
	})
}

func TestAnotherNodesWishesAreHeardWithoutBuildingAnew(t *testing.T) {
	n := listen(t, storetest.Postgres(t))
	here := newHouse(t, n.DB, storetest.NewClock())
	there := newHouse(t, n.other, storetest.NewClock())
	require.Eventually(t, func() bool { return n.WishEdition() != nil }, newsWait, time.Millisecond, "who listens keeps an index")
	edition := n.WishEdition()
	for i := range 20 {
		c := doorstep.ConsumerID(fmt.Sprintf("consumer-%d", i))
		there.say(t, c, "no_locker")
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, here.said(t, c), "heard or not")
	}
	n.say(t, 7) // comes after the others
	for n.next(t).Couriers == nil {
	}
	answers(t, n.DB, true)
	require.Same(t, edition, n.WishEdition())
}

func TestANodeThatLostItsConnectionDoesNotTrustItsIndex(t *testing.T) {
	url := storetest.Postgres(t)
	n := listen(t, url)
	here := newHouse(t, n.DB, storetest.NewClock())
	there := newHouse(t, n.other, storetest.NewClock())
	require.Eventually(t, func() bool { return n.WishEdition() != nil }, newsWait, time.Millisecond)
	edition := n.WishEdition()
	admin, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	defer admin.Close()
	_, err = admin.Exec(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`)
	require.NoError(t, err)
	there.say(t, "somebody", "no_locker") // nobody listens
	require.Equal(t, []prefs.Tag{prefs.NoLocker}, here.said(t, "somebody"))
	<-n.lost
	require.NotSame(t, edition, n.WishEdition())
	require.Eventually(t, func() bool {
		ok, err := n.WishIndexAnswers(context.Background())
		return err == nil && ok
	}, newsWait, 10*time.Millisecond, "it is built again")
	require.Equal(t, []prefs.Tag{prefs.NoLocker}, here.said(t, "somebody"))
}

func TestAnIndexOfManyPagesHasEverybody(t *testing.T) {
	h := nodes(t, storetest.SQLite(t), 1)[0]
	h.say(t, "zoe", "no_locker")
	const consumers = 70_000 // more than a filter for none holds, and several pages
	first := doorstep.ConsumerID("consumer-with-long-id-10000000")
	tend(t, h.db)
	require.False(t, h.db.MayHaveWishes(first))
	fill(t, h.db, consumers)
	for i := range int64(consumers) {
		h.db.HearWish(i+2, "zoe")
	}
	require.NoError(t, h.db.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Exec(`update counter set value = ? where name = 'wishes'`, consumers+1)
	}))
	built, err := h.db.TendWishIndex(t.Context())
	require.NoError(t, err)
	require.True(t, built, "it is crowded")
	for i := range consumers {
		require.True(t, h.db.MayHaveWishes(doorstep.ConsumerID(fmt.Sprintf("consumer-with-long-id-%d", 10_000_000+i))))
	}
	require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.said(t, "zoe"))
	built, err = h.db.TendWishIndex(t.Context())
	require.NoError(t, err)
	require.False(t, built, "now there is room")
}

func TestNoWishIsMissedWhileTheIndexIsBuilt(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		list := nodes(t, url, 2)
		server := list[0]
		ctx, stop := context.WithCancel(t.Context())
		var tending sync.WaitGroup
		tending.Go(func() {
			for ctx.Err() == nil {
				_ = server.db.BuildWishIndex(ctx) // fails when it is stopped
			}
		})
		var work errgroup.Group
		for who := range 8 {
			writer := list[who%2]
			work.Go(func() error {
				for i := range 25 {
					c := doorstep.ConsumerID(fmt.Sprintf("consumer-%d-%d", who, i))
					me := doorstep.Actor{Role: doorstep.RoleConsumer, Company: writer.integrator.Company, Consumer: c}
					if _, err := writer.book().SetPreferences(context.Background(), me, prefs.Preferences{Tags: []string{"no_locker"}}); err != nil {
						return err
					}
					profiles, err := server.db.Profiles(context.Background(), []doorstep.ConsumerID{c, "nobody"})
					if err != nil {
						return err
					}
					if len(profiles[c].Preferences) != 1 {
						return fmt.Errorf("%s's wish is missed", c)
					}
				}
				return nil
			})
		}
		require.NoError(t, work.Wait())
		stop()
		tending.Wait()
	})
}

// Whatever happens in whatever order, a reader misses nothing that was
// acknowledged to anybody.
func TestTheIndexHidesNothing(t *testing.T) {
	url, v, clock := storetest.SQLite(t), storetest.Vault(t), storetest.NewClock()
	server := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
	beside := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
	fresh := 0
	rapid.Check(t, func(r *rapid.T) {
		want := map[doorstep.ConsumerID][]prefs.Tag{}
		var consumers []doorstep.ConsumerID
		for range 4 {
			fresh++
			consumers = append(consumers, doorstep.ConsumerID(fmt.Sprintf("consumer-%d", fresh)))
		}
		say := func(h *house) func(*rapid.T) {
			return func(r *rapid.T) {
				c := rapid.SampledFrom(consumers).Draw(r, "who")
				if rapid.Bool().Draw(r, "wants something") {
					h.say(t, c, "no_locker")
					want[c] = []prefs.Tag{prefs.NoLocker}
				} else {
					h.say(t, c)
					delete(want, c)
				}
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"say":    say(server),
			"import": say(beside),
			"forget": func(*rapid.T) { server.db.ForgetWishes() },
			"tend":   func(*rapid.T) { _, err := server.db.TendWishIndex(t.Context()); require.NoError(t, err) },
			"": func(*rapid.T) {
				for _, c := range consumers {
					require.Equal(t, want[c], server.said(t, c), "%s", c)
				}
			},
		})
	})
}
