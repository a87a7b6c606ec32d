package parcels_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/parcels"
)

const wallClock = "2006-01-02 15:04:05"

func daily(spans ...parcels.Span) parcels.Hours {
	h := parcels.Hours{Weekly: map[string][]parcels.Span{}}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		h.Weekly[day] = spans
	}
	return h
}

// split is a week with lunch breaks, a short Saturday and no Sunday.
func split() parcels.Hours {
	h := daily(parcels.Span{Opens: "09:00", Closes: "12:00"}, parcels.Span{Opens: "14:00", Closes: "18:00"})
	h.Weekly["sat"] = []parcels.Span{{Opens: "10:00", Closes: "14:00"}}
	delete(h.Weekly, "sun")
	return h
}

func TestEightHoursOfWork(t *testing.T) {
	usual, always := parcels.Hours{}, daily(parcels.Span{Opens: "00:00", Closes: "24:00"})
	early := daily(parcels.Span{Opens: "01:00", Closes: "05:00"})
	holidays := split()
	holidays.Exceptions = []parcels.Exception{{Date: "2026-03-08", Spans: []parcels.Span{{Opens: "09:00", Closes: "12:00"}}}, {Date: "2026-03-09"}}
	mondayOff := parcels.Hours{Exceptions: []parcels.Exception{{Date: "2026-03-02"}}}
	const shanghai, berlin = "Asia/Shanghai", "Europe/Berlin"
	// 2026-03-02 is a Monday.
	for _, tt := range []struct {
		name       string
		hours      parcels.Hours
		zone       string
		from, want string // on clocks there
	}{
		{"from the opening", usual, shanghai, "2026-03-02 09:00:00", "2026-03-02 17:00:00"},
		{"before the opening", usual, shanghai, "2026-03-02 08:00:00", "2026-03-02 17:00:00"},
		{"to the close", usual, shanghai, "2026-03-02 10:00:00", "2026-03-02 18:00:00"},
		{"a second too late", usual, shanghai, "2026-03-02 10:00:01", "2026-03-03 09:00:01"},
		{"at the close", usual, shanghai, "2026-03-02 18:00:00", "2026-03-03 17:00:00"},
		{"just before midnight", usual, shanghai, "2026-03-02 23:59:59", "2026-03-03 17:00:00"},
		{"at midnight", usual, shanghai, "2026-03-03 00:00:00", "2026-03-03 17:00:00"},
		{"over a night", usual, shanghai, "2026-03-01 12:00:00", "2026-03-02 11:00:00"},
		{"a closed day before usual ones", mondayOff, shanghai, "2026-03-02 09:00:00", "2026-03-03 17:00:00"},
		{"over lunch and a night", split(), shanghai, "2026-03-02 09:00:00", "2026-03-03 10:00:00"},
		{"half an hour before lunch", split(), shanghai, "2026-03-02 11:30:00", "2026-03-03 14:30:00"},
		{"at the lunch break", split(), shanghai, "2026-03-02 12:00:00", "2026-03-03 15:00:00"},
		{"at lunch", split(), shanghai, "2026-03-02 13:00:00", "2026-03-03 15:00:00"},
		{"after lunch", split(), shanghai, "2026-03-02 14:00:00", "2026-03-03 15:00:00"},
		{"into Saturday", split(), shanghai, "2026-03-06 09:00:00", "2026-03-07 11:00:00"},
		{"over the weekend, to a break", split(), shanghai, "2026-03-06 17:00:00", "2026-03-09 12:00:00"},
		{"over the weekend, to a close", split(), shanghai, "2026-03-07 13:00:00", "2026-03-09 18:00:00"},
		{"at Saturday's close", split(), shanghai, "2026-03-07 14:00:00", "2026-03-10 10:00:00"},
		{"on Sunday", split(), shanghai, "2026-03-08 10:00:00", "2026-03-10 10:00:00"},
		{"a holiday and a worked Sunday", holidays, shanghai, "2026-03-07 13:00:00", "2026-03-10 15:00:00"},
		{"to the end of the worked Sunday", holidays, shanghai, "2026-03-06 17:00:00", "2026-03-08 12:00:00"},
		{"round the clock", always, shanghai, "2026-03-02 20:00:00", "2026-03-03 04:00:00"},
		{"to midnight", always, shanghai, "2026-03-02 16:00:00", "2026-03-03 00:00:00"},
		{"over the hour that spring skips", always, berlin, "2026-03-28 20:00:00", "2026-03-29 05:00:00"},
		{"over the hour that autumn repeats", always, berlin, "2026-10-24 20:00:00", "2026-10-25 03:00:00"},
		{"spring by day", usual, berlin, "2026-03-28 17:00:00", "2026-03-29 16:00:00"},
		{"autumn by day", usual, berlin, "2026-10-24 17:00:00", "2026-10-25 16:00:00"},
		{"a span that spring shortens", early, berlin, "2026-03-29 00:00:00", "2026-03-31 02:00:00"},
		{"a span that autumn lengthens", early, berlin, "2026-10-25 00:00:00", "2026-10-26 04:00:00"},
		{"New York's spring", always, "America/New_York", "2026-03-07 22:00:00", "2026-03-08 07:00:00"},
		{"a zone of quarter hours", usual, "Asia/Kathmandu", "2026-03-02 09:00:00", "2026-03-02 17:00:00"},
		{"a clock change of half an hour", always, "Australia/Lord_Howe", "2026-04-04 20:00:00", "2026-04-05 03:30:00"},
		{"never open", parcels.Hours{Weekly: map[string][]parcels.Span{"mon": {}}}, shanghai, "2026-03-02 09:00:00", "2026-05-01 09:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone, err := time.LoadLocation(tt.zone)
			require.NoError(t, err)
			from, err := time.ParseInLocation(wallClock, tt.from, zone)
			require.NoError(t, err)
			got := tt.hours.After(from, 8*time.Hour, zone)
			require.Equal(t, tt.want, got.In(zone).Format(wallClock))
			if tt.name != "never open" {
				require.Equal(t, 8*time.Hour, tt.hours.Between(from, got, zone), "and back")
			}
		})
	}
}

func TestWorkingTimeAddsUp(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.SampledFrom([]parcels.Hours{{}, split(), daily(parcels.Span{Opens: "00:00", Closes: "24:00"}), daily(parcels.Span{Opens: "01:30", Closes: "04:00"})}).Draw(t, "hours")
		from := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 20, 0, 0, 0, 0, zone).
			Add(time.Duration(rapid.Int64Range(0, 14*86400).Draw(t, "second")) * time.Second)
		a := time.Duration(rapid.Int64Range(1, 12*3600).Draw(t, "a")) * time.Second
		b := time.Duration(rapid.Int64Range(1, 12*3600).Draw(t, "b")) * time.Second
		half := h.After(from, a, zone)
		require.Equal(t, h.After(from, a+b, zone), h.After(half, b, zone), "in two steps as in one")
		require.Equal(t, a, h.Between(from, half, zone))
		require.False(t, half.Before(from.Add(a)), "no work is faster than time")
	})
}
