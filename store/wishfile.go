package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cespare/xxhash/v2"
)

// An orderly stop keeps the wish index beside the SQLite file, for the next start:
// to build it from ten million consumers takes seconds, in which the first
// dispatches compete with it for a disk whose cache is cold. Without the file, as
// after a crash, it is built as ever.
//
// The file and the database are two halves of a tally: each stop writes a new
// mark into both. So a database that was put back from a backup does not match,
// though its changes may have the same numbers. The file is used once.
type wishFile struct {
	mark      [16]byte
	heard     int64
	consumers int
	*bloom
}

const (
	wishFileKind   = "doorstep wishes 1\n"
	wishFileSuffix = "-wishes"
	wishMarkName   = "wish_index_mark" // among the settings
)

// saveWishIndex keeps the index, if it has heard of every change.
func (db *DB) saveWishIndex(ctx context.Context) error {
	x := &db.wishes
	x.mu.Lock()
	e := x.answering.Load()
	if e == nil || len(e.early) > 0 || e.missed.Load() > e.heard.Load() {
		x.mu.Unlock()
		return nil
	}
	f := wishFile{heard: e.heard.Load(), consumers: e.consumers, bloom: e.bloom}
	x.mu.Unlock()
	if _, err := rand.Read(f.mark[:]); err != nil {
		return err
	}
	path := db.url + wishFileSuffix
	if err := os.WriteFile(path+".new", f.encode(), 0o600); err != nil {
		return fmt.Errorf("keep the index of wishes: %w", err)
	}
	err := db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`insert into setting (name, value) values (?, ?) on conflict (name) do update set value = excluded.value`,
			wishMarkName, fmt.Sprintf("%x", f.mark))
	})
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("keep the index of wishes: %w", err)
	}
	return nil
}

// loadWishIndex takes up what the last stop kept, if it matches.
func (db *DB) loadWishIndex(ctx context.Context) error {
	if db.name != sqlite.name {
		return nil
	}
	path := db.url + wishFileSuffix
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("index of wishes: %w", err)
	}
	f, ok := decodeWishFile(text)
	if !ok {
		return nil
	}
	var mark string
	err = db.get(ctx, &mark, `select value from setting where name = ?`, wishMarkName)
	if errors.Is(err, sql.ErrNoRows) || err == nil && mark != fmt.Sprintf("%x", f.mark) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("index of wishes: %w", err)
	}
	e := &wishEdition{bloom: f.bloom, early: map[int64]bool{}, consumers: f.consumers}
	e.heard.Store(f.heard)
	// What other processes changed since shows as a number that was not heard;
	// what this one did while the file was read would too.
	db.wishes.mu.Lock()
	defer db.wishes.mu.Unlock()
	db.wishes.answering.CompareAndSwap(nil, e)
	return nil
}

// encode writes the kind, the mark, three numbers, the filter's words and a
// checksum, numbers in eight bytes, little-endian.
func (f wishFile) encode() []byte {
	text := make([]byte, 0, len(wishFileKind)+len(f.mark)+4*8+len(f.blocks)*bloomBlockBytes)
	text = append(append(text, wishFileKind...), f.mark[:]...)
	for _, n := range []int{int(f.heard), f.consumers, len(f.blocks)} {
		text = binary.LittleEndian.AppendUint64(text, uint64(n))
	}
	for i := range f.blocks {
		for j := range f.blocks[i] {
			text = binary.LittleEndian.AppendUint64(text, f.blocks[i][j].Load())
		}
	}
	return binary.LittleEndian.AppendUint64(text, xxhash.Sum64(text))
}

// decodeWishFile reads what encode wrote; ok is false for anything else.
func decodeWishFile(text []byte) (f wishFile, ok bool) {
	const head = len(wishFileKind) + len(f.mark) + 3*8
	if len(text) < head+8 || string(text[:len(wishFileKind)]) != wishFileKind {
		return f, false
	}
	body, sum := text[:len(text)-8], binary.LittleEndian.Uint64(text[len(text)-8:])
	if xxhash.Sum64(body) != sum {
		return f, false
	}
	body = body[len(wishFileKind):]
	body = body[copy(f.mark[:], body):]
	next := func() uint64 {
		n := binary.LittleEndian.Uint64(body)
		body = body[8:]
		return n
	}
	f.heard, f.consumers = int64(next()), int(next())
	blocks := int(next())
	if blocks < 1 || blocks > mostBloomBlocks || len(body) != blocks*bloomBlockBytes {
		return f, false
	}
	f.bloom = &bloom{make([]bloomBlock, blocks)}
	for i := range f.blocks {
		for j := range f.blocks[i] {
			f.blocks[i][j].Store(next())
		}
	}
	return f, true
}
