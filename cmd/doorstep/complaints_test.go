package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

func TestAComplaintIsMergedWhileOneIsOpenAndARepeatNamesTheEarlier(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		first := a.complain(me, "SF1", lockerZH)

		merged := read[api.Complaint](a.post(a.integrator(), "/v1/complaints", api.ComplaintInput{
			Waybill: "SF1", Text: lockerEN, Channel: ptr("hotline"), Reporter: &api.Reporter{Name: ptr("Anne's sister"), Phone: ptr("13900000009")},
		}), http.StatusOK)
		require.True(t, *merged.Merged)
		require.Equal(t, first.ID, merged.ID)
		require.Equal(t, lockerZH+"\n"+lockerEN, *merged.Text)
		for _, r := range a.evidence("west", "&kind=complaint") {
			require.Equal(t, first.ID, *r.ComplaintID, "both filings are facts of the one complaint")
		}
		require.Len(t, a.evidence("west", "&kind=complaint"), 2)

		// The same words again add nothing.
		again := read[api.Complaint](a.post(me, "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: lockerZH}), http.StatusOK)
		require.Equal(t, lockerZH+"\n"+lockerEN, *again.Text)
		require.Len(t, a.evidence("west", "&kind=complaint"), 2)

		a.clock.Add(time.Hour)
		repeat := a.complain(a.manager("west"), "SF2", lockerEN)
		require.Equal(t, first.ID, *repeat.RepeatOf)
		require.Nil(t, repeat.Merged)

		mine := pages(a, me, "/v1/me/complaints?limit=1", complaintPage)
		require.Equal(t, []string{repeat.ID, first.ID}, complaintIDs(mine))
		for filter, want := range map[string][]string{
			"":                                 {repeat.ID, first.ID},
			"&status=filed&courier_id=li":      {repeat.ID, first.ID},
			"&category=locker_without_consent": {repeat.ID, first.ID},
			"&category=delay":                  nil,
			"&courier_id=mo":                   nil,
			"&due_before=" + escaped(first.Clocks.Promise.DueAt.Add(time.Minute)): {first.ID},
		} {
			require.Equal(t, want, complaintIDs(pages(a, a.manager("west"), "/v1/complaints?limit=1"+filter, complaintPage)), filter)
			require.Equal(t, want, complaintIDs(pages(a, a.hq(), "/v1/complaints?limit=1"+filter, complaintPage)), filter)
		}
	})
}

func complaintPage(p api.ComplaintPage) ([]api.Complaint, *string) { return p.Items, p.NextCursor }

func complaintIDs(list []api.Complaint) (ids []string) {
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestACourierSeesWhatACaseOfHisIsAboutAndNotTheWords(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		c := a.complain(a.consumer(anne), "SF1", doorbell)
		seen := read[api.Complaint](a.get(a.courier("li"), "/v1/complaints/"+c.ID), http.StatusOK)
		require.Nil(t, seen.Text)
		require.Nil(t, seen.RepeatOf)
		require.Empty(t, seen.Learned)
		require.Equal(t, c.Category, seen.Category)
		for _, who := range []string{a.integrator(), a.consumer(anne), a.manager("west"), a.hq()} {
			require.Equal(t, doorbell, *read[api.Complaint](a.get(who, "/v1/complaints/"+c.ID), http.StatusOK).Text)
		}
	})
}

func TestACourierListsTheComplaintsAboutHisOwnDeliveriesWithoutTheWords(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", anne))
		his := a.complain(a.consumer(anne), "SF1", lockerZH)
		a.complain(a.consumer(anne), "SF2", "你们网点态度太差了，快递员骂人。")

		list := pages(a, a.courier("li"), "/v1/complaints?limit=1", complaintPage)
		require.Equal(t, []string{his.ID}, complaintIDs(list))
		require.Nil(t, list[0].Text)
		require.Nil(t, list[0].RepeatOf)
		require.Empty(t, list[0].Learned)
		require.Empty(t, pages(a, a.courier("li"), "/v1/complaints?limit=1&courier_id=mo", complaintPage))
	})
}
