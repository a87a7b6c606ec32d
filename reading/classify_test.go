package reading_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/reading"
)

func TestClassifyAnswersLineByLine(t *testing.T) {
	in := `{"id":"a","text":"又给我塞快递柜了"}` + "\n" +
		`{"id":7,"text":"It arrived broken","lang":"en"}` // no newline at the end
	var out, problems bytes.Buffer
	require.NoError(t, reading.Classify(strings.NewReader(in), &out, &problems, newReader(t).Read))
	require.Empty(t, problems.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 2)

	var first reading.Verdict
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.JSONEq(t, `"a"`, string(first.ID))
	require.Equal(t, []string{"no_locker"}, first.Tags)
	require.Equal(t, "locker_without_consent", first.Category)
	require.Equal(t, reading.Because{Tag: "no_locker", Start: 0, End: 8}, first.Because[0])
	require.Contains(t, lines[1], `{"id":7,"tags":[],"category":"damaged","confidence":`)
}

func TestABadLineDoesNotSilenceItsNeighbours(t *testing.T) {
	in := `{"id":"a","text":"no lockers"}` + "\n\n" + `{"id":"b"` + "\n" + `{"text":"x"}` + "\n" +
		`{"id":"c"}` + "\n" + `{"id":"d","text":5}` + "\n" + `{"id":"e","text":""}` + "\n"
	var out, problems bytes.Buffer
	err := reading.Classify(strings.NewReader(in), &out, &problems, newReader(t).Read)
	require.ErrorIs(t, err, doorstep.ErrInvalid)
	require.Equal(t, 2, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), `{"id":"e",`)
	for _, line := range []string{"line 3: ", "line 4: no id", "line 5: no text", "line 6: "} {
		require.Contains(t, problems.String(), line)
	}
	require.Equal(t, 4, strings.Count(problems.String(), "\n"))
}

func TestALineBeyondTheLimitIsRefusedAndTheNextAnswered(t *testing.T) {
	in := `{"id":"a","text":"` + strings.Repeat("x", 33<<20) + `"}` + "\n" + `{"id":"b","text":"no lockers"}`
	var out, problems bytes.Buffer
	err := reading.Classify(strings.NewReader(in), &out, &problems, newReader(t).Read)
	require.ErrorIs(t, err, doorstep.ErrInvalid)
	require.Contains(t, problems.String(), "line 1: longer than")
	require.Contains(t, out.String(), `{"id":"b","tags":["no_locker"]`)
}

func TestAFailingSourceIsReported(t *testing.T) {
	var out, problems bytes.Buffer
	err := reading.Classify(iotest.ErrReader(iotest.ErrTimeout), &out, &problems, newReader(t).Read)
	require.ErrorIs(t, err, iotest.ErrTimeout)
}
