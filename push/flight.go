package push

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep"
)

const (
	finishTime  = 10 * time.Second // for claiming, and for writing outcomes, also once the server is stopping
	landTime    = 12 * time.Second // for what is under way when the server stops: longer than an attempt
	finishBatch = 256
	finishers   = 4 // batches of outcomes on their way to the database at once
)

// flight is the messages that are under way. Slow ones hold up nobody: a place
// that comes free is filled, and outcomes are written together as they come.
type flight struct {
	sender   *Sender
	freed    chan struct{} // told when a delivery has ended
	outcomes chan Ended
	sending  sync.WaitGroup
	over     chan struct{}  // closed when nobody waits for outcomes any more
	written  sync.WaitGroup // for the last outcomes

	entry  sync.RWMutex
	closed bool // to what others hand over

	mu   sync.Mutex
	busy map[string]bool // devices with a message under way
}

func newFlight(s *Sender) *flight {
	f := &flight{
		sender: s, freed: make(chan struct{}, 1), outcomes: make(chan Ended, finishBatch),
		over: make(chan struct{}), busy: map[string]bool{},
	}
	for range finishers {
		f.written.Go(f.write)
	}
	return f
}

// land waits for what is under way and until it is written down: what a
// provider may have taken must not be forgotten. What takes too long keeps its
// lease, and counts as ambiguous once that runs out.
func (f *flight) land() {
	f.entry.Lock()
	f.closed = true
	f.entry.Unlock()
	for _, g := range f.sender.gates {
		g.dismiss()
	}
	landed := make(chan struct{})
	go func() {
		f.sending.Wait()
		close(landed)
	}()
	late := time.NewTimer(landTime)
	defer late.Stop()
	select {
	case <-landed:
	case <-late.C:
		f.sender.Log.Warn("pushes under way are left to their leases", "count", len(f.devices()))
	}
	close(f.over)
	f.written.Wait()
}

// launch composes what is due and sends what there is room for.
func (f *flight) launch(ctx context.Context) (moved int, err error) {
	s := f.sender
	var open []string
	for _, r := range s.rooms(1)[0] {
		open = append(open, r.Provider)
	}
	outlets, err := s.Queue.DueOutlets(ctx, s.Now(), open, outletBatch)
	if err != nil {
		return 0, fmt.Errorf("due outlets: %w", err)
	}
	if len(outlets) == 0 {
		return 0, nil
	}
	// Each outlet gets its share of the room, so that none starves another. One
	// outlet's trouble must not stop the others.
	rooms := s.rooms(len(outlets))
	counts, failures := make([]int, len(outlets)), make([]error, len(outlets))
	var work errgroup.Group
	work.SetLimit(outletsAtOnce)
	for i, outlet := range outlets {
		work.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			var err error
			if counts[i], err = f.launchOutlet(ctx, outlet, rooms[i]); err != nil {
				failures[i] = fmt.Errorf("outlet %d: %w", outlet, err)
			}
			return nil
		})
	}
	_ = work.Wait() // failures has the errors
	for _, n := range counts {
		moved += n
	}
	return moved, errors.Join(failures...)
}

func (f *flight) launchOutlet(ctx context.Context, outlet doorstep.OutletNo, rooms []Room) (int, error) {
	claimed, err := f.claim(ctx, f.claimOf(outlet, rooms))
	if err != nil {
		return 0, err
	}
	for _, d := range claimed.Deliveries {
		f.begin(ctx, d)
	}
	return claimed.Composed + len(claimed.Deliveries), nil
}

func (f *flight) claimOf(outlet doorstep.OutletNo, rooms []Room) Claim {
	s := f.sender
	now := s.Now()
	return Claim{
		Outlet: outlet, Now: now, LeaseUntil: now.Add(leaseTime), Token: s.NewToken(), Rooms: rooms, Busy: f.devices(),
		Compose: func(kind string, alerts []Alert) Message { return Compose(kind, alerts, s.Content, now) }, Pushes: composeBatch,
	}
}

// open says whether take still takes.
func (f *flight) open() bool {
	f.entry.RLock()
	defer f.entry.RUnlock()
	return !f.closed
}

// take sends what another transaction leased. What comes too late keeps its
// lease.
func (f *flight) take(list []Delivery) {
	f.entry.RLock()
	defer f.entry.RUnlock()
	if f.closed {
		return
	}
	f.sending.Go(func() {
		for _, d := range list {
			f.begin(context.Background(), d)
		}
	})
}

// claim is not cut short by a shutdown: what it leased would stay so.
func (f *flight) claim(ctx context.Context, c Claim) (Claimed, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	return f.sender.Queue.Claim(ctx, c)
}

// begin sends a delivery as soon as there is a place, ends it, or puts it back.
func (f *flight) begin(ctx context.Context, d Delivery) {
	s := f.sender
	g := s.gateOf(d.Provider)
	if end, ok := s.examine(ctx, g, d); !ok {
		f.outcomes <- end
		return
	}
	if ctx.Err() != nil || !f.occupy(d.DeviceID) {
		f.outcomes <- s.unspent(d)
		return
	}
	f.sending.Add(1)
	ended := func(end Ended) {
		defer f.sending.Done()
		select {
		case f.outcomes <- end:
		case <-f.over:
		}
		f.leave(d.DeviceID)
		select {
		case f.freed <- struct{}{}:
		default:
		}
	}
	g.enter(s.Now(), waiter{
		start:  func(p pass) { go func() { ended(s.send(ctx, g, p, d)) }() },
		refuse: func() { go func() { ended(s.unspent(d)) }() },
	})
}

// occupy says whether a device may have a message now: one at a time. Of two
// claims that ran side by side each may have one for it.
func (f *flight) occupy(device string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[device] {
		return false
	}
	f.busy[device] = true
	return true
}

func (f *flight) leave(device string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, device)
}

// devices are those with a message under way.
func (f *flight) devices() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.busy))
}

// write keeps outcomes until the flight is over. One that cannot be written
// stays leased, and counts as ambiguous when its lease runs out.
func (f *flight) write() {
	for {
		select {
		case first := <-f.outcomes:
			f.finish(f.gather([]Ended{first}))
		case <-f.over:
			for batch := f.gather(nil); len(batch) > 0; batch = f.gather(nil) {
				f.finish(batch)
			}
			return
		}
	}
}

func (f *flight) finish(batch []Ended) {
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	if err := f.sender.Queue.Finish(ctx, batch); err != nil {
		f.sender.Log.ErrorContext(ctx, "write push outcomes", "count", len(batch), "error", err)
	}
}

// gather adds what else has ended already.
func (f *flight) gather(batch []Ended) []Ended {
	for len(batch) < finishBatch {
		select {
		case e := <-f.outcomes:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}
