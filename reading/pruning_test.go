package reading

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheShippedWeightsStayBelow20MB(t *testing.T) {
	require.Less(t, len(shipped), 20_000_000)
}

func TestThePruningDropsWhatSaysLeast(t *testing.T) {
	most := shippedBytes / (4 + 4 + packed)
	ids := make([]uint32, most+3)
	n := &network{weights: newWeights(), scale: make([]float32, len(ids)), table: make([]byte, len(ids)*packed)}
	for row := range ids {
		ids[row], n.scale[row] = uint32(row)*7, 1
		n.table[row*packed] = 2
	}
	least := map[uint32]bool{}
	for _, row := range []int{5, 1000, most + 1} {
		n.table[row*packed] = 1
		least[ids[row]] = true
	}
	n.table[9*packed] = 6
	m := newModel([32]byte{}, ids)
	m.networks = []*network{n}
	m.prune()
	require.Len(t, m.index.ids, most)
	for _, id := range m.index.ids {
		require.False(t, least[id])
	}
	row, ok := m.index.row(9 * 7)
	require.True(t, ok)
	require.Equal(t, byte(6), n.table[int(row)*packed], "rows follow their features")
	require.Len(t, n.scale, most)
}
