package store_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/store"
	"doorstep/store/storetest"
)

// newsWait bounds a wait for another node. It is far longer than any should
// take, so that a busy machine fails no test.
const newsWait = time.Minute

// many are the numbers of n couriers, as long as numbers get.
func many(n int) (couriers []int64) {
	for i := range n {
		couriers = append(couriers, math.MaxInt64-int64(i))
	}
	return couriers
}

func TestNewsFitNotificationsHoweverMuchThereIs(t *testing.T) {
	for couriers, payloads := range map[int]int{0: 1, 1: 1, 560: 1, 600: 2, 2000: 4} {
		texts := store.EncodeNews(many(couriers))
		require.Len(t, texts, payloads, "%d couriers", couriers)
		var decoded []int64
		for _, text := range texts {
			require.Less(t, len(text), 8000, "PostgreSQL takes no more")
			n := store.DecodeNews(text)
			require.False(t, n.Missed)
			decoded = append(decoded, n.Couriers...)
		}
		require.ElementsMatch(t, many(couriers), decoded)
	}
}

func TestNewsThatCannotBeReadMayBeAboutAnybody(t *testing.T) {
	for _, text := range []string{"!", "1,", "1,x y,2", "zzzzzzzzzzzzzzzz"} {
		require.Equal(t, store.News{Missed: true}, store.DecodeNews(text), text)
	}
}

// node is a database with what it hears of another.
type node struct {
	*store.DB
	other *store.DB
	news  chan store.News
	lost  chan error
}

// listen opens another node, and waits until it listens.
func listen(t *testing.T, url string) *node {
	t.Helper()
	v, clock := storetest.Vault(t), storetest.NewClock()
	n := &node{
		DB: storetest.Open(t, url, v, clock, 0), other: storetest.Open(t, url, v, clock, 0),
		news: make(chan store.News, 100), lost: make(chan error, 100),
	}
	n.OnNews(func(news store.News) { n.news <- news })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Hear(ctx, func(err error) { n.lost <- err }) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	require.True(t, n.next(t).Missed, "what was said before it listened")
	return n
}

func (n *node) next(t *testing.T) store.News {
	t.Helper()
	select {
	case news := <-n.news:
		return news
	case <-time.After(newsWait):
		require.Fail(t, "there is no news")
		return store.News{}
	}
}

// say commits news on the other node.
func (n *node) say(t *testing.T, couriers ...int64) {
	t.Helper()
	require.NoError(t, n.other.InTx(t.Context(), func(tx *store.Tx) error { return n.other.Announce(tx, couriers...) }))
}

func TestNewsReachOtherNodesWithTheirCommit(t *testing.T) {
	n := listen(t, storetest.Postgres(t))
	refused := errors.New("refused")
	err := n.other.InTx(t.Context(), func(tx *store.Tx) error { return errors.Join(n.other.Announce(tx, 1), refused) })
	require.ErrorIs(t, err, refused)
	n.say(t, 2, 3)
	require.Equal(t, store.News{Couriers: []int64{2, 3}}, n.next(t), "what was rolled back is not heard")
	n.say(t)
	require.Equal(t, store.News{}, n.next(t), "a push is due, and no inbox has grown")
	require.NoError(t, n.InTx(t.Context(), func(tx *store.Tx) error { return n.Announce(tx, 4) }))
	require.Equal(t, []int64{4}, n.next(t).Couriers, "its own at once")
}

func TestNewsOfThousandsOfCouriersAreHeardWhole(t *testing.T) {
	n := listen(t, storetest.Postgres(t))
	n.say(t, many(2000)...)
	var heard []int64
	for len(heard) < 2000 {
		heard = append(heard, n.next(t).Couriers...)
	}
	require.ElementsMatch(t, many(2000), heard)
}

func TestANodeThatLostItsConnectionListensAgain(t *testing.T) {
	url := storetest.Postgres(t)
	n := listen(t, url)
	admin, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	defer admin.Close()
	for range 2 {
		var ended []bool
		require.NoError(t, admin.Select(&ended, `select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and query like 'listen %'`))
		require.Equal(t, []bool{true}, ended)
		select {
		case err := <-n.lost:
			require.ErrorContains(t, err, "57P01") // admin_shutdown
		case <-time.After(newsWait):
			require.Fail(t, "the loss is not noticed")
		}
		n.say(t, 4) // nobody listens
		require.True(t, n.next(t).Missed, "and it knows that it was deaf")
		n.say(t, 5)
		for heard := n.next(t); ; heard = n.next(t) {
			if len(heard.Couriers) == 1 && heard.Couriers[0] == 5 {
				break
			}
		}
	}
}

// A log that cannot be emptied grows: somebody must hear of it.
func TestALogThatCannotBeEmptiedIsTold(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t), storetest.Vault(t), storetest.NewClock(), 0)
	require.NoError(t, db.BreakLog())
	told := make(chan error, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- db.Hear(ctx, func(err error) { told <- err }) }()
	select {
	case err := <-told:
		require.ErrorContains(t, err, "checkpoint")
	case <-time.After(newsWait):
		require.Fail(t, "nobody is told")
	}
	stop()
	require.NoError(t, <-ended)
}

func TestADatabaseOfOneProcessHasNothingToHear(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t), storetest.Vault(t), storetest.NewClock(), 0)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, db.Hear(ctx, func(err error) { t.Errorf("lost: %v", err) }))
}
