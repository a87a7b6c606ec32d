package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/api"
	"doorstep/evidence"
	"doorstep/store/storetest"
	"doorstep/vault"
)

// seal puts into the logs what waits.
func (a *app) seal() {
	a.t.Helper()
	_, _, err := evidence.NewSealer(a.db, slog.New(slog.DiscardHandler)).Pass(context.Background())
	require.NoError(a.t, err)
}

// cover puts the heads of the outlets' logs into their companies'.
func (a *app) cover() {
	a.t.Helper()
	notary := evidence.Notary{Store: a.db, Ledger: &evidence.Ledger{Store: a.db, Keys: a.db.LogKeys(), Now: a.clock.Now}}
	_, err := notary.Cover(context.Background())
	require.NoError(a.t, err)
}

// known is the log's key, as whoever has no token gets it.
func (a *app) known() note.Verifiers {
	a.t.Helper()
	verifier, err := note.NewVerifier(read[api.LogKey](a.get("", "/v1/log/key"), http.StatusOK).Key)
	require.NoError(a.t, err)
	return note.VerifierList(verifier)
}

// checkpoint asks for the checkpoint of a log and opens it with nothing but the key.
func (a *app) checkpoint(query string) (evidence.Checkpoint, api.LogCheckpoint) {
	a.t.Helper()
	got := read[api.LogCheckpoint](a.get("", "/v1/log/checkpoint"+query), http.StatusOK)
	c, err := evidence.OpenCheckpoint(got.Checkpoint, a.known())
	require.NoError(a.t, err)
	require.Equal(a.t, got.Size, c.Size)
	require.Equal(a.t, got.Root, c.Root.String())
	require.Equal(a.t, got.Origin, c.Origin)
	return c, got
}

// refused is the code of the first bad field, or of the problem itself.
func refused(a answer, status int) string {
	a.t.Helper()
	p := a.problem(status)
	if len(p.Errors) > 0 {
		return p.Errors[0].Code
	}
	return p.Code
}

func TestWhoeverAsksGetsAProofOfARecord(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		a.upload("li", records(a.clock.Now())...)
		a.seal()
		c, _ := a.checkpoint("?outlet_id=west")
		list := a.evidence("west", "")
		require.Equal(t, int64(len(list)), c.Size)

		for _, record := range list {
			got := read[api.InclusionProof](a.get("", "/v1/log/proofs/inclusion?outlet_id=west&record="+record.ID), http.StatusOK)
			leaf, err := evidence.ParseLeaf([]byte(got.Leaf))
			require.NoError(t, err)
			require.Equal(t, record.ID, leaf.ID)
			require.True(t, record.ReceivedAt.Equal(leaf.ReceivedAt))
			for _, personal := range []string{"SF1", "li\n", anne} {
				require.NotContains(t, got.Leaf, personal)
			}
			proof, err := evidence.ParseInclusion(got.Proof)
			require.NoError(t, err)
			require.Equal(t, got.Index, proof.Index)
			_, err = proof.Check(leaf.Hash(), c.Origin, a.known())
			require.NoError(t, err)
		}

		// A proof for an older checkpoint is given too
		_, older := a.checkpoint("?outlet_id=west")
		a.dispatch(parcel("SF3", "li", anne))
		a.seal()
		a.checkpoint("?outlet_id=west")
		query := "/v1/log/proofs/inclusion?outlet_id=west&record=" + list[0].ID
		got := read[api.InclusionProof](a.get("", fmt.Sprint(query, "&size=", older.Size)), http.StatusOK)
		require.Equal(t, older.Size, got.Size)
		require.Contains(t, got.Proof, older.Checkpoint)

		require.Equal(t, "not_found", refused(a.get("", "/v1/log/proofs/inclusion?outlet_id=west&record=1-x"), http.StatusNotFound))
		require.Equal(t, "not_found", refused(a.get("", "/v1/log/proofs/inclusion?outlet_id=nowhere&record="+list[0].ID), http.StatusNotFound))
		require.Equal(t, "not_found", refused(a.get("", "/v1/log/checkpoint?company=nobody"), http.StatusNotFound))
		for _, size := range []string{"&size=1", "&size=99999"} { // of no checkpoint
			require.Equal(t, "unknown_size", refused(a.get("", query+size), http.StatusUnprocessableEntity))
		}
		for _, size := range []string{"&size=0", "&size=-1", "&size=x"} {
			require.Equal(t, "invalid_size", refused(a.get("", query+size), http.StatusUnprocessableEntity))
		}
		consistency := "/v1/log/proofs/consistency?outlet_id=west&from="
		require.Equal(t, "unknown_size", refused(a.get("", consistency+"99999"), http.StatusUnprocessableEntity))
		require.Equal(t, "unknown_size", refused(a.get("", consistency+"1&to=2"), http.StatusUnprocessableEntity))
		require.Equal(t, "invalid_size", refused(a.get("", consistency+"0"), http.StatusUnprocessableEntity))
	})
}

