package push

import (
	"time"

	"doorstep"
	"doorstep/prefs"
)

// Alert is one dispatched parcel that differs from the default. The courier's
// inbox holds it whether or not any push arrives.
type Alert struct {
	ID        string
	Seq       int64 // place in the courier's inbox: ascending, without gaps
	Waybill   doorstep.Waybill
	Tags      []prefs.Tag
	CreatedAt time.Time
	ExpiresAt time.Time
	AckedAt   time.Time // zero until acknowledged

	Version      int       // 1, or one more than that of the alert it supersedes
	Supersedes   string    // an earlier alert about the same parcel; "": none
	SupersededAt time.Time // zero while its word holds
}

// Bounds of how long an alert is worth a push.
const (
	shortestShift = 15 * time.Minute
	longestShift  = 14 * time.Hour
)

// How long pushes are worth sending whose alerts do not say it.
const (
	StopTime   = shortestShift // a reminder of the next stop: later he has been there
	RecallTime = longestShift  // a withdrawal: a banner outlives its alert
)

// EndOfShift is when an alert made at now expires: at the end of the outlet's
// day, but not before shortestShift and not after longestShift.
func EndOfShift(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	end := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	if least := now.Add(shortestShift); end.Before(least) {
		end = least
	}
	if most := now.Add(longestShift); end.After(most) {
		end = most
	}
	return end.UTC()
}
