package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorstep"
	"doorstep/blobs"
	"doorstep/blobs/s3"
	"doorstep/photos"
	"doorstep/store"
	"doorstep/vault"
)

// database says where data and keys are. Every command that touches data takes
// these settings.
type database struct {
	Data     string `env:"DOORSTEP_DATA" default:"./doorstep-data" help:"Folder of the database and the keys."`
	DB       string `env:"DOORSTEP_DB" placeholder:"URL" help:"postgres://..., or the path of an SQLite file (default: doorstep.db in the data folder)."`
	Keys     string `env:"DOORSTEP_KEYS" placeholder:"FILE" help:"Key set: a file or inline JSON (default: keys.json in the data folder)."`
	TimeZone string `env:"DOORSTEP_TIME_ZONE" default:"Asia/Shanghai" help:"Time zone of outlets that name none."`
}

// longestSettle bounds a courier's settle window however many alerts come.
const longestSettle = 3 * time.Minute

// open opens the database, making folder, keys and schema as needed.
func (d database) open(ctx context.Context, settle time.Duration) (*store.DB, error) {
	return d.openBy(ctx, now, doorstep.MakeID, settle)
}

// openBy is open with another clock and other ids.
func (d database) openBy(ctx context.Context, now func() time.Time, newID doorstep.IDMaker, settle time.Duration) (*store.DB, error) {
	if _, err := time.LoadLocation(d.TimeZone); err != nil {
		return nil, fmt.Errorf("--time-zone: %w", err)
	}
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	v, err := vault.Load(d.keys())
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Config{
		URL: d.url(), Vault: v, NewID: newID, Now: now, TimeZone: d.TimeZone,
		Settle: store.Settle{Window: settle, Longest: longestSettle},
	})
}

// pictures says where photos are kept. Every command that touches photos takes it.
type pictures struct {
	Blobs string `env:"DOORSTEP_BLOBS" placeholder:"PLACE" help:"Where photos are kept: a folder, or s3://bucket/prefix?endpoint=...&region=... (default: blobs in the data folder)."`
}

// album opens the photos of a database, sealed with its own keys.
func (p pictures) album(d database, db *store.DB) (*photos.Album, blobs.Sealed, error) {
	sealed, err := d.blobs(p.Blobs, db.Vault())
	return photos.NewAlbum(db, sealed, now, doorstep.MakeID), sealed, err
}

// blobs opens where photos are kept.
func (d database) blobs(setting string, v *vault.Vault) (blobs.Sealed, error) {
	if !strings.HasPrefix(setting, "s3:") {
		if setting == "" {
			setting = filepath.Join(d.Data, "blobs")
		}
		return blobs.Sealed{Store: blobs.OpenFolder(setting), Vault: v}, nil
	}
	bucket, err := s3.Open(setting, os.Getenv)
	if err != nil {
		return blobs.Sealed{}, fmt.Errorf("--blobs: %w", err)
	}
	return blobs.Sealed{Store: bucket, Vault: v}, nil
}

func (d database) url() string {
	if d.DB == "" {
		return filepath.Join(d.Data, "doorstep.db")
	}
	return strings.TrimPrefix(d.DB, "sqlite://")
}

func (d database) isPostgres() bool {
	return strings.HasPrefix(d.DB, "postgres://") || strings.HasPrefix(d.DB, "postgresql://")
}

// with opens the database for one short command.
func (d database) with(ctx context.Context, do func(*store.DB) error) error {
	db, err := d.open(ctx, 0)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// logger writes lines a person can read to a terminal and JSON elsewhere.
func logger(s *streams, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	options := &slog.HandlerOptions{Level: l}
	if isTerminal(s.Err) {
		return slog.New(slog.NewTextHandler(s.Err, options)), nil
	}
	return slog.New(slog.NewJSONHandler(s.Err, options)), nil
}
