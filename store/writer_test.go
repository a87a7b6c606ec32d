package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/store"
	"doorstep/store/storetest"
)

func TestOneFailedWriteHarmsNoNeighbour(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0)
		ctx := context.Background()
		errs := make([]error, 90)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = db.InTx(ctx, setting(i)) })
		}
		all.Wait()
		for i, err := range errs {
			switch i % 3 {
			case 0:
				require.NoError(t, err)
			case 1:
				require.ErrorIs(t, err, errOnPurpose)
			default:
				require.ErrorContains(t, err, "on purpose")
			}
		}
		names, err := db.Settings(ctx)
		require.NoError(t, err)
		require.Len(t, names, 30+1, "and the key's fingerprint")
	})
}

var errOnPurpose = errors.New("on purpose")

// setting writes a row and then succeeds, fails or panics, by turns.
func setting(i int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		if err := tx.Exec(`insert into setting (name, value) values (?, '')`, fmt.Sprint("s", i)); err != nil {
			return err
		}
		switch i % 3 {
		case 1:
			return errOnPurpose
		case 2:
			panic("on purpose")
		}
		return nil
	}
}

func TestACallerWhoGaveUpBeforeTheWriteBeganChangesNothing(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.ErrorIs(t, db.InTx(ctx, setting(0)), context.Canceled)
		names, err := db.Settings(context.Background())
		require.NoError(t, err)
		require.Len(t, names, 1)
	})
}

func TestADatabaseRefusesForeignKeys(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		storetest.Open(t, url, storetest.Vault(t), clock, 0)
		_, err := store.Open(context.Background(), store.Config{
			URL: url, Vault: storetest.Vault(t), NewID: doorstep.MakeID, Now: clock.Now, TimeZone: "Asia/Shanghai",
		})
		require.ErrorContains(t, err, "DOORSTEP_KEYS")
	})
}

func TestANewerSchemaIsRefused(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		db := storetest.Open(t, url, v, clock, 0)
		require.NoError(t, db.InTx(context.Background(), func(tx *store.Tx) error {
			return tx.Exec(`insert into goose_db_version (version_id, is_applied) values (9999, true)`)
		}))
		_, err := store.Open(context.Background(), store.Config{URL: url, Vault: v, NewID: doorstep.MakeID, Now: clock.Now})
		require.ErrorContains(t, err, "use a newer program")
	})
}

func TestProcessesThatStartAtOnceMigrateOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				db, err := store.Open(context.Background(), store.Config{URL: url, Vault: v, NewID: doorstep.MakeID, Now: clock.Now})
				if err == nil {
					err = db.Close()
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		db := storetest.Open(t, url, v, clock, 0)
		steps, err := db.Migrations(context.Background())
		require.NoError(t, err)
		require.NotEmpty(t, steps)
		for _, s := range steps {
			require.True(t, s.Applied, s.Name)
		}
	})
}

func TestEvidenceCannotBeChanged(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		for _, statement := range []string{`update evidence set kind = 'x'`, `delete from evidence`} {
			err := h.db.InTx(context.Background(), func(tx *store.Tx) error { return tx.Exec(statement) })
			require.ErrorContains(t, err, "append-only", statement)
		}
		require.Len(t, h.evidence("west"), 1)
	})
}
