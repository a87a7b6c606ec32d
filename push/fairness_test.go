package push_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

func TestAClaimIsSharedAmongCouriersInOrderOfNeed(t *testing.T) {
	due := []push.Due{
		{"a1", 1, "d1"}, {"a2", 1, "d2"}, {"a3", 1, "d1"}, {"a4", 1, "d3"}, {"a5", 1, "d4"}, {"a6", 1, "d5"},
		{"b1", 2, "d6"}, {"a7", 1, "d7"}, {"b2", 2, "d6"}, {"c1", 3, "d8"},
	}
	for limit, want := range [][]string{
		{},
		{"a1"},
		{"a1", "a2"},
		{"a1", "a2", "a4"},
		{"a1", "a2", "a4", "a5"},
		{"a1", "a2", "a4", "a5", "b1"},
		{"a1", "a2", "a4", "a5", "b1", "c1"},
		{"a1", "a2", "a4", "a5", "b1", "c1", "a6"},
		{"a1", "a2", "a4", "a5", "b1", "c1", "a6", "a7"},
		{"a1", "a2", "a4", "a5", "b1", "c1", "a6", "a7"},
	} {
		require.Equal(t, want, push.Choose(due, limit), "room for %d", limit)
	}
	require.Empty(t, push.Choose(nil, 5))
}
