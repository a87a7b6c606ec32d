package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/complaints"
	"doorstep/parcels"
	"doorstep/push"
	"doorstep/store"
	"doorstep/store/storetest"
)

// Consumers with wishes are every twentieth of those that dispatches go to.
const flaggedEach = 20

// yard is the use cases over one SQLite database, for benchmarks.
type yard struct {
	b       *testing.B
	db      *store.DB
	clock   *storetest.Clock
	actor   doorstep.Actor
	waybill int
}

func newYard(b *testing.B) *yard {
	clock := storetest.NewClock()
	db := storetest.Open(b, storetest.SQLite(b), storetest.Vault(b), clock, 0)
	company, err := db.Company(b.Context(), "default")
	require.NoError(b, err)
	return &yard{b: b, db: db, clock: clock, actor: doorstep.Actor{Role: doorstep.RoleIntegrator, Company: company}}
}

// waybillNo is the n-th parcel's.
func waybillNo(n int) string { return fmt.Sprintf("SF%012d", n) }

// batch is the next 1,000 dispatches, to couriers of one outlet.
func (y *yard) batch(couriers int) []parcels.Order {
	list := make([]parcels.Order, parcels.MaxBatch)
	for i := range list {
		y.waybill++
		list[i] = parcels.Order{
			Waybill: waybillNo(y.waybill), OutletID: "west", CourierID: fmt.Sprintf("c-%d", i%couriers),
			Consignee: parcels.ConsigneeOrder{Phone: fmt.Sprintf("+86199%08d", i), Name: "王小明", Address: "江滨路118号2单元603室"},
		}
	}
	return list
}

func (y *yard) dispatch(orders []parcels.Order) {
	d := parcels.Dispatcher{Store: y.db, Now: y.clock.Now, NewID: doorstep.MakeID}
	verdicts, err := d.Dispatch(y.b.Context(), y.actor, orders)
	require.NoError(y.b, err)
	for _, v := range verdicts {
		require.NoError(y.b, v.Err)
	}
}

// wish has every so manieth consumer complain about a parcel.
func (y *yard) wish(each int) {
	desk := complaints.Desk{
		Store: y.db, Now: y.clock.Now, NewID: doorstep.MakeID,
		Read: func(string) complaints.Reading {
			return complaints.Reading{Category: complaints.Other, Tags: []complaints.TagReading{{Tag: "no_locker", Confidence: 0.9}}}
		},
	}
	orders := y.batch(16)
	y.dispatch(orders)
	for i := 0; i < len(orders); i += each {
		_, err := desk.File(y.b.Context(), y.actor, complaints.Filing{Waybill: orders[i].Waybill, Text: "no locker"})
		require.NoError(y.b, err)
	}
	y.clock.Add(24 * time.Hour) // parcels of today would be told about once more
}

func (y *yard) consumers() []doorstep.ConsumerID {
	list := make([]doorstep.ConsumerID, parcels.MaxBatch)
	for i := range list {
		list[i] = y.db.Consumer(y.actor.Company, doorstep.Phone(fmt.Sprintf("+86199%08d", i)))
	}
	return list
}

func BenchmarkAdd1000Dispatches(b *testing.B) {
	y := newYard(b)
	y.wish(flaggedEach)
	b.ReportAllocs()
	for b.Loop() {
		y.dispatch(y.batch(16))
	}
}

// BenchmarkPush1000 composes, claims and finishes what 1,000 alerts of as many
// couriers leave, and shows each step's time beside the whole.
func BenchmarkPush1000(b *testing.B) {
	y := newYard(b)
	y.wish(1)
	inbox := push.Inbox{Store: y.db, Now: y.clock.Now}
	for i := range parcels.MaxBatch {
		_, err := inbox.PutDevice(b.Context(), doorstep.Actor{Role: doorstep.RoleCourier, Company: y.actor.Company, Courier: fmt.Sprintf("c-%d", i)}, push.DeviceRequest{
			InstallID: "phone", Provider: push.FCM, Address: fmt.Sprintf("token-%d", i), Locale: "en",
		})
		require.NoError(b, err)
	}
	steps := map[string]time.Duration{}
	timed := func(name string, do func()) {
		began := time.Now()
		do()
		steps[name] += time.Since(began)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		y.dispatch(y.batch(parcels.MaxBatch))
		b.StartTimer()
		now := y.clock.Now()
		outlets, err := y.db.DueOutlets(b.Context(), now, []string{push.FCM}, 1)
		require.NoError(b, err)
		require.Len(b, outlets, 1)
		timed("compose", func() {
			for {
				n, err := y.db.ComposeDue(b.Context(), outlets[0], now, 256, func(kind string, alerts []push.Alert) push.Message {
					return push.Compose(kind, alerts, push.ContentTags, now)
				})
				require.NoError(b, err)
				if n == 0 {
					return
				}
			}
		})
		var claimed push.Claimed
		timed("claim", func() {
			claimed, err = y.db.Claim(b.Context(), push.Claim{
				Outlet: outlets[0], Now: now, LeaseUntil: now.Add(time.Minute), Token: "lease", Rooms: []push.Room{{Provider: push.FCM, Limit: parcels.MaxBatch}},
			})
			require.NoError(b, err)
			require.Len(b, claimed.Deliveries, parcels.MaxBatch)
		})
		ended := make([]push.Ended, len(claimed.Deliveries))
		for i, d := range claimed.Deliveries {
			ended[i] = push.Ended{Delivery: d, State: push.Sent, Code: "ok", ProviderID: "projects/p/messages/1", At: now}
		}
		timed("finish", func() { require.NoError(b, y.db.Finish(b.Context(), ended)) })
	}
	for name, took := range steps {
		b.ReportMetric(float64(took.Microseconds())/float64(b.N), name+"-µs/op")
	}
}
