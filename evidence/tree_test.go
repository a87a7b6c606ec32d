package evidence_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/evidence"
)

func TestATreeGrowsAsTheLibrarysDoes(t *testing.T) {
	const size = 3 * evidence.TileWidth * 2
	log := logOf(t, size)
	var tree evidence.Tree
	for n := int64(0); ; n++ {
		want, err := tlog.TreeHash(n, log)
		require.NoError(t, err)
		require.Equal(t, want, tree.Root(), n)
		require.Equal(t, n, tree.Size)
		if n == size {
			break
		}
		tiles := tree.Append(tlog.RecordHash(fmt.Appendf(nil, "leaf %d", n)))
		if (n+1)%evidence.TileWidth != 0 {
			require.Empty(t, tiles, n)
			continue
		}
		require.Equal(t, []tlog.Hash{log[tlog.StoredHashIndex(evidence.TileHeight, n/evidence.TileWidth)]}, tiles)
	}
}

func TestALeafMayCompleteTilesOfSeveralLevels(t *testing.T) {
	var tree evidence.Tree
	for range evidence.TileWidth*evidence.TileWidth - 1 {
		tree.Append(tlog.Hash{})
	}
	tiles := tree.Append(tlog.Hash{})
	require.Len(t, tiles, 2)
	require.Equal(t, tree.Root(), tiles[1])
}
