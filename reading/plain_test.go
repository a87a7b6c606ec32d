package reading_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/reading"
)

// A learned reader misses a few, and no more than now.
func TestNearlyAllPlainSentencesAreReadExactly(t *testing.T) {
	r := newReader(t)
	sentences := plainSentences(t)
	require.GreaterOrEqual(t, len(sentences), 500)
	var wrong []string
	for text, tags := range sentences {
		if got := tagsOf(r.Read(text)); got != tags {
			wrong = append(wrong, fmt.Sprintf("%s: %s, not %s", text, got, tags))
		}
	}
	require.LessOrEqual(t, len(wrong), len(sentences)*4/100, "%s", strings.Join(wrong, "\n"))
}

func TestNoPlainSentenceOfTheTestsIsATrainingRow(t *testing.T) {
	sentences := plainSentences(t)
	authors, plain := labelled(t)
	for _, row := range reading.TrainingRows(authors, plain) {
		_, used := sentences[row.Text]
		require.False(t, used, "row %s: %s", row.ID, row.Text)
	}
}

// plainSentences reads testdata/plain.txt: text and the tags it must have.
func plainSentences(t testing.TB) map[string]string {
	t.Helper()
	file, err := os.ReadFile("testdata/plain.txt")
	require.NoError(t, err)
	sentences := make(map[string]string)
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, tags, ok := strings.Cut(line, " |")
		require.True(t, ok, "no tags: %s", line)
		sentences[text] = strings.TrimSpace(tags)
	}
	return sentences
}

// tagsOf lists the tags of a reading in their order.
func tagsOf(got reading.Reading) string {
	var tags []string
	for _, tag := range got.Tags {
		tags = append(tags, string(tag.Tag))
	}
	return strings.Join(tags, " ")
}

func newReader(t testing.TB) *reading.Reader {
	t.Helper()
	r, err := reading.New()
	require.NoError(t, err)
	return r
}

func labelled(t testing.TB) ([]reading.Author, []reading.Row) {
	t.Helper()
	authors, err := reading.Authors(os.DirFS("data"))
	require.NoError(t, err)
	plain, err := reading.Plain(os.DirFS("data"))
	require.NoError(t, err)
	return authors, plain
}
