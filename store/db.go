package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver, as "pgx"
	"github.com/jmoiron/sqlx"
	_ "github.com/mattn/go-sqlite3" // the SQLite driver, as "sqlite3"

	"doorstep"
	"doorstep/parcels"
	"doorstep/vault"
)

// Config says which database to open and what it is opened with.
type Config struct {
	URL      string           // postgres://... or the path of an SQLite file
	Vault    *vault.Vault     // seals and hashes personal data
	NewID    doorstep.IDMaker // doorstep.MakeID in production
	Now      func() time.Time // time.Now in production
	TimeZone string           // of an outlet that never said its own, by IANA name
	Settle   Settle           // how long a courier's alerts gather
}

// Settle is the window in which a courier's alerts gather into one push: it
// slides with each alert, Window long, Longest at most. A Window of 0 sends what
// one call brings at once.
type Settle struct{ Window, Longest time.Duration }

// DB is an open database. It is safe for concurrent use.
type DB struct {
	read *sqlx.DB // a pool; on SQLite it cannot write
	pool *sqlx.DB // of writers; on SQLite a single connection

	// On SQLite; nil on PostgreSQL.
	writer     *writer // groups writes
	dispatches *merger[parcels.Key, *dispatchCall]
	uploads    *merger[uploadKey, *uploadCall]
	claims     *merger[doorstep.OutletNo, *claimCall]
	log        *checkpointer

	dialect
	bulk bulk

	vault    *vault.Vault
	newID    doorstep.IDMaker
	now      func() time.Time
	timeZone string
	settle   Settle

	url     string
	tell    func(News) // told of commits that left something to send
	claimer Claimer    // nil: nobody claims at once

	observer Observer
	posts    postBook
	heard    sync.Map // minutes in which providers were heard last, by heardKey
	lookup   *lookup
	wishes   wishIndex
	tiles    *tileCache
}

// Open opens the database, brings its schema up to date under a lock, and
// refuses keys that are not the ones its data was sealed with.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := connect(cfg.URL)
	if err != nil {
		return nil, err
	}
	db.vault, db.newID, db.now, db.timeZone, db.settle = cfg.Vault, cfg.NewID, cfg.Now, cfg.TimeZone, cfg.Settle
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.learnTypes(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.checkKeys(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Peek opens the database to look at its schema, which it leaves as it is.
func Peek(dbURL string) (*DB, error) { return connect(dbURL) }

// connect opens the pools without touching the schema.
func connect(dbURL string) (*DB, error) {
	if strings.HasPrefix(dbURL, "postgres://") || strings.HasPrefix(dbURL, "postgresql://") {
		pool, err := sqlx.Open("pgx", dbURL)
		if err != nil {
			return nil, fmt.Errorf("open PostgreSQL: %w", err)
		}
		pool.SetMaxOpenConns(32)
		pool.SetMaxIdleConns(32)
		pool.SetConnMaxIdleTime(5 * time.Minute)
		db := &DB{read: pool, pool: pool, dialect: postgres, url: dbURL, tell: func(News) {}, observer: unobserved{}, tiles: newTileCache()}
		db.lookup = newLookup(db.readProfiles)
		return db, nil
	}
	// A power cut must lose nothing acknowledged: FULL. The writer pays the
	// fsync once for all who wait together.
	options := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_busy_timeout": {"10000"},
		"_foreign_keys": {"on"}, "_txlock": {"immediate"}, "_cache_size": {"-32768"}, "_stmt_cache_size": {"256"},
		"_secure_delete": {"on"}, // what is erased is overwritten
	}
	if err := createPrivate(dbURL); err != nil {
		return nil, err
	}
	pool, err := sqlx.Open("sqlite3", "file:"+escapePath(dbURL)+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	pool.SetMaxOpenConns(1)
	options.Set("_query_only", "on")
	options.Set("_txlock", "deferred")
	read, err := sqlx.Open("sqlite3", "file:"+escapePath(dbURL)+"?"+options.Encode())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), pool.Close())
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	db := &DB{read: read, pool: pool, dialect: sqlite, url: dbURL, tell: func(News) {}, observer: unobserved{}, tiles: newTileCache()}
	options.Del("_query_only")
	beside, err := sqlx.Open("sqlite3", "file:"+escapePath(dbURL)+"?"+options.Encode())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), read.Close(), pool.Close())
	}
	beside.SetMaxOpenConns(1)
	// The one connection that writes leaves the log to the checkpointer, and keeps
	// the pages that a savepoint could bring back in memory.
	if _, err := pool.Exec(`pragma wal_autocheckpoint = 0; pragma temp_store = memory`); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), beside.Close(), read.Close(), pool.Close())
	}
	db.lookup = newLookup(db.readProfiles)
	db.log = newCheckpointer(beside)
	db.bulk, db.writer = valueLists, newWriter(pool, db.log)
	db.dispatches, db.uploads, db.claims = newMerger(db.addDispatches), newMerger(db.addUploads), newMerger(db.addClaims)
	return db, nil
}

