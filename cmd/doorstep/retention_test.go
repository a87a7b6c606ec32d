package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/evidence"
	"doorstep/privacy"
	"doorstep/store/storetest"
)

const aDay = 24 * time.Hour

func (a *app) sweeper() *privacy.Sweeper {
	return &privacy.Sweeper{Store: a.db, Photos: a.album.Sweep, Now: a.clock.Now}
}

// later moves the clock so far that tokens expire.
func (a *app) later(d time.Duration) {
	a.clock.Add(d)
	clear(a.tokens)
}

// sweepAll erases what is past its time and checks that a dry run said so
// before, and changed nothing.
func (a *app) sweepAll() privacy.Report {
	a.t.Helper()
	before := keptRecords(a.t, a.url)
	dry, err := a.sweeper().DryRun(context.Background())
	require.NoError(a.t, err)
	require.Equal(a.t, before, keptRecords(a.t, a.url), "a dry run erased something")
	got, err := a.sweeper().SweepAll(context.Background())
	require.NoError(a.t, err)
	for class, n := range dry {
		require.Equal(a.t, n.Gone, got[class].Gone, "%s, as the dry run said", class)
	}
	again, more, err := a.sweeper().Sweep(context.Background())
	require.NoError(a.t, err)
	require.Zero(a.t, again.Gone())
	require.False(a.t, more)
	return got
}

// values counts the records of a parcel that still have values, by kind.
func (a *app) values(waybill string) map[string]int {
	a.t.Helper()
	counts := map[string]int{}
	for _, r := range a.evidence("west", "&waybill="+waybill) {
		if r.Erased == nil {
			counts[r.Kind]++
		}
	}
	return counts
}

func TestWhatIsPastItsTimeGoesAndNothingElse(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		named := func(waybill string) api.DispatchInput {
			p := parcel(waybill, "li", canaryPhone)
			p.Consignee.Name = ptr(canaryName)
			return p
		}
		a.dispatch(named("SF1"), named("SF2"), named("SF3"))
		a.post(a.integrator(), "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{{
			Waybill: "SF4", OutletID: "west", Code: "arrived", At: a.clock.Now().Format(time.RFC3339), Consignee: ptr(named("").Consignee),
		}}}).is(http.StatusOK)
		a.upload("li", records(a.clock.Now())...)
		c := a.complain(a.consumer(canaryPhone), "SF2", lockerEN)
		hold := read[api.Hold](a.post(a.hq(), "/v1/holds", api.HoldInput{Waybill: "SF3", Reason: "A court asks."}), http.StatusCreated)
		before := keptRecords(t, url)
		require.Zero(t, a.sweepAll().Gone(), "all of it is new")

		a.later(91 * aDay)
		a.dispatch(parcel("SF5", "li", anne)) // and a young one
		require.Equal(t, privacy.Count{Gone: 1, Spared: 2}, a.sweepAll()[privacy.Positions])
		where := a.evidence("west", "&kind=location")[0]
		require.Nil(t, where.Lat)
		require.Nil(t, where.Lng)
		require.Equal(t, 8.0, *where.AccuracyM, "the rest of the record stays")

		a.later(150 * aDay)
		report := a.sweepAll()
		require.Equal(t, privacy.Count{Gone: 7, Spared: 2}, report[privacy.Records], "one dispatch and five uploads of SF1, one scan of SF4")
		require.Equal(t, 1, report[privacy.Parcels].Gone, "SF4, which never went out")
		require.Empty(t, a.values("SF1"))
		require.Equal(t, map[string]int{"dispatch": 1, "complaint": 1}, a.values("SF2"))
		require.Equal(t, map[string]int{"dispatch": 1}, a.values("SF3"))
		require.Equal(t, map[string]int{"dispatch": 1}, a.values("SF5"))
		db := openDatabase(t, url)
		var left []string
		require.NoError(t, db.Select(&left, `select waybill from parcel where consignee is not null order by waybill`))
		require.Equal(t, []string{"SF2", "SF3", "SF5"}, left)
		require.NoError(t, db.Select(&left, `select waybill from dispatch where consumer_id <> '' order by waybill`))
		require.Equal(t, []string{"SF2", "SF3", "SF5"}, left)

		// One record an outlet and batch says what went, and every proof stays.
		after := map[string]keptRecord{}
		for _, r := range keptRecords(t, url) {
			after[r.ID] = r
		}
		erasures := 0
		for _, r := range after {
			if r.Kind == evidence.Erasure {
				erasures++
				require.JSONEq(t, `"retention"`, string(a.opened(r).Values["reason"]))
			}
		}
		require.Equal(t, 2, erasures, "of positions, and of records")
		for _, r := range before {
			require.Equal(t, r.Commitments, after[r.ID].Commitments)
			for name := range a.opened(after[r.ID]).Values {
				require.True(t, a.opened(after[r.ID]).Opens(r.Commitments, name))
			}
		}

		a.logsHold()

		// The hold is released, the complaint closed: each in its time.
		a.delete(a.hq(), "/v1/holds/"+hold.ID).is(http.StatusNoContent)
		closeCase(t, a, c.ID)
		a.later(7 * aDay)
		require.Equal(t, privacy.Count{Gone: 1, Spared: 1}, a.sweepAll()[privacy.Cases])
		require.Empty(t, a.values("SF3"))
		a.later(401 * aDay)
		require.Equal(t, privacy.Count{Gone: 2}, a.sweepAll()[privacy.Cases])
		require.Empty(t, a.values("SF2"))
		require.Nil(t, read[api.Complaint](a.get(a.hq(), "/v1/complaints/"+c.ID), http.StatusOK).Text)
		if !strings.HasPrefix(url, "postgres") {
			for _, bird := range []string{canaryPhone, canaryName} {
				require.False(t, bytes.Contains(files(t, url), []byte(bird)))
			}
		}
	})
}

