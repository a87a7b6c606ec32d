package reading_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/reading"
)

func TestLabelledRowsKeepToTheGuide(t *testing.T) {
	authors, plain := labelled(t)
	ids, texts := make(map[string]bool), make(map[string]bool)
	for _, row := range reading.TrainingRows(authors, plain) {
		require.False(t, ids[row.ID], "%s twice", row.ID)
		require.False(t, texts[row.Text], "%s: text twice", row.ID)
		require.Contains(t, []string{"zh", "en"}, row.Lang, row.ID)
		for _, tag := range row.Avoid {
			require.False(t, slices.Contains(row.Tags, tag), "%s: %s taught and avoided", row.ID, tag)
		}
		for _, pair := range opposites {
			require.False(t, slices.Contains(row.Tags, pair[0]) && slices.Contains(row.Tags, pair[1]), row.ID)
		}
		ids[row.ID], texts[row.Text] = true, true
	}
}

func TestARowOutsideTheVocabularyIsNamedByItsLine(t *testing.T) {
	good := `{"id":"1","lang":"en","text":"a","category":"other","tags":["no_locker"],"avoid":[]}`
	for name, bad := range map[string]string{
		"category": strings.Replace(good, "other", "weather", 1),
		"tag":      strings.Replace(good, "no_locker", "no_lockers", 1),
		"json":     good[:20],
	} {
		_, err := reading.ReadRows(strings.NewReader(good + "\n\n" + bad + "\n"))
		require.ErrorIs(t, err, doorstep.ErrInvalid, name)
		require.ErrorContains(t, err, "line 3", name)
	}
}

func TestAFolderWithoutRowsIsAnError(t *testing.T) {
	_, err := reading.Authors(fstest.MapFS{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = reading.Plain(fstest.MapFS{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}
