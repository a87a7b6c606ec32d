package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

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
		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		require.Equal(t, []api.WaitingParcel{{Waybill: "SF1", Because: "complaint"}, {Waybill: "SF1", Because: "complaint"}},
			read[api.ErasureState](a.get(a.consumer(anne), "/v1/me/erasure"), http.StatusOK).Waiting, "at both outlets")
		a.later(241 * aDay)
		a.sweepAll()
		require.NotEmpty(t, a.values("SF1"), "the other outlet's case is made of them")
		_, err := openDatabase(t, url).Exec(openDatabase(t, url).Rebind(
			`update complaint set status = 'confirmed', closed_at_ms = ? where status <> 'moved'`), a.clock.Now().UnixMilli())
		require.NoError(t, err)
		a.eraseDue()
		require.Empty(t, a.values("SF1")["dispatch"])
		require.Equal(t, 2, a.count(`complaint where body is null`), "the stub and the complaint")
	})
}

func TestAHoldAtAnotherOutletKeepsAParcelsRecords(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		east := parcel("SF1", "kim", anne)
		east.OutletID = "east"
		a.dispatch(parcel("SF1", "li", anne))
		a.clock.Add(aDay)
		a.dispatch(east)
		hold := read[api.Hold](a.post(a.manager("east"), "/v1/holds", api.HoldInput{Waybill: "SF1", Reason: "A court asks."}), http.StatusCreated)
		a.later(242 * aDay)
		require.Zero(t, a.sweepAll()[privacy.Records].Gone)
		a.delete(a.manager("east"), "/v1/holds/"+hold.ID).is(http.StatusNoContent)
		a.later(7 * aDay)
		require.Equal(t, 2, a.sweepAll()[privacy.Cases].Gone)
	})
}

// reuse gives SF1 to bela after anne has had it, each with a sign-for.
func reuse(a *app, after time.Duration) {
	a.dispatch(parcel("SF1", "li", anne))
	a.signFor("li", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
	a.later(after)
	a.dispatch(parcel("SF1", "li", bela))
	a.signFor("li", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
}

func TestAnErasureLeavesTheNextConsigneeOfANumberAlone(t *testing.T) {
	for who, whole := range map[string]string{anne: "the second", bela: "the first"} {
		storetest.OnEach(t, func(t *testing.T, url string) {
			a := newApp(t, url)
			reuse(a, 30*aDay)
			a.delete(a.consumer(who), "/v1/me").is(http.StatusNoContent)
			require.Equal(t, map[string]int{"dispatch": 1, "sign_for": 2}, a.values("SF1"), "%s is whole; how parcels were signed for is the courier's", whole)
			require.Equal(t, 1, a.count(`dispatch where consumer_id <> ''`))
			named := 0
			if who == anne {
				named = 1
			}
			require.Equal(t, named, a.count(`parcel where consignee is not null`))
		})
	}
}

func TestTheEndOfACaseLeavesTheNextConsigneeOfANumberAlone(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		c := a.complain(a.consumer(anne), "SF1", lockerZH)
		closeCase(t, a, c.ID)
		a.later(390 * aDay)
		a.sweepAll()
		a.dispatch(parcel("SF1", "li", bela))
		a.later(21 * aDay)
		require.Equal(t, 2, a.sweepAll()[privacy.Cases].Gone)
		require.Equal(t, map[string]int{"dispatch": 1}, a.values("SF1"))
		require.Equal(t, 1, a.count(`parcel where consignee is not null`))
		require.Equal(t, 1, a.count(`dispatch where consumer_id <> ''`))
		a.later(220 * aDay)
		a.sweepAll()
		require.Empty(t, a.values("SF1"))
	})
}

func TestASignForsPhotoGoesWithItsConsignee(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		a := newApp(t, url, inFolder(folder))
		a.dispatch(parcel("SF1", "li", anne))
		in := signed("in_person", a.clock.Now())
		in.PhotoSha256 = ptr(hashOf(doorPhoto))
		a.signFor("li", "SF1", in).is(http.StatusOK)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		require.Positive(t, filesUnder(t, folder))
		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		require.Zero(t, filesUnder(t, folder))
		require.Zero(t, a.count(`photo`))
		record := a.evidence("west", "&kind=sign_for")[0]
		require.Equal(t, "in_person", *record.Method, "how it was signed for stays")
		require.Equal(t, api.EvidenceRecordPhotoStateErased, *record.PhotoState)
	})
}

func TestAnErasureWithdrawsConsentsOnRecord(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.allow(anne, "locker")
		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		require.Equal(t, 2, a.count(`evidence where kind = 'consent'`), "given, and withdrawn")
	})
}

// What belongs to no outlet is listed, logged and swept as what does.
func TestWhatStandsUnderTheCompanysNumberHasItsTimeAndItsLog(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.allow(anne, "locker")
		a.get(a.hq(), "/v1/evidence?kind=consent").is(http.StatusOK)
		log := read[api.AccessPage](a.get(a.hq(), "/v1/access-log"), http.StatusOK).Items
		require.Len(t, log, 1)
		require.Equal(t, "Qian Hui", *log[0].By)
		require.Empty(t, log[0].OutletID)
		require.Empty(t, read[api.AccessPage](a.get(a.manager("west"), "/v1/access-log"), http.StatusOK).Items)
		a.later(241 * aDay)
		require.Equal(t, 1, a.sweepAll()[privacy.Records].Gone)
		a.later(3 * 365 * aDay)
		require.Equal(t, 1, a.sweepAll()[privacy.Accesses].Gone)
	})
}

func TestAFaultOfOneParcelHoldsUpNoOther(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		var log bytes.Buffer
		a := newApp(t, url)
		a.operations.Eraser.Log = slog.New(slog.NewTextHandler(&log, nil))
		a.operations.Eraser.Photos = func(context.Context) (int, error) { return 0, errors.New("the store of blobs is away") }
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		broken := a.evidence("west", "&waybill=SF1")[0].ID
		db := openDatabase(t, url)
		var body []byte
		require.NoError(t, db.Get(&body, db.Rebind(`select body from evidence_value where record_id = ?`), broken))
		set := func(to []byte) {
			_, err := db.Exec(db.Rebind(`update evidence_value set body = ? where record_id = ?`), to, broken)
			require.NoError(t, err)
		}
		set([]byte("not what we sealed"))

		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		require.Equal(t, []api.WaitingParcel{{Waybill: "SF1", Because: "turn"}}, read[api.ErasureState](a.get(a.consumer(anne), "/v1/me/erasure"), http.StatusOK).Waiting)
		require.Contains(t, log.String(), "parcel at outlet")
		require.Contains(t, log.String(), "the store of blobs is away")
		a.eraseDue() // it is put off
		set(body)
		a.operations.Eraser.Photos = a.album.Sweep
		a.clock.Add(time.Hour)
		a.eraseDue()
		require.Equal(t, "erased", read[api.ErasureState](a.get(a.consumer(anne), "/v1/me/erasure"), http.StatusOK).State)
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
