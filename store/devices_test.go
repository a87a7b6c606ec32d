package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
	"doorstep/store/storetest"
)

const day = 24 * time.Hour

func (h *house) sweep() int {
	h.t.Helper()
	sweeper := push.Sweeper{Store: h.db, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler)}
	n, err := sweeper.Sweep(context.Background())
	require.NoError(h.t, err)
	return n
}

func (h *house) installs() []string {
	h.t.Helper()
	ids, err := h.db.DeviceIDs(context.Background())
	require.NoError(h.t, err)
	return ids
}

func TestADeviceIsForgottenTwoMonthsAfterItWasLastSeen(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.device("li", "old", "addr-1")
		h.device("chen", "logged-out", "addr-2")
		h.clock.Add(day)
		require.NoError(t, h.db.RemoveDevice(context.Background(), h.courier("chen"), "logged-out", h.clock.Now()))
		h.device("li", "young", "addr-3")
		h.device("wu", "refreshed", "addr-4")
		h.clock.Add(59*day - 1*time.Millisecond)
		h.device("wu", "refreshed", "addr-4")
		require.Zero(t, h.sweep())
		h.clock.Add(time.Millisecond)
		require.Equal(t, 2, h.sweep())
		require.Equal(t, []string{"refreshed", "young"}, h.installs(), "retired or not")
		require.Zero(t, h.sweep())

		h.clock.Add(day)
		require.Equal(t, 1, h.sweep())
		require.Equal(t, []string{"refreshed"}, h.installs())
		counts, err := h.db.Devices(context.Background())
		require.NoError(t, err)
		require.Equal(t, []push.DeviceCount{{Provider: push.FCM, Count: 1}}, counts)

		h.device("li", "old", "addr-1")
		require.Equal(t, []string{"old", "refreshed"}, h.installs(), "it may come back")
	})
}

func TestWhatWasSentToAForgottenDeviceStaysAsItIs(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		p := &pager{}
		s := h.sender(p)
		h.dispatch(order("SF1", "li", wang))
		h.pass(s)
		before, unread := h.outcomes(), h.unread("")
		require.Equal(t, []string{"sent"}, before)

		h.clock.Add(push.ForgottenAfter)
		require.Equal(t, 1, h.sweep())
		h.closeDue()
		require.Equal(t, before, h.outcomes())
		require.Equal(t, unread[0].Alert, h.unread(push.NotInformed)[0].Alert)
		require.Equal(t, push.NeverAcked, h.unread(push.NotInformed)[0].Reason)
		h.acknowledge("li", h.alerts("li")[0].ID)

		// Nor does one break that is still open, as no delivery should be.
		h.device("li", "phone", "addr-1")
		h.dispatch(order("SF2", "li", wang))
		_, err := h.db.ComposeDue(context.Background(), h.outletNo("west"), h.clock.Now(), 10, func(kind string, alerts []push.Alert) push.Message {
			return push.Compose(kind, alerts, push.ContentTags, h.clock.Now())
		})
		require.NoError(t, err)
		n, err := h.db.ForgetDevices(context.Background(), h.home(), h.clock.Now(), 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		h.pass(s)
		require.Len(t, p.sent, 1)
		require.ElementsMatch(t, []string{"sent", "failed"}, h.outcomes())
	})
}

func (h *house) outletNo(id string) doorstep.OutletNo {
	h.t.Helper()
	outlet, err := h.db.Outlet(context.Background(), h.integrator.Company, id)
	require.NoError(h.t, err)
	return outlet.No
}

// home is the one outlet that keeps devices.
func (h *house) home() doorstep.OutletNo {
	h.t.Helper()
	homes, err := h.db.UnseenOutlets(context.Background(), h.clock.Now(), 10)
	require.NoError(h.t, err)
	require.Len(h.t, homes, 1)
	return homes[0]
}

