package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"doorstep"
	"doorstep/photos"
	"doorstep/store"
	"doorstep/vault"
)

type keysCmd struct {
	Status keysStatusCmd `cmd:"" help:"Say which keys there are, without showing any."`
	Rotate keysRotateCmd `cmd:"" help:"Seal with a new key from now on, or sign the log with one. Old keys stay for reading."`
	Reseal keysResealCmd `cmd:"" help:"Seal anew what older keys sealed, so that they can be dropped."`
}

type keysStatusCmd struct {
	Database database `embed:""`
}

// Run prints what the key set holds.
func (c *keysStatusCmd) Run(_ context.Context, s *streams) error {
	v, err := vault.Read(c.Database.keys())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "fingerprint  %s\nseal keys    %d\nlog keys     %d, now %s\n",
		v.Fingerprint(), v.SealKeys(), len(v.LogKeys()), v.LogKeys()[0].Public)
	return err
}

type keysRotateCmd struct {
	Database database `embed:""`
	Stage    bool     `help:"Add the new seal key without using it yet: first for every node, then rotate without this flag."`
	Log      bool     `help:"Rotate the key that signs the log."`
}

// Run replaces the key file. Servers take it up when they start or, but for the
// log's key, on SIGHUP.
func (c *keysRotateCmd) Run(_ context.Context, s *streams) error {
	path, err := c.Database.keyFile()
	if err != nil {
		return err
	}
	v, unlock, err := lockKeys(path)
	if err != nil {
		return err
	}
	defer unlock()
	changes, said := []func([]byte) ([]byte, error){vault.AddSealKey, vault.UseNewestSealKey}, "a new key seals"
	switch {
	case c.Log && c.Stage:
		return errors.New("--stage is of the seal key: the log's key is used when a server starts")
	case c.Log:
		changes = []func([]byte) ([]byte, error){func(file []byte) ([]byte, error) { return vault.AddLogKey(file, rand.Reader) }}
		said = "a new key signs the log once the servers are restarted; publish it beside the old one"
	case c.Stage && v.Staged():
		return errors.New("a staged key waits already: rotate without --stage")
	case c.Stage:
		changes, said = changes[:1], "a new key is staged: give every node the file, then rotate without --stage"
	case v.Staged():
		changes, said = changes[1:], "the staged key seals"
	}
	err = vault.ReplaceFile(path, func(file []byte) (_ []byte, err error) {
		for _, change := range changes {
			if file, err = change(file); err != nil {
				return nil, err
			}
		}
		return file, nil
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, said)
	return err
}

type keysResealCmd struct {
	Database database `embed:""`
	Pictures pictures `embed:""`
	Retire   bool     `help:"Drop the old keys from the file when nothing needs them any more. Copies of the data that they sealed, such as backups, cannot be read with it then."`
}

// Run goes through all that is sealed, in small batches beside a running server.
func (c *keysResealCmd) Run(ctx context.Context, s *streams) error {
	path, err := c.Database.keyFile()
	if err != nil {
		return err
	}
	if c.Retire { // until the old keys are dropped the file stays as it is
		v, unlock, err := lockKeys(path)
		if err != nil {
			return err
		}
		defer unlock()
		if v.Staged() {
			return errors.New("a staged key waits, and a node may seal with it by now: keys rotate first")
		}
	}
	return c.Database.with(ctx, func(db *store.DB) error {
		album, sealed, err := c.Pictures.album(c.Database, db)
		if err != nil {
			return err
		}
		resealer := photos.Resealer{Store: db, Blobs: sealed, Now: now, NewID: doorstep.MakeID}
		values, pictures, err := resealAll(ctx, db, &resealer, album)
		if err != nil {
			return err
		}
		if fmt.Fprintf(s.Out, "%d values and %d photos sealed anew\n", values, pictures); !c.Retire {
			return nil
		}
		// A server that has not taken up the new key may have sealed behind our back.
		if values, pictures, err = resealAll(ctx, db, &resealer, album); err != nil {
			return err
		}
		if values+pictures > 0 {
			return fmt.Errorf("%d values and %d photos were sealed with an old key meanwhile: restart the servers and try again", values, pictures)
		}
		waiting, err := resealer.Waiting(ctx)
		if err != nil {
			return err
		}
		if waiting > 0 {
			return fmt.Errorf("%d blobs of uploads that have not ended need an old key: they go within a day, try again then", waiting)
		}
		if err := vault.ReplaceFile(path, vault.DropOldSealKeys); err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.Out, "the old keys are dropped")
		return err
	})
}

// resealAll seals anew what is in the database, and photos.
func resealAll(ctx context.Context, db *store.DB, r *photos.Resealer, album *photos.Album) (values, pictures int, err error) {
	if values, err = db.Reseal(ctx); err != nil {
		return values, 0, err
	}
	pictures, err = r.Reseal(ctx)
	for swept := 1; swept > 0 && err == nil; { // what they were sealed in before
		swept, err = album.Sweep(ctx)
	}
	return values, pictures, err
}

// lockKeys reads a key file that nobody else changes until it is unlocked. One that
// is not there is not made: its keys would open nothing.
func lockKeys(path string) (v *vault.Vault, unlock func(), err error) {
	if _, err := os.Stat(path); err != nil { // the lock would be left beside it
		return nil, nil, fmt.Errorf("key file: %w", err)
	}
	if unlock, err = store.LockFile(path + ".lock"); err != nil {
		return nil, nil, err
	}
	if v, err = vault.Read(path); err != nil {
		unlock()
	}
	return v, unlock, err
}

// keyFile is where the keys are. Keys that are given inline cannot be changed
// here.
func (d database) keyFile() (string, error) {
	if strings.HasPrefix(strings.TrimSpace(d.keys()), "{") {
		return "", errors.New("--keys is inline: change it where it is kept, or name a file")
	}
	return d.keys(), nil
}

// keys is where the key set is: a file, or the keys themselves.
func (d database) keys() string {
	if d.Keys == "" {
		return filepath.Join(d.Data, "keys.json")
	}
	return d.Keys
}

// followKeys takes up the key file anew on each SIGHUP, until ctx ends.
func (d database) followKeys(ctx context.Context, db *store.DB, log *slog.Logger) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
		}
		path, err := d.keyFile()
		var file []byte
		if err == nil {
			file, err = os.ReadFile(path)
		}
		if err == nil {
			err = db.Reload(file)
		}
		if err != nil {
			log.ErrorContext(ctx, "keys were not taken up", "error", err)
			continue
		}
		log.InfoContext(ctx, "keys taken up")
	}
}
