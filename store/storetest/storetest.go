// Package storetest opens a fresh database on each engine, so that one suite
// of tests runs on all of them.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/store"
	"doorstep/vault"
)

// postgresEnv names a server in which each test makes a database of its own.
// scripts/with-postgres sets it.
const postgresEnv = "DOORSTEP_TEST_POSTGRES"

// TemplateEnv names a database there, of which each test's is a copy. Without it
// they are empty.
const TemplateEnv = "DOORSTEP_TEST_TEMPLATE"

// OnEach runs test once on each engine, each time with the URL of an empty
// database.
func OnEach(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite is the path of an empty database.
func SQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "doorstep.db") }

// Postgres is the URL of a database of the test's own, which is empty unless
// TemplateEnv says otherwise. Without a server the test is skipped.
func Postgres(t testing.TB) string {
	server := os.Getenv(postgresEnv)
	if server == "" {
		t.Skip("needs PostgreSQL: run it with make test, or scripts/with-postgres")
	}
	admin, err := sqlx.Open("pgx", server)
	require.NoError(t, err)
	defer admin.Close()
	var suffix [6]byte
	_, err = rand.Read(suffix[:])
	require.NoError(t, err)
	name := "test_" + hex.EncodeToString(suffix[:])
	template := os.Getenv(TemplateEnv)
	if template == "" {
		template = "template1"
	}
	_, err = admin.Exec("create database " + name + " template " + template)
	require.NoError(t, err)
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	t.Cleanup(func() {
		admin, err := sqlx.Open("pgx", server)
		require.NoError(t, err)
		defer admin.Close()
		_, err = admin.Exec("drop database " + name + " with (force)")
		require.NoError(t, err)
	})
	return u.String()
}

// Clock is a clock that tests move.
type Clock struct{ t time.Time }

// NewClock starts at a fixed morning in Shanghai.
func NewClock() *Clock {
	return &Clock{t: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)} // 09:00 there
}

// Now is the clock's time.
func (c *Clock) Now() time.Time { return c.t }

// Add moves the clock, also backwards.
func (c *Clock) Add(d time.Duration) { c.t = c.t.Add(d) }

// Open opens the database at url as a server would. Two calls with the same
// vault are two nodes.
func Open(t testing.TB, url string, v *vault.Vault, clock *Clock, settle time.Duration) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{
		URL: url, Vault: v, NewID: doorstep.MakeID, Now: clock.Now, TimeZone: "Asia/Shanghai",
		Settle: store.Settle{Window: settle, Longest: 3 * time.Minute},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Vault makes fresh keys.
func Vault(t testing.TB) *vault.Vault {
	t.Helper()
	keys, err := vault.NewKeys()
	require.NoError(t, err)
	v, err := vault.Open(keys)
	require.NoError(t, err)
	return v
}
