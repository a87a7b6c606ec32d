package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/push"
	"doorstep/push/sink"
	"doorstep/store/storetest"
)

// Complaints in the words of nobody in particular.
const (
	lockerZH  = "又没问我就把包裹塞进快递柜，以后不要再放快递柜了。"
	lockerEN  = "My parcel went into a locker again and nobody asked me. Never use a locker for my parcels."
	callEN    = "Nobody rang me. Please call me before you bring a parcel."
	eveningZH = "白天家里没人，请晚上再送。"
	doorbell  = "家里宝宝在睡觉，请不要按门铃。"
	lockerOK  = "You may leave it in a locker."
)

func TestAComplaintIsWhatTheNextCourierKnowsBeforeHeKnocks(t *testing.T) {
	for _, words := range []string{lockerZH, lockerEN} {
		storetest.OnEach(t, func(t *testing.T, url string) {
			// Given a courier with a phone, and a parcel without wishes
			a := newApp(t, url)
			a.register("li", "phone-1", "token-of-li")
			first := a.dispatch(parcel("SF-1001", "li", anne))[0]
			require.Empty(t, first.Tags)
			require.Nil(t, first.AlertID)

			// When its consignee complains in their own words
			c := a.complain(a.consumer(anne), "SF-1001", words)
			require.Equal(t, "locker_without_consent", c.Category)
			require.Equal(t, []api.Tag{"no_locker"}, c.Learned)
			require.Equal(t, "west", c.Outlet.ID)
			require.Equal(t, a.clock.Now().Add(24*time.Hour), c.Clocks.Promise.DueAt)

			// Then the next dispatch says so, to the system and to the courier
			next := a.dispatch(parcel("SF-1002", "li", anne), parcel("SF-1003", "li", bela))
			require.Equal(t, []api.Tag{"no_locker"}, next[0].Tags)
			require.Equal(t, []api.Decision{{Tag: "no_locker", Level: "advise", DecidedBy: "learned"}}, next[0].Decisions)
			require.Empty(t, next[1].Tags)
			require.Nil(t, next[1].AlertID)

			a.sendDue()
			pushes := a.pushes()
			require.Len(t, pushes, 1)
			require.Equal(t, "token-of-li", pushes[0].Token)
			require.Equal(t, []pushedAlert{{ID: *next[0].AlertID, Waybill: "1002", Tags: []string{"no_locker"}}}, pushes[0].Alerts)
			require.Equal(t, "0", pushes[0].More)

			inbox := a.inbox("li")
			require.Len(t, inbox, 1)
			require.Equal(t, api.Alert{
				Seq: 1, AlertID: *next[0].AlertID, Waybill: "SF-1002", Tags: []api.Tag{"no_locker"}, CreatedAt: a.clock.Now(), Version: 1,
			}, inbox[0])
		})
	}
}

func TestAlertsOfOneCourierGatherIntoOnePush(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url, gathering(20*time.Second))
		a.register("li", "phone-1", "token-of-li")
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.consumer(anne), "SF1", lockerZH)
		var ids []string
		for i := range 3 {
			ids = append(ids, *a.dispatch(parcel(fmt.Sprintf("SF-200%d", i), "li", anne))[0].AlertID)
			a.clock.Add(10 * time.Second)
			a.sendDue()
			require.Empty(t, a.pushes(), "the window slides")
		}
		a.clock.Add(10 * time.Second)
		a.sendDue()
		require.Len(t, a.pushes(), 1)
		var pushed []string
		for _, alert := range a.pushes()[0].Alerts {
			pushed = append(pushed, alert.ID)
		}
		require.Equal(t, ids, pushed)
	})
}

