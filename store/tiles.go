package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/maypok86/otter/v2"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// tilePlace is where a tile stands.
type tilePlace struct {
	log   doorstep.OutletNo
	level int
	n     int64
}

// tileCache keeps hashes that were read. It can, because no hash of a log ever
// changes: what is kept of a tile at the growing edge is its beginning for good, and
// only what came since is read. Every proof needs the few tiles near the root and at
// the edge, so those stay.
type tileCache = otter.Cache[tilePlace, []byte]

// keptHashes bounds the cache, in bytes.
const keptHashes = 16 << 20

func newTileCache() *tileCache {
	return otter.Must(&otter.Options[tilePlace, []byte]{
		MaximumWeight: keptHashes,
		Weigher:       func(_ tilePlace, hashes []byte) uint32 { return uint32(len(hashes)) },
	})
}

// Tile reads hashes of a log: of a whole tile, or at the edge where it grows.
func (db *DB) Tile(ctx context.Context, no doorstep.OutletNo, level int, n int64, width int) ([]byte, error) {
	at := tilePlace{no, level, n}
	kept, _ := db.tiles.GetIfPresent(at)
	if len(kept) >= width*tlog.HashSize {
		return kept, nil
	}
	var hashes []byte
	err := db.get(ctx, &hashes, `select hashes from log_tile where outlet_no = ? and level = ? and n = ?`, no, level, n)
	if errors.Is(err, sql.ErrNoRows) {
		have := len(kept) / tlog.HashSize
		var more []byte
		if more, err = db.edge(db.getter(ctx), at, have, width); err == nil {
			hashes = append(kept[:len(kept):len(kept)], more...)
		}
	}
	if err == nil {
		db.tiles.Set(at, hashes)
	}
	return hashes, err
}

// ForgetTiles drops the hashes that are kept.
func (db *DB) ForgetTiles() { db.tiles.InvalidateAll() }

// edge reads hashes have to width of a tile that is not kept whole: of leaves, or of
// tiles of the level below. They come as one row: what a row costs on its way
// through the driver is more than what is in it.
func (d dialect) edge(get getter, at tilePlace, have, width int) ([]byte, error) {
	var digits string
	first := at.n * evidence.TileWidth
	from, to := first+int64(have), first+int64(width)
	var err error
	if at.level == 0 {
		err = get(&digits, `select `+fmt.Sprintf(d.joined, "hash", "seq")+` from log_leaf where outlet_no = ? and seq >= ? and seq < ?`,
			at.log, from, to)
	} else {
		err = get(&digits, `select `+fmt.Sprintf(d.joined, "root", "n")+` from log_tile where outlet_no = ? and level = ? and n >= ? and n < ?`,
			at.log, at.level-1, from, to)
	}
	if err != nil {
		return nil, fmt.Errorf("hashes: %w", err)
	}
	hashes, err := hex.DecodeString(digits)
	if err != nil || len(hashes) != (width-have)*tlog.HashSize {
		return nil, fmt.Errorf("hashes: %d bytes of %d hashes are there", len(hashes), width-have)
	}
	return hashes, nil
}
