package main

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/complaints"
	"doorstep/store/storetest"
)

// act posts an action on a complaint.
func (a *app) act(token, id, action string, body any) api.Complaint {
	a.t.Helper()
	return read[api.Complaint](a.post(token, "/v1/complaints/"+id+"/"+action, body), http.StatusOK)
}

// tick rings every alarm that is due.
func (a *app) tick() {
	a.t.Helper()
	watch := complaints.Watch{Store: a.db, Now: a.clock.Now, NewID: doorstep.MakeID, Log: nil}
	for {
		n, err := watch.Pass(context.Background())
		require.NoError(a.t, err)
		if n == 0 {
			return
		}
	}
}

func (a *app) notices(token, filter string) []api.Notice {
	a.t.Helper()
	return pages(a, token, "/v1/notices?limit=3"+filter, func(p api.NoticePage) ([]api.Notice, *string) { return p.Items, p.NextCursor })
}

// relayAll numbers all events.
func (a *app) relayAll() {
	a.t.Helper()
	for {
		n, _, err := a.relay.Pass(a.t.Context())
		require.NoError(a.t, err)
		if n == 0 {
			return
		}
	}
}

// refuses expects a problem with this code.
func (r answer) refuses(status int, code string) {
	r.t.Helper()
	require.Equal(r.t, code, r.problem(status).Code, string(r.body))
}

func words(text string) api.ComplaintWords { return api.ComplaintWords{Text: text} }

func TestAComplaintFromFilingToItsEnd(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me, manager := a.consumer(anne), a.manager("west")
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(me, "SF1", lockerZH)
		require.Equal(t, "dispatch", filed.Routing.Rule, "nothing ended the way yet")
		a.clock.Add(2 * time.Hour)

		paused := a.act(manager, filed.ID, "pause", api.ComplaintPauseInput{Reason: "waiting_consumer", Note: ptr("Which locker was it?")})
		require.Equal(t, api.ComplaintStatus("in_progress"), paused.Status)
		require.Equal(t, "Sun Yan", *paused.Handler)
		seen := read[api.Complaint](a.get(me, "/v1/complaints/"+filed.ID), http.StatusOK)
		require.Equal(t, "waiting_consumer", string(seen.Paused.Reason))
		require.Equal(t, "Which locker was it?", (*seen.Messages)[0].Text)
		require.Nil(t, seen.Handler)
		require.Equal(t, filed.Clocks.Promise, seen.Clocks.Promise, "the promise goes on")
		a.post(manager, "/v1/complaints/"+filed.ID+"/pause", api.ComplaintPauseInput{Reason: "weather"}).refuses(http.StatusConflict, "not_in_this_state")

		a.clock.Add(time.Hour)
		resumed := a.act(me, filed.ID, "messages", words("The one at gate 3."))
		require.Nil(t, resumed.Paused)
		require.Equal(t, filed.Clocks.Work.DueAt.Add(time.Hour), resumed.Clocks.Work.DueAt)
		require.Equal(t, int64(3600), *resumed.PausedSeconds)

		a.post(me, "/v1/complaints/"+filed.ID+"/confirmation", nil).refuses(http.StatusConflict, "not_in_this_state")
		a.clock.Add(time.Hour)
		answered := a.act(manager, filed.ID, "answer", words("Fetched; it is on its way to your door."))
		require.Equal(t, a.clock.Now(), *answered.HandledAt)
		require.Equal(t, api.ClockState("met"), answered.Clocks.Promise.State)
		disputed := a.act(me, filed.ID, "dispute", api.ComplaintDoubt{Text: ptr("It is not here.")})
		require.Equal(t, api.ComplaintStatus("disputed"), disputed.Status)
		require.Equal(t, 2, *disputed.Period)
		require.Equal(t, a.clock.Now().Add(24*time.Hour), disputed.Clocks.Promise.DueAt)
		a.act(a.hq(), filed.ID, "answer", words("Now it is."))
		confirmed := a.act(me, filed.ID, "confirmation", nil)
		require.Equal(t, api.ComplaintStatus("confirmed"), confirmed.Status)
		require.Equal(t, answered.HandledAt, confirmed.HandledAt, "the first answer is when it was handled")
		a.clock.Add(15 * 24 * time.Hour)
		require.Equal(t, 3, *a.act(me, filed.ID, "reopening", words("Again.")).Period)
		require.Equal(t, api.ComplaintStatus("withdrawn"), a.act(me, filed.ID, "withdrawal", nil).Status)
		a.post(me, "/v1/complaints/"+filed.ID+"/reopening", words("Again.")).refuses(http.StatusConflict, "not_in_this_state")

		var authors []string
		for _, m := range *read[api.Complaint](a.get(me, "/v1/complaints/"+filed.ID), http.StatusOK).Messages {
			authors = append(authors, m.Author)
		}
		require.Equal(t, []string{"outlet", "consumer", "outlet", "consumer", "outlet", "consumer"}, authors)
		var actions []string
		for _, r := range a.evidence("west", "&kind=complaint") {
			actions = append(actions, actionOf(r))
		}
		slices.Reverse(actions)
		require.Equal(t, []string{"", "paused", "message", "answered", "disputed", "answered", "confirmed", "reopened", "withdrawn"}, actions)
		require.NotContains(t, a.log.String(), "gate 3")
	})
}

