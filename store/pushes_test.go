package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/store/storetest"
)

// pager is the provider of these tests: it keeps what it was handed and answers
// as told.
type pager struct {
	mu     sync.Mutex
	sent   []paged
	answer func(to push.Address) push.Result
}

type paged struct {
	To      string
	Message push.Message
}

func (p *pager) Name() string             { return push.FCM }
func (p *pager) Check(push.Message) error { return nil }

func (p *pager) Send(_ context.Context, to push.Address, m push.Message) push.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, paged{to.Value, m})
	if p.answer == nil {
		return push.Result{Outcome: push.Accepted, Code: "ok", ProviderID: "projects/p/messages/1"}
	}
	return p.answer(to)
}

func (h *house) sender(p push.Provider) *push.Sender {
	return h.senderOf(map[string]push.Provider{push.FCM: p})
}

func (h *house) senderOf(providers map[string]push.Provider) *push.Sender {
	var token atomic.Int64
	return push.NewSender(push.Sender{
		Queue: h.db, Providers: providers, Content: push.ContentTags, Now: h.clock.Now,
		Draw: func() float64 { return 0.5 }, NewToken: func() string { return fmt.Sprint("lease", token.Add(1)) },
		Log: slog.New(slog.DiscardHandler), Rate: 10_000, InFlight: 64,
	})
}

// claim asks for up to ten of FCM's deliveries.
func (h *house) claim(outlet doorstep.OutletNo, token string) push.Claim {
	now := h.clock.Now()
	return push.Claim{
		Outlet: outlet, Now: now, LeaseUntil: now.Add(time.Minute), Token: token, Rooms: []push.Room{{Provider: push.FCM, Limit: 10}},
	}
}

// pass runs the sender until it moves nothing more.
func (h *house) pass(s *push.Sender) {
	h.t.Helper()
	for {
		n, err := s.SendDue(context.Background())
		require.NoError(h.t, err)
		if n == 0 {
			return
		}
	}
}

func (h *house) device(courier, install, address string) push.Device {
	h.t.Helper()
	inbox := push.Inbox{Store: h.db, Now: h.clock.Now}
	d, err := inbox.PutDevice(context.Background(), h.courier(courier), push.DeviceRequest{
		InstallID: install, Provider: push.FCM, Address: address, Locale: "zh-CN",
	})
	require.NoError(h.t, err)
	return d
}

// wishful makes wang somebody who wants no lockers.
func (h *house) wishful() {
	h.dispatch(order("SEED", "nobody", wang))
	h.complain("SEED", "locker again", prefs.NoLocker)
}

func (h *house) rung(p *pager) (ids []string) {
	for _, s := range p.sent {
		for _, a := range h.alerts("li") {
			if strings.Contains(s.Message.Data["alerts"], a.ID) {
				ids = append(ids, a.ID)
			}
		}
	}
	return ids
}

func TestABurstOfAlertsIsOnePushOnceItSettles(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.clock.Add(15 * time.Second)
		h.dispatch(order("SF2", "li", wang), order("SF3", "li", wang))
		h.clock.Add(15 * time.Second)
		h.pass(s)
		require.Empty(t, p.sent, "the window slides with each alert")
		h.clock.Add(5 * time.Second)
		h.pass(s)
		require.Len(t, p.sent, 1)
		require.Equal(t, []string{"3"}, p.sent[0].Message.BodyArgs)
		h.clock.Add(time.Hour)
		h.pass(s)
		require.Len(t, p.sent, 1)
	})
}

func TestAWindowEndsThoughAlertsKeepComing(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		for i := range 19 {
			h.dispatch(order(fmt.Sprintf("SF%d", i), "li", wang))
			h.clock.Add(10 * time.Second)
			h.pass(s)
		}
		require.Len(t, p.sent, 1, "three minutes at most")
	})
}