func TestLessonsTokensAndAccessesHaveTimesOfTheirOwn(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.consumer(anne), "SF1", lockerZH)
		a.get(a.manager("west"), "/v1/evidence?waybill=SF1").is(http.StatusOK)
		a.later(539 * aDay)
		report := a.sweepAll()
		require.Zero(t, report[privacy.Lessons].Gone)
		require.Equal(t, 3, report[privacy.Tokens].Gone, "they expired after 90 days, and 30 more have passed")
		a.later(2 * aDay)
		require.Equal(t, 1, a.sweepAll()[privacy.Lessons].Gone)
		require.Empty(t, a.tags(a.consumer(anne)))

		log := func() []api.Access {
			return read[api.AccessPage](a.get(a.hq(), "/v1/access-log?waybill=SF1"), http.StatusOK).Items
		}
		require.Equal(t, "Sun Yan", *log()[0].By)
		a.later(3 * 365 * aDay)
		require.Equal(t, 1, a.sweepAll()[privacy.Accesses].Gone)
		require.True(t, log()[0].Erased)
		require.Nil(t, log()[0].By)
	})
}

func TestASweepLooksAtNothingTwice(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		for i := range 5 {
			var list []api.DispatchInput
			for j := range 100 {
				list = append(list, parcel("SF"+string(rune('A'+i))+strings.Repeat("0", j/10)+string(rune('A'+j%10)), "li", anne))
			}
			a.dispatch(list...)
		}
		a.later(241 * aDay)
		var last string
		db := openDatabase(t, url)
		require.NoError(t, db.Get(&last, `select max(id) from evidence`))
		require.Equal(t, 500, a.sweepAll()[privacy.Records].Gone, "in batches of 200")
		var after []string
		require.NoError(t, db.Select(&after, `select after_id from retention where class = 'records' and outlet_no in (select no from outlet)`))
		require.GreaterOrEqual(t, after[0], last, "the next sweep begins behind them")
		marks, err := a.db.DueMarks(t.Context(), a.clock.Now(), 100)
		require.NoError(t, err)
		require.Empty(t, marks, "nothing is looked at before the next of them is due")
	})
}

func TestTwoNodesSweepEachRecordOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		for range 3 {
			a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", anne), parcel("SF3", "kim", anne))
			a.clock.Add(aDay)
		}
		a.later(241 * aDay)
		nodes := []*app{a, a.node(t)}
		done := make(chan error, len(nodes))
		for _, n := range nodes {
			go func() {
				_, err := n.sweeper().SweepAll(context.Background())
				done <- err
			}()
		}
		for range nodes {
			require.NoError(t, <-done)
		}
		named := map[string]int{}
		for _, r := range keptRecords(t, url) {
			if r.Kind == evidence.Erasure {
				for _, id := range strings.Split(strings.Trim(string(a.opened(r).Values["records"]), `[]"`), `","`) {
					named[id]++
				}
			}
		}
		require.Len(t, named, 9)
		for id, n := range named {
			require.Equal(t, 1, n, id)
		}
	})
}

func TestTheRetentionCommandSaysWhatWouldGo(t *testing.T) {
	c := console{t: t, data: t.TempDir()}
	require.JSONEq(t, `{"dry_run": true, "classes": {"lessons": {"gone": 0, "spared": 0}, "reports": {"gone": 0, "spared": 0}, "tokens": {"gone": 0, "spared": 0}}}`,
		c.ok("retention", "--dry-run", "--json"))
	require.Contains(t, c.ok("retention"), "240 days from receipt")
}
