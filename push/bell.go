package push

import "sync"

// Bell tells who waits for news of a courier's inbox that there may be some. It
// carries no news itself: whoever hears it reads the inbox, so that a ring may
// be doubled, merged with another, or wrong, but never hide anything. The zero
// Bell is ready for use.
type Bell struct {
	mu     sync.Mutex
	ears   map[int64]map[string]*Ear // by courier, then by device
	closed bool
}

// Ear hears the bell of one courier on one device.
type Ear struct {
	Rung   <-chan struct{} // has room for one ring: more are the same
	Closed <-chan struct{} // closed when the device listens anew, or the bell closes

	courierNo int64
	device    string
	ring      chan struct{}
	closed    chan struct{}
}

// Listen waits for the courier's news on a device, until Leave. An earlier ear
// of the same device is closed: a phone has one stream.
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
		b.ears = map[int64]map[string]*Ear{}
	}
	if b.ears[courierNo] == nil {
		b.ears[courierNo] = map[string]*Ear{}
	}
	if earlier := b.ears[courierNo][device]; earlier != nil {
		close(earlier.closed)
	}
	b.ears[courierNo][device] = e
	return e
}

// Leave ends an ear. One that was closed already changes nothing.
func (b *Bell) Leave(e *Ear) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ears := b.ears[e.courierNo]
	if ears[e.device] != e {
		return
	}
	delete(ears, e.device)
	if len(ears) == 0 {
		delete(b.ears, e.courierNo)
	}
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

func (e *Ear) hear() {
	select {
	case e.ring <- struct{}{}:
	default:
	}
}