func TestWithoutAWindowEachCallRingsOnceACourier(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.dispatch(order("SF2", "li", wang), order("SF3", "li", wang))
		h.pass(s)
		require.Len(t, p.sent, 2)
	})
}

func TestEveryDeviceOfTheCourierIsRungAndNobodyElses(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		h.device("li", "tablet", "addr-2")
		h.device("chen", "phone", "addr-3")
		p := &pager{}
		h.dispatch(order("SF1", "li", wang))
		h.pass(h.sender(p))
		require.ElementsMatch(t, []string{"addr-1", "addr-2"}, []string{p.sent[0].To, p.sent[1].To})
		require.Len(t, p.sent, 2)
	})
}

func TestADeviceThatComesLateGetsWhatIsStillOpen(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		h.pass(s)
		require.Empty(t, p.sent)
		h.acknowledge("li", h.alerts("li")[0].ID)

		h.device("li", "phone", "addr-1")
		h.pass(s)
		require.Equal(t, []string{h.alerts("li")[1].ID}, h.rung(p))
		require.Equal(t, push.KindCatchUp, p.sent[0].Message.Kind)

		h.device("li", "phone", "addr-1")
		h.pass(s)
		require.Len(t, p.sent, 1, "a refresh is no new device")
		h.device("li", "phone", "addr-9")
		h.pass(s)
		require.Len(t, p.sent, 2, "a new address is")
		h.clock.Add(24 * time.Hour)
		h.device("li", "third", "addr-10")
		h.pass(s)
		require.Len(t, p.sent, 2, "what has expired rings nobody")
	})
}

func (h *house) acknowledge(courier string, ids ...string) []push.ReceiptVerdict {
	h.t.Helper()
	inbox := push.Inbox{Store: h.db, Now: h.clock.Now}
	var list []push.ReceiptRequest
	for _, id := range ids {
		list = append(list, push.ReceiptRequest{AlertID: id, Event: "acknowledged", At: h.clock.Now().Format(time.RFC3339)})
	}
	verdicts, err := inbox.Receipts(context.Background(), h.courier(courier), list)
	require.NoError(h.t, err)
	return verdicts
}

func TestAnAddressThatMovesToAnotherCourierLeavesTheFirst(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "shared")
		h.device("chen", "phone", "shared")
		p := &pager{}
		h.dispatch(order("SF1", "li", wang))
		h.pass(h.sender(p))
		require.Empty(t, p.sent)
	})
}

func TestADeadAddressIsRetiredUnlessItWasRefreshed(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		gone := push.Result{Outcome: push.AddrGone, Code: "unregistered"}
		p := &pager{answer: func(push.Address) push.Result {
			h.clock.Add(time.Second)
			h.device("li", "phone", "addr-1") // the app starts while the provider answers
			return gone
		}}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.pass(s)
		p.answer = func(push.Address) push.Result { return gone }
		h.dispatch(order("SF2", "li", wang))
		h.pass(s)
		require.Len(t, p.sent, 2, "refreshed, so still there")
		h.dispatch(order("SF3", "li", wang))
		h.pass(s)
		require.Len(t, p.sent, 2, "retired")
	})
}

func TestADeliveryIsTriedAgainUntilItsAttemptsAreUsedUp(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		// Given one phone whose messages fail while others' arrive
		h.wishful()
		h.device("li", "phone", "addr-1")
		h.device("chen", "phone", "addr-2")
		tried := 0
		p := &pager{answer: func(to push.Address) push.Result {
			if to.Value == "addr-1" {
				tried++
				return push.Result{Outcome: push.Retry, Code: "unavailable"}
			}
			return push.Result{Outcome: push.Accepted, Code: "ok"}
		}}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.pass(s)
		require.Equal(t, 1, tried)
		h.clock.Add(time.Second)
		h.pass(s)
		require.Equal(t, 1, tried, "not before its time")
		const rounds = 20
		for i := range rounds {
			h.dispatch(order(fmt.Sprint("CHEN", i), "chen", wang))
			h.clock.Add(5 * time.Minute)
			h.pass(s)
		}
		require.Equal(t, 8, tried)
		require.ElementsMatch(t, append(slices.Repeat([]string{"sent"}, rounds), "failed"), h.outcomes())
	})
}

