package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/store"
	"doorstep/store/storetest"
)

// hold keeps the writer busy until it is let go.
func (h *house) hold() (letGo func()) {
	h.t.Helper()
	begun, over, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- h.db.InTx(context.Background(), func(*store.Tx) error {
			close(begun)
			<-over
			return nil
		})
	}()
	<-begun
	return func() {
		close(over)
		require.NoError(h.t, <-done)
	}
}

// together sends each order in a call of its own, all while the writer is busy.
func (h *house) together(orders ...parcels.Order) []parcels.Verdict {
	h.t.Helper()
	d := parcels.Dispatcher{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	verdicts, failures := make([]parcels.Verdict, len(orders)), make([]error, len(orders))
	letGo := h.hold()
	var calls sync.WaitGroup
	for i, o := range orders {
		calls.Go(func() {
			list, err := d.Dispatch(context.Background(), h.integrator, []parcels.Order{o})
			if failures[i] = err; err == nil {
				verdicts[i] = list[0]
			}
		})
	}
	letGo()
	calls.Wait()
	for _, err := range failures {
		require.NoError(h.t, err)
	}
	return verdicts
}

func TestCallsThatWaitTogetherAreAnsweredEachByItself(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wish(wang, "no_locker")
		h.dispatch(order("KNOWN", "li", zhao))
		h.device("li", "phone", "addr-li")
		h.device("chen", "phone", "addr-chen")
		p := &pager{}
		s := h.sender(p)
		var orders []parcels.Order
		for i := range 30 {
			orders = append(orders, order(fmt.Sprint("SF", i), []string{"li", "chen"}[i%2], wang))
			orders[i].OutletID = []string{"west", "east", "north"}[i%3]
		}
		orders = append(orders, orders[:10]...)               // sent twice at the same moment
		orders = append(orders, order("KNOWN", "li", zhao))   // long known
		orders = append(orders, order("KNOWN", "li", wang))   // and to somebody else
		orders = append(orders, order("KNOWN", "chen", wang)) // or with somebody else
		verdicts := h.together(orders...)

		first := map[string]string{}
		for i, v := range verdicts[:40] {
			id := orders[i].Waybill
			if v.Status == evidence.Accepted {
				require.NotContains(t, first, id)
				first[id] = v.AlertID
			}
		}
		require.Len(t, first, 30)
		for i, v := range verdicts[:40] {
			require.Equal(t, first[orders[i].Waybill], v.AlertID)
			require.Equal(t, []prefs.Tag{prefs.NoLocker}, parcels.TagsOf(v.Decisions))
		}
		require.Equal(t, evidence.Duplicate, verdicts[40].Status)
		require.ErrorIs(t, verdicts[41].Err, doorstep.ErrConflict)
		require.Equal(t, evidence.Accepted, verdicts[42].Status)

		pushes := map[string]bool{}
		for _, courier := range []string{"li", "chen"} {
			for i, a := range h.alerts(courier) {
				require.Equal(t, int64(i+1), a.Seq)
			}
		}
		h.pass(s)
		for _, sent := range p.sent {
			require.NotContains(t, pushes, sent.Message.Data["alerts"])
			pushes[sent.Message.Data["alerts"]] = true
		}
		require.Len(t, p.sent, 31, "nothing settles: each call has its own push")
	})
}

// A call that fails is answered so; those that waited with it are not harmed.
func TestACallThatFailsHarmsNoneThatWaitWithIt(t *testing.T) {
	clock := storetest.NewClock()
	h := newHouse(t, storetest.Open(t, storetest.SQLite(t), storetest.Vault(t), clock, 0), clock)
	h.dispatch(order("SEED", "li", zhao))
	require.NoError(t, h.db.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.Exec(`create trigger refuse before insert on dispatch when new.waybill = 'BAD' begin select raise(abort, 'refused'); end`)
	}))
	d := parcels.Dispatcher{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	failures := make([]error, 20)
	letGo := h.hold()
	var calls sync.WaitGroup
	for i := range failures {
		calls.Go(func() {
			waybill := fmt.Sprint("SF", i)
			if i == 7 {
				waybill = "BAD"
			}
			_, failures[i] = d.Dispatch(context.Background(), h.integrator, []parcels.Order{order(waybill, "li", wang)})
		})
	}
	letGo()
	calls.Wait()
	for i, err := range failures {
		if i == 7 {
			require.ErrorIs(t, err, doorstep.ErrUnavailable)
		} else {
			require.NoError(t, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	again, err := d.Dispatch(ctx, h.integrator, []parcels.Order{order("SF0", "li", wang)})
	require.NoError(t, err)
	require.Equal(t, evidence.Duplicate, again[0].Status)
}
