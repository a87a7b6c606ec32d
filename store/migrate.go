package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"doorstep/migrations"
)

// Migration is one step of the schema and whether the database has taken it.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate applies the steps that the database lacks, under a lock, so that
// several processes may start at once. A schema newer than this program is
// refused.
func (db *DB) Migrate(ctx context.Context) error {
	unlock, err := db.lockSchema(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer unlock()
	steps, err := db.steps()
	if err != nil {
		return err
	}
	have, err := steps.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	sources := steps.ListSources()
	if newest := sources[len(sources)-1].Version; have > newest {
		return fmt.Errorf("migrate: the database has schema %d, this program knows %d: use a newer program", have, newest)
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Migrations lists the steps in order.
func (db *DB) Migrations(ctx context.Context) ([]Migration, error) {
	steps, err := db.steps()
	if err != nil {
		return nil, err
	}
	status, err := steps.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	list := make([]Migration, len(status))
	for i, s := range status {
		list[i] = Migration{Version: s.Source.Version, Name: s.Source.Path, Applied: s.State == goose.StateApplied}
	}
	return list, nil
}

func (db *DB) steps() (*goose.Provider, error) {
	files, folder, engine := fs.FS(migrations.SQLite), "sqlite", goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.name == postgres.name {
		files, folder, engine = migrations.Postgres, "postgres", goose.DialectPostgres
		// Asked for each second, for five minutes: another node may be migrating.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	sub, err := fs.Sub(files, folder)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	steps, err := goose.NewProvider(engine, db.pool.DB, sub, options...)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return steps, nil
}

// lockSchema keeps other processes from migrating the same SQLite file. On
// PostgreSQL goose takes an advisory lock itself.
func (db *DB) lockSchema(ctx context.Context) (unlock func(), err error) {
	if db.name == postgres.name {
		return func() {}, nil
	}
	var path string
	if err := db.pool.GetContext(ctx, &path, `select file from pragma_database_list where name = 'main'`); err != nil {
		return nil, err
	}
	return lockFile(path+".migrate", syscall.LOCK_EX)
}

// LockFile takes a lock that only one process can hold and that ends with it.
// It fails at once if another holds it.
func LockFile(path string) (unlock func(), err error) {
	return lockFile(path, syscall.LOCK_EX|syscall.LOCK_NB)
}

func lockFile(path string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil // closing releases the lock
}