func TestAConfigurationFaultSpendsNoAttempt(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{answer: func(push.Address) push.Result { return push.Result{Outcome: push.ProviderDown, Code: "unauthorized"} }}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		for range 30 {
			h.pass(s)
			h.clock.Add(time.Minute)
		}
		require.Len(t, p.sent, 9, "after 0, 1, 2, 4, 8, 13, 18, 23 and 28 minutes")
		p.answer = nil
		h.clock.Add(5 * time.Minute)
		h.pass(s)
		require.Equal(t, []string{"sent"}, h.outcomes())
	})
}

// Expired deliveries of a provider that nobody has must not stay open for ever.
func TestAProviderThatThisNodeLacksIsLeftToOthersUntilTheShiftEnds(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		h.dispatch(order("SF1", "li", wang), order("SF2", "chen", wang))
		without := h.senderOf(map[string]push.Provider{push.WebPush: &pager{}})
		h.pass(without)
		p := &pager{}
		h.pass(h.sender(p))
		require.Len(t, p.sent, 1, "it was due all the time")

		h.dispatch(order("SF3", "li", wang))
		h.pass(without)
		h.clock.Add(14 * time.Hour)
		h.pass(without)
		require.ElementsMatch(t, []string{"sent", "expired"}, h.outcomes())
	})
}

func TestADeviceHasOneMessageAtATimeAndOneCourierNotTheWholeClaim(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		// Given a courier whose pushes are on their way to six phones, three at a
		// time, and another behind him
		ctx := context.Background()
		h.wishful()
		h.device("chen", "phone", "addr-chen")
		outlet, err := h.db.Outlet(ctx, h.integrator.Company, "west")
		require.NoError(t, err)
		compose := func() {
			_, err := h.db.ComposeDue(ctx, outlet.No, h.clock.Now(), 10, func(kind string, alerts []push.Alert) push.Message {
				return push.Compose(kind, alerts, push.ContentTags, h.clock.Now())
			})
			require.NoError(t, err)
			h.clock.Add(time.Second)
		}
		for i := range 6 {
			h.device("li", fmt.Sprint("phone", i), fmt.Sprint("addr-", i))
			if i%3 == 2 {
				h.dispatch(order(fmt.Sprint("SF", i), "li", wang))
				compose()
			}
		}
		h.dispatch(order("SF9", "chen", wang))
		compose()

		// When there is room for five
		c := h.claim(outlet.No, "first")
		c.Rooms[0].Limit = 5
		first, err := h.db.Claim(ctx, c)
		require.NoError(t, err)

		// Then four are his, and the fifth is the other's
		couriers, devices := map[int64]int{}, map[string]bool{}
		for _, d := range first.Deliveries {
			couriers[d.CourierNo]++
			devices[d.DeviceID] = true
		}
		require.ElementsMatch(t, []int{4, 1}, slices.Collect(maps.Values(couriers)))
		require.Len(t, devices, 5)

		// And the next claim takes nothing for phones that are busy
		c = h.claim(outlet.No, "second")
		c.Busy = slices.Collect(maps.Keys(devices))
		second, err := h.db.Claim(ctx, c)
		require.NoError(t, err)
		require.Len(t, second.Deliveries, 2)
		for _, d := range second.Deliveries {
			require.False(t, devices[d.DeviceID])
		}
	})
}

func TestNothingIsSentAfterTheShift(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{}
		h.dispatch(order("SF1", "li", wang))
		h.clock.Add(14 * time.Hour)
		h.pass(h.sender(p))
		require.Empty(t, p.sent)
	})
}