// createPrivate makes the file before SQLite would, so that only its owner can
// read it.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	return f.Close()
}

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// Close waits for the writes under way and closes the pools.
func (db *DB) Close() error {
	var failure error
	db.lookup.close()
	if db.writer != nil {
		db.dispatches.close()
		db.uploads.close()
		db.claims.close()
		failure = db.saveWishIndex(context.Background())
		db.writer.close()
		failure = errors.Join(failure, db.log.close())
	}
	return errors.Join(failure, db.read.Close(), db.pool.Close())
}

// learnTypes reads what PostgreSQL must be told of the columns it is written to.
func (db *DB) learnTypes(ctx context.Context) error {
	if db.name != postgres.name {
		return nil
	}
	var columns []struct{ Place, Kind string }
	err := db.list(ctx, &columns, `select table_name || '.' || column_name as place, udt_name as kind
from information_schema.columns where table_schema = current_schema()`)
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	types := make(map[string]string, len(columns))
	for _, c := range columns {
		types[c.Place] = c.Kind
	}
	db.bulk = arrays(types)
	return nil
}

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// TimeZone is the zone of outlets that never said their own.
func (db *DB) TimeZone() string { return db.timeZone }

// checkKeys ties the database to the first key set it was used with.
func (db *DB) checkKeys(ctx context.Context) error {
	var kept string
	err := db.inTx(ctx, func(tx *Tx) error {
		const name = "key_fingerprint"
		if err := tx.exec(`insert into setting (name, value) values (?, ?) on conflict do nothing`, name, db.vault.Fingerprint()); err != nil {
			return err
		}
		return tx.get(&kept, `select value from setting where name = ?`, name)
	})
	if err != nil {
		return fmt.Errorf("check keys: %w", err)
	}
	if kept != db.vault.Fingerprint() {
		return errors.New("the key set (DOORSTEP_KEYS) is not the one this database was made with")
	}
	return nil
}

// get reads one row into dst from the readers. No row gives sql.ErrNoRows.
func (db *DB) get(ctx context.Context, dst any, query string, args ...any) error {
	return db.read.GetContext(ctx, dst, db.read.Rebind(query), args...)
}

// list reads all rows into dst, a pointer to a slice, from the readers.
func (db *DB) list(ctx context.Context, dst any, query string, args ...any) error {
	return db.read.SelectContext(ctx, dst, db.read.Rebind(query), args...)
}

// lister reads all rows into a slice, in a transaction or, as here, outside one.
type lister func(dst any, query string, args ...any) error

func (db *DB) lister(ctx context.Context) lister {
	return func(dst any, query string, args ...any) error { return db.list(ctx, dst, query, args...) }
}

// getter reads one row, in a transaction or, as here, outside one.
type getter func(dst any, query string, args ...any) error

func (db *DB) getter(ctx context.Context) getter {
	return func(dst any, query string, args ...any) error { return db.get(ctx, dst, query, args...) }
}

// notThere turns a missing row into the domain's error.
func notThere(err error, noun, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return doorstep.NotFound(noun, id)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", noun, id, err)
	}
	return nil
}

func ms(t time.Time) int64 { return t.UnixMilli() }

func msOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func fromMS(n int64) time.Time { return time.UnixMilli(n).UTC() }

func fromNullMS(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return fromMS(n.Int64)
}
