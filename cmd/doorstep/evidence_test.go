package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

// records is one upload of each kind, about SF1, a minute apart.
func records(from time.Time) []api.EvidenceInput {
	at := func(minutes int) string { return from.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
	id := func(n int) string { return fmt.Sprintf("01936f40-77aa-7d10-8c33-00000000000%d", n) }
	return []api.EvidenceInput{
		{ID: id(1), Kind: "call", Waybill: "SF1", OccurredAt: at(1), Direction: ptr("outgoing"), DurationS: ptr(31.0), Outcome: ptr("answered")},
		{ID: id(2), Kind: "message", Waybill: "SF1", OccurredAt: at(2), Channel: ptr("sms"), Template: ptr("on-my-way"), Outcome: ptr("delivered")},
		{ID: id(3), Kind: "attempt", Waybill: "SF1", OccurredAt: at(3), Outcome: ptr("nobody_home"), Reason: ptr("no answer")},
		{ID: id(4), Kind: "location", Waybill: "SF1", OccurredAt: at(4), Lat: ptr(31.2), Lng: ptr(121.5), AccuracyM: ptr(8.0)},
		{ID: id(5), Kind: "photo", Waybill: "SF1", OccurredAt: at(5), Sha256: ptr(hashOf(doorPhoto)), TakenAt: ptr(at(5))},
	}
}

// upload sends records from the courier's phone.
func (a *app) upload(courier string, list ...api.EvidenceInput) []api.EvidenceResult {
	a.t.Helper()
	return read[api.EvidenceResults](a.post(a.courier(courier), "/v1/me/evidence", api.EvidenceBatch{Records: list}), http.StatusOK).Results
}

func TestUploadsAreKeptOnceAndNeverChanged(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		list := records(a.clock.Now())
		for _, r := range a.upload("li", list...) {
			require.Equal(t, api.ItemStatus("accepted"), r.Status)
		}
		before := a.evidence("west", "")

		for _, r := range a.upload("li", list...) {
			require.Equal(t, api.ItemStatus("duplicate"), r.Status)
		}
		forged := list[0]
		forged.DurationS = ptr(300.0)
		got := a.upload("li", forged)[0]
		require.Equal(t, api.ItemStatus("rejected"), got.Status)
		require.Equal(t, "conflict", got.Problem.Code)
		require.Equal(t, before, a.evidence("west", ""))

		call := a.evidence("west", "&kind=call")
		require.Len(t, call, 1)
		require.Equal(t, 31.0, *call[0].DurationS)
		require.Equal(t, "answered", *call[0].Outcome)
		require.Equal(t, list[0].ID, *call[0].ClientID)
		require.Equal(t, api.EvidenceSource("device"), call[0].Source)
		require.Equal(t, "li", *call[0].CourierID)
		require.Equal(t, -time.Minute.Milliseconds(), *call[0].SkewMs, "the phone's clock is a minute ahead")
	})
}

func TestAManagersEvidenceIsFilteredAndPagedWithoutGapsOrDoubles(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.register("li", "phone-1", "token-of-li")
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", bela))
		start := a.clock.Now()
		a.upload("li", records(start)...)
		a.clock.Add(10 * time.Minute)
		c := a.complain(a.consumer(anne), "SF1", lockerZH)
		a.clock.Add(time.Minute)
		a.dispatch(parcel("SF3", "li", anne))
		a.sendDue()

		all := a.evidence("west", "")
		require.True(t, slices.IsSortedFunc(all, func(x, y api.EvidenceRecord) int { return y.OccurredAt.Compare(x.OccurredAt) }), "newest first")
		require.Equal(t, map[string]int{
			"dispatch": 3, "call": 1, "message": 1, "attempt": 1, "location": 1, "photo": 1, "complaint": 1, "alert": 1, "push": 1,
		}, kinds(all))

		minute := func(n int) string { return escaped(start.Add(time.Duration(n) * time.Minute)) }
		for filter, want := range map[string]map[string]int{
			"&waybill=sf1":                            {"dispatch": 1, "call": 1, "message": 1, "attempt": 1, "location": 1, "photo": 1, "complaint": 1},
			"&courier_id=mo":                          {"dispatch": 1},
			"&courier_id=nobody":                      {},
			"&complaint_id=" + c.ID:                   {"dispatch": 1, "call": 1, "message": 1, "attempt": 1, "location": 1, "photo": 1, "complaint": 1},
			"&kind=alert":                             {"alert": 1},
			"&from=" + minute(2) + "&to=" + minute(4): {"message": 1, "attempt": 1},
			"&from=" + minute(11) + "&waybill=SF3":    {"dispatch": 1, "alert": 1, "push": 1},
			"&waybill=SF1&courier_id=li&complaint_id=" + c.ID + "&kind=photo&from=" + minute(0) + "&to=" + minute(60): {"photo": 1},
			"&waybill=SF1&kind=alert":           {},
			"&waybill=SF3&complaint_id=" + c.ID: {},
		} {
			require.Equal(t, want, kinds(a.evidence("west", filter)), filter)
			require.Equal(t, a.evidence("west", filter), pages(a, a.hq(), "/v1/evidence?limit=2"+filter, evidencePage), filter)
		}
		require.Equal(t, all, pages(a, a.manager("west"), "/v1/evidence?limit=2", evidencePage))
		require.Equal(t, all, pages(a, a.manager("west"), "/v1/evidence?limit=1", evidencePage))
	})
}

func evidencePage(p api.EvidencePage) ([]api.EvidenceRecord, *string) { return p.Items, p.NextCursor }

// kinds counts the records of each kind.
func kinds(list []api.EvidenceRecord) map[string]int {
	counts := map[string]int{}
	for _, r := range list {
		counts[r.Kind]++
	}
	return counts
}

// escaped is a time as a query takes it.
func escaped(at time.Time) string { return url.QueryEscape(at.Format(time.RFC3339)) }

func TestAnUploadBelongsToTheOutletThatSentTheParcelOutLast(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		for _, order := range [][]string{{"west", "east"}, {"east", "west"}} {
			waybill := "SF-" + order[0]
			for _, outlet := range order {
				p := parcel(waybill, "li", anne)
				p.OutletID = outlet
				a.dispatch(p)
				a.clock.Add(time.Hour)
			}
			call := records(a.clock.Now())[0]
			call.ID, call.Waybill = uuid.NewString(), waybill
			require.Equal(t, api.ItemStatus("accepted"), a.upload("li", call)[0].Status)
			require.Len(t, a.evidence(order[1], "&kind=call&waybill="+waybill), 1)
			require.Empty(t, a.evidence(order[0], "&kind=call&waybill="+waybill))
		}
	})
}

func TestHowLongACallWasMayBeUnknown(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		got := a.upload("li", api.EvidenceInput{
			ID: uuid.NewString(), Kind: "call", Waybill: "SF1", OccurredAt: a.clock.Now().Format(time.RFC3339), Outcome: ptr("answered"),
		})
		require.Equal(t, api.ItemStatus("accepted"), got[0].Status)
		require.Nil(t, a.evidence("west", "&kind=call")[0].DurationS, "unknown is not zero")
	})
}
