package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
	"doorstep/evidence"
	"doorstep/store/storetest"
	"doorstep/vault"
)

// keptRecord is a record as the database keeps it.
type keptRecord struct {
	Outlet      doorstep.OutletNo `db:"outlet_no"`
	ID          string
	Kind        evidence.Kind
	Commitments string
	Body        []byte
	ErasedBy    *string `db:"erased_by"`
}

// openDatabase looks into the database beside the server.
func openDatabase(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	driver := "sqlite3"
	if strings.HasPrefix(url, "postgres") {
		driver = "pgx"
	}
	db, err := sqlx.Open(driver, url)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func keptRecords(t *testing.T, url string) (list []keptRecord) {
	t.Helper()
	require.NoError(t, openDatabase(t, url).Select(&list, `select e.outlet_no, e.id, e.kind, e.commitments, v.body, v.erased_by
from evidence e join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id order by e.id`))
	return list
}

// opened opens what is left of a record's values.
func (a *app) opened(r keptRecord) (o evidence.Opening) {
	a.t.Helper()
	if r.Body == nil {
		return o
	}
	plain, err := a.vault.Open(r.Body, vault.Place{Table: "evidence_value", Column: "body", Row: fmt.Sprintf("%d|%s", r.Outlet, r.ID)})
	require.NoError(a.t, err)
	require.NoError(a.t, json.Unmarshal(plain, &o))
	return o
}

// sealedOf gathers what is kept sealed of persons, as its bytes.
func sealedOf(t *testing.T, url string) (list [][]byte) {
	t.Helper()
	db := openDatabase(t, url)
	for _, q := range []string{
		`select consignee from parcel where consignee is not null`, `select body from complaint where body is not null`,
		`select body from complaint_message where body is not null`, `select note from preference_note`,
		`select v.body from evidence_value v join evidence e on e.outlet_no = v.outlet_no and e.id = v.record_id
where e.kind in ('complaint', 'alert', 'dispatch', 'location', 'photo') and v.body is not null`,
	} {
		var some [][]byte
		require.NoError(t, db.Select(&some, q))
		require.NotEmpty(t, some, q)
		list = append(list, some...)
	}
	return list
}

// files is every byte that SQLite keeps of a database.
func files(t *testing.T, url string) []byte {
	t.Helper()
	names, err := filepath.Glob(url + "*")
	require.NoError(t, err)
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, data...)
	}
	return all
}

// closeCase closes a complaint, as its outlet will.
func closeCase(t *testing.T, a *app, id string) {
	t.Helper()
	_, err := openDatabase(t, a.url).Exec(openDatabase(t, a.url).Rebind(
		`update complaint set status = 'confirmed', closed_at_ms = ? where id = ?`), a.clock.Now().UnixMilli(), id)
	require.NoError(t, err)
}

func TestAConsumerWhoAsksIsForgottenAndEveryProofStays(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		flock(t, a)
		a.upload("li", about("SF-5001", records(a.clock.Now()))...)
		me, birds := a.consumer(canaryPhone), canaries(a)
		cases := read[api.ComplaintPage](a.get(me, "/v1/me/complaints"), http.StatusOK).Items
		for _, c := range cases {
			closeCase(t, a, c.ID)
		}
		sealed, before := sealedOf(t, url), keptRecords(t, url)

		a.delete(me, "/v1/me").is(http.StatusNoContent)

		state := read[api.ErasureState](a.get(me, "/v1/me/erasure"), http.StatusOK)
		require.Equal(t, "erased", state.State)
		require.Empty(t, state.Waiting)

		// Nothing of the person is kept, neither in clear nor sealed.
		kept := stored(t, url)
		for name, bird := range birds {
			if name == "consumer id" || name == "device" { // the tombstone; the courier's own
				continue
			}
			require.NotContains(t, kept, bird, name)
		}
		if !strings.HasPrefix(url, "postgres") {
			all := files(t, url)
			require.Greater(t, len(sealed), 10)
			for _, bytesOf := range sealed {
				require.False(t, bytes.Contains(all, bytesOf), "sealed bytes are left in the files")
			}
		}
		for table, column := range map[string]string{
			"parcel": "consumer_id", "dispatch": "consumer_id", "complaint": "consumer_id", "link": "consumer_id",
			"preference": "consumer_id", "preference_note": "consumer_id", "tag_evidence": "consumer_id", "consent": "consumer_id", "question": "consumer_id",
		} {
			var n int
			db := openDatabase(t, url)
			require.NoError(t, db.Get(&n, db.Rebind(`select count(*) from `+table+` where `+column+` = ?`), birds["consumer id"]))
			require.Zero(t, n, table)
		}

		// Every record and commitment is there, and what is left still opens it.
		after := map[string]keptRecord{}
		for _, r := range keptRecords(t, url) {
			after[r.ID] = r
		}
		whole := 0
		for _, r := range before {
			now := after[r.ID]
			require.Equal(t, r.Commitments, now.Commitments, r.Kind)
			was, left := a.opened(r), a.opened(now)
			for name := range left.Values {
				require.True(t, left.Opens(now.Commitments, name), "%s %s", r.Kind, name)
			}
			if len(left.Values) < len(was.Values) {
				require.NotNil(t, now.ErasedBy, r.Kind)
				require.Equal(t, evidence.Erasure, after[*now.ErasedBy].Kind, "it says which erasure took it")
				require.Contains(t, string(a.opened(after[*now.ErasedBy]).Values["records"]), r.ID)
			} else {
				whole++
			}
			switch r.Kind {
			case evidence.Call:
				require.JSONEq(t, `"answered"`, string(left.Values["outcome"]), "the courier's own proof")
			case evidence.Complaint, evidence.Location, evidence.Dispatch:
				require.Empty(t, left.Values, r.Kind)
			}
		}
		require.Positive(t, whole)
		a.logsHold()
	})
}

