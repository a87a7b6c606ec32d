package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/store/storetest"
)

// wish replaces what phone says of every delivery.
func (h *house) wish(phone string, tags ...string) {
	h.t.Helper()
	_, err := h.book().SetPreferences(context.Background(), h.consumer(phone), prefs.Preferences{Tags: tags})
	require.NoError(h.t, err)
}

// settled lets changed wishes settle and tells the couriers.
func (h *house) settled() {
	h.t.Helper()
	h.clock.Add(10 * time.Second)
	h.revise()
}

func (h *house) revise() {
	h.t.Helper()
	reviser := parcels.Reviser{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	for {
		n, err := reviser.ReviseDue(context.Background())
		require.NoError(h.t, err)
		if n == 0 {
			return
		}
	}
}

func (h *house) run(courier string) []parcels.Stop {
	h.t.Helper()
	runner := parcels.Runner{Store: h.db, Now: h.clock.Now}
	stops, err := runner.Run(context.Background(), h.courier(courier))
	require.NoError(h.t, err)
	return stops
}

func TestAWishThatChangesOnTheWayReachesTheCourierAsANewVersion(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wish(wang, "no_locker")
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		first := h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao))[0].AlertID
		h.pass(s)
		require.Len(t, p.sent, 1)

		h.wish(wang, "no_locker", "call_first")
		h.wish(zhao, "to_door")
		h.pass(s)
		require.Len(t, p.sent, 1)
		h.settled()
		h.pass(s)
		require.Len(t, p.sent, 2, "one push tells of both")

		alerts := h.alerts("li")
		require.Len(t, alerts, 3)
		was, next, new := alerts[0], alerts[1], alerts[2]
		require.Equal(t, first, was.ID)
		require.Equal(t, h.clock.Now(), was.SupersededAt)
		require.Equal(t, []prefs.Tag{prefs.CallFirst, prefs.NoLocker}, next.Tags)
		require.Equal(t, first, next.Supersedes)
		require.Equal(t, []int{1, 2, 1}, []int{was.Version, next.Version, new.Version})
		require.Zero(t, next.SupersededAt)
		require.Equal(t, []prefs.Tag{prefs.ToDoor}, new.Tags)
		require.Empty(t, new.Supersedes)
		require.Equal(t, push.Superseded, h.ended()[first].reason)
		require.Equal(t, []string{next.ID, new.ID}, []string{h.run("li")[0].AlertID, h.run("li")[1].AlertID})

		again := h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao))
		require.Equal(t, evidence.Duplicate, again[0].Status)
		require.Equal(t, first, again[0].AlertID, "a dispatch sent again answers with its first alert")
		require.Equal(t, []prefs.Tag{prefs.CallFirst, prefs.NoLocker}, parcels.TagsOf(again[0].Decisions), "and the tags of now")
		require.Empty(t, again[1].AlertID)

		file, err := h.db.Evidence(context.Background(), h.manager("west"), evidence.Query{Waybill: "SF1", Kind: evidence.Alert, Limit: 10})
		require.NoError(t, err)
		require.Len(t, file, 2, "the log has both versions")
		h.settled()
		h.pass(s)
		require.Len(t, p.sent, 2)
	})
}

func TestWishesSettleBeforeTheCourierIsTold(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		h.wish(wang, "no_locker")
		h.clock.Add(9 * time.Second)
		h.wish(wang, "no_locker", "to_door")
		h.revise()
		require.Empty(t, h.alerts("li"))
		h.clock.Add(time.Second)
		h.revise()
		require.Len(t, h.alerts("li"), 1)
		require.Equal(t, []prefs.Tag{prefs.NoLocker, prefs.ToDoor}, h.alerts("li")[0].Tags)

		h.wish(wang, "to_door", "no_locker")
		h.settled()
		require.Len(t, h.alerts("li"), 1, "the same again rings nobody")
	})
}

