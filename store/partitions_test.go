package store_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/migrations"
	"doorstep/store"
	"doorstep/store/storetest"
)

// manyOutlets sends parcels out from so many outlets, to consumers with a wish.
func (h *house) manyOutlets(name string, outlets int) {
	h.t.Helper()
	for i := range outlets {
		o := order(fmt.Sprintf("%s%d", name, i), fmt.Sprintf("c%d", i), wang)
		o.OutletID = fmt.Sprintf("outlet-%d", i)
		require.Equal(h.t, evidence.Accepted, h.dispatch(o)[0].Status)
	}
}

// furnished is all that the schema says of the tables that are spread.
func furnished(t *testing.T, db *sqlx.DB) (list []string) {
	t.Helper()
	for _, query := range []string{
		`select table_name || ' has ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
from information_schema.columns where table_name = any($1) order by table_name, ordinal_position`,
		`select replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') from pg_index where indrelid = any($1::regclass[]) order by 1`,
		`select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = any($1::regclass[]) order by 1`,
		`select pg_get_triggerdef(oid) from pg_trigger where tgrelid = any($1::regclass[]) and not tgisinternal order by 1`,
	} {
		var part []string
		require.NoError(t, db.Select(&part, query, store.Growing()))
		require.NotEmpty(t, part)
		list = append(list, part...)
	}
	return list
}

// rows is every row of the tables that are spread.
func rows(t *testing.T, db *sqlx.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range store.Growing() {
		var list []string
		require.NoError(t, db.Select(&list, `select r::text from `+table+` r order by 1`))
		all[table] = list
	}
	return all
}

func TestTablesAreSpreadOverPartitionsAndMadePlainAgain(t *testing.T) {
	ctx, dbURL, clock := context.Background(), storetest.Postgres(t), storetest.NewClock()
	h := newHouse(t, storetest.Open(t, dbURL, storetest.Vault(t), clock, 0), clock)
	side, err := sqlx.Open("pgx", dbURL)
	require.NoError(t, err)
	defer side.Close()
	h.morning()
	h.dispatch(order("AGAIN", "li", wang))
	h.declares("9", aPhotoHash)
	album, _ := h.album()
	_, err = album.Add(ctx, h.courier("li"), aPhotoHash, aPhoto)
	require.NoError(t, err)
	plain, was := furnished(t, side), rows(t, side)
	for table, list := range was {
		require.NotEmpty(t, list, "there is nothing in %s to be lost", table)
	}

	for _, parts := range []int{4, 6, 1} {
		require.NoError(t, h.db.Partition(ctx, parts))
		require.Equal(t, was, rows(t, side))
		require.Equal(t, plain, furnished(t, side))
		list, err := h.db.Partitions(ctx)
		require.NoError(t, err)
		require.Len(t, list, len(store.Growing()))
		for _, table := range list {
			require.Equal(t, parts, table.Parts, table.Table)
		}
		// A server that was there before goes on, and keeps what it promised.
		h.manyOutlets(fmt.Sprintf("IN%d-", parts), 8)
		again := order(fmt.Sprintf("IN%d-0", parts), "c0", wang)
		again.OutletID = "outlet-0"
		require.Equal(t, evidence.Duplicate, h.dispatch(again)[0].Status)
		was = rows(t, side)
		require.NoError(t, h.db.Partition(ctx, parts), "done already")
		require.Equal(t, was, rows(t, side))
	}
}

func TestOutletsAreSpreadOverThePartitions(t *testing.T) {
	dbURL, clock := storetest.Postgres(t), storetest.NewClock()
	h := newHouse(t, storetest.Open(t, dbURL, storetest.Vault(t), clock, 0), clock)
	require.NoError(t, h.db.Partition(context.Background(), 4))
	h.manyOutlets("SF", 32)
	side, err := sqlx.Open("pgx", dbURL)
	require.NoError(t, err)
	defer side.Close()
	for i := range 4 {
		var n int
		require.NoError(t, side.Get(&n, fmt.Sprintf(`select count(*) from dispatch_%d_of_4`, i)))
		require.Positive(t, n, "partition %d", i)
	}
}

