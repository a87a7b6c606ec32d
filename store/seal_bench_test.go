package store_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/store/storetest"
)

// BenchmarkAppend writes records 100 at a time, with the log and as the same rows
// without it, by turns in one run, and reports the rates and their ratio. With the
// log they are sealed too, tiles and all.
func BenchmarkAppend(b *testing.B) {
	ctx, clock := context.Background(), storetest.NewClock()
	db := storetest.Open(b, storetest.SQLite(b), storetest.Vault(b), clock, 0)
	h := &house{db: db, clock: clock}
	const size, batches = 100, 50
	facts := make([]evidence.Fact, size)
	turn := func(logged bool) (took time.Duration) {
		for range batches {
			for i := range facts {
				facts[i] = h.fact(4000, fmt.Sprint("no_answer ", i))
			}
			began := time.Now()
			require.NoError(b, db.AddFactsLogged(ctx, facts, logged))
			took += time.Since(began)
		}
		began := time.Now()
		_, _, err := sealerOf(db).Pass(ctx)
		require.NoError(b, err)
		return took + time.Since(began)
	}
	turn(true)
	var with, without time.Duration
	b.ResetTimer()
	for b.Loop() {
		with, without = with+turn(true), without+turn(false)
	}
	records := float64(b.N * size * batches)
	b.ReportMetric(records/with.Seconds(), "with/s")
	b.ReportMetric(records/without.Seconds(), "without/s")
	b.ReportMetric(without.Seconds()/with.Seconds(), "ratio")
}

// BenchmarkInclusion proves records of a log of 100,000 leaves, or of
// DOORSTEP_LOG_LEAVES, and reports the median and the slowest hundredth.
func BenchmarkInclusion(b *testing.B) {
	ctx, clock := context.Background(), storetest.NewClock()
	db := storetest.Open(b, storetest.SQLite(b), storetest.Vault(b), clock, 0)
	h := &house{db: db, clock: clock}
	leaves := 100_000
	if given := os.Getenv("DOORSTEP_LOG_LEAVES"); given != "" {
		var err error
		leaves, err = strconv.Atoi(given)
		require.NoError(b, err)
	}
	log := evidence.Log{No: 4000, Company: "default", Outlet: "o"}
	require.NoError(b, db.FillLog(ctx, log.No, leaves))
	var ids []string
	for range 100 {
		f := h.fact(log.No, "w")
		ids = append(ids, f.ID)
		require.NoError(b, db.AddFacts(ctx, []evidence.Fact{f}, nil))
	}
	_, _, err := sealerOf(db).Pass(ctx)
	require.NoError(b, err)
	ledger := &evidence.Ledger{Store: db, Keys: db.LogKeys(), Now: clock.Now}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		_, err := ledger.Inclusion(ctx, log, ids[len(took)%len(ids)], 0)
		took = append(took, time.Since(began))
		require.NoError(b, err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
