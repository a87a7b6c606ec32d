package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/evidence/bundle"
	"doorstep/privacy"
	"doorstep/store/storetest"
)

// count asks the database beside the server.
func (a *app) count(query string, args ...any) (n int) {
	a.t.Helper()
	db := openDatabase(a.t, a.url)
	require.NoError(a.t, db.Get(&n, db.Rebind(`select count(*) from `+query), args...))
	return n
}

func TestErasureReachesPhotosReportsTheDeskAndWhatWasTold(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		a := newApp(t, url, inFolder(folder))
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		me := a.consumer(anne)
		a.declare("li", "SF1", doorPhoto)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		a.bring(append(aCall("c-1", "SF1", a.clock.Now()), aCall("c-2", "SF2", a.clock.Now())...)...)
		a.sort()
		read[api.Consent](a.post(me, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"},
			withHeader("Idempotency-Key", "k1")), http.StatusCreated)
		c := read[api.Complaint](a.post(a.integrator(), "/v1/complaints", api.ComplaintInput{
			Waybill: "SF1", Text: lockerEN, Reporter: &api.Reporter{Name: ptr(canarySister)},
		}), http.StatusCreated)
		a.post(a.manager("west"), "/v1/complaints/"+c.ID+"/notes", words(canaryWords)).is(http.StatusCreated)
		a.relayAll()
		company, err := a.db.Company(t.Context(), "default")
		require.NoError(t, err)
		id := string(a.db.Consumer(company, anne))
		db := openDatabase(t, url)
		_, err = db.Exec(db.Rebind(`insert into parcel_line (outlet_no, waybill, provider, number, until_ms) values (?, 'SF1', 'generic', ?, ?)`),
			int64(company), []byte("sealed"), a.clock.Now().Add(aDay).UnixMilli())
		require.NoError(t, err)
		require.Positive(t, a.count(`replay where consumer_id = ?`, id))
		require.Equal(t, 8, a.count(`provider_record where length(body) > 0`))
		var sealed [][]byte
		for _, q := range []string{
			`select body from complaint_note`, `select body from complaint_reporter`, `select body from provider_record where subject = 'c-1'`,
			`select answer from replay where consumer_id <> ''`,
		} {
			var some [][]byte
			require.NoError(t, openDatabase(t, url).Select(&some, q))
			require.NotEmpty(t, some, q)
			sealed = append(sealed, some...)
		}

		closeCase(t, a, c.ID)
		a.delete(me, "/v1/me").is(http.StatusNoContent)
		require.Equal(t, "erased", read[api.ErasureState](a.get(me, "/v1/me/erasure"), http.StatusOK).State)

		require.Zero(t, filesUnder(t, folder), "blobs go in the same pass")
		require.Equal(t, api.EvidenceRecordPhotoStateErased, *a.photo("SF1").PhotoState)
		require.Equal(t, 4, a.count(`provider_record where length(body) > 0`), "those of SF2")
		for _, table := range []string{"link", "outbox", "event", "replay"} {
			require.Zero(t, a.count(table+` where consumer_id = ?`, id), table)
		}
		for _, table := range []string{"complaint_note", "complaint_reporter"} {
			require.Equal(t, 1, a.count(table), "what is left of a row names nobody")
			require.Zero(t, a.count(table+` where body is not null`), table)
		}
		require.Zero(t, a.count(`parcel_line where waybill = 'SF1'`))
		if !strings.HasPrefix(url, "postgres") {
			all := files(t, url)
			for _, gone := range sealed {
				require.False(t, bytes.Contains(all, gone), "sealed bytes are left in the files")
			}
		}

		// What the courier did stays, the desk goes on, and every proof verifies.
		require.Equal(t, "connected", a.contacts("SF1").Calls[0].Grade)
		require.Empty(t, read[api.ComplaintNotes](a.get(a.manager("west"), "/v1/complaints/"+c.ID+"/notes"), http.StatusOK).Items)
		a.get(a.manager("west"), "/v1/complaints/"+c.ID).is(http.StatusOK)
		a.logsHold()
		report, err := bundle.Verify(a.bundle(a.manager("west"), c.ID, ""), a.logKey(), "")
		require.NoError(t, err)
		require.True(t, report.Holds(), report.Problems)
		said := 0
		for _, r := range report.Records {
			for _, f := range r.Fields {
				if f.State == bundle.Erased {
					require.Contains(t, f.Note, "by record")
					said++
				}
			}
		}
		require.Positive(t, said)
	})
}

func TestRawReportsGoBeforeTheRecordsAndStillTellRepeats(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		call := aCall("c-1", "SF1", a.clock.Now())
		a.bring(call...)
		a.sort()
		a.later(59 * aDay)
		require.Zero(t, a.sweepAll()[privacy.Reports].Gone)
		a.later(2 * aDay)
		require.Equal(t, 4, a.sweepAll()[privacy.Reports].Gone)
		require.Zero(t, a.count(`provider_record where length(body) > 0`))
		require.Equal(t, 4, a.bring(call...).Duplicate)
		require.Equal(t, "connected", a.contacts("SF1").Calls[0].Grade)
		_, err := a.db.Reseal(t.Context())
		require.NoError(t, err, "there is nothing to seal in them")
	})
}

func TestTheStubOfAReroutedComplaintHoldsNothing(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		east := parcel("SF9", "kim", bela)
		east.OutletID = "east"
		a.dispatch(parcel("SF1", "li", anne), east)
		c := a.complain(a.consumer(anne), "SF1", lockerZH)
		a.post(a.manager("west"), "/v1/complaints/"+c.ID+"/reroute", api.ComplaintReroute{To: "east", Reason: "theirs"}).is(http.StatusOK)
		a.later(241 * aDay)
		a.sweepAll()
		require.Empty(t, a.values("SF1"))
		require.Equal(t, 1, a.count(`complaint where status = 'moved' and body is null`), "the stub goes with its outlet's records")
		require.Equal(t, 1, a.count(`complaint where status <> 'moved' and body is not null`), "the open complaint stays")
	})
}

func TestLookingAtAPhotoIsOnRecord(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.declare("li", "SF1", doorPhoto)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		a.get(a.manager("west"), photoPath(doorPhoto)).is(http.StatusOK)
		log := read[api.AccessPage](a.get(a.hq(), "/v1/access-log?waybill=SF1"), http.StatusOK).Items
		require.Len(t, log, 1)
		require.Equal(t, "photo", *log[0].Opened)
		require.Equal(t, "Sun Yan", *log[0].By)
	})
}

// The search for bytes would find them, were they left where SQLite leaves them.
func TestBytesThatAreNotOverwrittenAreFound(t *testing.T) {
	for name, options := range map[string]string{
		"without secure_delete":    "?_secure_delete=off&_journal_mode=WAL",
		"with the log not cut off": "?_secure_delete=on&_journal_mode=WAL",
	} {
		t.Run(name, func(t *testing.T) {
			url := storetest.SQLite(t)
			a := newApp(t, url)
			a.dispatch(parcel("SF1", "li", anne))
			c := a.complain(a.consumer(anne), "SF1", lockerZH)
			var body []byte
			careless, err := sqlx.Open("sqlite3", "file:"+url+options)
			require.NoError(t, err)
			defer careless.Close()
			require.NoError(t, careless.Get(&body, `select body from complaint where id = ?`, c.ID))
			careless.MustExec(`delete from complaint where id = ?`, c.ID)
			if strings.Contains(name, "without") {
				careless.MustExec(`pragma wal_checkpoint(truncate)`)
			}
			require.True(t, bytes.Contains(files(t, url), body))
		})
	}
}
