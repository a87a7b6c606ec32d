package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
)

// Tx is one transaction. On SQLite it is a savepoint in the group's
// transaction; its statements run on the writer's own context, since
// interrupting one would roll back every neighbour.
type Tx struct {
	ctx   context.Context
	tx    *sqlx.Tx
	after []func()
}

// afterCommit has do called once the transaction has committed, and never if it
// does not.
func (t *Tx) afterCommit(do func()) { t.after = append(t.after, do) }

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, t.tx.Rebind(query), args...)
	return err
}

// changed runs a statement and says how many rows it touched.
func (t *Tx) changed(query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(t.ctx, t.tx.Rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *Tx) get(dst any, query string, args ...any) error {
	return t.tx.GetContext(t.ctx, dst, t.tx.Rebind(query), args...)
}

func (t *Tx) list(dst any, query string, args ...any) error {
	return t.tx.SelectContext(t.ctx, dst, t.tx.Rebind(query), args...)
}

// rowsAtOnce is how many rows one insert statement carries. More gains little
// on SQLite and costs PostgreSQL planning time.
const rowsAtOnce = 100

// insert writes rows with as few statements as possible. head is "insert into
// t (a, b)", tail "" or "on conflict ...". Callers sort rows by key, so that two
// batches cannot deadlock.
func (t *Tx) insert(head, tail string, rows [][]any) error {
	return insertChunks(head, tail, rows, t.exec)
}

// insertReturning is insert with a "returning" tail; it appends what came back
// to dst, in no particular order.
func insertReturning[T any](t *Tx, head, tail string, rows [][]any) (back []T, err error) {
	err = insertChunks(head, tail, rows, func(query string, args ...any) error {
		var chunk []T
		if err := t.list(&chunk, query, args...); err != nil {
			return err
		}
		back = append(back, chunk...)
		return nil
	})
	return back, err
}

func insertChunks(head, tail string, rows [][]any, run func(query string, args ...any) error) error {
	for len(rows) > 0 {
		chunk := rows[:min(rowsAtOnce, len(rows))]
		rows = rows[len(chunk):]
		width := len(chunk[0])
		args := make([]any, 0, len(chunk)*width)
		for _, row := range chunk {
			args = append(args, row...)
		}
		one := "(" + strings.Repeat("?, ", width-1) + "?)"
		values := strings.Repeat(one+", ", len(chunk)-1) + one
		if err := run(head+" values "+values+" "+tail, args...); err != nil {
			return err
		}
	}
	return nil
}

// inTx runs do in one transaction and returns after the commit. do may run more
// than once, so it must build its results afresh.
func (db *DB) inTx(ctx context.Context, do func(*Tx) error) error {
	var last *Tx // the one that committed, if there is no error
	err := db.attemptTx(ctx, func(tx *Tx) error {
		last = tx
		return do(tx)
	})
	if err != nil {
		return err
	}
	for _, do := range last.after {
		do()
	}
	return nil
}

func (db *DB) attemptTx(ctx context.Context, do func(*Tx) error) error {
	if db.writer != nil {
		return db.writer.run(ctx, do)
	}
	// Rows are locked in one order, yet foreign servers may still abort a
	// transaction to break a deadlock; that is safe to repeat.
	const attempts = 4
	for attempt := 1; ; attempt++ {
		err := db.tryTx(ctx, do)
		if attempt == attempts || !isTransient(err) {
			return err
		}
	}
}

func (db *DB) tryTx(ctx context.Context, do func(*Tx) error) error {
	tx, err := db.pool.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // a no-op after the commit
	if err := guarded(do, &Tx{ctx: ctx, tx: tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// isTransient knows PostgreSQL's serialization_failure and deadlock_detected.
func isTransient(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