func TestNodesThatForgetTheSameDevicesEachTakeTheirShare(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, v := storetest.NewClock(), storetest.Vault(t)
		one := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		two := newHouse(t, storetest.Open(t, url, v, clock, 0), clock)
		const devices = 40
		for i := range devices {
			one.device("li", fmt.Sprint("phone-", i), fmt.Sprint("addr-", i))
		}
		clock.Add(day)
		one.device("li", "young", "addr")
		home := one.home()
		before := clock.Now().Add(-time.Hour)
		n, err := one.db.ForgetDevices(t.Context(), home, before, 7)
		require.NoError(t, err)
		require.Equal(t, 7, n, "no more than it was told")

		gone := make([]int, 4)
		var forgetting sync.WaitGroup
		for i := range gone {
			h := []*house{one, two}[i%2]
			forgetting.Go(func() {
				for range devices {
					n, err := h.db.ForgetDevices(context.Background(), home, before, 5)
					if err != nil {
						t.Errorf("forget: %v", err)
					}
					gone[i] += n
				}
			})
		}
		forgetting.Wait()
		require.Equal(t, devices-7, gone[0]+gone[1]+gone[2]+gone[3])
		require.Equal(t, []string{"young"}, one.installs())
	})
}

func TestARefreshThatSaysNothingNewIsWrittenOnceAnHour(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		opened := h.clock.Now()
		h.device("li", "phone", "addr-1")
		h.clock.Add(time.Hour - time.Millisecond)
		d := h.device("li", "phone", "addr-1")
		require.Equal(t, opened, d.UpdatedAt)
		require.Equal(t, opened, d.RegisteredAt)
		h.clock.Add(time.Millisecond)
		d = h.device("li", "phone", "addr-1")
		require.Equal(t, opened.Add(time.Hour), d.UpdatedAt)
		require.Equal(t, opened, d.RegisteredAt)

		// Whatever is new is written at once.
		refresh := func(r push.DeviceRequest) time.Time {
			inbox := push.Inbox{Store: h.db, Now: h.clock.Now}
			r.InstallID, r.Provider = "phone", push.FCM
			d, err := inbox.PutDevice(context.Background(), h.courier("li"), r)
			require.NoError(t, err)
			return d.UpdatedAt
		}
		for _, r := range []push.DeviceRequest{
			{Address: "addr-2", Locale: "zh-CN"}, {Address: "addr-2", Locale: "en"}, {Address: "addr-2", Locale: "en", AppVersion: "2"},
		} {
			h.clock.Add(time.Minute)
			require.Equal(t, h.clock.Now(), refresh(r), "%+v", r)
			h.clock.Add(time.Second)
			require.Equal(t, h.clock.Now().Add(-time.Second), refresh(r), "%+v", r)
		}
		require.NoError(t, h.db.RemoveDevice(context.Background(), h.courier("li"), "phone", h.clock.Now()))
		require.Equal(t, h.clock.Now(), refresh(push.DeviceRequest{Address: "addr-2", Locale: "en", AppVersion: "2"}), "it had logged out")
		h.clock.Add(-time.Minute)
		require.Equal(t, h.clock.Now(), refresh(push.DeviceRequest{Address: "addr-2", Locale: "en", AppVersion: "2"}), "the clock was set back")
	})
}

// Else the phone that he put away would ring loudly for up to an hour.
func TestThePhoneThatHeTookUpLastRingsLoudlyAtOnce(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		for _, phone := range []string{"first", "second", "first"} {
			h.device("li", phone, "addr-"+phone)
			h.clock.Add(time.Minute)
		}
		p := &pager{}
		h.dispatch(order("SF1", "li", wang))
		h.pass(h.sender(p))
		loud := map[string]bool{}
		for _, sent := range p.sent {
			loud[sent.To] = sent.Message.High
		}
		require.Equal(t, map[string]bool{"addr-first": true, "addr-second": false}, loud)
	})
}
