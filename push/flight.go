package push

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"doorstep"
)

const (
	finishTime  = 10 * time.Second // for writing outcomes, also once the server is stopping
	finishBatch = 256
)

// flight is the messages that are under way. Slow ones hold up nobody: a slot
// that comes free is filled, and outcomes are written together as they come.
type flight struct {
	sender   *Sender
	slots    chan struct{} // one for each message under way
	freed    chan struct{} // told when a slot has come free
	outcomes chan Ended
	sending  sync.WaitGroup
	written  chan struct{} // closed when the last outcome is
}

func newFlight(s *Sender) *flight {
	f := &flight{
		sender: s, slots: make(chan struct{}, s.InFlight), freed: make(chan struct{}, 1),
		outcomes: make(chan Ended, s.InFlight), written: make(chan struct{}),
	}
	go f.write()
	return f
}

// land waits until all that is under way has ended and is written down: what a
// provider may have taken must not be forgotten.
func (f *flight) land() {
	f.sending.Wait()
	close(f.outcomes)
	<-f.written
}

// launch composes what is due and sends what there is room for.
func (f *flight) launch(ctx context.Context) (moved int, err error) {
	s := f.sender
	outlets, err := s.Queue.DueOutlets(ctx, s.Now(), outletBatch)
	if err != nil {
		return 0, fmt.Errorf("due outlets: %w", err)
	}
	var failures []error
	for i, outlet := range outlets {
		// Each outlet gets its share of the room, so that none starves another.
		n, err := f.launchOutlet(ctx, outlet, (f.room()+len(outlets)-i-1)/(len(outlets)-i))
		moved += n
		if err != nil { // one outlet's trouble must not stop the others
			failures = append(failures, fmt.Errorf("outlet %d: %w", outlet, err))
		}
	}
	return moved, errors.Join(failures...)
}

func (f *flight) room() int { return cap(f.slots) - len(f.slots) }

func (f *flight) launchOutlet(ctx context.Context, outlet doorstep.OutletNo, room int) (int, error) {
	s := f.sender
	now := s.Now()
	compose := func(kind string, alerts []Alert) Message { return Compose(kind, alerts, s.Content, now) }
	composed, err := s.Queue.ComposeDue(ctx, outlet, now, composeBatch, compose)
	if err != nil {
		return 0, fmt.Errorf("compose: %w", err)
	}
	if room == 0 {
		return composed, nil
	}
	claimed, err := s.Queue.Claim(ctx, outlet, now, now.Add(leaseTime), s.NewToken(), room)
	if err != nil {
		return composed, fmt.Errorf("claim: %w", err)
	}
	for _, d := range claimed {
		f.slots <- struct{}{} // there is room: only this goroutine fills slots
		f.sending.Go(func() {
			f.outcomes <- s.send(ctx, d)
			<-f.slots
			select {
			case f.freed <- struct{}{}:
			default:
			}
		})
	}
	return composed + len(claimed), nil
}

// write keeps outcomes until there are no more. One that cannot be written
// stays leased, and counts as ambiguous when its lease runs out.
func (f *flight) write() {
	defer close(f.written)
	for first := range f.outcomes {
		batch := f.gather(first)
		ctx, cancel := context.WithTimeout(context.Background(), finishTime)
		if err := f.sender.Queue.Finish(ctx, batch); err != nil {
			f.sender.Log.ErrorContext(ctx, "write push outcomes", "count", len(batch), "error", err)
		}
		cancel()
	}
}

// gather takes what else has ended already.
func (f *flight) gather(first Ended) []Ended {
	batch := []Ended{first}
	for len(batch) < finishBatch {
		select {
		case e, ok := <-f.outcomes:
			if !ok {
				return batch
			}
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}