// logWitness is what a courier's app does at each sync: it keeps the last checkpoint
// and asks whether the log has only grown since.
type logWitness struct {
	a    *app
	kept evidence.Checkpoint
}

func (w *logWitness) sync() error {
	w.a.t.Helper()
	got := read[api.ConsistencyProof](w.a.get("", fmt.Sprint("/v1/log/proofs/consistency?outlet_id=west&from=", w.kept.Size)), http.StatusOK)
	c, err := evidence.OpenCheckpoint(got.Checkpoint, w.a.known())
	require.NoError(w.a.t, err)
	var proof tlog.TreeProof
	for _, text := range got.Hashes {
		h, err := tlog.ParseHash(text)
		require.NoError(w.a.t, err)
		proof = append(proof, h)
	}
	if err := tlog.CheckTree(proof, c.Size, c.Root, w.kept.Size, w.kept.Root); err != nil {
		return err
	}
	w.kept = c
	return nil
}

// A forger with all rights changes a record and makes everything anew: leaves,
// hashes and checkpoints, under the right key. Alone the database is right. The
// phone that kept a checkpoint knows better.
func TestAPhoneThatKeptACheckpointFindsARebuiltHistory(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.seal()
		w := logWitness{a: a}
		w.kept, _ = a.checkpoint("?outlet_id=west")
		for _, r := range records(a.clock.Now()) {
			a.upload("li", r)
			a.seal()
			require.NoError(t, w.sync(), "it has only grown")
		}
		require.Equal(t, int64(len(a.evidence("west", ""))), w.kept.Size)
		a.seal() // that the list was opened
		require.NoError(t, w.sync())

		db, err := sqlx.Open(map[bool]string{true: "pgx", false: "sqlite3"}[strings.HasPrefix(url, "postgres")], url)
		require.NoError(t, err)
		defer db.Close()
		if db.DriverName() == "pgx" {
			for _, table := range []string{"evidence", "log_leaf", "log_tile", "log_checkpoint"} {
				db.MustExec(`alter table ` + table + ` disable trigger user`)
			}
		} else {
			var names []string
			require.NoError(t, db.Select(&names, `select name from sqlite_master where type = 'trigger'`))
			for _, name := range names {
				db.MustExec(`drop trigger ` + name)
			}
		}
		db.MustExec(`update evidence set received_at_ms = received_at_ms - 60000 where kind = 'call'`)
		for _, table := range []string{"log_leaf", "log_tile", "log_head", "log_checkpoint"} {
			db.MustExec(`delete from ` + table)
		}
		db.MustExec(`insert into seal_queue (outlet_no, id, at_ms, record_ids) select outlet_no, id, received_at_ms, id from evidence`)
		a.seal()

		c, _ := a.checkpoint("?outlet_id=west")
		require.Equal(t, w.kept.Size, c.Size)
		ledger := evidence.Ledger{Store: a.db, Keys: a.db.LogKeys(), Now: a.clock.Now}
		log, err := ledger.Find(t.Context(), "", "west")
		require.NoError(t, err)
		_, err = (&evidence.Checker{Store: a.db, Ledger: &ledger}).Check(t.Context(), log)
		require.NoError(t, err, "alone the database is right")
		require.Error(t, w.sync())

		// Nor does it help to go on
		a.dispatch(parcel("SF2", "li", anne))
		a.seal()
		require.Error(t, w.sync())
	})
}

