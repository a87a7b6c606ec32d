package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
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

func waybills(run api.Run) (list []string) {
	for _, item := range run.Items {
		list = append(list, item.Waybill)
	}
	return list
}
