package sink

import (
	"math/rand/v2"
	"slices"
	"time"
)

// What FCM keeps for a device that is away
// (firebase.google.com/docs/cloud-messaging/customize-messages).
const (
	maxCollapseKeys = 4   // each with its newest message
	maxPlain        = 100 // messages without a collapse key
	defaultTTL      = 28 * 24 * time.Hour
)

// delivery is a message on its way to a device.
type delivery struct {
	Received
	ttl      time.Duration
	collapse string
}

// expired says that it is too late to deliver m.
func (m delivery) expired(now time.Time) bool { return now.Sub(m.At) >= m.ttl }

// device is a registration token: what FCM keeps for it, and the phone behind.
//
// The documentation of FCM says too that messages with a notification ignore
// their collapse key and always collapse. The sink goes by the key alone: that
// keeps apart what the sender means to keep apart.
type device struct {
	token   string
	offline bool
	waiting []delivery // the oldest first
	dropped bool       // too many waited; the phone is told when it is back
	sends   int        // well-formed, taken or not
	screen  screen
	chance  *rand.Rand // its own, so that no other device's traffic changes its order
}

// keep stores m until the device is back, unless it is for now or never.
func (d *device) keep(m delivery, now time.Time) {
	if m.ttl == 0 {
		return
	}
	d.expire(now)
	d.waiting = append(slices.DeleteFunc(d.waiting, func(old delivery) bool {
		return old.collapse != "" && old.collapse == m.collapse
	}), m)
	keyed := d.keyed()
	if len(d.waiting)-len(keyed) > maxPlain {
		d.drop()
		return
	}
	if len(keyed) > maxCollapseKeys { // which one goes, FCM does not promise
		i := keyed[d.chance.IntN(len(keyed))]
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
}

// keyed are the places of the waiting messages that have a collapse key.
func (d *device) keyed() []int {
	var places []int
	for i, m := range d.waiting {
		if m.collapse != "" {
			places = append(places, i)
		}
	}
	return places
}

// drop loses all that waits.
func (d *device) drop() { d.waiting, d.dropped = nil, true }

// clear forgets all messages.
func (d *device) clear() { d.waiting, d.dropped, d.screen = nil, false, screen{} }

// expire forgets what has waited too long.
func (d *device) expire(now time.Time) {
	d.waiting = slices.DeleteFunc(d.waiting, func(m delivery) bool { return m.expired(now) })
}

// collect gives what has waited to a device that is back, in an order that
// means nothing, and whether messages were dropped meanwhile.
func (d *device) collect(now time.Time) (waited []delivery, dropped bool) {
	d.expire(now)
	waited, dropped = d.waiting, d.dropped
	d.waiting, d.dropped = nil, false
	d.chance.Shuffle(len(waited), func(i, j int) { waited[i], waited[j] = waited[j], waited[i] })
	return waited, dropped
}
