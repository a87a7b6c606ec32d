package complaints

import (
	"time"

	"doorstep"
	"doorstep/parcels"
)

// Rules are what a period is measured by. They are frozen when it opens: an
// outlet that changes its hours changes no deadline that was given.
type Rules struct {
	Promise time.Duration // wall time to the first answer
	Work    time.Duration // of the outlet's hours
	Legal   time.Duration
	Zone    string // IANA name
	Hours   parcels.Hours
}

// The limits. Promise is the published rule of 24 hours; Legal is the
// regulator's seven days (Interim Regulations on Express Delivery, art. 28);
// Work is one outlet's working day.
const (
	Promise = 24 * time.Hour
	Work    = 8 * time.Hour
	Legal   = 7 * 24 * time.Hour
)

// RulesOf freezes an outlet's rules for a period that opens at from. A zone that
// is not known counts as UTC.
func RulesOf(zone string, hours parcels.Hours, from time.Time) Rules {
	r := Rules{Promise: Promise, Work: Work, Legal: Legal, Zone: zone}
	r.Hours = hours.Since(from, r.zone())
	return r
}

func (r Rules) zone() *time.Location {
	zone, err := doorstep.LoadZone(r.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}
