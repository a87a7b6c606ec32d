package store

import (
	"context"

	"doorstep/parcels"
)

// mostMerged bounds the dispatches that are written together.
const mostMerged = 2 * parcels.MaxBatch

// merger writes the dispatches of calls that wait together as if they were one
// call: on SQLite the writer's time is what many small requests would use up,
// statement by statement.
type merger struct {
	write   func(context.Context, []*dispatchCall) error
	waiting chan *mergedCall
	closing chan struct{}
	closed  chan struct{}
}

type mergedCall struct {
	*dispatchCall
	ctx    context.Context
	answer chan error
}

func newMerger(write func(context.Context, []*dispatchCall) error) *merger {
	m := &merger{
		write: write, waiting: make(chan *mergedCall, groupLimit),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go m.loop()
	return m
}

// add waits for the commit. Once queued a call is not abandoned, except that it
// is skipped if its caller gave up before it began.
func (m *merger) add(ctx context.Context, c *dispatchCall) error {
	call := &mergedCall{dispatchCall: c, ctx: ctx, answer: make(chan error, 1)}
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

func (m *merger) close() {
	close(m.closing)
	<-m.closed
}

func (m *merger) loop() {
	defer close(m.closed)
	var held []*mergedCall // had a key of the calls before them
	for {
		for len(held) > 0 {
			held = m.round(held)
		}
		select {
		case call := <-m.waiting:
			held = m.round([]*mergedCall{call})
		case <-m.closing:
			select {
			case call := <-m.waiting:
				held = m.round([]*mergedCall{call})
			default:
				return
			}
		}
	}
}

// round writes calls and whoever waits already. It returns those that must wait
// for the next round, since they have a key that is written in this one.
func (m *merger) round(calls []*mergedCall) (held []*mergedCall) {
	var merged []*mergedCall
	taken := map[parcels.Key]bool{}
	total := 0
	take := func(c *mergedCall) {
		if err := c.ctx.Err(); err != nil {
			c.answer <- err
			return
		}
		for _, d := range c.items {
			if taken[d.Key] {
				held = append(held, c)
				return
			}
		}
		for _, d := range c.items {
			taken[d.Key] = true
		}
		merged, total = append(merged, c), total+len(c.items)
	}
	for _, c := range calls {
		take(c)
	}
	for more := true; more && total < mostMerged && len(merged) < groupLimit; {
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
func (m *merger) commit(calls []*mergedCall) {
	if len(calls) == 0 {
		return
	}
	all := make([]*dispatchCall, len(calls))
	for i, c := range calls {
		all[i] = c.dispatchCall
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
