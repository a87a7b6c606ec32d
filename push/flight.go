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
	freed    chan struct{} // told when a place has come free
	outcomes chan Ended
	sending  sync.WaitGroup
	over     chan struct{}  // closed when nobody waits for outcomes any more
	written  sync.WaitGroup // for the last outcomes

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
	s := f.sender
	now := s.Now()
	claimed, err := f.claim(ctx, Claim{
		Outlet: outlet, Now: now, LeaseUntil: now.Add(leaseTime), Token: s.NewToken(), Rooms: rooms, Busy: f.devices(),
		Compose: func(kind string, alerts []Alert) Message { return Compose(kind, alerts, s.Content, now) }, Pushes: composeBatch,
	})
	if err != nil {
		return 0, err
	}
	for _, d := range claimed.Deliveries {
		f.begin(ctx, d)
	}
	return claimed.Composed + len(claimed.Deliveries), nil
}

// claim is not cut short by a shutdown: what it leased would stay so.
func (f *flight) claim(ctx context.Context, c Claim) (Claimed, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	return f.sender.Queue.Claim(ctx, c)
}

// begin sends a delivery, ends it, or puts it back.
func (f *flight) begin(ctx context.Context, d Delivery) {
	s := f.sender
	g := s.gateOf(d.Provider)
	if end, ok := s.examine(ctx, g, d); !ok {
		f.outcomes <- end
		return
	}
	if ctx.Err() != nil {
		f.outcomes <- s.unspent(d)
		return
	}
	p, ok := g.begin(s.Now())
	if !ok {
		f.outcomes <- s.unspent(d)
		return
	}
	f.occupy(d.DeviceID, true)
	f.sending.Go(func() {
		end := s.send(ctx, g, p, d)
		select {
		case f.outcomes <- end:
		case <-f.over:
		}
		f.occupy(d.DeviceID, false)
		select {
		case f.freed <- struct{}{}:
		default:
		}
	})
}

func (f *flight) occupy(device string, busy bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if busy {
		f.busy[device] = true
	} else {
		delete(f.busy, device)
	}
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