func TestACompanysLogHoldsTheHeadsOfItsOutlets(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		for i, outlet := range []string{"east", "north", "west"} {
			p := parcel(fmt.Sprint("SF", i), "li", anne)
			p.OutletID = outlet
			a.dispatch(p)
		}
		a.seal()
		a.cover()
		a.cover() // nothing has grown
		c, first := a.checkpoint("")
		require.Equal(t, int64(3), c.Size)
		require.Len(t, *first.Heads, 3)

		a.dispatch(parcel("SF9", "li", anne)) // at west
		a.seal()
		a.cover()
		c, _ = a.checkpoint("")
		require.Equal(t, int64(4), c.Size)
		got := read[api.ConsistencyProof](a.get("", "/v1/log/proofs/consistency?from=3"), http.StatusOK)
		require.Equal(t, int64(4), got.To)

		// Each head is proven, and is that of the outlet's own checkpoint
		seen := map[string]bool{}
		for query := "?limit=2"; query != ""; {
			_, page := a.checkpoint(query)
			for _, h := range *page.Heads {
				seen[h.OutletID] = true
				proof := read[api.InclusionProof](a.get("", "/v1/log/proofs/inclusion?record="+neturl.QueryEscape(h.Record)), http.StatusOK)
				require.Equal(t, h.Leaf, proof.Leaf)
				read, err := evidence.ParseInclusion(proof.Proof)
				require.NoError(t, err)
				_, err = read.Check(tlog.RecordHash([]byte(h.Leaf)), page.Origin, a.known())
				require.NoError(t, err)
				outlets, _ := a.checkpoint("?outlet_id=" + h.OutletID)
				require.Contains(t, h.Leaf, fmt.Sprintf("log %s\nsize %d\nroot %s\n", outlets.Origin, outlets.Size, outlets.Root))
			}
			query = ""
			if page.NextCursor != nil {
				query = "?limit=2&cursor=" + *page.NextCursor
			}
		}
		require.Equal(t, map[string]bool{"east": true, "north": true, "west": true}, seen)

		// With two companies one must be named
		_, err := a.db.Company(t.Context(), "other")
		require.NoError(t, err)
		require.Equal(t, "required", refused(a.get("", "/v1/log/checkpoint"), http.StatusUnprocessableEntity))
		a.checkpoint("?company=default")
		_, empty := a.checkpoint("?company=other")
		require.Zero(t, empty.Size)
	})
}

// A reader who missed one change of keys can still follow.
func TestCheckpointsAreSignedByTheKeyAndTheOneBefore(t *testing.T) {
	file, err := vault.NewKeys()
	require.NoError(t, err)
	for range 2 {
		file, err = vault.AddLogKey(file, rand.Reader)
		require.NoError(t, err)
	}
	keys, err := vault.Open(file)
	require.NoError(t, err)
	a := newApp(t, storetest.SQLite(t), func(s *site) { s.vault = keys })
	a.dispatch(parcel("SF1", "li", anne))
	a.seal()
	_, got := a.checkpoint("?outlet_id=west")
	key := read[api.LogKey](a.get("", "/v1/log/key"), http.StatusOK)
	require.Len(t, *key.Previous, 2)
	for i, public := range append([]string{key.Key}, *key.Previous...) {
		verifier, err := note.NewVerifier(public)
		require.NoError(t, err)
		_, err = evidence.OpenCheckpoint(got.Checkpoint, note.VerifierList(verifier))
		require.Equal(t, i < 2, err == nil, i)
	}
}

func TestTheNotarySignsEveryLogThatHasGrown(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.seal()
		notary := evidence.Notary{
			Store: a.db, Ledger: &evidence.Ledger{Store: a.db, Keys: a.db.LogKeys(), Now: a.clock.Now}, Log: slog.New(slog.DiscardHandler),
		}
		n, err := notary.Pass(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, n, "the outlet's log, and the company's that has its head")
		logs, err := a.db.Logs(t.Context())
		require.NoError(t, err)
		require.Len(t, logs, 2)
		require.Equal(t, []string{"", "west"}, []string{logs[0].Outlet, logs[1].Outlet}, "by number")
	})
}
