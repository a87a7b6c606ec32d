package store_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep"
	"doorstep/evidence"
)

// uploads is a record of each of the parcels, under new ids.
func (y *yard) uploads(waybills []string) []evidence.Upload {
	at, direction, outcome, seconds, channel, sent := y.clock.Now().Format(time.RFC3339), "outgoing", "answered", 23.0, "sms", "sent"
	list := make([]evidence.Upload, len(waybills))
	for i, w := range waybills {
		list[i] = evidence.Upload{ID: uuid.NewString(), Waybill: w, OccurredAt: at}
		if i%2 == 0 {
			list[i].Kind, list[i].Direction, list[i].DurationS, list[i].Outcome = "call", &direction, &seconds, &outcome
		} else {
			list[i].Kind, list[i].Channel, list[i].Outcome = "message", &channel, &sent
		}
	}
	return list
}

// BenchmarkAdd100Uploads is a call of 100 records; eight couriers send such calls
// all the time.
func BenchmarkAdd100Uploads(b *testing.B) {
	const couriers = 8
	y := newYard(b)
	orders := y.batch(couriers)
	y.dispatch(orders)
	rounds := make([][]string, couriers)
	for i, o := range orders {
		if c := i % couriers; len(rounds[c]) < 100 {
			rounds[c] = append(rounds[c], o.Waybill)
		}
	}
	r := evidence.Recorder{Store: y.db, Now: y.clock.Now, NewID: doorstep.MakeID}
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism((couriers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		c := int(next.Add(1)-1) % couriers
		courier := doorstep.Actor{Role: doorstep.RoleCourier, Company: y.actor.Company, Courier: fmt.Sprintf("c-%d", c)}
		for pb.Next() {
			verdicts, err := r.Upload(b.Context(), courier, y.uploads(rounds[c]))
			if err != nil {
				b.Error(err)
				return
			}
			for _, v := range verdicts {
				if v.Status != evidence.Accepted {
					b.Error(v)
				}
			}
		}
	})
}