// outcomes are what the log says of deliveries that ended.
func (h *house) outcomes() (list []string) {
	for _, item := range h.evidence("west") {
		if item.Kind == evidence.Push {
			list = append(list, strings.Trim(string(item.Opening.Values["outcome"]), `"`))
		}
	}
	return list
}

func TestALateWorkerChangesNothing(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.wishful()
		h.device("li", "phone", "addr-1")
		h.dispatch(order("SF1", "li", wang))
		outlet, ok := doorstep.OutletOf(h.alerts("li")[0].ID)
		require.True(t, ok)
		compose := func(kind string, alerts []push.Alert) push.Message {
			return push.Compose(kind, alerts, push.ContentTags, h.clock.Now())
		}
		n, err := h.db.ComposeDue(ctx, outlet, h.clock.Now(), 10, compose)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		claim := func(token string) []push.Delivery {
			claimed, err := h.db.Claim(ctx, h.claim(outlet, token))
			require.NoError(t, err)
			return claimed.Deliveries
		}
		slow := claim("slow")
		require.Len(t, slow, 1)
		require.Empty(t, claim("none"), "a lease holds")
		h.clock.Add(time.Minute)
		quick := claim("quick")
		require.Len(t, quick, 1, "a lease that ran out is taken over")
		require.Equal(t, 2, quick[0].Attempt, "and counts as an attempt")

		finish := func(d push.Delivery, state push.State) {
			require.NoError(t, h.db.Finish(ctx, []push.Ended{{Delivery: d, State: state, Code: "x", At: h.clock.Now()}}))
		}
		finish(slow[0], push.Failed)
		require.Empty(t, h.outcomes())
		finish(quick[0], push.Sent)
		finish(slow[0], push.Failed)
		finish(quick[0], push.Failed)
		require.Equal(t, []string{"sent"}, h.outcomes())
		h.clock.Add(time.Hour)
		require.Empty(t, claim("late"), "what has ended is not claimed")
	})
}

func TestARestartedServerTakesOverItsLeases(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.wishful()
		h.device("li", "phone", "addr-1")
		h.dispatch(order("SF1", "li", wang))
		outlet, _ := doorstep.OutletOf(h.alerts("li")[0].ID)
		compose := func(kind string, alerts []push.Alert) push.Message {
			return push.Compose(kind, alerts, push.ContentTags, h.clock.Now())
		}
		_, err := h.db.ComposeDue(ctx, outlet, h.clock.Now(), 10, compose)
		require.NoError(t, err)
		_, err = h.db.Claim(ctx, h.claim(outlet, "dead"))
		require.NoError(t, err)
		require.NoError(t, h.db.TakeOver(ctx, h.clock.Now()))
		p := &pager{}
		h.pass(h.sender(p))
		require.Len(t, p.sent, 1)
	})
}

func TestManySendersSendEachDeliveryOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		nodes := []*house{}
		for range 3 {
			nodes = append(nodes, newHouse(t, storetest.Open(t, url, v, clock, 0), clock))
		}
		h := nodes[0]
		h.wishful()
		const couriers, each = 20, 5
		for c := range couriers {
			h.device(fmt.Sprint("c", c), "phone", fmt.Sprint("addr-", c))
			for i := range each {
				nodes[i%3].dispatch(order(fmt.Sprintf("SF-%d-%d", c, i), fmt.Sprint("c", c), wang))
			}
		}
		p := &pager{}
		var all sync.WaitGroup
		for _, node := range nodes {
			s := node.sender(p)
			all.Go(func() {
				for range 10 {
					if _, err := s.SendDue(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		h.pass(h.sender(p))
		seen := map[string]int{}
		for _, s := range p.sent {
			seen[s.Message.Data["alerts"]]++
		}
		require.Len(t, seen, couriers*each)
		require.Len(t, p.sent, couriers*each, "none twice")
	})
}

func TestReceiptsAreCountedOnceAndOnlyForOwnAlerts(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "chen", wang))
		mine, other := h.alerts("li"), h.alerts("chen")
		verdicts := h.acknowledge("li", mine[0].ID, mine[0].ID, other[0].ID, "nonsense", doorstep.MakeID(1))
		require.Equal(t, evidence.Accepted, verdicts[0].Status)
		require.Equal(t, evidence.Duplicate, verdicts[1].Status)
		for _, v := range verdicts[2:] {
			require.ErrorIs(t, v.Err, doorstep.ErrNotFound)
		}
		require.Equal(t, evidence.Duplicate, h.acknowledge("li", mine[0].ID)[0].Status)
		after := h.alerts("li")
		require.False(t, after[0].AckedAt.IsZero())
		require.True(t, after[1].AckedAt.IsZero())
		require.True(t, h.alerts("chen")[0].AckedAt.IsZero())
	})
}