func TestEachStepOfAClockTellsOthersOnceOnAnyNumberOfNodes(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		b := a.site.node(t)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		first, second := a.complain(a.consumer(anne), "SF1", lockerZH), a.complain(a.consumer(bela), "SF2", lockerZH)
		a.act(a.manager("west"), second.ID, "answer", words("Sorry."))
		a.tick()
		require.Empty(t, a.notices(a.manager("west"), ""))
		a.clock.Add(4 * time.Hour) // half of the work clock
		a.tick()
		b.tick()
		require.Len(t, a.notices(a.courier("li"), ""), 1)
		handler := a.notices(a.manager("west"), "&audience=handler")
		require.Len(t, handler, 1)
		require.Equal(t, "work", string(handler[0].Clock))
		require.Equal(t, first.ID, handler[0].ComplaintID)
		require.Empty(t, a.notices(a.hq(), ""))
		a.clock.Add(300 * time.Hour) // everything
		b.tick()
		a.tick()
		require.Len(t, a.notices(a.courier("li"), ""), 3)
		require.Len(t, a.notices(a.manager("west"), ""), 9, "handler, manager and owner, of three clocks")
		require.Len(t, a.notices(a.hq(), ""), 3)
		require.Len(t, a.notices(a.hq(), "&audience=owner"), 3)
		require.Empty(t, a.notices(a.manager("east"), ""))

		a.relayAll()
		var types []string
		for _, e := range read[api.EventPage](a.get(a.hq(), "/v1/events?limit=200"), http.StatusOK).Items {
			types = append(types, string(e.Type))
		}
		require.Equal(t, 9, count(types, "complaint.warned"))
		require.Equal(t, 3, count(types, "complaint.breached"))
	})
}

func count(list []string, want string) (n int) {
	for _, s := range list {
		if s == want {
			n++
		}
	}
	return n
}

func TestARestartTellsNothingTwice(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(a.consumer(anne), "SF1", lockerZH)
		a.clock.Add(13 * time.Hour)
		a.tick()
		before := a.notices(a.manager("west"), "")
		again := a.site.node(t)
		again.tick()
		require.Equal(t, before, again.notices(again.manager("west"), ""))
		a.act(a.manager("west"), filed.ID, "answer", words("Sorry."))
		a.clock.Add(72*time.Hour - time.Millisecond)
		again.tick()
		require.Equal(t, api.ComplaintStatus("answered"), read[api.Complaint](a.get(a.hq(), "/v1/complaints/"+filed.ID), http.StatusOK).Status)
		a.clock.Add(time.Millisecond)
		again.tick()
		require.Equal(t, api.ComplaintStatus("closed_unconfirmed"), read[api.Complaint](a.get(a.hq(), "/v1/complaints/"+filed.ID), http.StatusOK).Status)
	})
}

// Zammad #1121: internal warnings and notes were sent to customers.
func TestZammad1121WhatTheOutletSaysToItselfReachesNoConsumer(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me, manager := a.consumer(anne), a.manager("west")
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(me, "SF1", lockerZH)
		const secret = "the third complaint of this woman"
		note := read[api.ComplaintNote](a.post(manager, "/v1/complaints/"+filed.ID+"/notes", words(secret)), http.StatusCreated)
		require.Equal(t, "Sun Yan", note.By)
		a.act(manager, filed.ID, "recategorise", api.ComplaintRecategorise{Category: "other", Reason: secret})
		a.clock.Add(200 * time.Hour)
		a.tick()
		require.Equal(t, []string{secret, secret}, texts(read[api.ComplaintNotes](a.get(a.hq(), "/v1/complaints/"+filed.ID+"/notes"), http.StatusOK)))
		for _, path := range []string{"/v1/complaints/" + filed.ID, "/v1/me/complaints", "/v1/me/tags"} {
			require.NotContains(t, string(a.get(me, path).body), "third complaint", path)
			require.NotContains(t, string(a.get(me, path).body), "Sun Yan", path)
		}
		a.get(me, "/v1/complaints/"+filed.ID+"/notes").is(http.StatusForbidden)
		a.get(me, "/v1/notices").is(http.StatusForbidden)
		a.get(a.hq(), "/v1/notices?audience=everybody").problem(http.StatusUnprocessableEntity)
		require.Empty(t, read[api.NoticePage](a.get(a.courier("li"), "/v1/notices?audience=hq"), http.StatusOK).Items)
		a.get(a.integrator(), "/v1/complaints/"+filed.ID+"/notes").is(http.StatusForbidden)
		a.get(a.courier("li"), "/v1/complaints/"+filed.ID+"/notes").is(http.StatusForbidden)
		a.get(a.manager("east"), "/v1/complaints/"+filed.ID+"/notes").is(http.StatusNotFound)
		require.NotContains(t, string(a.get(a.courier("li"), "/v1/complaints/"+filed.ID).body), "third complaint")
		a.relayAll()
		require.False(t, bytes.Contains(a.get(a.integrator(), "/v1/events?limit=200").body, []byte("third complaint")))
	})
}