// logsHold makes the outlet's log anew from its records and their values.
func (a *app) logsHold() {
	a.t.Helper()
	a.seal()
	ledger := evidence.Ledger{Store: a.db, Keys: a.db.LogKeys(), Now: a.clock.Now}
	log, err := ledger.Find(a.t.Context(), "", "west")
	require.NoError(a.t, err)
	leaves, err := (&evidence.Checker{Store: a.db, Ledger: &ledger}).Check(a.t.Context(), log)
	require.NoError(a.t, err)
	require.Positive(a.t, leaves)
}

// about says of records that they are of another parcel.
func about(waybill string, list []api.EvidenceInput) []api.EvidenceInput {
	for i := range list {
		list[i].Waybill = waybill
	}
	return list
}

func TestNothingIsLearnedAgainOfWhoeverWasForgotten(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		me := a.consumer(anne)
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}}).is(http.StatusOK)
		require.NotEmpty(t, a.dispatch(parcel("SF2", "li", anne))[0].Tags)
		a.delete(me, "/v1/me").is(http.StatusNoContent)

		got := a.dispatch(parcel("SF3", "li", anne))[0]
		require.Empty(t, got.Tags)
		a.complain(me, "SF3", lockerZH)
		require.Empty(t, a.dispatch(parcel("SF4", "li", anne))[0].Tags, "a complaint taught something")
		require.False(t, read[api.MyTags](a.get(me, "/v1/me/tags"), http.StatusOK).LearningEnabled)

		// What was sent before the erasure and is sent again changes nothing.
		r := read[api.DispatchResults](a.post(a.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{parcel("SF1", "li", anne)}}), http.StatusOK)
		require.Equal(t, api.ItemStatus("duplicate"), r.Results[0].Status)
		require.Empty(t, read[api.ConsumerExport](a.get(me, "/v1/me/export"), http.StatusOK).Tags)

		// The courier was told that nothing holds any more.
		for _, alert := range a.inbox("li") {
			if alert.Waybill == "SF2" {
				require.Empty(t, alert.Tags)
			}
		}
	})
}

func TestWhatIsHeldWaitsAndGoesWhenTheHoldEnds(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne), parcel("SF3", "li", anne))
		me := a.consumer(anne)
		c := a.complain(me, "SF1", lockerZH+canaryWords)
		hold := read[api.Hold](a.post(a.manager("west"), "/v1/holds", api.HoldInput{Waybill: "SF2", Reason: "insurance case 7"}), http.StatusCreated)
		a.delete(me, "/v1/me").is(http.StatusNoContent)

		state := read[api.ErasureState](a.get(me, "/v1/me/erasure"), http.StatusOK)
		require.Equal(t, "waiting", state.State)
		require.Equal(t, []api.WaitingParcel{{Waybill: "SF1", Because: "complaint"}, {Waybill: "SF2", Because: "hold"}}, state.Waiting)
		require.Contains(t, *read[api.Complaint](a.get(a.manager("west"), "/v1/complaints/"+c.ID), http.StatusOK).Text, canaryWords)

		a.delete(a.manager("west"), "/v1/holds/"+hold.ID).is(http.StatusNoContent)
		a.eraseDue()
		require.Len(t, read[api.ErasureState](a.get(me, "/v1/me/erasure"), http.StatusOK).Waiting, 2, "it is looked at once an hour")
		a.clock.Add(time.Hour)
		a.eraseDue()
		require.Equal(t, []api.WaitingParcel{{Waybill: "SF1", Because: "complaint"}}, read[api.ErasureState](a.get(me, "/v1/me/erasure"), http.StatusOK).Waiting)

		closeCase(t, a, c.ID)
		a.clock.Add(time.Hour)
		a.eraseDue()
		require.Equal(t, "erased", read[api.ErasureState](a.get(me, "/v1/me/erasure"), http.StatusOK).State)
		require.Nil(t, read[api.Complaint](a.get(a.manager("west"), "/v1/complaints/"+c.ID), http.StatusOK).Text)
		require.NotEmpty(t, read[api.ComplaintPage](a.get(a.hq(), "/v1/complaints"), http.StatusOK).Items)
		holds := read[api.HoldPage](a.get(a.hq(), "/v1/holds"), http.StatusOK).Items
		require.Equal(t, "Sun Yan", *holds[0].ReleasedBy)
	})
}

// eraseDue makes the eraser's passes until nothing is due.
func (a *app) eraseDue() {
	a.t.Helper()
	for {
		n, err := a.operations.Eraser.EraseDue(context.Background())
		require.NoError(a.t, err)
		if n == 0 {
			return
		}
	}
}

func TestALinkToOneParcelGivesNoCopyAndForgetsNobody(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	a.dispatch(parcel("SF1", "li", anne))
	link := read[api.ConsumerLink](a.post(a.integrator(), "/v1/parcels/SF1/consumer-link", nil), http.StatusCreated).Token
	for _, r := range []answer{a.get(link, "/v1/me/export"), a.delete(link, "/v1/me"), a.get(link, "/v1/me/erasure")} {
		require.Equal(t, "person_required", r.problem(http.StatusForbidden).Code, r.request)
	}
	a.get(a.consumer(anne), "/v1/me/erasure").is(http.StatusNotFound)
}
