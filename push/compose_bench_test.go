package push_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep"
	"doorstep/prefs"
	"doorstep/push"
)

func BenchmarkComposeDigestOf20(b *testing.B) {
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	var alerts []push.Alert
	for i := range 20 {
		alerts = append(alerts, push.Alert{
			ID: doorstep.MakeID(3), Seq: int64(i), Waybill: doorstep.Waybill(fmt.Sprintf("SF%012d", i)),
			Tags: []prefs.Tag{"call_first", "no_locker"}, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		push.Compose(push.KindDigest, alerts, push.ContentTags, now)
	}
}
