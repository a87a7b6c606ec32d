package bench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/bench"
)

func TestAGoalIsMissedMetOrSurpassed(t *testing.T) {
	least := bench.Goal{Must: 0.5, Aim: 0.75}
	require.Equal(t, "missed", least.Reached(0.499))
	require.Equal(t, "must", least.Reached(0.5))
	require.Equal(t, "aim", least.Reached(0.75))
	most := bench.Goal{Must: 25, Aim: 5, AtMost: true}
	require.Equal(t, "missed", most.Reached(25.1))
	require.Equal(t, "must", most.Reached(25))
	require.Equal(t, "aim", most.Reached(5))
	require.Equal(t, "must", bench.Goal{Must: 2000}.Reached(9000), "there is nothing beyond it")
}

func TestTheTableShowsRatiosBesideBothFigures(t *testing.T) {
	var out strings.Builder
	err := bench.Report{
		At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Engine: "SQLite", Go: "go1.26", Machine: "some CPU", Processors: 2,
		Rows: []bench.Row{{
			Name: "batches", Title: "batches of 1,000", Unit: "dispatches/s", Against: "the raw engine",
			Doorstep: bench.Spread{Median: 21_500, Min: 20_000, Max: 22_000}, Reference: &bench.Spread{Median: 43_000, Min: 40_000, Max: 45_000},
			Ratio: &bench.Spread{Median: 0.5, Min: 0.48, Max: 0.51}, Goal: &bench.Goal{Must: 0.5, Aim: 0.75},
		}, {
			Name: "memory", Title: "resident memory", Unit: "MB",
			Doorstep: bench.Spread{Median: 512.4, Min: 512.4, Max: 512.4}, Goal: &bench.Goal{Must: 500, AtMost: true},
		}},
		Left: []string{"nodes: needs --db"},
	}.WriteTable(&out)
	require.NoError(t, err)
	require.Regexp(t, `batches +21500 \[20000 - 22000\] dispatches/s +43000 \[40000 - 45000\] +0.500 \[0.480 - 0.510\] +>= 0.500 / 0.750 must`, out.String())
	require.Regexp(t, `memory +512 \[512 - 512\] MB +<= 500 missed`, out.String())
	require.Contains(t, out.String(), "batches: batches of 1,000; against the raw engine\n")
	require.Contains(t, out.String(), "not measured: nodes: needs --db\n")
}
