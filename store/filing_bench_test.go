package store_test

import (
	"crypto/rand"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/complaints"
	"doorstep/outreach"
)

// processed is the time that the process has had of processors.
func processed(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFile files complaints about parcels of many consumers over sixteen
// callers, each learned from and asked about. Processors' time means something
// also while the machine is busy. What reading a text takes is in reading's own.
func BenchmarkFile(b *testing.B) {
	y := newYard(b)
	for y.waybill < b.N {
		y.dispatch(y.batch(16))
	}
	asker := outreach.Desk{
		Store: y.db, Now: y.clock.Now, NewID: doorstep.MakeID, Random: rand.Reader, URL: func(secret string) string { return "https://example.com/" + secret },
	}
	desk := complaints.Desk{
		Store: y.db, Now: y.clock.Now, NewID: doorstep.MakeID, Ask: asker.Inquire,
		Read: func(string) complaints.Reading {
			return complaints.Reading{Category: complaints.NotToDoor, Tags: []complaints.TagReading{{Tag: "to_door", Confidence: 0.9}}}
		},
	}
	var n atomic.Int64
	began := processed(b)
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, err := desk.File(b.Context(), y.actor, complaints.Filing{Waybill: waybillNo(int(n.Add(1))), Text: "没有送上门"})
			require.NoError(b, err)
		}
	})
	b.ReportMetric(float64((processed(b)-began).Microseconds())/float64(b.N), "cpu-us/op")
}
