package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/push"
	"doorstep/store/storetest"
)

func (h *house) closeDue() {
	h.t.Helper()
	closer := push.Closer{Ledger: h.db, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler)}
	for {
		n, err := closer.CloseDue(context.Background())
		require.NoError(h.t, err)
		if n == 0 {
			return
		}
	}
}

func (h *house) unread(state push.UnreadState) []push.Unread {
	h.t.Helper()
	watch := push.Watch{Store: h.db}
	list, err := watch.Alerts(context.Background(), h.manager("west"), "west", push.AlertQuery{State: state, Limit: 1000})
	require.NoError(h.t, err)
	return list
}

func TestAnOutletSeesWhoHasNotSeenWhatAndWhy(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		h.dispatch(order("SF3", "chen", wang))
		require.Equal(t, push.Waiting, h.unread("")[0].Reason)
		h.pass(s)
		reasons := map[string]push.Reason{}
		for _, u := range h.unread(push.Unacknowledged) {
			reasons[string(u.Waybill)] = u.Reason
		}
		require.Equal(t, map[string]push.Reason{"SF1": push.NeverAcked, "SF2": push.NeverAcked, "SF3": push.NoDevice}, reasons)

		h.acknowledge("li", h.alerts("li")[0].ID)
		require.Len(t, h.unread(push.Unacknowledged), 2)
		h.dispatch(order("SF3", "wu", wang))
		require.Len(t, h.unread(push.Unacknowledged), 2, "the parcel went to another courier: his alert counts, the first's no more")
		require.Empty(t, h.unread(push.NotInformed))

		h.clock.Add(14 * time.Hour)
		h.closeDue()
		require.Empty(t, h.unread(push.Unacknowledged))
		ended := h.unread(push.NotInformed)
		require.Len(t, ended, 3)
		require.Equal(t, h.unread(""), ended)

		h.acknowledge("li", h.alerts("li")[1].ID)
		require.Len(t, h.unread(push.NotInformed), 2, "he knows now")
		require.Len(t, h.ended(), 4)
		require.Equal(t, push.NeverAcked, h.ended()[h.alerts("li")[1].ID].reason, "which does not change what was")

		for _, stranger := range []doorstep.Actor{h.manager("east"), {Role: doorstep.RoleHQ, Company: h.integrator.Company + 1}} {
			_, err := h.db.OutletAlerts(context.Background(), stranger, "west", push.AlertQuery{Limit: 10})
			require.ErrorIs(t, err, doorstep.ErrNotFound)
		}
	})
}

type ending struct {
	informed bool
	reason   push.Reason
}

// ended is how each alert stands in the table.
func (h *house) ended() map[string]ending {
	h.t.Helper()
	endings, err := h.db.Endings(context.Background())
	require.NoError(h.t, err)
	all := map[string]ending{}
	for _, e := range endings {
		all[e.ID] = ending{e.Informed, e.Reason}
	}
	return all
}

// rang is what could be seen of what was sent.
func (p *pager) rang() (list []paged) {
	for _, s := range p.sent {
		if s.Message.Visible() {
			list = append(list, s)
		}
	}
	return list
}

func TestAPushThatNobodyAcknowledgesRingsTheSecondPhoneThenReachesTheManager(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "old", "addr-old")
		h.clock.Add(time.Minute)
		h.device("li", "new", "addr-new")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		h.pass(s)
		loud := map[string]bool{}
		for _, sent := range p.sent {
			loud[sent.To] = sent.Message.High
		}
		require.Equal(t, map[string]bool{"addr-new": true, "addr-old": false}, loud, "the phone seen last rings for both")
		h.acknowledge("li", h.alerts("li")[0].ID)

		h.clock.Add(15*time.Minute - 1)
		h.closeDue()
		h.pass(s)
		require.Len(t, p.rang(), 2)
		h.clock.Add(1)
		h.closeDue()
		h.closeDue()
		h.pass(s)
		require.Len(t, p.rang(), 3, "once")
		require.Equal(t, "addr-old", p.rang()[2].To)
		require.Equal(t, push.KindRemind, p.rang()[2].Message.Kind)
		require.True(t, p.rang()[2].Message.High)
		require.Equal(t, []string{"1"}, p.rang()[2].Message.BodyArgs, "only what is still unread")
		require.True(t, h.unread("")[0].EscalatedAt.IsZero())

		h.clock.Add(45 * time.Minute)
		h.closeDue()
		require.Equal(t, h.clock.Now(), h.unread("")[0].EscalatedAt)
		h.acknowledge("li", h.alerts("li")[1].ID)
		require.Empty(t, h.unread(""))
	})
}

