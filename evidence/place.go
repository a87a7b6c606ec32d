package evidence

import (
	"math"
	"slices"

	"doorstep"
)

// Point is a place on Earth, in degrees of WGS 84.
type Point struct {
	Lat float64 `json:"lat"`
	Lng float64 `json:"lng"`
}

// Check says what is wrong with the point, if anything.
func (p Point) Check() error {
	var checks doorstep.Checks
	if !(math.Abs(p.Lat) <= 90) { // so that NaN is refused
		checks.Add("/lat", "out_of_range", "must be -90 to 90")
	}
	if !(math.Abs(p.Lng) <= 180) {
		checks.Add("/lng", "out_of_range", "must be -180 to 180")
	}
	return checks.Err()
}

// earthRadius is the mean radius in metres (IUGG). Earth is no ball: a distance
// may be half a per cent off.
const earthRadius = 6_371_008.8

// DistanceTo is the way between two points in metres, over the ground, by the
// haversine formula, which stays exact for short ways.
func (p Point) DistanceTo(q Point) float64 {
	const degree = math.Pi / 180
	lat, lng := math.Sin((q.Lat-p.Lat)*degree/2), math.Sin((q.Lng-p.Lng)*degree/2)
	h := lat*lat + math.Cos(p.Lat*degree)*math.Cos(q.Lat*degree)*lng*lng
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

// Fix is where a phone says that it was.
type Fix struct {
	Point
	AccuracyM float64 // how far off it may be
}

// fix reads a location's.
func (f Fact) fix() (at Fix) {
	for _, field := range slices.Concat(f.Fields, f.Derived) {
		n, _ := field.Value.(float64)
		switch field.Name {
		case "lat":
			at.Lat = n
		case "lng":
			at.Lng = n
		case "accuracy_m":
			at.AccuracyM = n
		}
	}
	return at
}

// Coordinates are the fields of a record that say where somebody was. They are
// forgotten before the rest; the distance stays.
var Coordinates = []string{"lat", "lng"}

// distanceStep is what distances are rounded down to, in metres.
const distanceStep = 10

// Distance is a field that says how far from the door the phone was at the
// least: what the fix may be off is taken away first, so that a bad one convicts
// nobody.
func (f Fix) Distance(door Point) Field {
	metres := math.Max(0, f.DistanceTo(door)-f.AccuracyM)
	return Field{"distance_m", int64(metres) / distanceStep * distanceStep}
}
