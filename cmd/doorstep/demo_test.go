package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheDemoTellsItsStoryAndLeavesNothingBehind(t *testing.T) {
	// Given a folder for temporary data
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var told bytes.Buffer

	// When the story is told once
	err := run(t.Context(), []string{"demo", "--once", "--listen", "127.0.0.1:0"}, &streams{In: bytes.NewReader(nil), Out: &told, Err: io.Discard})

	// Then every step holds, the last one included, and the data is gone
	require.NoError(t, err, told.String())
	require.NotContains(t, told.String(), "✗")
	require.Contains(t, told.String(), "the other outlet's manager sees none of it")
	left, err := filepath.Glob(filepath.Join(temp, "doorstep-demo-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestTheDemosTownIsTheSameEveryTime(t *testing.T) {
	day := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	town, err := newDemoTown(day)
	require.NoError(t, err)
	again, err := newDemoTown(day)
	require.NoError(t, err)

	require.Equal(t, town, again)
	require.GreaterOrEqual(t, len(town.consumers), 40)
	require.GreaterOrEqual(t, len(town.past), 300)
	require.GreaterOrEqual(t, len(town.complaints), 200)
}

// The rows are said to be taken from the reader's data as they are.
func TestTheDemosComplaintsAreRowsOfTheReadersData(t *testing.T) {
	files, err := filepath.Glob("../../reading/data/complaints-author-[b-e].ndjson")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	files = append(files, "../../reading/data/complaints-dev.ndjson")
	var want bytes.Buffer
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for i, line := range bytes.SplitAfter(text, []byte("\n")) {
			if (i+1)%12 == 0 {
				want.Write(line)
			}
		}
	}

	require.Equal(t, want.String(), string(demoComplaints))
}
