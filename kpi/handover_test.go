package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/kpi"
	"doorstep/parcels"
	"doorstep/prefs"
)

func signed(version int, act parcels.Act, method parcels.Method, after time.Duration) kpi.Signature {
	return kpi.Signature{Waybill: "SF1", Version: version, Act: act, Method: method, At: noon.Add(after), ReceivedAt: noon.Add(after)}
}

func TestTheFirstTerminalSignForCounts(t *testing.T) {
	scan := signed(0, "", parcels.InPerson, time.Hour)
	sign, corrected := signed(1, parcels.Signed, parcels.InLocker, 0), signed(2, parcels.Corrected, parcels.InPerson, 2*time.Hour)
	withdrawn, again := signed(3, parcels.Withdrawn, "", 3*time.Hour), signed(4, parcels.Signed, parcels.ByProxy, 50*time.Hour)
	for name, c := range map[string]struct {
		list   []kpi.Signature
		at     time.Duration
		method parcels.Method
	}{
		"a scan":                  {[]kpi.Signature{scan}, time.Hour, parcels.InPerson},
		"a sign-for":              {[]kpi.Signature{sign}, 0, parcels.InLocker},
		"both":                    {[]kpi.Signature{scan, sign}, 0, parcels.InLocker},
		"corrected":               {[]kpi.Signature{sign, corrected}, 0, parcels.InPerson},
		"withdrawn and again":     {[]kpi.Signature{sign, corrected, withdrawn, again}, 50 * time.Hour, parcels.ByProxy},
		"withdrawn, but for scan": {[]kpi.Signature{sign, corrected, withdrawn, scan}, time.Hour, parcels.InPerson},
	} {
		h, ok := kpi.Ending(c.list)
		require.True(t, ok, name)
		require.Equal(t, noon.Add(c.at), h.At, name)
		require.Equal(t, c.method, h.Method, name)
	}
	_, ok := kpi.Ending([]kpi.Signature{sign, corrected, withdrawn})
	require.False(t, ok)
}

func TestWhatFollowingAWishIs(t *testing.T) {
	tags := func(list ...prefs.Tag) []prefs.Tag { return list }
	for _, c := range []struct {
		tags   []prefs.Tag
		method parcels.Method
		want   kpi.Verdict
	}{
		{tags(prefs.NoLocker), parcels.InLocker, kpi.AgainstWish},
		{tags(prefs.NoLocker), parcels.AtPickupPoint, kpi.AsWished},
		{tags(prefs.NoLocker, prefs.NoPickupPoint), parcels.AtPickupPoint, kpi.AgainstWish},
		{tags(prefs.ToDoor), parcels.InLocker, kpi.AgainstWish},
		{tags(prefs.ToDoor), parcels.AtDoorstep, kpi.AsWished},
		{tags(prefs.SignInPerson), parcels.ByProxy, kpi.AgainstWish},
		{tags(prefs.SignInPerson), parcels.InPerson, kpi.AsWished},
		{tags(prefs.CallFirst), parcels.InLocker, kpi.Unjudged},
		{tags(prefs.NoLocker), "", kpi.Unjudged},
	} {
		require.Equal(t, c.want, kpi.Judge(c.tags, c.method), "%v %s", c.tags, c.method)
	}
}

func TestAParcelCountsWithWhatItsCourierKnew(t *testing.T) {
	day := kpi.DayOf(noon, zone(t, "Asia/Shanghai"))
	list := map[doorstep.Waybill][]kpi.Signature{"SF1": {signed(1, parcels.Signed, parcels.InLocker, 0)}}
	out := kpi.Carried{
		Waybill: "SF1", CourierNo: 7, DispatchedAt: noon.Add(-time.Hour), ReceivedAt: noon.Add(-time.Hour), Alerted: true, Tags: []prefs.Tag{prefs.NoLocker},
		DeliveredAt: noon.Add(-time.Minute), InformedAt: noon.Add(time.Minute), // too late
	}
	late := out
	late.DispatchedAt, late.ReceivedAt, late.CourierNo = noon.Add(time.Minute), noon.Add(time.Minute), 8
	got := kpi.TallyHandovers(day, list, map[doorstep.Waybill][]kpi.Carried{"SF1": {out, late}}, map[doorstep.Waybill]bool{"SF1": true})
	var want kpi.Counts
	want[kpi.Parcels], want[kpi.Alerted], want[kpi.Delivered], want[kpi.Unfollowed], want[kpi.UnfollowedBlamed] = 1, 1, 1, 1, 1
	require.Equal(t, kpi.Tally{{CourierNo: 7}: want}, got)

	want = kpi.Counts{}
	want[kpi.Parcels], want[kpi.Unalerted] = 1, 1
	require.Equal(t, kpi.Tally{{}: want}, kpi.TallyHandovers(day, list, nil, nil))
	require.Empty(t, kpi.TallyHandovers(day.Next(zone(t, "Asia/Shanghai")), list, nil, nil), "of another day")
}
