package reading_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/reading"
)

func TestTheShippedWeightsAreTrainedFromTheRowsOfTheRepository(t *testing.T) {
	authors, plain := labelled(t)
	rows := reading.TrainingRows(authors, plain)
	require.Equal(t, reading.Digest(rows), newReader(t).Digest(),
		"rows or lexicon changed: run doorstep train")
	if os.Getenv("DOORSTEP_RETRAIN") == "" {
		t.Skip("DOORSTEP_RETRAIN=1 trains anew, which takes minutes")
	}
	shipped, err := os.ReadFile("weights/reader.bin")
	require.NoError(t, err)
	require.True(t, bytes.Equal(shipped, save(t, reading.Train(rows, reading.Training{}))),
		"rules or training changed: run doorstep train")
}

func TestEqualRowsGiveEqualWeights(t *testing.T) {
	_, plain := labelled(t)
	train := func() []byte { return save(t, reading.Train(plain, reading.Training{Epochs: 2, Networks: 2})) }
	require.True(t, bytes.Equal(train(), train()))
}

func TestOtherRowsHaveAnotherDigest(t *testing.T) {
	_, plain := labelled(t)
	require.NotEqual(t, reading.Digest(plain), reading.Digest(plain[1:]))
}

func TestSavedWeightsReadAsBefore(t *testing.T) {
	_, plain := labelled(t)
	r := reading.Train(plain, reading.Training{Epochs: 2, Networks: 2})
	loaded, err := reading.Load(save(t, r))
	require.NoError(t, err)
	for _, row := range plain {
		require.Equal(t, r.Read(row.Text), loaded.Read(row.Text), row.ID)
	}
}

func TestDamagedWeightsAreRefused(t *testing.T) {
	_, plain := labelled(t)
	whole := save(t, reading.Train(plain[:20], reading.Training{Epochs: 1, Networks: 1}))
	changed := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 0xff
		return b
	}
	for name, b := range map[string][]byte{
		"empty":            nil,
		"cut in the head":  whole[:20],
		"cut in the words": whole[:80],
		"cut at the end":   whole[:len(whole)-1],
		"one byte more":    append(bytes.Clone(whole), 0),
		"magic":            changed(0),
		"version":          changed(16),
		"vocabulary":       changed(60),
	} {
		_, err := reading.Load(b)
		require.ErrorIs(t, err, doorstep.ErrInvalid, name)
	}
}

func TestTheShippedWeightsAreSmall(t *testing.T) {
	info, err := os.Stat("weights/reader.bin")
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(20<<20))
}

func save(t testing.TB, r *reading.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.Save(&b))
	return b.Bytes()
}
