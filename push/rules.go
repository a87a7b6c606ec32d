package push

import (
	"fmt"
	"regexp"
	"time"

	"doorstep"
)

// Rules are what an outlet sets about ringing its couriers. The zero value
// rings at any time and as often as there is something to say.
type Rules struct {
	QuietFrom string `json:"quiet_from,omitempty"` // HH:MM, the outlet's own time
	QuietTo   string `json:"quiet_to,omitempty"`   // HH:MM; before QuietFrom: on the next morning
	PerDay    int    `json:"per_day,omitempty"`    // pushes a courier and local day; 0: no bound
}

// Why a push is held back.
const (
	HeldQuiet  = "quiet_hours"
	HeldBudget = "budget"
)

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// Check says what is wrong with the rules' values.
func (r Rules) Check() error {
	var checks doorstep.Checks
	if (r.QuietFrom == "") != (r.QuietTo == "") {
		checks.Add("/quiet_to", "required", "quiet hours have a beginning and an end")
	}
	for _, f := range []struct{ pointer, value string }{{"/quiet_from", r.QuietFrom}, {"/quiet_to", r.QuietTo}} {
		if f.value != "" && !clockTime.MatchString(f.value) {
			checks.Add(f.pointer, "invalid_time", "must be HH:MM")
		}
	}
	if r.QuietFrom != "" && r.QuietFrom == r.QuietTo {
		checks.Add("/quiet_to", "empty_span", "must differ from quiet_from")
	}
	if r.PerDay < 0 || r.PerDay > 1000 {
		checks.Add("/per_day", "out_of_range", "must be 0 to 1000")
	}
	return checks.Err()
}

// QuietUntil is when quiet hours end that hold at now; now itself if none do.
// The hours follow the zone's clock, also on days that it is changed.
func (r Rules) QuietUntil(now time.Time, zone *time.Location) time.Time {
	if r.QuietFrom == "" {
		return now
	}
	local := now.In(zone)
	clock := fmt.Sprintf("%02d:%02d", local.Hour(), local.Minute())
	overnight := r.QuietTo < r.QuietFrom
	days := 0
	switch {
	case !overnight && (clock < r.QuietFrom || clock >= r.QuietTo):
		return now
	case overnight && clock < r.QuietFrom && clock >= r.QuietTo:
		return now
	case overnight && clock >= r.QuietFrom:
		days = 1
	}
	var hour, minute int
	fmt.Sscanf(r.QuietTo, "%d:%d", &hour, &minute) // checked when it was set
	end := time.Date(local.Year(), local.Month(), local.Day()+days, hour, minute, 0, 0, zone)
	if !end.After(now) { // the hour that is there twice when clocks go back
		end = end.Add(time.Hour)
	}
	return end.UTC()
}
