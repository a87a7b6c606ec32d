package store

import (
	"errors"

	"github.com/jmoiron/sqlx"
)

// Through has an open PostgreSQL database run its statements through another
// pool, which a test can listen to.
func (db *DB) Through(pool *sqlx.DB) error {
	old := errors.Join(db.read.Close(), db.pool.Close())
	db.read, db.pool = pool, pool
	return old
}

// ReadThrough has an open SQLite database read through another pool.
func (db *DB) ReadThrough(pool *sqlx.DB) error {
	old := db.read.Close()
	db.read = pool
	return old
}

// Growing are the tables that Partition spreads.
func Growing() []string { return growing }