func TestWhatWasAcknowledgedInTimeIsNotEscalated(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "old", "addr-old")
		h.device("li", "new", "addr-new")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.pass(s)
		h.acknowledge("li", h.alerts("li")[0].ID)
		h.clock.Add(2 * time.Hour)
		h.closeDue()
		h.pass(s)
		require.Len(t, p.rang(), 2)
	})
}

// Invariant: whatever happens in whatever order, and whatever crashes, each
// alert ends in exactly one of informed, or not informed with a reason.
func TestEachAlertEndsInExactlyOneWay(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		h := newHouse(t, storetest.Open(t, url, v, clock, 20*time.Second), clock)
		h.wishful()
		chance := rand.New(rand.NewPCG(1, 2))
		outcomes := []push.Result{
			{Outcome: push.Accepted, Code: "ok"}, {Outcome: push.Accepted, Code: "ok"}, {Outcome: push.Retry, Code: "unavailable"},
			{Outcome: push.Ambiguous, Code: "transport"}, {Outcome: push.AddrGone, Code: "unregistered"},
			{Outcome: push.BadMessage, Code: "bad_message"}, {Outcome: push.ProviderDown, Code: "unauthorized"},
		}
		p := &pager{answer: func(push.Address) push.Result { return outcomes[chance.IntN(len(outcomes))] }}
		s := h.sender(p)
		courier := func() string { return fmt.Sprint("c", chance.IntN(3)) }
		dispatched := 0
		seen := map[string]ending{}
		for range 400 {
			switch chance.IntN(11) {
			case 0, 1, 2:
				dispatched++
				h.dispatch(order(fmt.Sprint("SF", dispatched), courier(), wang))
			case 3:
				h.device(courier(), fmt.Sprint("d", chance.IntN(2)), fmt.Sprint("addr", chance.IntN(6)))
			case 4, 5:
				_, err := s.SendDue(context.Background())
				require.NoError(t, err)
			case 6:
				if list := h.alerts(courier()); len(list) > 0 {
					h.receipt(list[chance.IntN(len(list))], []string{"received", "shown", "opened", "acknowledged"}[chance.IntN(4)])
				}
			case 7:
				h.closeDue()
			case 8:
				clock.Add(time.Duration(chance.IntN(90)) * time.Minute)
				if chance.IntN(8) == 0 {
					clock.Add(-10 * time.Minute)
				}
			case 10:
				h.wish(wang, [][]string{{}, {"to_door"}, {"no_locker", "call_first"}}[chance.IntN(3)]...)
				h.settled()
			case 9: // a sender dies with leases in its hands
				outlets, err := h.db.DueOutlets(context.Background(), clock.Now(), []string{push.FCM}, 10)
				require.NoError(t, err)
				for _, o := range outlets {
					_, err := h.db.Claim(context.Background(), h.claim(o, "dead"))
					require.NoError(t, err)
				}
			}
			for id, now := range h.ended() {
				require.False(t, now.informed && now.reason != "", "both at once")
				if was := seen[id]; was != (ending{}) {
					require.Equal(t, was, now, "an ending does not change")
				}
				seen[id] = now
			}
		}
		clock.Add(48 * time.Hour)
		h.closeDue()
		for id, end := range h.ended() {
			require.True(t, end.informed != (end.reason != ""), "%s: %+v", id, end)
			require.NotEqual(t, push.Waiting, end.reason)
		}
		require.Greater(t, len(seen), 50)
	})
}

