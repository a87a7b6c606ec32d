package bench_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/bench"
)

func TestASpreadIsTheMedianBetweenTheExtremes(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   bench.Spread
	}{
		{nil, bench.Spread{}},
		{[]float64{7}, bench.Spread{Median: 7, Min: 7, Max: 7}},
		{[]float64{9, 1, 4}, bench.Spread{Median: 4, Min: 1, Max: 9}},
		{[]float64{8, 1, 2, 4}, bench.Spread{Median: 3, Min: 1, Max: 8}},
	} {
		require.Equal(t, c.want, bench.SpreadOf(c.values))
	}
}

func TestTheMedianLeavesTheRunsInTheirOrder(t *testing.T) {
	values := []float64{3, 1, 2}
	bench.SpreadOf(values)
	require.Equal(t, []float64{3, 1, 2}, values)
}

func TestAPercentileIsAValueThatWasMeasured(t *testing.T) {
	var values []time.Duration
	for i := 200; i > 0; i-- {
		values = append(values, time.Duration(i))
	}
	require.Equal(t, time.Duration(198), bench.Percentile(values, 0.99))
	require.Equal(t, time.Duration(100), bench.Percentile(values, 0.50))
	require.Equal(t, time.Duration(200), bench.Percentile(values, 1))
	require.Equal(t, time.Duration(1), bench.Percentile(values, 0.001))
	require.Equal(t, time.Duration(7), bench.Percentile([]time.Duration{7}, 0.99))
	require.Zero(t, bench.Percentile(nil, 0.99))
}
