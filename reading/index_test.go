package reading

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryFeatureIsFoundInItsRow(t *testing.T) {
	ids := []uint32{0, 1, 0xffff, 0x10000, 0x10002, 0x7fff0000, 0xfffffffe, 0xffffffff}
	x := newIndex(ids)
	for i, id := range ids {
		row, ok := x.row(id)
		require.True(t, ok, "%x", id)
		require.EqualValues(t, i, row)
	}
	for _, id := range []uint32{2, 0x10001, 0x20000, 0xfffffffd} {
		_, ok := x.row(id)
		require.False(t, ok, "%x", id)
	}
}