func TestAWishThatIsTakenBackLeavesThePhones(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wish(wang, "no_locker")
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		alert := h.dispatch(order("SF1", "li", wang))[0].AlertID
		h.pass(s)
		h.acknowledge("li", alert)
		h.wish(wang)
		h.settled()
		h.pass(s)
		require.Len(t, p.sent, 2)
		require.Equal(t, push.KindRecall, p.sent[1].Message.Kind)
		require.JSONEq(t, `[{"id":"`+alert+`"}]`, p.sent[1].Message.Data["alerts"])
		require.Len(t, h.alerts("li"), 1)
		require.NotZero(t, h.alerts("li")[0].SupersededAt)
		require.Equal(t, ending{informed: true}, h.ended()[alert], "he knew while it held")
		require.Empty(t, h.run("li")[0].AlertID)
		require.Empty(t, h.unread(""))

		h.wish(wang, "no_locker")
		h.settled()
		require.Len(t, h.alerts("li"), 2, "said once more, told once more")
		require.Equal(t, h.alerts("li")[1].ID, h.run("li")[0].AlertID)
		require.Equal(t, alert, h.alerts("li")[1].Supersedes)
		require.Equal(t, 2, h.alerts("li")[1].Version)
		h.pass(s)
		h.wish(wang)
		h.settled()
		h.pass(s)
		file, err := h.db.Evidence(context.Background(), h.manager("west"), evidence.Query{Waybill: "SF1", Kind: evidence.Push, Limit: 10})
		require.NoError(t, err)
		require.Len(t, file, 4, "the parcel's file has the pushes of both versions, and their withdrawals")
	})
}

// What a complaint teaches comes too late for its own parcel.
func TestAComplaintTellsOfTheOtherParcelsThatAreOut(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang), order("SF2", "chen", wang), order("SF3", "chen", zhao))
		h.complain("SF1", "locker again", prefs.NoLocker)
		h.settled()
		require.Empty(t, h.alerts("li"))
		require.Len(t, h.alerts("chen"), 1)
		require.Equal(t, doorstep.Waybill("SF2"), h.alerts("chen")[0].Waybill)

		h.wish(wang, "to_door")
		h.settled()
		require.Len(t, h.alerts("li"), 1, "the consumer's own word holds for each")
		require.Len(t, h.alerts("chen"), 2)
	})
}

func TestOnlyWhoHasTheParcelTodayIsTold(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		h.clock.Add(24 * time.Hour)
		h.dispatch(order("SF2", "wu", wang))
		h.dispatch(order("SF2", "chen", wang))
		h.wish(wang, "to_door")
		h.settled()
		require.Empty(t, h.alerts("li"))
		require.Empty(t, h.alerts("wu"))
		require.Len(t, h.alerts("chen"), 1)
	})
}

func TestAPushThatStillWaitsForgetsWhatIsNoLongerTrue(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wish(wang, "no_locker")
		h.wish(zhao, "to_door")
		h.device("li", "phone", "addr-1")
		h.device("chen", "phone", "addr-2")
		down := push.Result{Outcome: push.Retry, Code: "unavailable"}
		p := &pager{answer: func(push.Address) push.Result { return down }}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao), order("SF3", "chen", wang))
		h.pass(s)
		require.Len(t, p.sent, 2)
		h.wish(wang)
		h.settled()
		p.answer, p.sent = nil, nil
		h.clock.Add(10 * time.Minute)
		h.pass(s)
		told := map[string][]string{}
		for _, sent := range p.rang() {
			told[sent.To] = sent.Message.BodyArgs
		}
		require.Equal(t, map[string][]string{"addr-1": {"1"}}, told, "SF2 alone; nothing is left to tell chen")
		require.ElementsMatch(t, []string{"sent", "sent", "sent", "expired"}, h.outcomes(), "two withdrawals and li's digest; chen's ended unsent")
	})
}

