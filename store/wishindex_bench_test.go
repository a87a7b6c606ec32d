package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/store"
	"doorstep/store/storetest"
)

// BenchmarkProfilesOf1000 reads what a call of 1,000 dispatches needs, and
// BenchmarkProfilesOf1 what a single one does, of whom nothing is known: each
// from the tables alone and with the index.
func BenchmarkProfilesOf1000(b *testing.B) { benchmarkProfiles(b, 1000, 1000/flaggedEach) }

func BenchmarkProfilesOf1(b *testing.B) { benchmarkProfiles(b, 1, 0) }

func benchmarkProfiles(b *testing.B, asked, known int) {
	y := newYard(b)
	y.wish(flaggedEach)
	consumers := y.consumers()
	if known == 0 {
		consumers = consumers[1:] // the first has wishes
	}
	consumers = consumers[:asked]
	for _, indexed := range []bool{false, true} {
		b.Run(fmt.Sprintf("indexed=%t", indexed), func(b *testing.B) {
			if indexed {
				_, err := y.db.TendWishIndex(b.Context())
				require.NoError(b, err)
			}
			b.ReportAllocs()
			for b.Loop() {
				profiles, err := y.db.Profiles(b.Context(), consumers)
				require.NoError(b, err)
				require.Len(b, profiles, known)
			}
		})
	}
}

// BenchmarkBloomOf10M asks a filter of 10 M consumers about strangers.
func BenchmarkBloomOf10M(b *testing.B) {
	const consumers = 10_000_000
	f := store.NewBloom(consumers)
	for i := range consumers {
		f.Add(doorstep.ConsumerID(fmt.Sprintf("consumer-%d", i)))
	}
	strangers := make([]doorstep.ConsumerID, 1<<16)
	taken := 0
	for i := range strangers {
		strangers[i] = doorstep.ConsumerID(fmt.Sprintf("stranger-%d", i))
		if f.MayHave(strangers[i]) {
			taken++
		}
	}
	i := 0
	for b.Loop() {
		f.MayHave(strangers[i&(len(strangers)-1)])
		i++
	}
	b.ReportMetric(float64(f.Bytes())/1e6, "MB")
	b.ReportMetric(1000*float64(taken)/float64(len(strangers)), "mistakes/1000")
}

// BenchmarkBuildWishIndexOf1M reads 1 M consumers on SQLite into the index.
func BenchmarkBuildWishIndexOf1M(b *testing.B) {
	db := storetest.Open(b, storetest.SQLite(b), storetest.Vault(b), storetest.NewClock(), 0)
	fill(b, db, 1_000_000)
	for b.Loop() {
		require.NoError(b, db.BuildWishIndex(b.Context()))
	}
}

// fill makes consumers of whom no more is known than that they are there.
func fill(t testing.TB, db *store.DB, n int) {
	const atOnce = 10_000
	for from := 0; from < n; from += atOnce {
		require.NoError(t, db.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.Exec(`with recursive n (i) as (select ? union all select i + 1 from n where i < ?)
insert into consumer (consumer_id, company_no, learning, updated_at_ms) select 'consumer-with-long-id-' || (10000000 + i), 1, 1, 0 from n`, from, min(from+atOnce, n)-1)
		}))
	}
}
