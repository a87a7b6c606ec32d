package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

// beat has the provider say that its feed is alive, every ten minutes for so long.
func (a *app) beat(whole time.Duration) {
	a.t.Helper()
	for end := a.clock.Now().Add(whole); ; a.clock.Add(10 * time.Minute) {
		a.post(a.integrator(), "/v1/providers/generic/heartbeats", nil).is(http.StatusOK)
		if !a.clock.Now().Before(end) {
			return
		}
	}
}

func factOf(t *testing.T, list []api.CaseFact, name string) api.CaseFact {
	t.Helper()
	for _, f := range list {
		if f.Fact == name {
			return f
		}
	}
	t.Fatalf("no fact %s", name)
	return api.CaseFact{}
}

func TestNoCallIsKnownOnlyWhereTheFeedsWereHealthy(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.beat(30 * time.Minute)
		a.dispatch(parcel("SF1", "li", anne))
		a.beat(2 * time.Hour)
		whole := a.complain(a.consumer(anne), "SF1", lockerZH)
		a.dispatch(parcel("SF2", "mo", bela))
		a.beat(20 * time.Minute)
		a.clock.Add(time.Hour) // nothing is heard
		a.beat(20 * time.Minute)
		gappy := a.complain(a.consumer(bela), "SF2", lockerZH)

		truth := func(c api.Complaint) (string, string, string) {
			t.Helper()
			f := a.file(a.manager("west"), c.ID)
			require.Len(t, f.Feeds, 1)
			require.Equal(t, "generic", f.Feeds[0].Provider)
			why := ""
			for _, m := range f.Missing {
				if m.Fact == "contact.attempts_before_sign" {
					why = string(m.Reason)
				}
			}
			return f.Feeds[0].Healthy, factOf(t, f.Facts, "contact.attempts_before_sign").Truth, why
		}
		healthy, called, why := truth(whole)
		require.Equal(t, []string{"unknown", "unknown", "feed_not_healthy"}, []string{healthy, called, why}, "records may still come")
		a.beat(12 * time.Hour)
		healthy, called, why = truth(whole)
		require.Equal(t, []string{"true", "false", "never_recorded"}, []string{healthy, called, why})
		healthy, called, why = truth(gappy)
		require.Equal(t, []string{"false", "unknown", "feed_not_healthy"}, []string{healthy, called, why}, "he may have called in the gap")
		fact := factOf(t, a.file(a.manager("west"), whole.ID).Supports.Consumer, "contact.attempts_before_sign")
		require.Equal(t, 0.0, fact.Value)

		// A record that comes after all makes it true
		a.bring(aCall("c-1", "SF1", whole.FiledAt.Add(-time.Hour))...)
		a.sort()
		_, called, _ = truth(whole)
		require.Equal(t, "true", called)
	})
}

func TestWhatAProviderSaysOfACallIsInTheFile(t *testing.T) {
	short := func(id, waybill string, from time.Time, endedBy string) []api.ProviderEventInput {
		list := aCall(id, waybill, from)[:3]
		list[2].State, list[2].At, list[2].EndedBy = "no_answer", from.Add(5*time.Second).Format(time.RFC3339), &endedBy
		return list
	}
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		a.clock.Add(time.Hour)
		from := a.clock.Now().Add(-30 * time.Minute)
		a.bring(aCall("c-1", "SF1", from)...)
		a.bring(short("c-2", "SF2", from, "courier")...)
		a.sort()
		type fact struct {
			name, truth string
			value       any
		}
		for waybill, want := range map[string][]fact{
			"SF1": {{"contact.real_ring", "true", true}, {"contact.ring_seconds", "true", 20.0}, {"contact.talk_seconds", "true", 30.0}, {"contact.reachable", "true", true}},
			"SF2": {{"contact.real_ring", "true", true}, {"contact.ring_seconds", "false", 3.0}, {"contact.talk_seconds", "unknown", nil}, {"contact.reachable", "unknown", nil}},
		} {
			who := map[string]string{"SF1": anne, "SF2": bela}[waybill]
			f := a.file(a.manager("west"), a.complain(a.consumer(who), waybill, lockerZH).ID)
			var got []fact
			for _, w := range want {
				found := factOf(t, f.Facts, w.name)
				got = append(got, fact{w.name, found.Truth, found.Value})
				if found.Truth != "unknown" {
					require.Equal(t, api.EvidenceSource("provider"), *found.Source, w.name)
				}
			}
			require.Equal(t, want, got, waybill)
		}
	})
}
