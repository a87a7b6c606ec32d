package main

import (
	"cmp"
	"container/heap"
	"context"
	"time"
)

// agenda is what is still to happen, by time; at one moment in the order in which
// it was planned.
type agenda struct {
	list    appointments
	planned int
	held    int // appointments that are past
}

type appointment struct {
	at   time.Time
	no   int
	what func(context.Context) error
}

func (a *agenda) plan(at time.Time, what func(context.Context) error) {
	a.planned++
	heap.Push(&a.list, appointment{at, a.planned, what})
}

// live moves the clock from one appointment to the next until none is left.
func (a *agenda) live(ctx context.Context, clock *simulatedClock) error {
	for len(a.list) > 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		next := heap.Pop(&a.list).(appointment)
		clock.set(next.at)
		a.held++
		if err := next.what(ctx); err != nil {
			return err
		}
	}
	return nil
}

// appointments are a heap.
type appointments []appointment

func (l appointments) Len() int      { return len(l) }
func (l appointments) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l appointments) Less(i, j int) bool {
	return cmp.Or(l[i].at.Compare(l[j].at), cmp.Compare(l[i].no, l[j].no)) < 0
}
func (l *appointments) Push(x any) { *l = append(*l, x.(appointment)) }
func (l *appointments) Pop() any {
	last := (*l)[len(*l)-1]
	(*l)[len(*l)-1] = appointment{} // lets go of what it holds
	*l = (*l)[:len(*l)-1]
	return last
}
