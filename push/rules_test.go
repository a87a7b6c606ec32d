package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/push"
)

func TestQuietHoursEndByTheOutletsOwnClock(t *testing.T) {
	night := push.Rules{QuietFrom: "21:00", QuietTo: "06:30"}
	noon := push.Rules{QuietFrom: "12:00", QuietTo: "13:30"}
	for _, tt := range []struct {
		name      string
		rules     push.Rules
		zone      string
		now, want string // local; want "" = at once
	}{
		{"no rules", push.Rules{}, "Asia/Shanghai", "2026-03-02 03:00", ""},
		{"before night", night, "Asia/Shanghai", "2026-03-02 20:59", ""},
		{"night begins", night, "Asia/Shanghai", "2026-03-02 21:00", "2026-03-03 06:30"},
		{"after midnight", night, "Asia/Shanghai", "2026-03-03 06:29", "2026-03-03 06:30"},
		{"morning", night, "Asia/Shanghai", "2026-03-03 06:30", ""},
		{"noon", noon, "Asia/Shanghai", "2026-03-02 12:00", "2026-03-02 13:30"},
		{"after noon", noon, "Asia/Shanghai", "2026-03-02 13:30", ""},
		{"clocks go forward in the night", night, "Europe/Berlin", "2026-03-28 23:00", "2026-03-29 06:30"},
		{"clocks go back in the night", night, "Europe/Berlin", "2026-10-24 23:00", "2026-10-25 06:30"},
		{"the end of a year", night, "Asia/Shanghai", "2026-12-31 23:00", "2027-01-01 06:30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone, err := time.LoadLocation(tt.zone)
			require.NoError(t, err)
			now, err := time.ParseInLocation("2006-01-02 15:04", tt.now, zone)
			require.NoError(t, err)
			want := now
			if tt.want != "" {
				want, err = time.ParseInLocation("2006-01-02 15:04", tt.want, zone)
				require.NoError(t, err)
			}
			require.True(t, want.Equal(tt.rules.QuietUntil(now, zone)), tt.rules.QuietUntil(now, zone))
		})
	}
}

func TestQuietHoursAlwaysEndWithinADay(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	clock := rapid.StringMatching(`([01][0-9]|2[0-3]):[0-5][0-9]`)
	rapid.Check(t, func(t *rapid.T) {
		r := push.Rules{QuietFrom: clock.Draw(t, "from"), QuietTo: clock.Draw(t, "to")}
		if r.Check() != nil {
			t.Skip("not rules that an outlet could set")
		}
		at := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "now"), 0)
		end := r.QuietUntil(at, zone)
		require.False(t, end.Before(at))
		require.LessOrEqual(t, end.Sub(at), 25*time.Hour)
		again := r.QuietUntil(end, zone)
		require.False(t, again.Sub(end) > time.Hour, "and then it is quiet no more")
	})
}

func TestRulesAreChecked(t *testing.T) {
	for _, good := range []push.Rules{{}, {QuietFrom: "21:00", QuietTo: "06:30", PerDay: 12}} {
		require.NoError(t, good.Check())
	}
	for _, bad := range []push.Rules{{QuietFrom: "21:00"}, {QuietFrom: "24:00", QuietTo: "06:00"}, {QuietFrom: "9:00", QuietTo: "10:00"}, {QuietFrom: "09:00", QuietTo: "09:00"}, {PerDay: -1}} {
		require.Error(t, bad.Check(), bad)
	}
}
