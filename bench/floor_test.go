package bench

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/vault"
)

// BenchmarkThirtyDispatchesACommit is the floor under single dispatches: what
// SQLite alone needs, synchronous=FULL, to commit the rows of thirty dispatches
// of 128 couriers at eight outlets, which is about what waits together when 64
// clients send one at a time. No HTTP, no sealing, no look-up. With all indexes,
// and with none but the primary keys, which could do nothing of what the
// indexes are for.
func BenchmarkThirtyDispatchesACommit(b *testing.B) {
	b.Run("all indexes", func(b *testing.B) { thirtyACommit(b, false) })
	b.Run("primary keys alone", func(b *testing.B) { thirtyACommit(b, true) })
}

func thirtyACommit(b *testing.B, bare bool) {
	const group = 30
	path := storetest.SQLite(b)
	v, err := vault.Load(b.TempDir() + "/keys.json")
	require.NoError(b, err)
	made, err := store.Open(b.Context(), store.Config{URL: path, Vault: v, Now: time.Now, TimeZone: "Asia/Shanghai"})
	require.NoError(b, err)
	require.NoError(b, made.Close())
	db, err := sqlx.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_cache_size=-32768&_stmt_cache_size=64")
	require.NoError(b, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	if bare {
		var names []string
		require.NoError(b, db.Select(&names, `select name from sqlite_master where type = 'index' and sql is not null
and tbl_name in ('dispatch', 'parcel', 'evidence', 'evidence_value')`))
		for _, name := range names {
			_, err := db.Exec("drop index " + name)
			require.NoError(b, err)
		}
	}
	rows := func(width int) string {
		one := "(" + strings.Repeat("?, ", width-1) + "?)"
		return " values " + strings.Repeat(one+", ", group-1) + one
	}
	waybill := firstOfLoad
	var commits time.Duration
	for b.Loop() {
		var dispatches, parcels, records, values []any
		now := time.Now().UnixMilli()
		for range group {
			waybill++
			courier := waybill * 7 % couriers
			outlet, w, consumer := 1+courier/rounds, waybillOf(int64(waybill)), randomText(16)
			id := fmt.Sprintf("%d-%012x-7%s", outlet, now, randomText(10))
			dispatches = append(dispatches, outlet, courier, 20261128, w, consumer, now, now)
			parcels = append(parcels, outlet, w, 1, consumer, "a-100234", []byte(randomText(75)), courier, now, now)
			records = append(records, outlet, id, "dispatch", "server", courier, w, now, now, "tags "+randomText(22))
			values = append(values, outlet, id, []byte(randomText(65)))
		}
		tx, err := db.Beginx()
		require.NoError(b, err)
		for _, s := range []struct {
			head  string
			width int
			args  []any
		}{
			{`insert into dispatch (outlet_no, courier_no, day, waybill, consumer_id, dispatched_at_ms, received_at_ms)`, 7, dispatches},
			{`insert into parcel (outlet_no, waybill, company_no, consumer_id, address_id, consignee, courier_no, dispatched_at_ms, updated_at_ms)`, 9, parcels},
			{`insert into evidence (outlet_no, id, kind, source, courier_no, waybill, occurred_at_ms, received_at_ms, commitments)`, 9, records},
			{`insert into evidence_value (outlet_no, record_id, body)`, 3, values},
		} {
			_, err := tx.Exec(s.head+rows(s.width), s.args...)
			require.NoError(b, err)
		}
		began := time.Now()
		require.NoError(b, tx.Commit())
		commits += time.Since(began)
	}
	b.ReportMetric(float64(group*b.N)/b.Elapsed().Seconds(), "dispatches/s")
	b.ReportMetric(float64(commits.Microseconds())/float64(b.N), "commit-µs/op")
}

// randomText is so many random bytes, as twice as many digits.
func randomText(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}
