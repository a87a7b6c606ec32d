package store

import (
	"context"
	"iter"

	"doorstep/parcels"
)

// mostMerged bounds what is written together, in keys.
const mostMerged = 2 * parcels.MaxBatch

// merger writes calls that wait together as if they were one: on SQLite the
// writer's time is what many small requests would use up, statement by
// statement.
type merger[K comparable, C keyed[K]] struct {
	write   func(context.Context, []C) error
	waiting chan *mergedCall[C]
	closing chan struct{}
	closed  chan struct{}
}

// keyed is what a merger takes: calls that say which keys they write. Of two
// with a key in common the second waits until the first is written.
type keyed[K comparable] interface{ keys() iter.Seq[K] }

type mergedCall[C any] struct {
	call   C
	ctx    context.Context
	answer chan error
}

func newMerger[K comparable, C keyed[K]](write func(context.Context, []C) error) *merger[K, C] {
	m := &merger[K, C]{
		write: write, waiting: make(chan *mergedCall[C], groupLimit),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go m.loop()
	return m
}

// add waits for the commit. Once queued a call is not abandoned, except that it
// is skipped if its caller gave up before it began.
func (m *merger[K, C]) add(ctx context.Context, c C) error {
	call := &mergedCall[C]{call: c, ctx: ctx, answer: make(chan error, 1)}
	select {
	case <-m.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	case m.waiting <- call:
	}
	select {
	case err := <-call.answer:
		return err
	case <-m.closed:
		select {
		case err := <-call.answer:
			return err
		default:
			return errClosed
		}
	}
}

func (m *merger[K, C]) close() {
	close(m.closing)
	<-m.closed
}

func (m *merger[K, C]) loop() {
	defer close(m.closed)
	var held []*mergedCall[C] // had a key of the calls before them
	for {
		for len(held) > 0 {
			held = m.round(held)
		}
		select {
		case call := <-m.waiting:
			held = m.round([]*mergedCall[C]{call})
		case <-m.closing:
			select {
			case call := <-m.waiting:
				held = m.round([]*mergedCall[C]{call})
			default:
				return
			}
		}
	}
}

// round writes calls and whoever waits already. It returns those that must wait
// for the next round, since they have a key that is written in this one.
func (m *merger[K, C]) round(calls []*mergedCall[C]) (held []*mergedCall[C]) {
	var merged []*mergedCall[C]
	taken := map[K]bool{}
	take := func(c *mergedCall[C]) {
		if err := c.ctx.Err(); err != nil {
			c.answer <- err
			return
		}
		for key := range c.call.keys() {
			if taken[key] {
				held = append(held, c)
				return
			}
		}
		for key := range c.call.keys() {
			taken[key] = true
		}
		merged = append(merged, c)
	}
	for _, c := range calls {
		take(c)
	}
	for more := true; more && len(taken) < mostMerged && len(merged) < groupLimit; {
		select {
		case c := <-m.waiting:
			take(c)
		default:
			more = false
		}
	}
	m.commit(merged)
	return held
}

// commit writes calls together. Where that fails each is written alone, so that
// one bad call harms no other.
func (m *merger[K, C]) commit(calls []*mergedCall[C]) {
	if len(calls) == 0 {
		return
	}
	all := make([]C, len(calls))
	for i, c := range calls {
		all[i] = c.call
	}
	err := m.write(context.Background(), all)
	for i, c := range calls {
		if err != nil && len(calls) > 1 {
			c.answer <- m.write(c.ctx, all[i:i+1])
		} else {
			c.answer <- err
		}
	}
}
