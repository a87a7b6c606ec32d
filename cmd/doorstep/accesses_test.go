package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

func accessPage(p api.AccessPage) ([]api.Access, *string) { return p.Items, p.NextCursor }

func TestWhoOpensRecordsIsRecordedWithWhatHeSaw(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		east := parcel("SF9", "kim", carl)
		east.OutletID = "east"
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela), east)
		c := a.complain(a.consumer(anne), "SF1", lockerZH)

		a.get(a.manager("west"), "/v1/evidence?waybill=SF1").is(http.StatusOK)
		a.clock.Add(time.Minute)
		a.get(a.hq(), "/v1/evidence").is(http.StatusOK)
		a.clock.Add(time.Minute)
		a.get(a.manager("west"), "/v1/evidence?complaint_id="+c.ID).is(http.StatusOK)
		a.clock.Add(time.Minute)
		a.get(a.consumer(anne), "/v1/me/export").is(http.StatusOK)
		a.get(a.manager("west"), "/v1/evidence?kind=photo").is(http.StatusOK) // which shows nothing
		a.get(a.manager("west"), "/v1/evidence?kind=no_such").is(http.StatusUnprocessableEntity)

		all := pages(a, a.hq(), "/v1/access-log?limit=2", accessPage)
		require.Len(t, all, 5, "headquarters' list was of two outlets")
		require.Equal(t, "export", *all[0].Opened)
		require.Equal(t, "consumer", *all[0].Role)
		require.Nil(t, all[0].By)
		require.Equal(t, []string{"SF1"}, *all[0].Waybills)
		require.Equal(t, c.ID, *all[1].ComplaintID)
		seen := map[string][]string{all[2].OutletID: *all[2].Waybills, all[3].OutletID: *all[3].Waybills}
		require.Equal(t, map[string][]string{"west": {"SF1", "SF2"}, "east": {"SF9"}}, seen)
		require.Equal(t, "Qian Hui", *all[2].By)
		require.Equal(t, "Sun Yan", *all[4].By)
		require.Equal(t, "SF1", *all[4].Waybill)
		require.Equal(t, "evidence_list", *all[4].Opened)

		require.Len(t, pages(a, a.manager("west"), "/v1/access-log?limit=200", accessPage), 4, "his outlet's")
		require.Len(t, pages(a, a.manager("west"), "/v1/access-log?limit=200&waybill=sf1", accessPage), 2)
		mine := pages(a, a.courier("li"), "/v1/access-log?limit=200&complaint_id="+c.ID, accessPage)
		require.Len(t, mine, 2, "a courier sees who opened his case, or its parcel's records")
		require.Equal(t, "Sun Yan", *mine[0].By)
		p := a.get(a.courier("li"), "/v1/access-log").problem(http.StatusUnprocessableEntity)
		require.Equal(t, []string{"/complaint_id required"}, at(p.Errors))
		from := all[4].At.Add(time.Second)
		require.Len(t, pages(a, a.hq(), "/v1/access-log?limit=200&from="+escaped(from)+"&to="+escaped(from.Add(time.Minute)), accessPage), 2)

		for _, r := range a.evidence("west", "") {
			require.NotEqual(t, "access", r.Kind, "openings have a list of their own")
		}
		require.NotEmpty(t, a.evidence("west", "&kind=access"), "and are records like others")
	})
}

func TestACopyHoldsAllThatIsKeptAboutAPerson(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		flock(t, a)
		me := a.consumer(canaryPhone)
		a.upload("li", about("SF-5001", records(a.clock.Now()))...)
		a.post(a.consumer(canaryPhone), "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"}).is(http.StatusCreated)
		a.post(a.manager("west"), "/v1/holds", api.HoldInput{Waybill: "SF-5001", Reason: "The insurer asks."}).is(http.StatusCreated)
		a.get(a.manager("west"), "/v1/evidence?waybill=SF-5001").is(http.StatusOK)

		r := a.get(me, "/v1/me/export")
		own := read[api.ConsumerExport](r, http.StatusOK)
		text := string(r.body)
		for _, bird := range []string{canaryPhone, canaryName, canaryAddress, canaryWords, canaryNote} {
			require.Contains(t, text, bird)
		}
		// Nothing of others: who called for him, the courier and where he stood.
		for _, other := range []string{canarySister, "15987651234", canaryToken, `"li"`, "31.2", "121.5"} {
			require.NotContains(t, text, other)
		}
		require.NotEmpty(t, own.Tags)
		require.NotEmpty(t, own.Tags[0].Because)
		require.NotEmpty(t, own.Lessons)
		require.NotEmpty(t, own.Preferences)
		require.Len(t, own.Consents, 1)
		require.Len(t, own.Complaints, 1)
		require.Len(t, own.SignIns, 1)
		require.Len(t, own.Parcels, 3, "also one that never went out")
		for _, p := range own.Parcels {
			require.Equal(t, canaryPhone, *p.Phone)
			if p.Waybill == "SF-5001" {
				require.Len(t, p.Holds, 1)
				require.Equal(t, "Sun Yan", *p.Opened[0].By, "who looked")
				require.Greater(t, len(p.Records), 5)
			}
		}
	})
}

func TestTheNoticeIsMadeOfTheRetentionTable(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	zh := read[api.PrivacyNotice](a.get("", "/v1/privacy/notice"), http.StatusOK)
	en := read[api.PrivacyNotice](a.get("", "/v1/privacy/notice", withHeader("Accept-Language", "en")), http.StatusOK)
	require.Equal(t, en, read[api.PrivacyNotice](a.get("", "/v1/privacy/notice?lang=en"), http.StatusOK))
	require.Equal(t, "zh-CN", zh.Language)
	require.Equal(t, "en", en.Language)
	require.Len(t, zh.Classes, len(en.Classes))
	keep := map[string]int{}
	for i, c := range en.Classes {
		for _, text := range []string{c.Data, c.Purpose, c.GroundText, c.KeepText, zh.Classes[i].Data, zh.Classes[i].KeepText} {
			require.NotEmpty(t, text)
			require.NotContains(t, text, "privacy.", "a text is missing")
			require.NotContains(t, text, "{")
		}
		if c.KeepDays != nil {
			keep[c.Class] = *c.KeepDays
		}
	}
	require.Equal(t, map[string]int{
		"parcels": 240, "records": 240, "cases": 400, "positions": 90, "lessons": 540, "messages": 30, "devices": 30, "accesses": 1095,
		"tokens": 30, "reports": 60,
	}, keep)
	for _, right := range append(en.Rights, zh.Rights...) {
		require.NotContains(t, right, "privacy.")
	}
}
