package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/store"
	"doorstep/store/storetest"
)

// house is the use cases over one database, with a clock that tests move.
type house struct {
	t          *testing.T
	db         *store.DB
	clock      *storetest.Clock
	integrator doorstep.Actor
}

func newHouse(t *testing.T, db *store.DB, clock *storetest.Clock) *house {
	company, err := db.Company(context.Background(), "default")
	require.NoError(t, err)
	return &house{t: t, db: db, clock: clock, integrator: doorstep.Actor{Role: doorstep.RoleIntegrator, Company: company}}
}

func onEach(t *testing.T, settle time.Duration, test func(t *testing.T, h *house)) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		test(t, newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, settle), clock))
	})
}

func (h *house) dispatch(orders ...parcels.Order) []parcels.Verdict {
	h.t.Helper()
	d := parcels.Dispatcher{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	verdicts, err := d.Dispatch(context.Background(), h.integrator, orders)
	require.NoError(h.t, err)
	return verdicts
}

func (h *house) complain(waybill, text string, tags ...prefs.Tag) complaints.Complaint {
	h.t.Helper()
	desk := complaints.Desk{
		Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID,
		Read: func(string) complaints.Reading {
			read := complaints.Reading{Category: complaints.Other}
			for _, tag := range tags {
				read.Tags = append(read.Tags, complaints.TagReading{Tag: tag, Confidence: 0.9})
			}
			return read
		},
	}
	c, err := desk.File(context.Background(), h.integrator, complaints.Filing{Waybill: waybill, Text: text})
	require.NoError(h.t, err)
	return c
}

func (h *house) courier(id string) doorstep.Actor {
	return doorstep.Actor{Role: doorstep.RoleCourier, Company: h.integrator.Company, Courier: id}
}

func (h *house) manager(outlet string) doorstep.Actor {
	return doorstep.Actor{Role: doorstep.RoleManager, Company: h.integrator.Company, Outlet: outlet}
}

func (h *house) alerts(courier string) []push.Alert {
	h.t.Helper()
	list, err := h.db.Alerts(context.Background(), h.courier(courier), 0, 1000)
	require.NoError(h.t, err)
	return list
}

func (h *house) evidence(outlet string) []evidence.Item {
	h.t.Helper()
	list, err := h.db.Evidence(context.Background(), h.manager(outlet), evidence.Query{Limit: 1000})
	require.NoError(h.t, err)
	return list
}

func order(waybill, courier, phone string) parcels.Order {
	return parcels.Order{Waybill: waybill, OutletID: "west", CourierID: courier, Consignee: parcels.ConsigneeOrder{Phone: phone}}
}

const (
	wang = "13800000001"
	zhao = "13800000002"
)

func TestWhatWasLearnedIsInTheNextDispatch(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		first := h.dispatch(order("SF1", "li", wang))
		require.Equal(t, evidence.Accepted, first[0].Status)
		require.Empty(t, first[0].Decisions)
		require.Empty(t, first[0].AlertID)

		c := h.complain("SF1", "locker again", prefs.NoLocker)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, c.Learned)

		next := h.dispatch(order("SF2", "li", wang), order("SF3", "li", zhao))
		require.Equal(t, []prefs.Decision{{Tag: prefs.NoLocker, Level: prefs.Advise, By: prefs.Learned}}, next[0].Decisions)
		require.NotEmpty(t, next[0].AlertID)
		require.Empty(t, next[1].Decisions)

		alerts := h.alerts("li")
		require.Len(t, alerts, 1)
		require.Equal(t, next[0].AlertID, alerts[0].ID)
		require.Equal(t, int64(1), alerts[0].Seq)
	})
}

func TestADispatchSentAgainWritesNothing(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		h.complain("SF1", "locker again", prefs.NoLocker)
		batch := []parcels.Order{order("SF2", "li", wang), order("SF3", "li", wang), order("SF2", "li", wang)}
		first := h.dispatch(batch...)
		require.Equal(t, evidence.Duplicate, first[2].Status, "within the call")
		require.Equal(t, first[0].AlertID, first[2].AlertID)
		before, records := h.alerts("li"), h.evidence("west")

		h.clock.Add(time.Hour)
		again := h.dispatch(batch[1], batch[0])
		for _, v := range again {
			require.Equal(t, evidence.Duplicate, v.Status)
		}
		require.Equal(t, first[0].AlertID, again[1].AlertID)
		require.Equal(t, before, h.alerts("li"))
		require.Equal(t, records, h.evidence("west"))

		other := h.dispatch(order("SF2", "li", zhao))
		require.Equal(t, evidence.Rejected, other[0].Status)
		require.ErrorIs(t, other[0].Err, doorstep.ErrConflict)
	})
}

func TestTheDayOfADispatchIsTheOutletsOwn(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.clock.Add(14*time.Hour + 59*time.Minute) // 23:59 in Shanghai
		require.Equal(t, evidence.Accepted, h.dispatch(order("SF1", "li", wang))[0].Status)
		require.Equal(t, evidence.Duplicate, h.dispatch(order("SF1", "li", wang))[0].Status)
		h.clock.Add(time.Minute)
		require.Equal(t, evidence.Accepted, h.dispatch(order("SF1", "li", wang))[0].Status)
	})
}

func TestABatchOfAThousandIsKeptWhole(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		h.dispatch(order("SEED", "c0", wang))
		h.complain("SEED", "locker again", prefs.NoLocker)
		batch := make([]parcels.Order, parcels.MaxBatch)
		for i := range batch {
			batch[i] = order(fmt.Sprintf("SF%04d", i), fmt.Sprintf("c%d", i%7), wang)
		}
		for _, v := range h.dispatch(batch...) {
			require.Equal(t, evidence.Accepted, v.Status)
		}
		total := 0
		for i := range 7 {
			for j, a := range h.alerts(fmt.Sprintf("c%d", i)) {
				require.Equal(t, int64(j+1), a.Seq)
				total++
			}
		}
		require.Equal(t, parcels.MaxBatch, total)
	})
}
