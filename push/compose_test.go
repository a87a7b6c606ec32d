package push_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep"
	"doorstep/prefs"
	"doorstep/push"
)

var now = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

func alert(i int, tags ...prefs.Tag) push.Alert {
	return push.Alert{
		ID: doorstep.MakeID(7), Seq: int64(i), Waybill: doorstep.Waybill("SF000" + strconv.Itoa(1000+i)), Tags: tags,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

type line struct {
	ID string   `json:"id"`
	W  *string  `json:"w"`
	T  []string `json:"t"`
}

func lines(t require.TestingT, m push.Message) (list []line) {
	require.NoError(t, json.Unmarshal([]byte(m.Data["alerts"]), &list))
	return list
}

func TestAPushNamesTagsAndTheLastFourOfTheWaybill(t *testing.T) {
	a := alert(1, prefs.NoLocker, prefs.CallFirst)
	m := push.Compose(push.KindDigest, []push.Alert{a}, push.ContentTags, now)
	got := lines(t, m)
	require.Equal(t, a.ID, got[0].ID)
	require.Equal(t, "1001", *got[0].W)
	require.Equal(t, []string{"no_locker", "call_first"}, got[0].T)
	require.Equal(t, "0", m.Data["more"])
	require.Equal(t, []string{"1"}, m.BodyArgs)
	require.Equal(t, time.Hour, m.TTL)
}

func TestWhatTellsWhoIsHomeNeverLeavesInAPush(t *testing.T) {
	a := alert(1, prefs.EveningOnly, prefs.DaytimeOnly, prefs.WeekendOnly, prefs.NoWeekend, prefs.DogOrChildAtHome)
	got := lines(t, push.Compose(push.KindDigest, []push.Alert{a}, push.ContentTags, now))
	require.Len(t, got, 1, "the alert is still rung for")
	require.Empty(t, got[0].T)
}

func TestAnOpaquePushSaysOnlyWhichAlerts(t *testing.T) {
	m := push.Compose(push.KindDigest, []push.Alert{alert(1, prefs.NoLocker)}, push.ContentOpaque, now)
	require.Nil(t, lines(t, m)[0].W)
	require.NotContains(t, m.Data["alerts"], "no_locker")
}

func TestAPushFitsAndCountsWhatDoesNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "alerts")
		alerts := make([]push.Alert, n)
		for i := range alerts {
			alerts[i] = alert(i, rapid.SliceOfDistinct(rapid.SampledFrom(prefs.Tags), rapid.ID).Draw(t, "tags")...)
		}
		m := push.Compose(push.KindDigest, alerts, push.ContentTags, now)
		size := 0
		for k, v := range m.Data {
			size += len(k) + len(v)
		}
		require.LessOrEqual(t, size, push.MaxData)
		more, err := strconv.Atoi(m.Data["more"])
		require.NoError(t, err)
		require.Equal(t, n, more+len(lines(t, m)))
		require.Equal(t, []string{strconv.Itoa(n)}, m.BodyArgs)
		if strings.Contains(m.Data["alerts"], "]]") {
			t.Fatal("not a flat list")
		}
	})
}

func TestAnAlertLivesToTheEndOfTheShift(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	at := func(h, m int) time.Time { return time.Date(2026, 3, 2, h, m, 0, 0, zone) }
	for _, tt := range []struct {
		made time.Time
		want time.Duration
	}{
		{at(9, 0), 14 * time.Hour},
		{at(10, 0), 14 * time.Hour},
		{at(18, 0), 6 * time.Hour},
		{at(23, 50), 15 * time.Minute},
	} {
		require.Equal(t, tt.want, push.EndOfShift(tt.made, zone).Sub(tt.made), tt.made)
	}
}
