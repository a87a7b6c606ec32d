package store

import (
	"context"
	"errors"
	"sync"
)

// lineLength is how many calls may stand in a line before the next must wait to
// join it.
const lineLength = 256

// errClosed answers calls that come after Close.
var errClosed = errors.New("database is closed")

// line is where calls wait for a server that takes several at once.
type line[T any] struct {
	waiting chan *queued[T]
	closing chan struct{}
	closed  chan struct{}

	mayLeave bool // a caller who gives up need not wait for his answer
}

// queued is a call in a line.
type queued[T any] struct {
	call     T
	ctx      context.Context
	err      error
	answered chan struct{}
}

func (q *queued[T]) answer(err error) {
	q.err = err
	close(q.answered)
}

// open lets so many servers begin. serve is handed who comes first, may take more
// by next, and answers all that it took.
func (l *line[T]) open(servers int, serve func(first *queued[T])) {
	l.waiting, l.closing, l.closed = make(chan *queued[T], lineLength), make(chan struct{}), make(chan struct{})
	var open sync.WaitGroup
	for range servers {
		open.Go(func() { l.loop(serve) })
	}
	go func() {
		open.Wait()
		close(l.closed)
	}()
}

func (l *line[T]) loop(serve func(*queued[T])) {
	for {
		select {
		case q := <-l.waiting:
			serve(q)
		case <-l.closing:
			q, ok := l.next()
			if !ok {
				return
			}
			serve(q)
		}
	}
}

// next takes whoever waits already; ok is false where nobody does.
func (l *line[T]) next() (q *queued[T], ok bool) {
	select {
	case q := <-l.waiting:
		return q, true
	default:
		return nil, false
	}
}

// do puts a call in the line and waits for its answer. Unless he may leave, a
// caller who gives up waits too, but for a server that has not begun with him.
func (l *line[T]) do(ctx context.Context, call T) error {
	q := &queued[T]{call: call, ctx: ctx, answered: make(chan struct{})}
	select {
	case <-l.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	case l.waiting <- q:
	}
	var gone <-chan struct{}
	if l.mayLeave {
		gone = ctx.Done()
	}
	select {
	case <-q.answered:
		return q.err
	case <-gone:
		return ctx.Err()
	case <-l.closed:
		select {
		case <-q.answered:
			return q.err
		default:
			return errClosed
		}
	}
}

// close answers those who stand in the line and lets nobody else join it.
func (l *line[T]) close() {
	close(l.closing)
	<-l.closed
}
