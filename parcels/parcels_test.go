package parcels_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
)

// shelf keeps outlets in memory.
type shelf struct{ parcels.RosterStore }

func (shelf) PutOutlet(_ context.Context, _ doorstep.CompanyNo, o parcels.Outlet) (parcels.Outlet, error) {
	return o, nil
}

func TestAnOutletsHoursAreChecked(t *testing.T) {
	roster := parcels.Roster{Store: shelf{}, Now: time.Now, TimeZone: "Asia/Shanghai"}
	weekly := func(spans ...parcels.Span) parcels.Hours {
		return parcels.Hours{Weekly: map[string][]parcels.Span{"mon": spans}}
	}
	for _, tt := range []struct {
		name    string
		outlet  parcels.Outlet
		pointer string // of the only bad field; "" = good
	}{
		{"split shift", parcels.Outlet{Hours: weekly(parcels.Span{Opens: "08:00", Closes: "12:00"}, parcels.Span{Opens: "12:00", Closes: "24:00"})}, ""},
		{"closes before it opens", parcels.Outlet{Hours: weekly(parcels.Span{Opens: "12:00", Closes: "08:00"})}, "/hours/weekly/mon/0"},
		{"opens as it closes", parcels.Outlet{Hours: weekly(parcels.Span{Opens: "12:00", Closes: "12:00"})}, "/hours/weekly/mon/0"},
		{"overlap", parcels.Outlet{Hours: weekly(parcels.Span{Opens: "08:00", Closes: "12:00"}, parcels.Span{Opens: "11:59", Closes: "13:00"})}, "/hours/weekly/mon/1"},
		{"no clock time", parcels.Outlet{Hours: weekly(parcels.Span{Opens: "8:00", Closes: "25:00"})}, "/hours/weekly/mon/0"},
		{"unknown day", parcels.Outlet{Hours: parcels.Hours{Weekly: map[string][]parcels.Span{"Monday": nil}}}, "/hours/weekly"},
		{"closed on a date", parcels.Outlet{Hours: parcels.Hours{Exceptions: []parcels.Exception{{Date: "2026-02-17"}}}}, ""},
		{"no date", parcels.Outlet{Hours: parcels.Hours{Exceptions: []parcels.Exception{{Date: "2026-02-30"}}}}, "/hours/exceptions/0/date"},
		{"unknown zone", parcels.Outlet{TimeZone: "Mars/Olympus"}, "/time_zone"},
		{"the machine's own zone", parcels.Outlet{TimeZone: "Local"}, "/time_zone"},
		{"a language without texts", parcels.Outlet{Locale: "fr"}, "/locale"},
		{"a variant of one with", parcels.Outlet{Locale: "zh-Hant-TW"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.outlet.ID, tt.outlet.Name = "west", "West"
			_, err := roster.PutOutlet(context.Background(), doorstep.Actor{}, tt.outlet)
			if tt.pointer == "" {
				require.NoError(t, err)
				return
			}
			var invalid *doorstep.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Len(t, invalid.Fields, 1)
			require.Equal(t, tt.pointer, invalid.Fields[0].Pointer)
		})
	}
}

func TestWhatToDoFirstFollowsTheWishes(t *testing.T) {
	stop := func(tags ...prefs.Tag) parcels.Stop {
		s := parcels.Stop{}
		for _, tag := range tags {
			s.Decisions = append(s.Decisions, prefs.Decision{Tag: tag})
		}
		return s
	}
	require.Equal(t, parcels.NothingFirst, stop(prefs.NoLocker).DoFirst())
	require.Equal(t, parcels.CallFirst, stop(prefs.CallFirst, prefs.MessageFirst).DoFirst())
	require.Equal(t, parcels.MessageFirst, stop(prefs.MessageFirst, prefs.NoCall).DoFirst())
}

func TestADayIsLocal(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	at := time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)
	require.Equal(t, 20260302, parcels.Day(at, shanghai))
	require.Equal(t, 20260301, parcels.Day(at, newYork))
}
