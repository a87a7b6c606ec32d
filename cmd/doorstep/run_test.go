package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
	"doorstep/parcels"
	"doorstep/store/storetest"
)

func TestARunSpeaksTheCouriersLanguageAndIsSentOnlyWhenItChanged(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.consumer(anne), "SF1", callEN)
		a.dispatch(parcel("SF0", "li", bela), parcel("SF2", "li", anne))

		run := func(headers ...header) (answer, api.Run) {
			r := a.get(a.courier("li"), "/v1/me/run", headers...)
			return r, read[api.Run](r, http.StatusOK)
		}
		r, zh := run(withHeader("Accept-Language", "zh-CN"))
		require.Equal(t, []string{"SF1", "SF2", "SF0"}, waybills(zh), "those with instructions first")
		require.Equal(t, api.DoFirst("call"), zh.Items[1].DoFirst)
		require.Equal(t, api.DoFirst("none"), zh.Items[2].DoFirst)
		_, en := run(withHeader("Accept-Language", "en-GB,en;q=0.9"))
		require.Equal(t, api.Tag("call_first"), zh.Items[1].Instructions[0].Tag)
		require.Regexp(t, `\p{Han}`, zh.Items[1].Instructions[0].Text)
		require.Regexp(t, `(?i)^[ -~]*call[ -~]*$`, en.Items[1].Instructions[0].Text)

		tag := r.header.Get("ETag")
		same := a.get(a.courier("li"), "/v1/me/run", withHeader("Accept-Language", "zh-CN"), withHeader("If-None-Match", tag))
		same.is(http.StatusNotModified)
		require.Equal(t, tag, same.header.Get("ETag"))

		// The consumer's new wish reaches the run of today.
		a.put(a.consumer(bela), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_doorbell"}, Note: ptr("Knock softly.")}).is(http.StatusOK)
		changed, now := run(withHeader("Accept-Language", "zh-CN"), withHeader("If-None-Match", tag))
		require.NotEqual(t, tag, changed.header.Get("ETag"))
		require.Equal(t, []string{"SF0", "SF1", "SF2"}, waybills(now))
		require.Equal(t, "Knock softly.", *now.Items[0].Note)

		// Tomorrow is another day.
		a.clock.Add(24 * time.Hour)
		_, tomorrow := run()
		require.Empty(t, tomorrow.Items)
	})
}

// revise tells couriers of the wishes that have changed.
func (a *app) revise() {
	a.t.Helper()
	reviser := parcels.Reviser{Store: a.db, Now: a.clock.Now, NewID: doorstep.MakeID}
	_, err := reviser.ReviseDue(a.t.Context())
	require.NoError(a.t, err)
}

// A wish that changes while the parcel is out reaches the phone, and the app
// can tell which alert still holds.
func TestAChangedWishReachesTheCourierOnHisWay(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
		a.register("li", "phone-1", "token-of-li")
		first := *a.dispatch(parcel("SF1", "li", anne))[0].AlertID
		a.sendDue()
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"call_first", "no_locker"}}).is(http.StatusOK)
		a.clock.Add(10 * time.Second)
		a.revise()
		a.sendDue()

		inbox := read[api.AlertPage](a.get(a.courier("li"), "/v1/me/alerts"), http.StatusOK).Items
		require.Len(t, inbox, 2)
		require.Equal(t, []bool{true, false}, []bool{inbox[0].Superseded, inbox[1].Superseded})
		require.Equal(t, []int{1, 2}, []int{inbox[0].Version, inbox[1].Version})
		require.Equal(t, first, *inbox[1].Supersedes)
		run := read[api.Run](a.get(a.courier("li"), "/v1/me/run"), http.StatusOK)
		require.Equal(t, inbox[1].AlertID, *run.Items[0].AlertID)
		require.Len(t, a.sink.Messages(), 2)

		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{}}).is(http.StatusOK)
		a.clock.Add(10 * time.Second)
		a.revise()
		a.sendDue()
		require.Contains(t, string(a.sink.Messages()[2].Message), `"kind":"withdraw"`)
		unread := read[api.UnreadAlertPage](a.get(a.manager("west"), "/v1/outlets/west/alerts"), http.StatusOK).Items
		require.Len(t, unread, 2)
		for _, u := range unread {
			require.Equal(t, api.UnreadAlertReason("superseded"), *u.Reason)
		}
	})
}

func TestTheNextStopIsAnsweredAndRings(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
		a.register("li", "phone-1", "token-of-li")
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		a.sendDue()
		next := func(waybill string, inForeground bool) api.NextStop {
			return read[api.NextStop](a.post(a.courier("li"), "/v1/me/run/next", api.NextStopInput{Waybill: waybill, InForeground: &inForeground}), http.StatusOK)
		}
		require.False(t, next("SF1", true).Rung)
		require.False(t, next("SF2", false).Rung)
		there := next("SF1", false)
		require.True(t, there.Rung)
		require.Equal(t, api.Tag("no_locker"), there.Stop.Instructions[0].Tag)
		require.False(t, next("SF1", false).Rung, "once an alert")
		a.sendDue()
		require.Len(t, a.sink.Messages(), 2)
		require.Contains(t, string(a.sink.Messages()[1].Message), `"push_stop_title"`)
	})
}

func waybills(run api.Run) (list []string) {
	for _, item := range run.Items {
		list = append(list, item.Waybill)
	}
	return list
}
