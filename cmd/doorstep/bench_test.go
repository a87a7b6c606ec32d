package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/bench"
	"doorstep/store/storetest"
)

// aWhiff is as little as still goes through every step.
var aWhiff = bench.Scale{
	Slice: 20 * time.Millisecond, Paced: 100 * time.Millisecond, Queue: 64, Cold: 1000, Phones: 64, Wishes: 40,
	Seal: 50 * time.Millisecond,
}

func TestTheBenchComparesEachRowWithItsReference(t *testing.T) {
	program := build(t)
	storetest.OnEach(t, func(t *testing.T, database string) {
		c := benchCmd{Program: program, JSON: true, Runs: 1, Consumers: 100, History: 16_000, Complaints: 300, Leaves: 70_000, Temp: t.TempDir(), scale: &aWhiff}
		if strings.HasPrefix(database, "postgres") {
			c.DB = database
		}
		var out, log bytes.Buffer
		require.NoError(t, c.Run(t.Context(), &streams{Out: &out, Err: &log}), log.String())

		var got bench.Report
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		var measured []string
		for _, row := range got.Rows {
			measured = append(measured, row.Name)
			require.Len(t, row.Runs, 1, row.Name)
			require.Positive(t, row.Doorstep.Median, row.Name)
			if slices.Contains([]string{"alerts", "memory", "providers-beside", "providers-answer", "filing", "queue", "month", "company", "casefile", "inclusion", "inclusion-p99", "verify"}, row.Name) {
				require.Nil(t, row.Ratio, row.Name)
				continue
			}
			require.NotEmpty(t, row.Against, row.Name)
			require.InDelta(t, row.Runs[0].Doorstep/row.Runs[0].Reference, row.Ratio.Median, 1e-9, row.Name)
		}
		both := []string{"batches", "small-batches", "singles", "latency", "alerts", "drain", "delayed", "uploads", "providers", "providers-beside", "providers-answer", "filing", "queue", "month", "company"}
		if c.DB == "" {
			require.Equal(t, append(both, "growth", "cold", "memory", "casefile", "append", "inclusion", "inclusion-p99", "verify"), measured)
			require.Equal(t, []string{"nodes: needs --db postgres://..."}, got.Left)
		} else {
			require.Equal(t, append(both, "casefile", "append", "inclusion", "inclusion-p99", "verify", "nodes"), measured)
			require.Contains(t, got.Rows[len(got.Rows)-1].Note, "is there once")
			require.Len(t, got.Left, 1)
		}
		require.GreaterOrEqual(t, rowsEach(t, got.Rows[0]), 4.0, "a parcel, a dispatch, a fact and its value")
		require.GreaterOrEqual(t, rowsEach(t, got.Rows[7]), 2.0, "a fact and its value")
		require.Contains(t, log.String(), "temporary data in")
		left, err := os.ReadDir(c.Temp)
		require.NoError(t, err)
		require.Empty(t, left, "the data is gone")
	})
}

func TestTheBenchLeavesAPostgreSQLServerAsItWas(t *testing.T) {
	server, err := url.Parse(storetest.Postgres(t))
	require.NoError(t, err)
	c := benchCmd{Program: filepath.Join(t.TempDir(), "no-such-program"), DB: server.String(), Runs: 1, Only: []string{"nodes"}, scale: &aWhiff}
	var out, log bytes.Buffer
	require.ErrorContains(t, c.Run(t.Context(), &streams{Out: &out, Err: &log}), "no-such-program")
	require.Empty(t, databases(t, server.String(), "doorstep_bench_%"))
}

func TestTheBenchRefusesARowThatItDoesNotHave(t *testing.T) {
	o := command(t, "bench", "--only", "batches,speed")
	require.ErrorContains(t, o.failed, `there is no row "speed"; there are batches, small-batches,`)
	require.Empty(t, o.out)
}

// rowsEach is how many rows the raw engine inserted for an item.
func rowsEach(t *testing.T, row bench.Row) (n float64) {
	t.Helper()
	_, err := fmt.Sscanf(row.Against, "the same rows (%f a piece)", &n)
	require.NoError(t, err, row.Against)
	return n
}

// databases lists those of a PostgreSQL server whose names match.
func databases(t *testing.T, server, like string) (names []string) {
	t.Helper()
	db, err := sqlx.Open("pgx", server)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Select(&names, "select datname from pg_database where datname like $1", like))
	return names
}
