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
// statement. A call whose caller gave up before it began is skipped.
type merger[K comparable, C keyed[K]] struct {
	line[C]
	write func(context.Context, []C) error
}

// keyed is what a merger takes: calls that say which keys they write. Of two
// with a key in common the second waits until the first is written.
type keyed[K comparable] interface{ keys() iter.Seq[K] }

func newMerger[K comparable, C keyed[K]](write func(context.Context, []C) error) *merger[K, C] {
	m := &merger[K, C]{write: write}
	m.open(1, func(first *queued[C]) {
		for held := []*queued[C]{first}; len(held) > 0; {
			held = m.round(held)
		}
	})
	return m
}

// round writes calls and whoever waits already. It returns those that must wait
// for the next round, since they have a key that is written in this one.
func (m *merger[K, C]) round(calls []*queued[C]) (held []*queued[C]) {
	var merged []*queued[C]
	taken := map[K]bool{}
	take := func(c *queued[C]) {
		if err := c.ctx.Err(); err != nil {
			c.answer(err)
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
	for len(taken) < mostMerged && len(merged) < groupLimit {
		c, ok := m.next()
		if !ok {
			break
		}
		take(c)
	}
	m.commit(merged)
	return held
}

// commit writes calls together. Where that fails each is written alone, so that
// one bad call harms no other.
func (m *merger[K, C]) commit(calls []*queued[C]) {
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
			c.answer(m.write(c.ctx, all[i:i+1]))
		} else {
			c.answer(err)
		}
	}
}
