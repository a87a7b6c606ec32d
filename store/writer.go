package store

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"

	"github.com/jmoiron/sqlx"
)

// groupLimit bounds how many requests share a transaction, so that the first of
// them does not wait for ever.
const groupLimit = 256

// writer is SQLite's single writer. Requests that wait together commit in one
// transaction, each in its own savepoint so that one failure harms no other,
// and each is answered after the commit. A request whose caller gave up before it
// began is skipped.
type writer struct {
	line[func(*Tx) error]
	pool *sqlx.DB
	log  *checkpointer
}

type write = queued[func(*Tx) error]

func newWriter(pool *sqlx.DB, log *checkpointer) *writer {
	w := &writer{pool: pool, log: log}
	w.open(1, func(first *write) { w.commit(w.gather(first)) })
	return w
}

// gather takes whoever waits already. It waits for nobody: while a group
// commits the next one collects by itself.
func (w *writer) gather(first *write) []*write {
	group := []*write{first}
	for len(group) < groupLimit {
		req, ok := w.next()
		if !ok {
			break
		}
		group = append(group, req)
	}
	return group
}

func (w *writer) commit(group []*write) {
	w.log.help(w.pool)
	failure := w.transact(group)
	for _, req := range group {
		req.answer(cmp.Or(req.err, failure))
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
			if req.err = guarded(req.call, &Tx{ctx: ctx, tx: tx, bulk: valueLists}); req.err != nil {
				return req.err
			}
			break
		}
		if _, err := tx.ExecContext(ctx, "savepoint request"); err != nil {
			return fmt.Errorf("savepoint: %w", err)
		}
		if req.err = guarded(req.call, &Tx{ctx: ctx, tx: tx, bulk: valueLists}); req.err != nil {
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