func TestAPhoneThatJoinedLateIsNotToldWhatIsNoLongerTrue(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wish(wang, "no_locker")
		h.device("li", "first", "addr-1")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.pass(s)
		p.answer, p.sent = func(push.Address) push.Result { return push.Result{Outcome: push.Retry, Code: "unavailable"} }, nil
		h.device("li", "second", "addr-2")
		h.pass(s)
		require.Len(t, p.sent, 1)
		require.Equal(t, push.KindCatchUp, p.sent[0].Message.Kind)
		h.wish(wang)
		h.settled()
		p.answer, p.sent = nil, nil
		h.clock.Add(10 * time.Minute)
		h.pass(s)
		require.Len(t, p.sent, 2)
		require.Empty(t, p.rang(), "nothing but the withdrawal, on both phones")
	})
}

func TestTheNextStopRingsOnceAnAlert(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wish(wang, "no_locker")
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		runner := parcels.Runner{Store: h.db, Now: h.clock.Now}
		next := func(courier, waybill string, inForeground bool) (parcels.Stop, bool) {
			stop, rung, err := runner.Next(context.Background(), h.courier(courier), waybill, inForeground)
			require.NoError(t, err)
			return stop, rung
		}
		alert := h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao))[0].AlertID
		h.pass(s)
		h.acknowledge("li", alert)
		h.clock.Add(3 * time.Hour)

		stop, rung := next("li", "sf1", true)
		require.Equal(t, alert, stop.AlertID)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, parcels.TagsOf(stop.Decisions))
		require.False(t, rung, "the app shows it")
		_, rung = next("li", "SF2", false)
		require.False(t, rung, "there is nothing to say")
		_, rung = next("li", "SF1", false)
		require.True(t, rung, "acknowledged in the morning, forgotten by noon")
		_, rung = next("li", "SF1", false)
		require.False(t, rung)
		h.pass(s)
		require.Len(t, p.sent, 2)
		require.Equal(t, push.KindStop, p.sent[1].Message.Kind)
		require.Equal(t, push.StopTime, p.sent[1].Message.TTL)

		for courier, waybill := range map[string]string{"chen": "SF1", "li": "SF9"} {
			_, _, err := runner.Next(context.Background(), h.courier(courier), waybill, false)
			require.ErrorIs(t, err, doorstep.ErrNotFound)
		}
		_, _, err := runner.Next(context.Background(), h.courier("li"), "no waybill", false)
		require.ErrorIs(t, err, doorstep.ErrInvalid)

		h.wish(wang, "no_locker", "to_door")
		h.settled()
		_, rung = next("li", "SF1", false)
		require.True(t, rung, "a new version is a new alert")
		h.clock.Add(push.StopTime)
		p.sent = nil
		h.pass(s)
		require.Len(t, p.rang(), 1, "the digest; he has been at that stop")
		require.Equal(t, push.KindDigest, p.rang()[0].Message.Kind)
	})
}

// Two nodes take each change once, also one that comes while they look.
func TestNodesShareTheChangedWishes(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		a := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		b := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		var orders []parcels.Order
		for i := range 40 {
			orders = append(orders, order(fmt.Sprint("SF", i), "li", fmt.Sprint(13800000000+i)))
		}
		a.dispatch(orders...)
		for i := range 40 {
			a.wish(fmt.Sprint(13800000000+i), "to_door")
		}
		clock.Add(10 * time.Second)
		failures := make(chan error, 2)
		for _, h := range []*house{a, b} {
			go func() {
				reviser := parcels.Reviser{Store: h.db, Now: clock.Now, NewID: doorstep.MakeID}
				n, err := 1, error(nil)
				for n > 0 && err == nil {
					n, err = reviser.ReviseDue(context.Background())
				}
				failures <- err
			}()
		}
		require.NoError(t, <-failures)
		require.NoError(t, <-failures)
		a.revise()
		require.Len(t, a.alerts("li"), 40)
	})
}