func (h *house) receipt(a push.Alert, event string) {
	h.t.Helper()
	inbox := push.Inbox{Store: h.db, Now: h.clock.Now}
	for _, c := range []string{"c0", "c1", "c2"} { // only one of them is his
		_, err := inbox.Receipts(context.Background(), h.courier(c), []push.ReceiptRequest{{
			AlertID: a.ID, Event: event, At: h.clock.Now().Format(time.RFC3339),
		}})
		require.NoError(h.t, err)
	}
}

func (h *house) rules(r push.Rules) {
	h.t.Helper()
	roster := parcels.Roster{Store: h.db, Now: h.clock.Now, TimeZone: "Asia/Shanghai"}
	_, err := roster.PutOutlet(context.Background(), h.integrator, parcels.Outlet{ID: "west", Name: "West", Push: r})
	require.NoError(h.t, err)
}

func TestInQuietHoursNobodyIsRungAndTheMorningBringsOneDigest(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		h.wishful()
		h.rules(push.Rules{QuietFrom: "23:00", QuietTo: "10:00"}) // it is 09:00
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.clock.Add(30 * time.Minute)
		h.pass(s)
		h.dispatch(order("SF2", "li", wang))
		h.clock.Add(29 * time.Minute)
		h.pass(s)
		require.Empty(t, p.sent)
		require.Len(t, h.alerts("li"), 2, "the inbox has them")
		require.Equal(t, push.Quiet, h.unread("")[0].Reason)
		h.clock.Add(time.Minute)
		h.pass(s)
		require.Len(t, p.sent, 1)
		require.Equal(t, []string{"2"}, p.sent[0].Message.BodyArgs)
	})
}

func TestACourierIsRungNoMoreOftenThanTheOutletAllows(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.rules(push.Rules{PerDay: 2})
		h.device("li", "phone", "addr-1")
		h.device("chen", "phone", "addr-2")
		p := &pager{}
		s := h.sender(p)
		for i := range 4 {
			h.dispatch(order(fmt.Sprint("SF", i), "li", wang))
			h.pass(s)
		}
		h.dispatch(order("SF9", "chen", wang))
		h.pass(s)
		require.Len(t, p.sent, 3, "each courier has his own budget")
		reasons := map[push.Reason]int{}
		for _, u := range h.unread("") {
			reasons[u.Reason]++
		}
		require.Equal(t, map[push.Reason]int{push.NeverAcked: 3, push.OverBudget: 2}, reasons)
		h.clock.Add(15 * time.Hour) // midnight in Shanghai
		h.dispatch(order("SF10", "li", wang))
		h.pass(s)
		require.Len(t, p.sent, 4)
	})
}

func TestWhatIsAcknowledgedOnOnePhoneLeavesTheOthers(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "old", "addr-old")
		h.device("li", "new", "addr-new")
		h.device("chen", "only", "addr-only")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "chen", wang))
		h.pass(s)
		require.Len(t, p.sent, 3)
		acked := h.alerts("li")[0].ID
		h.acknowledge("chen", h.alerts("chen")[0].ID)
		h.acknowledge("li", acked)
		h.acknowledge("li", acked)
		h.pass(s)
		require.Len(t, p.sent, 5, "once, on both of li's phones; chen has only one")
		file, err := h.db.Evidence(context.Background(), h.manager("west"), evidence.Query{Waybill: "SF1", Kind: evidence.Push, Limit: 100})
		require.NoError(t, err)
		require.Len(t, file, 4, "the parcel's file has each delivery, also of the push that carried its alert again")
		for _, sent := range p.sent[3:] {
			require.Equal(t, push.KindRecall, sent.Message.Kind)
			require.False(t, sent.Message.Visible())
			require.False(t, sent.Message.High)
			require.JSONEq(t, `[{"id":"`+acked+`"}]`, sent.Message.Data["alerts"])
		}
	})
}
