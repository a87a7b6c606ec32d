package prefs_test

import (
	"testing"
	"time"

	"doorstep/prefs"
)

func BenchmarkDecide(b *testing.B) {
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	door := prefs.Door{Waybill: "SF000000000001", AddressID: "a-1"}
	wishes := prefs.Profile{
		Preferences: []prefs.Preference{{Scope: prefs.Standing, Tag: "call_first", On: true, SetAt: now.Add(-time.Hour)}},
		Evidence:    []prefs.Evidence{{Tag: "no_locker", SourceID: "complaint-1", Category: "locker_without_consent", Weight: 0.9, At: now.Add(-24 * time.Hour)}},
	}
	for name, profile := range map[string]prefs.Profile{"nobody": {}, "wishes": wishes} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				profile.Decide(door, now)
			}
		})
	}
}
