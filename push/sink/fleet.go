package sink

import (
	"container/list"
	"hash/fnv"
	"iter"
	"math/rand/v2"
)

// Bounds of the memory that devices take.
const (
	maxDevices = 1_000
	maxWaiting = keep // messages, for all devices together
)

// fleet holds the devices last heard of. One that was forgotten begins anew,
// and online, when it is heard of again.
type fleet struct {
	seed    uint64
	byToken map[string]*list.Element
	order   *list.List // of *device, the one last heard of first
}

func newFleet(seed uint64) *fleet {
	return &fleet{seed: seed, byToken: map[string]*list.Element{}, order: list.New()}
}

// known finds a device where it is, or gives nil.
func (f *fleet) known(token string) *device {
	if e := f.byToken[token]; e != nil {
		return e.Value.(*device)
	}
	return nil
}

// heardOf finds or makes the device and puts it first.
func (f *fleet) heardOf(token string) *device {
	d := f.device(token)
	f.order.MoveToFront(f.byToken[token])
	return d
}

// device finds the device where it is, or makes it.
func (f *fleet) device(token string) *device {
	if d := f.known(token); d != nil {
		return d
	}
	d := &device{token: token, offline: startsOffline(token), chance: rand.New(rand.NewPCG(f.seed, hash(token)))}
	f.byToken[token] = f.order.PushFront(d)
	if f.order.Len() > maxDevices {
		oldest := f.order.Remove(f.order.Back()).(*device)
		delete(f.byToken, oldest.token)
	}
	return d
}

// all goes through the devices, the one last heard of first.
func (f *fleet) all() iter.Seq[*device] {
	return func(yield func(*device) bool) {
		for e := f.order.Front(); e != nil; e = e.Next() {
			if !yield(e.Value.(*device)) {
				return
			}
		}
	}
}

// makeRoom drops what waits for the device not heard of for longest if too much
// waits in all.
func (f *fleet) makeRoom() {
	waiting := 0
	var oldest *device
	for d := range f.all() {
		waiting += len(d.waiting)
		if len(d.waiting) > 0 {
			oldest = d
		}
	}
	if waiting > maxWaiting {
		oldest.drop()
	}
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum64()
}
