package push

import (
	"slices"
	"sync"
)

// MaxStreams is how many streams a courier may have open on a node: one for each
// phone that rings, and some slack. His token may name any number of devices.
const MaxStreams = MaxDevices + 2

// Bell tells who waits for news of a courier's inbox that there may be some. It
// carries no news itself: whoever hears it reads the inbox, so that a ring may
// be doubled, merged with another, or wrong, but never hide anything. The zero
// Bell is ready for use.
type Bell struct {
	mu     sync.Mutex
	ears   map[int64][]*Ear // by courier, the oldest first, at most MaxStreams each
	closed bool
}

// Ear hears the bell of one courier on one device.
type Ear struct {
	Rung   <-chan struct{} // has room for one ring: more are the same
	Closed <-chan struct{} // closed when another takes its place, or the bell closes

	courierNo int64
	device    string
	ring      chan struct{}
	closed    chan struct{}
	why       Drop // set before closed is
}

// Listen waits for the courier's news on a device, until Leave. An earlier ear
// of the same device is closed: a phone has one stream. Where the courier has
// MaxStreams already, his oldest is.
func (b *Bell) Listen(courierNo int64, device string) *Ear {
	e := &Ear{courierNo: courierNo, device: device, ring: make(chan struct{}, 1), closed: make(chan struct{})}
	e.Rung, e.Closed = e.ring, e.closed
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(e.closed)
		return e
	}
	if b.ears == nil {
		b.ears = map[int64][]*Ear{}
	}
	ears := b.ears[courierNo]
	if at := slices.IndexFunc(ears, func(other *Ear) bool { return other.device == device }); at >= 0 {
		ears[at].close(Replaced)
		ears = slices.Delete(ears, at, at+1)
	}
	if len(ears) == MaxStreams {
		ears[0].close(TooMany)
		ears = slices.Delete(ears, 0, 1)
	}
	b.ears[courierNo] = append(ears, e)
	return e
}

// Leave ends an ear. One that was closed already changes nothing.
func (b *Bell) Leave(e *Ear) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ears := b.ears[e.courierNo]
	at := slices.Index(ears, e)
	if at < 0 {
		return
	}
	if len(ears) == 1 {
		delete(b.ears, e.courierNo)
		return
	}
	b.ears[e.courierNo] = slices.Delete(ears, at, at+1)
}

// Ring tells whoever listens for the couriers. It never blocks.
func (b *Bell) Ring(couriers ...int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, no := range couriers {
		for _, e := range b.ears[no] {
			e.hear()
		}
	}
}

// RingAll tells everybody: after rings may have been missed.
func (b *Bell) RingAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ears := range b.ears {
		for _, e := range ears {
			e.hear()
		}
	}
}

// Close closes every ear, those to come included: the server is stopping.
func (b *Bell) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ears := range b.ears {
		for _, e := range ears {
			close(e.closed)
		}
	}
	b.ears, b.closed = nil, true
}

// Listening is how many ears there are.
func (b *Bell) Listening() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ears := range b.ears {
		n += len(ears)
	}
	return n
}

// Why says, once the ear is closed, what took its place; nil if the bell closed.
func (e *Ear) Why() error {
	if e.why == "" {
		return nil
	}
	return e.why
}

func (e *Ear) close(why Drop) {
	e.why = why
	close(e.closed)
}

func (e *Ear) hear() {
	select {
	case e.ring <- struct{}{}:
	default:
	}
}
