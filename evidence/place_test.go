package evidence_test

import (
	"crypto/rand"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/evidence"
)

func TestDistancesAreThoseOfTheMap(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to evidence.Point
		metres   float64 // on a ball of the mean radius
	}{
		"nowhere":                    {evidence.Point{Lat: 31.2304, Lng: 121.4737}, evidence.Point{Lat: 31.2304, Lng: 121.4737}, 0},
		"a degree of a meridian":     {evidence.Point{}, evidence.Point{Lat: 1}, 111_195},
		"a degree of the equator":    {evidence.Point{}, evidence.Point{Lng: 1}, 111_195},
		"a degree at 60 north":       {evidence.Point{Lat: 60}, evidence.Point{Lat: 60, Lng: 1}, 55_597},
		"Shanghai to Beijing":        {evidence.Point{Lat: 31.2304, Lng: 121.4737}, evidence.Point{Lat: 39.9042, Lng: 116.4074}, 1_067_300},
		"over the antimeridian":      {evidence.Point{Lng: 179.5}, evidence.Point{Lng: -179.5}, 111_195},
		"the antimeridian itself":    {evidence.Point{Lat: 10, Lng: 180}, evidence.Point{Lat: 10, Lng: -180}, 0},
		"pole to pole":               {evidence.Point{Lat: 90}, evidence.Point{Lat: -90, Lng: 77}, 20_015_115},
		"a pole, by any meridian":    {evidence.Point{Lat: 90, Lng: 10}, evidence.Point{Lat: 90, Lng: -120}, 0},
		"over the pole":              {evidence.Point{Lat: 89, Lng: 0}, evidence.Point{Lat: 89, Lng: 180}, 222_390},
		"the other side of the ball": {evidence.Point{Lat: 12, Lng: 34}, evidence.Point{Lat: -12, Lng: -146}, 20_015_115},
	} {
		require.InDelta(t, tt.metres, tt.from.DistanceTo(tt.to), 1+tt.metres*0.001, name)
	}
}

func TestADistanceIsTheSameBothWaysAndNeverLongerThanADetour(t *testing.T) {
	point := rapid.Custom(func(t *rapid.T) evidence.Point {
		return evidence.Point{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := point.Draw(t, "a"), point.Draw(t, "b"), point.Draw(t, "c")
		ab := a.DistanceTo(b)
		require.InDelta(t, ab, b.DistanceTo(a), 1e-3)
		require.GreaterOrEqual(t, ab, 0.0)
		require.LessOrEqual(t, ab, a.DistanceTo(c)+c.DistanceTo(b)+1)
	})
}

func TestABadFixConvictsNobody(t *testing.T) {
	door := evidence.Point{Lat: 31.2304, Lng: 121.4737}
	north := func(metres float64) evidence.Point {
		return evidence.Point{Lat: door.Lat + metres/111_195, Lng: door.Lng}
	}
	for _, tt := range []struct {
		away, accuracy float64
		want           int64
	}{
		{0, 0, 0}, {0, 500, 0}, {300, 300, 0}, {300, 1000, 0}, {300, 299, 0}, {300, 285, 10}, {309, 8, 300}, {2005, 0, 2000},
	} {
		got := evidence.Fix{Point: north(tt.away), AccuracyM: tt.accuracy}.Distance(door)
		require.Equal(t, evidence.Field{Name: "distance_m", Value: tt.want}, got, "%v", tt)
	}
}

func TestOnlyPointsOnEarthAreTaken(t *testing.T) {
	for _, good := range []evidence.Point{{}, {Lat: 90, Lng: 180}, {Lat: -90, Lng: -180}} {
		require.NoError(t, good.Check())
	}
	for _, bad := range []evidence.Point{{Lat: 90.1}, {Lng: -180.1}, {Lat: math.NaN()}, {Lng: math.Inf(1)}} {
		require.Error(t, bad.Check(), "%v", bad)
	}
}

func TestFieldsCanGoWhileTheOthersStillOpen(t *testing.T) {
	fields := []evidence.Field{{"lat", 31.2304}, {"lng", 121.4737}, {"accuracy_m", 8.0}, {"distance_m", int64(120)}}
	commitments, kept, err := evidence.Commit(fields, rand.Reader)
	require.NoError(t, err)
	opening := open(t, kept)
	left := opening.Without(evidence.Coordinates...)
	for name, opens := range map[string]bool{"lat": false, "lng": false, "accuracy_m": true, "distance_m": true} {
		require.Equal(t, opens, left.Opens(commitments, name), name)
		require.True(t, opening.Opens(commitments, name), "the opening itself stays whole: %s", name)
	}
	require.NotContains(t, left.Salts, "lat")
	require.NotContains(t, left.Values, "lng")
}