func TestEvidenceInPartitionsCannotBeChanged(t *testing.T) {
	dbURL, clock := storetest.Postgres(t), storetest.NewClock()
	h := newHouse(t, storetest.Open(t, dbURL, storetest.Vault(t), clock, 0), clock)
	h.manyOutlets("SF", 8)
	require.NoError(t, h.db.Partition(context.Background(), 2))
	side, err := sqlx.Open("pgx", dbURL)
	require.NoError(t, err)
	defer side.Close()
	for _, table := range []string{"evidence", "evidence_0_of_2", "evidence_1_of_2"} {
		for _, statement := range []string{`update %s set kind = 'call'`, `delete from %s`, `truncate %s`} {
			_, err := side.Exec(fmt.Sprintf(statement, table))
			require.ErrorContains(t, err, "append-only", statement, table)
		}
	}
}

func TestTheSchemaMovesOnWithPartitions(t *testing.T) {
	dbURL, clock := storetest.Postgres(t), storetest.NewClock()
	h := newHouse(t, storetest.Open(t, dbURL, storetest.Vault(t), clock, 0), clock)
	h.manyOutlets("SF", 4)
	require.NoError(t, h.db.Partition(context.Background(), 3))
	side, err := sqlx.Open("pgx", dbURL)
	require.NoError(t, err)
	defer side.Close()
	before := furnished(t, side)
	files, err := fs.Sub(migrations.Postgres, "postgres")
	require.NoError(t, err)
	steps, err := goose.NewProvider(goose.DialectPostgres, side.DB, files, goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	const beforeAlertsEnd = 6 // the steps after it add columns, indexes and tables
	_, err = steps.DownTo(context.Background(), beforeAlertsEnd)
	require.NoError(t, err)
	_, err = steps.Up(context.Background())
	require.NoError(t, err)

	// Tables that a step makes are plain until the command is given again.
	require.NoError(t, h.db.Partition(context.Background(), 3))
	require.ElementsMatch(t, before, furnished(t, side))
	h.manyOutlets("LATER", 4)
}

func TestPartitionsThatCannotBeAreRefused(t *testing.T) {
	clock := storetest.NewClock()
	small := storetest.Open(t, storetest.SQLite(t), storetest.Vault(t), clock, 0)
	require.ErrorContains(t, small.Partition(context.Background(), 4), "only PostgreSQL")
	_, err := small.Partitions(context.Background())
	require.ErrorContains(t, err, "only PostgreSQL")
	for _, parts := range []int{-1, 0, store.MostParts + 1} {
		require.ErrorContains(t, small.Partition(context.Background(), parts), "1 to 256")
	}
}

// onPartitionsEnv is set where the tests of this package run on partitions.
const onPartitionsEnv = "DOORSTEP_TEST_ON_PARTITIONS"

func TestTheStoreKeepsItsWordOnPartitions(t *testing.T) {
	if os.Getenv(onPartitionsEnv) != "" {
		t.Skip("it is this test that runs the others on partitions: not once more")
	}
	dbURL := storetest.Postgres(t)
	db, err := store.Open(t.Context(), store.Config{
		URL: dbURL, Vault: storetest.Vault(t), Now: storetest.NewClock().Now, TimeZone: "Asia/Shanghai",
	})
	require.NoError(t, err)
	require.NoError(t, db.Partition(t.Context(), 2))
	require.NoError(t, db.InTx(t.Context(), func(tx *store.Tx) error { return tx.Exec(`delete from setting`) }), "the keys are each test's own")
	require.NoError(t, db.Close(), "a template must not be in use")
	u, err := url.Parse(dbURL)
	require.NoError(t, err)

	// All tests of this package again, where they run on PostgreSQL.
	suite := exec.CommandContext(t.Context(), os.Args[0], "-test.count=1", "-test.run=./postgres")
	suite.Env = append(os.Environ(), onPartitionsEnv+"=yes", storetest.TemplateEnv+"="+strings.TrimPrefix(u.Path, "/"))
	out, err := suite.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "no tests to run")
}
