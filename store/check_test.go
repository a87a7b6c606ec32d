package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/privacy"
	"doorstep/store/storetest"
)

// unguard takes away the triggers that guard the log, as whoever has all rights can.
func unguard(t *testing.T, db *sqlx.DB) {
	t.Helper()
	for _, table := range []string{"evidence", "log_leaf", "log_tile", "log_checkpoint"} {
		if db.DriverName() == "pgx" {
			db.MustExec(`alter table ` + table + ` disable trigger user`)
			continue
		}
		var names []string
		require.NoError(t, db.Select(&names, `select name from sqlite_master where type = 'trigger' and tbl_name = ?`, table))
		for _, name := range names {
			db.MustExec(`drop trigger ` + name)
		}
	}
}

// Any byte that differs, anywhere in what a log rests on, is found.
func TestAnyChangedByteOfARecordOrALogIsFound(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx, clock := context.Background(), storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		h.dispatch(order("SF1", "li", wang))
		log := h.log("west")
		var facts []evidence.Fact
		for i := range evidence.TileWidth + 10 {
			f := h.fact(log.No, fmt.Sprint("word ", i))
			if i == 3 {
				f.CourierNo, f.ClientID, f.ComplaintID = 7, "c3", "c-1"
			}
			facts = append(facts, f)
		}
		require.NoError(t, h.db.AddFacts(ctx, facts, nil))
		h.seal()
		_, err := h.ledger().Checkpoint(ctx, log)
		require.NoError(t, err)
		_, err = h.check(log)
		require.NoError(t, err)

		db := side(t, url)
		unguard(t, db)
		id := fmt.Sprintf("id = '%s'", facts[3].ID)
		for _, c := range []struct{ table, column, where string }{
			{"evidence", "id", "client_id = 'c3'"}, {"evidence", "kind", id}, {"evidence", "source", id}, {"evidence", "waybill", id},
			{"evidence", "complaint_id", id}, {"evidence", "client_id", id}, {"evidence", "commitments", id}, {"evidence", "courier_no", id},
			{"evidence", "occurred_at_ms", id}, {"evidence", "received_at_ms", id}, {"evidence_value", "body", "record_" + id},
			{"log_leaf", "record_id", "seq = 5"}, {"log_leaf", "hash", "seq = 5"}, {"log_leaf", "hash", "seq = 260"},
			{"log_tile", "root", "n = 0"}, {"log_tile", "hashes", "n = 0"}, {"log_head", "subtrees", "size > 0"}, {"log_head", "size", "size > 0"},
			{"log_checkpoint", "root", "size > 0"}, {"log_checkpoint", "note", "size > 0"}, {"log_checkpoint", "size", "note <> ''"},
		} {
			where := c.where + " and outlet_no = " + fmt.Sprint(int64(log.No))
			for range 4 {
				change(t, db, c.table, c.column, where, func() {
					_, err := h.check(log)
					require.Error(t, err, c)
				})
			}
			_, err := h.check(log)
			require.NoError(t, err, c)
		}
	})
}

// change flips a byte of a text or a blob, or adds one to a number, while do runs.
func change(t *testing.T, db *sqlx.DB, table, column, where string, do func()) {
	t.Helper()
	var before, after any
	require.NoError(t, db.Get(&before, fmt.Sprintf(`select %s from %s where %s`, column, table, where)))
	switch v := before.(type) {
	case int64:
		after = v + 1
	case string:
		b := []byte(v)
		i := rand.IntN(len(b))
		for b[i] >= utf8.RuneSelf { // what is no text can be in no column of text
			i = rand.IntN(len(b))
		}
		if b[i]++; b[i] > '~' {
			b[i] = ' '
		}
		after = string(b)
	case []byte:
		b := slices.Clone(v)
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
		after = b
	}
	set := func(to any) {
		t.Helper()
		db.MustExec(db.Rebind(fmt.Sprintf(`update %s set %s = ? where %s`, table, column, where)), to)
	}
	set(after)
	defer set(before)
	do()
}

// Whoever may write to the database can take values away; he cannot make the log
// say that they were erased.
func TestValuesThatAreGoneWithoutTheirErasureAreFound(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx, clock := context.Background(), storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao))
		log := h.log("west")
		require.NoError(t, (&privacy.Eraser{
			Store: h.db, Recall: func(context.Context) (int, error) { return 0, nil },
			Photos: func(context.Context) (int, error) { return 0, nil }, Now: clock.Now,
		}).Erase(ctx, h.consumer(wang)))
		h.seal()
		_, err := h.check(log)
		require.NoError(t, err, "what was erased is said")

		db := side(t, url)
		var erasure, whole string
		require.NoError(t, db.Get(&erasure, `select id from evidence where kind = 'erasure'`))
		require.NoError(t, db.Get(&whole, `select id from evidence where kind = 'dispatch' and waybill = 'SF2'`))
		db.MustExec(db.Rebind(`update evidence_value set body = null where record_id = ?`), whole)
		_, err = h.check(log)
		require.ErrorContains(t, err, "no erasure says so")
		db.MustExec(db.Rebind(`update evidence_value set erased_by = ? where record_id = ?`), erasure, whole)
		_, err = h.check(log)
		require.ErrorContains(t, err, "no erasure says so", "this one took others")
	})
}
