package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
)

// Tx is one transaction. On SQLite it is a savepoint in the group's
// transaction; its statements run on the writer's own context, since
// interrupting one would roll back every neighbour.
type Tx struct {
	ctx   context.Context
	tx    *sqlx.Tx
	bulk  bulk
	tell  func(News)
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

// inTx runs do in one transaction and returns after the commit. do may run more
// than once, so it must build its results afresh.
func (db *DB) inTx(ctx context.Context, do func(*Tx) error) error {
	var last *Tx // the one that committed, if there is no error
	err := db.attemptTx(ctx, func(tx *Tx) error {
		last, tx.tell = tx, db.tell
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
		return db.writer.do(ctx, do)
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
	if err := guarded(do, &Tx{ctx: ctx, tx: tx, bulk: db.bulk}); err != nil {
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
