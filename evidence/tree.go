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

// hashReader reads a log's hashes for the library.
type hashReader struct {
	tile func(level int, n int64, width int) ([]byte, error)
}

// remembering is a reader that reads no tile twice, unless it is needed wider. The
// hashes of a log never change.
func (r hashReader) remembering() hashReader {
	type place struct {
		level int
		n     int64
	}
	read := map[place][]byte{}
	return hashReader{func(level int, n int64, width int) ([]byte, error) {
		at := place{level, n}
		if len(read[at]) >= width*tlog.HashSize {
			return read[at], nil
		}
		hashes, err := r.tile(level, n, width)
		if err == nil {
			read[at] = hashes
		}
		return hashes, err
	}}
}

// ReadHashes implements tlog.HashReader. Each tile is read once, as wide as it is
// needed.
func (r hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	type place struct {
		level int
		n     int64
	}
	width := map[place]int{}
	for _, index := range indexes {
		t := tlog.TileForIndex(TileHeight, index)
		width[place{t.L, t.N}] = max(width[place{t.L, t.N}], t.W)
	}
	read := make(map[place][]byte, len(width))
	list := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		t := tlog.TileForIndex(TileHeight, index)
		at := place{t.L, t.N}
		if read[at] == nil {
			hashes, err := r.tile(t.L, t.N, width[at])
			if err != nil {
				return nil, fmt.Errorf("log: %s: %w", t.Path(), err)
			}
			read[at] = hashes
		}
		var err error
		if list[i], err = tlog.HashFromTile(t, read[at], index); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
	}
	return list, nil
}
