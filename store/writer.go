package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/jmoiron/sqlx"
)

// groupLimit bounds how many requests share a transaction, so that the first of
// them does not wait for ever.
const groupLimit = 256

// errClosed answers writes that come after Close.
var errClosed = errors.New("database is closed")

// writer is SQLite's single writer. Requests that wait together commit in one
// transaction, each in its own savepoint so that one failure harms no other,
// and each is answered after the commit.
type writer struct {
	pool    *sqlx.DB
	log     *checkpointer
	waiting chan *write
	closing chan struct{}
	closed  chan struct{}
}

type write struct {
	ctx    context.Context
	do     func(*Tx) error
	err    error
	answer chan struct{}
}

func newWriter(pool *sqlx.DB, log *checkpointer) *writer {
	w := &writer{
		pool: pool, log: log, waiting: make(chan *write, groupLimit),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go w.loop()
	return w
}

// run queues do and waits for its commit. Once queued it is not abandoned: a
// caller who gives up while it waits gets his context's error, and do is then
// skipped if it has not begun.
func (w *writer) run(ctx context.Context, do func(*Tx) error) error {
	req := &write{ctx: ctx, do: do, answer: make(chan struct{})}
	select {
	case <-w.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	case w.waiting <- req:
	}
	select {
	case <-req.answer:
		return req.err
	case <-w.closed:
		select {
		case <-req.answer:
			return req.err
		default:
			return errClosed
		}
	}
}

func (w *writer) close() {
	close(w.closing)
	<-w.closed
}

func (w *writer) loop() {
	defer close(w.closed)
	for {
		select {
		case req := <-w.waiting:
			w.commit(w.gather(req))
		case <-w.closing:
			for {
				select {
				case req := <-w.waiting:
					w.commit(w.gather(req))
				default:
					return
				}
			}
		}
	}
}

// gather takes whoever waits already. It waits for nobody: while a group
// commits the next one collects by itself.
func (w *writer) gather(first *write) []*write {
	group := []*write{first}
	for len(group) < groupLimit {
		select {
		case req := <-w.waiting:
			group = append(group, req)
		default:
			return group
		}
	}
	return group
}

func (w *writer) commit(group []*write) {
	if w.log.tooLong.CompareAndSwap(true, false) {
		// Little is left to copy. What fails here is tried again.
		_, _ = checkpoint(context.Background(), w.pool, "passive")
	}
	if err := w.transact(group); err != nil {
		for _, req := range group {
			if req.err == nil {
				req.err = err
			}
		}
	}
	for _, req := range group {
		close(req.answer)
	}
}

// transact runs the group. An error means that nothing was committed.
func (w *writer) transact(group []*write) error {
	ctx := context.Background()
	tx, err := w.pool.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // a no-op after the commit
	for _, req := range group {
		if req.err = req.ctx.Err(); req.err != nil {
			continue
		}
		if len(group) == 1 { // a savepoint copies every page that is touched
			if req.err = guarded(req.do, &Tx{ctx: ctx, tx: tx, bulk: valueLists}); req.err != nil {
				return req.err
			}
			break
		}
		if _, err := tx.ExecContext(ctx, "savepoint request"); err != nil {
			return fmt.Errorf("savepoint: %w", err)
		}
		if req.err = guarded(req.do, &Tx{ctx: ctx, tx: tx, bulk: valueLists}); req.err != nil {
			if _, err := tx.ExecContext(ctx, "rollback to request"); err != nil {
				return fmt.Errorf("roll back to savepoint: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, "release request"); err != nil {
			return fmt.Errorf("release savepoint: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// guarded makes a panic the failure of the request that raised it.
func guarded(do func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return do(tx)
}
