package store_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/prefs"
	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/vault"
)

// lifetime is a server of one SQLite file, from its start to an orderly stop.
func lifetime(t *testing.T, path string, v *vault.Vault, live func(h *house)) {
	t.Helper()
	clock := storetest.NewClock()
	db, err := store.Open(t.Context(), store.Config{URL: path, Vault: v, NewID: doorstep.MakeID, Now: clock.Now, TimeZone: "Asia/Shanghai"})
	require.NoError(t, err)
	require.NoError(t, db.LoadWishIndex(t.Context()))
	live(newHouse(t, db, clock))
	require.NoError(t, db.Close())
}

func TestAnOrderlyStopKeepsTheIndexForTheNextStart(t *testing.T) {
	path, v := storetest.SQLite(t), storetest.Vault(t)
	lifetime(t, path, v, func(h *house) {
		h.say(t, "ann", "no_locker")
		tend(t, h.db)
		h.say(t, "bob", "to_door")
		require.NoFileExists(t, store.WishFile(path))
	})
	require.FileExists(t, store.WishFile(path))
	for range 2 {
		lifetime(t, path, v, func(h *house) {
			answers(t, h.db, true)
			require.NoFileExists(t, store.WishFile(path), "after a crash it would be out of date")
			require.True(t, h.db.MayHaveWishes("ann"))
			require.False(t, h.db.MayHaveWishes("cleo"))
			require.Equal(t, []prefs.Tag{prefs.ToDoor}, h.said(t, "bob"))
			require.Empty(t, h.said(t, "cleo"))
		})
	}
}

func TestWhatHappenedWithoutTheIndexIsSeen(t *testing.T) {
	path, v := storetest.SQLite(t), storetest.Vault(t)
	begin := func(h *house) {
		h.say(t, "ann", "no_locker")
		tend(t, h.db)
	}
	t.Run("ByAnotherProcess", func(t *testing.T) {
		lifetime(t, path, v, begin)
		kept, err := os.ReadFile(store.WishFile(path))
		require.NoError(t, err)
		lifetime(t, path, v, func(h *house) { h.say(t, "bob", "to_door") }) // it took the file, and has not built the index anew
		require.NoError(t, os.WriteFile(store.WishFile(path), kept, 0o600))
		lifetime(t, path, v, func(h *house) {
			require.Equal(t, []prefs.Tag{prefs.ToDoor}, h.said(t, "bob"))
		})
	})
	t.Run("InADatabaseThatWasPutBack", func(t *testing.T) {
		path := storetest.SQLite(t)
		lifetime(t, path, v, begin)
		backup, err := os.ReadFile(path)
		require.NoError(t, err)
		lifetime(t, path, v, func(h *house) {
			tend(t, h.db)
			h.say(t, "bob", "to_door")
		})
		require.NoError(t, os.WriteFile(path, backup, 0o600))
		kept, err := os.ReadFile(store.WishFile(path))
		require.NoError(t, err)
		require.NoError(t, os.Remove(store.WishFile(path)))
		lifetime(t, path, v, func(h *house) { h.say(t, "cleo", "to_door") }) // a change of the same number as bob's
		require.NoError(t, os.WriteFile(store.WishFile(path), kept, 0o600))
		lifetime(t, path, v, func(h *house) {
			answers(t, h.db, false)
			require.Equal(t, []prefs.Tag{prefs.ToDoor}, h.said(t, "cleo"))
		})
	})
}

func TestAnythingElseThanAWholeFileIsNoIndex(t *testing.T) {
	path, v := storetest.SQLite(t), storetest.Vault(t)
	lifetime(t, path, v, func(h *house) {
		h.say(t, "ann", "no_locker")
		tend(t, h.db)
	})
	whole, err := os.ReadFile(store.WishFile(path))
	require.NoError(t, err)
	require.True(t, store.IsWishFile(whole))
	for _, n := range []int{0, 10, 50, 66, len(whole) - 1} {
		require.False(t, store.IsWishFile(whole[:n]), n)
	}
	for _, at := range []int{3, 20, 40, 60, len(whole) / 2, len(whole) - 1} {
		spoilt := append([]byte{}, whole...)
		spoilt[at] ^= 1
		require.False(t, store.IsWishFile(spoilt), at)
	}
	require.NoError(t, os.WriteFile(store.WishFile(path), whole[:100], 0o600))
	lifetime(t, path, v, func(h *house) { answers(t, h.db, false) })
}

func TestManyConsumersAreFoundWhetherOrNotTheIndexAnswers(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		var all []doorstep.ConsumerID
		for i := range 150 {
			c := doorstep.ConsumerID(fmt.Sprint("consumer-", i))
			all = append(all, c)
			h.say(t, c, "no_locker")
		}
		for _, answering := range []bool{false, true} {
			answers(t, h.db, answering)
			found, err := h.db.Profiles(context.Background(), append(all, "stranger"))
			require.NoError(t, err)
			for _, c := range all {
				require.Len(t, found[c].Preferences, 1, c)
			}
			require.Empty(t, found["stranger"].Preferences)
			tend(t, h.db)
		}
	})
}