func TestTheInboxHasNoGapsWhoeverWrites(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		a := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		b := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		a.wishful()
		var all sync.WaitGroup
		for n, node := range []*house{a, b, a, b} {
			all.Go(func() {
				for i := range 10 {
					// The same two couriers at two outlets, in opposite orders.
					one, two := order(fmt.Sprintf("A-%d-%d", n, i), "li", wang), order(fmt.Sprintf("B-%d-%d", n, i), "chen", wang)
					two.OutletID = "east"
					if n%2 == 0 {
						one, two = two, one
					}
					for _, v := range node.dispatch(one, two) {
						if v.Status != evidence.Accepted {
							t.Errorf("%s: %v", v.Status, v.Err)
						}
					}
				}
			})
		}
		all.Wait()
		for _, courier := range []string{"li", "chen"} {
			list := a.alerts(courier)
			require.Len(t, list, 40)
			for i, alert := range list {
				require.Equal(t, int64(i+1), alert.Seq)
			}
		}
	})
}

func TestADeliverySaysWhatKindOfAddressItGoesTo(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		subscription := `{"endpoint":"https://push.example/1","keys":{"p256dh":"BA","auth":"AA"}}`
		inbox := push.Inbox{Store: h.db, Now: h.clock.Now}
		_, err := inbox.PutDevice(context.Background(), h.courier("li"), push.DeviceRequest{
			InstallID: "browser", Provider: push.WebPush, Address: subscription, Locale: "zh-CN",
		})
		require.NoError(t, err)
		var reached []push.Address
		p := &pager{answer: func(to push.Address) push.Result {
			reached = append(reached, to) // under the pager's lock
			return push.Result{Outcome: push.Accepted, Code: "ok"}
		}}
		s := h.senderOf(map[string]push.Provider{push.FCM: p, push.WebPush: p})

		h.dispatch(order("SF1", "li", wang))
		h.pass(s)

		require.ElementsMatch(t, []push.Address{
			{Kind: push.KindToken, Value: "addr-1"}, {Kind: push.KindSubscription, Value: subscription},
		}, reached)
	})
}

func TestOnlyTheThreeDevicesSeenLastAreRungAndNoneUnseenForAMonth(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		for i := range 5 {
			h.device("li", fmt.Sprint("phone", i), fmt.Sprint("addr-", i))
			h.clock.Add(10 * 24 * time.Hour)
		}
		p := &pager{}
		s := h.sender(p)
		rung := func() (to []string) {
			for _, sent := range p.sent {
				to = append(to, sent.To)
			}
			p.sent = nil
			return to
		}
		h.dispatch(order("SF1", "li", wang))
		h.pass(s)
		require.ElementsMatch(t, []string{"addr-4", "addr-3"}, rung(), "the third was seen a month ago")
		for i := range 4 {
			h.device("li", fmt.Sprint("phone", i), fmt.Sprint("addr-", i)) // the apps start again
			h.clock.Add(time.Second)
		}
		h.dispatch(order("SF2", "li", wang))
		h.pass(s)
		require.ElementsMatch(t, []string{"addr-3", "addr-2", "addr-1"}, rung())
	})
}