func texts(list api.ComplaintNotes) (texts []string) {
	for _, n := range list.Items {
		texts = append(texts, n.Text)
	}
	return texts
}

// osTicket #1684: a ticket that was answered stayed in the list of the overdue.
func TestOsTicket1684WhatIsAnsweredIsNotOverdue(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		manager := a.manager("west")
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela), parcel("SF3", "li", carl))
		var ids []string
		for i, who := range []string{anne, bela, carl} {
			ids = append(ids, a.complain(a.consumer(who), []string{"SF1", "SF2", "SF3"}[i], lockerZH).ID)
			a.clock.Add(time.Minute)
		}
		a.act(manager, ids[1], "answer", words("Sorry."))
		a.clock.Add(48 * time.Hour)
		overdue := pages(a, manager, "/v1/complaints?limit=1&due_before="+escaped(a.clock.Now()), complaintPage)
		require.Equal(t, []string{ids[2], ids[0]}, complaintIDs(overdue))
		queue := pages(a, manager, "/v1/complaints?limit=1&sort=due", complaintPage)
		require.Equal(t, []string{ids[0], ids[2]}, complaintIDs(queue), "the most urgent first")
		a.get(manager, "/v1/complaints?sort=name").refuses(http.StatusUnprocessableEntity, "invalid")
	})
}

func TestAComplaintIsReroutedOnceAndItsIDGoesOnAnswering(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me, west, east := a.consumer(anne), a.manager("west"), a.manager("east")
		for _, id := range []string{"west", "east"} {
			a.put(a.integrator(), "/v1/outlets/"+id, api.OutletInput{Name: id}).is(http.StatusOK)
		}
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(me, "SF1", lockerZH)
		a.act(me, filed.ID, "messages", words("Gate 3."))
		a.clock.Add(time.Hour)
		a.post(west, "/v1/complaints/"+filed.ID+"/reroute", api.ComplaintReroute{To: "north", Reason: "not ours"}).refuses(http.StatusUnprocessableEntity, "invalid")
		a.post(west, "/v1/complaints/"+filed.ID+"/reroute", api.ComplaintReroute{To: "west", Reason: "ours"}).refuses(http.StatusConflict, "same_outlet")
		moved := a.act(west, filed.ID, "reroute", api.ComplaintReroute{To: "east", Reason: "not ours"})
		require.Equal(t, filed.ID, moved.ID)
		require.Equal(t, "east", moved.Outlet.ID)
		require.Equal(t, filed.Clocks, moved.Clocks, "no clock starts again")

		seen := read[api.Complaint](a.get(me, "/v1/complaints/"+filed.ID), http.StatusOK)
		require.Equal(t, "east", seen.Outlet.ID)
		require.Equal(t, lockerZH+"\nGate 3.", *seen.Text)
		require.Equal(t, "reroute", seen.Routing.Rule)
		require.Equal(t, 1, a.count(`complaint where routing like '%"reroute"%'`))
		require.Zero(t, a.count(`complaint where routing like '%not ours%'`), "a person's words are sealed")
		notes := read[api.ComplaintNotes](a.get(east, "/v1/complaints/"+filed.ID+"/notes"), http.StatusOK).Items
		require.Equal(t, "not ours", notes[len(notes)-1].Text)
		require.Equal(t, []string{filed.ID}, complaintIDs(pages(a, me, "/v1/me/complaints?limit=5", complaintPage)))
		require.Equal(t, []string{filed.ID}, complaintIDs(pages(a, east, "/v1/complaints?limit=5", complaintPage)))
		require.Empty(t, complaintIDs(pages(a, west, "/v1/complaints?limit=5", complaintPage)))
		require.Equal(t, []string{filed.ID}, complaintIDs(pages(a, a.hq(), "/v1/complaints?limit=5", complaintPage)))
		a.get(west, "/v1/complaints/"+filed.ID).is(http.StatusNotFound)
		a.post(east, "/v1/complaints/"+filed.ID+"/reroute", api.ComplaintReroute{To: "west", Reason: "nor ours"}).refuses(http.StatusConflict, "already_rerouted")
		merged := read[api.Complaint](a.post(me, "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: lockerEN}), http.StatusOK)
		require.Equal(t, filed.ID, merged.ID, "still one complaint, wherever it is")
		require.Equal(t, api.ComplaintStatus("answered"), a.act(east, filed.ID, "answer", words("We have it.")).Status)
		a.act(me, filed.ID, "confirmation", nil)
	})
}