func TestReceiptsShowWhatTheCourierKnew(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.register("li", "phone-1", "token-of-li")
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.consumer(anne), "SF1", lockerEN)
		id := *a.dispatch(parcel("SF2", "li", anne))[0].AlertID
		at := a.clock.Now().Format(time.RFC3339)
		batch := api.ReceiptBatch{Receipts: []api.ReceiptInput{
			{AlertID: id, Event: "received", At: at},
			{AlertID: "7k-no-such-alert", Event: "shown", At: at},
			{AlertID: id, Event: "acknowledged", At: at},
			{AlertID: id, Event: "acknowledged", At: at},
		}}
		first := read[api.ReceiptResults](a.post(a.courier("li"), "/v1/me/alerts/receipts", batch), http.StatusOK)
		require.Equal(t, []api.ItemStatus{"accepted", "rejected", "accepted", "duplicate"}, statuses(first.Results))
		require.Equal(t, "not_found", first.Results[1].Problem.Code)
		again := read[api.ReceiptResults](a.post(a.courier("li"), "/v1/me/alerts/receipts", batch), http.StatusOK)
		require.Equal(t, []api.ItemStatus{"duplicate", "rejected", "duplicate", "duplicate"}, statuses(again.Results))

		require.True(t, a.inbox("li")[0].Acked)
		var events []string
		for _, r := range a.evidence("west", "&kind=receipt") {
			require.Equal(t, id, *r.AlertID)
			events = append(events, *r.Event)
		}
		require.ElementsMatch(t, []string{"received", "acknowledged"}, events)

		// An alert that was acknowledged rings no phone any more.
		a.sendDue()
		require.Empty(t, a.pushes())
	})
}

func statuses(results []api.ReceiptResult) (list []api.ItemStatus) {
	for _, r := range results {
		list = append(list, r.Status)
	}
	return list
}

func TestAPhoneThatJoinsLateIsToldWhatItMissed(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.consumer(anne), "SF1", lockerZH)
		id := *a.dispatch(parcel("SF-3001", "li", anne))[0].AlertID
		a.sendDue()
		require.Empty(t, a.pushes(), "no phone yet")

		a.register("li", "phone-1", "token-1")
		a.sendDue()
		require.Len(t, a.pushes(), 1)
		require.Equal(t, push.KindCatchUp, a.pushes()[0].Kind)
		require.Equal(t, []pushedAlert{{ID: id, Waybill: "3001", Tags: []string{"no_locker"}}}, a.pushes()[0].Alerts)

		a.register("li", "phone-1", "token-1")
		a.sendDue()
		require.Len(t, a.pushes(), 1, "it knows already")
		a.delete(a.courier("li"), "/v1/me/devices/phone-1").is(http.StatusNoContent)
		a.dispatch(parcel("SF-3002", "li", anne))
		a.sendDue()
		require.Len(t, a.pushes(), 1, "logged out")
	})
}

func TestAPushThatFailsIsTriedAgainAndADeadPhoneIsForgotten(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF0", "li", anne))
		a.complain(a.consumer(anne), "SF0", lockerZH)
		a.register("li", "phone-1", "token-of-li")
		a.register("mo", "phone-1", "token-of-mo")
		require.NoError(t, a.sink.SetRules(
			sink.Rule{Match: sink.Match{TokenPrefix: "token-of-li"}, Count: 1, Action: sink.Unavailable, RetryAfter: "30"},
			sink.Rule{Match: sink.Match{TokenPrefix: "token-of-mo"}, Action: sink.Unregistered},
		))
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", anne))
		a.sendDue()
		require.Empty(t, a.pushes())
		a.clock.Add(29 * time.Second)
		a.sendDue()
		require.Empty(t, a.pushes(), "FCM asked for 30 s")
		a.clock.Add(time.Minute)
		a.sendDue()
		require.Len(t, a.pushes(), 1)
		require.Equal(t, "token-of-li", a.pushes()[0].Token)

		// The dead phone is not tried again; its courier has the inbox.
		require.NoError(t, a.sink.SetRules())
		a.dispatch(parcel("SF3", "mo", anne))
		a.sendDue()
		require.Len(t, a.pushes(), 1)
		require.Len(t, a.inbox("mo"), 2)

		var outcomes []string
		for _, r := range a.evidence("west", "&kind=push") {
			outcomes = append(outcomes, *r.CourierID+" "+*r.Outcome)
		}
		require.ElementsMatch(t, []string{"li sent", "mo failed"}, outcomes)
	})
}
