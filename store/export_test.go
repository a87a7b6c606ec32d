package store

import "context"

// InTx lets tests write what no method does.
func (db *DB) InTx(ctx context.Context, do func(*Tx) error) error { return db.inTx(ctx, do) }

// Exec runs a statement of a test's own.
func (t *Tx) Exec(query string, args ...any) error { return t.exec(query, args...) }

// Settings lists the names of what is set.
func (db *DB) Settings(ctx context.Context) (names []string, err error) {
	err = db.list(ctx, &names, `select name from setting`)
	return names, err
}
