package push

import "time"

// MaxBacklog bounds what a Backlog counts, of pushes and of deliveries: so many
// are at least so many. Watching a queue must not slow it down.
const MaxBacklog = 10_000

// Backlog is what waits to be sent.
type Backlog struct {
	Gathering int       // pushes whose window is open, or that wait to be composed
	Queued    int       // deliveries that wait for an attempt
	Leased    int       // deliveries of which an attempt is under way
	OldestDue time.Time // since when the longest waiting is due; zero: nothing is
}

// MaxDeviceCount bounds how many devices are looked at to count them.
const MaxDeviceCount = 100_000

// DeviceCount is how many devices of a provider there are.
type DeviceCount struct {
	Provider string
	Retired  bool // logged out, moved or dead
	Count    int
}
