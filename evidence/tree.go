package evidence

import (
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Hashes are kept in tiles: TileWidth hashes of one level, and the one hash over
// them, which is of the next level of tiles. Only whole tiles are kept, so that
// no row ever changes; at the growing edge the hashes are those of leaves, or of
// the tiles below.
const (
	TileHeight = 8
	TileWidth  = 1 << TileHeight
)

// Tree is the state of a growing log: how many leaves it has, and the hashes of
// its whole subtrees, the largest first. Its zero value is an empty log.
type Tree struct {
	Size     int64
	Subtrees []tlog.Hash
}

// Append adds a leaf. It gives the hashes of the tiles that this completes, the
// lowest level first.
func (t *Tree) Append(leaf tlog.Hash) (tiles []tlog.Hash) {
	t.Subtrees = append(t.Subtrees, leaf)
	for level := range bits.TrailingZeros64(uint64(t.Size + 1)) {
		last := len(t.Subtrees) - 2
		t.Subtrees[last] = tlog.NodeHash(t.Subtrees[last], t.Subtrees[last+1])
		t.Subtrees = t.Subtrees[:last+1]
		if (level+1)%TileHeight == 0 {
			tiles = append(tiles, t.Subtrees[last])
		}
	}
	t.Size++
	return tiles
}

// Root is the hash over the whole log, as tlog.TreeHash gives it.
func (t Tree) Root() tlog.Hash {
	if t.Size == 0 {
		empty, _ := tlog.TreeHash(0, nil) // a constant
		return empty
	}
	last := len(t.Subtrees) - 1
	root := t.Subtrees[last]
	for _, h := range slices.Backward(t.Subtrees[:last]) {
		root = tlog.NodeHash(h, root)
	}
	return root
}

// hashReader reads a log's hashes for the library, each tile once.
type hashReader struct {
	tile func(level int, n int64, width int) ([]byte, error)
	kept map[tlog.Tile][]byte // by tile without its width
}

func newHashReader(tile func(level int, n int64, width int) ([]byte, error)) *hashReader {
	return &hashReader{tile, map[tlog.Tile][]byte{}}
}

// ReadHashes implements tlog.HashReader.
func (r *hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		tile := tlog.TileForIndex(TileHeight, index)
		key := tile
		key.W = 0
		hashes := r.kept[key]
		if len(hashes) < tile.W*tlog.HashSize {
			var err error
			if hashes, err = r.tile(tile.L, tile.N, tile.W); err != nil {
				return nil, fmt.Errorf("log: %s: %w", tile.Path(), err)
			}
			r.kept[key] = hashes
		}
		var err error
		if list[i], err = tlog.HashFromTile(tile, hashes, index); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
	}
	return list, nil
}