// Carriers use numbers again: what was another consignee's says nothing of whom to
// ask now.
func TestAComplaintGoesByTheWayOfItsOwnConsigneesParcel(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		east := parcel("SF1", "kim", bela)
		east.OutletID = "east"
		a.dispatch(east)
		a.clock.Add(time.Hour)
		a.signFor("kim", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
		a.later(60 * aDay)
		a.dispatch(parcel("SF1", "li", anne))
		a.clock.Add(time.Hour)
		c := a.complain(a.consumer(anne), "SF1", "I never got it, who signed for it?")
		seen := read[api.Complaint](a.get(a.manager("west"), "/v1/complaints/"+c.ID), http.StatusOK)
		require.EqualValues(t, "false_sign_for", seen.Category)
		require.Equal(t, "dispatch", seen.Routing.Rule)
		require.Len(t, pages(a, a.courier("li"), "/v1/complaints?limit=9", complaintPage), 1, "and for its own courier")
	})
}

func TestAComplaintGoesToTheOutletThatHadTheParcelWhenItHappened(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		at := func(hours int) string {
			return a.clock.Now().Add(time.Duration(hours) * time.Hour).Format(time.RFC3339)
		}
		scan := func(outlet, system, code string, hours int) api.ScanInput {
			in := api.ScanInput{Waybill: "SF1", OutletID: outlet, Code: code, At: at(hours), Consignee: &api.Consignee{Phone: anne}}
			if system != "" {
				in.System = ptr(api.CodeSystem(system))
			}
			return in
		}
		got := read[api.ScanResults](a.post(a.integrator(), "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{
			scan("hub", "kuaidi100", "1002", -30), scan("west", "", "arrived_outlet", -20), scan("station", "upu", "EDH", -10), scan("hub", "", "XY-77", -2),
		}}), http.StatusOK)
		require.Equal(t, 4, got.Accepted)
		require.Equal(t, "in_transit", *got.Results[0].ParcelStatus)
		require.Equal(t, "deposited", *got.Results[2].ParcelStatus)
		require.Nil(t, got.Results[3].ParcelStatus, "a code of the carrier's own is kept, not guessed")

		complain := func(category api.Category) api.Complaint {
			return read[api.Complaint](a.post(me, "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: "看看", Category: &category}), http.StatusCreated)
		}
		left := complain("pickup_point_without_consent")
		require.Equal(t, "station", left.Outlet.ID)
		require.Equal(t, "custody_at_event", left.Routing.Rule)
		require.Equal(t, "deposited", *left.Routing.Events[0].Status)
		late := complain("delay")
		require.Equal(t, "hub", late.Outlet.ID, "whoever has it now")
		require.Equal(t, left.ID, *read[api.Complaint](a.get(a.hq(), "/v1/complaints/"+late.ID), http.StatusOK).Follows)
		bad := scan("hub", "", "x", 0)
		bad.System = ptr(api.CodeSystem("dhl"))
		refused := read[api.ScanResults](a.post(a.integrator(), "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{bad}}), http.StatusOK)
		require.Equal(t, "/scans/0/system", refused.Results[0].Problem.Errors[0].Pointer)
		codes := read[api.StatusCodes](a.get(a.token(access.Request{Role: doorstep.RoleHQ, Subject: "Qian Hui"}), "/v1/status-codes", withHeader("Accept-Language", "zh-CN")), http.StatusOK)
		require.Equal(t, "已下单", codes.Items[0].Name)
	})
}

func TestTwoAnswersAtOnceAreOne(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(a.consumer(anne), "SF1", lockerZH)
		token := a.manager("west")
		statuses := make(chan int, 8)
		for range cap(statuses) {
			go func() { statuses <- a.post(token, "/v1/complaints/"+filed.ID+"/answer", words("Sorry.")).status }()
		}
		ok := 0
		for range cap(statuses) {
			if s := <-statuses; s == http.StatusOK {
				ok++
			} else {
				require.Equal(t, http.StatusConflict, s)
			}
		}
		require.Equal(t, 1, ok)
	})
}

// actionOf is what a record says was done; "" is the filing.
func actionOf(r api.EvidenceRecord) string {
	if r.Action == nil {
		return ""
	}
	return *r.Action
}
