package evidence_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"doorstep/evidence"
)

// logKey is a key of seed 0, 0, 0 ...
func logKey(t require.TestingT, seed byte) (note.Signer, note.Verifier) {
	private, public, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), "doorstep-test")
	require.NoError(t, err)
	signer, err := note.NewSigner(private)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(public)
	require.NoError(t, err)
	return signer, verifier
}

// memory is a log in memory, as the library keeps one.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		list[i] = m[x]
	}
	return list, nil
}

func logOf(t require.TestingT, leaves int) (hashes memory) {
	for i := range int64(leaves) {
		more, err := tlog.StoredHashes(i, fmt.Appendf(nil, "leaf %d", i), hashes)
		require.NoError(t, err)
		hashes = append(hashes, more...)
	}
	return hashes
}

func provenLeaf(t require.TestingT, size, index int64) (evidence.Inclusion, tlog.Hash, note.Verifier) {
	log := logOf(t, int(size))
	root, err := tlog.TreeHash(size, log)
	require.NoError(t, err)
	signer, verifier := logKey(t, 0)
	checkpoint, err := evidence.SignCheckpoint(evidence.Origin("doorstep-test", "yt", "hz 1\n"), size, root, signer)
	require.NoError(t, err)
	hashes, err := tlog.ProveRecord(size, index, log)
	require.NoError(t, err)
	return evidence.Inclusion{Index: index, Hashes: hashes, Checkpoint: checkpoint}, tlog.RecordHash(fmt.Appendf(nil, "leaf %d", index)), verifier
}

const origin = "doorstep-test/yt/hz%201%0A"

func TestTheFormOfAProofStays(t *testing.T) {
	proof, leaf, known := provenLeaf(t, 3, 1)
	require.Equal(t, `c2sp.org/tlog-proof@v1
index 1
G7l9zCFjXUfiZj79/QoXRobZjdcBNS3SzQbotD/T0wU=
qze6NNHf4pAV3nF6bVdkqPsCnDp6D1tkuTtUNRiFv3w=

doorstep-test/yt/hz%201%0A
3
1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU=

— doorstep-test CU6id/Xjbluegkt0o09zOqEXG+BQQw1KA3O87TXBz8lq6gOQbHtfGyfVNdEfxfQ0hXbLv3ykh9SZDG4SSsi06xobYQk=
`, proof.Text())
	c, err := proof.Check(leaf, origin, note.VerifierList(known))
	require.NoError(t, err)
	require.Equal(t, int64(3), c.Size)
}

func TestAnyChangedByteOfAProofIsFound(t *testing.T) {
	proof, leaf, verifier := provenLeaf(t, 300, 77)
	known := note.VerifierList(verifier)
	text := proof.Text()
	for i := range len(text) {
		for _, flip := range []byte{1, 0x20, 0x80} {
			bad := []byte(text)
			bad[i] ^= flip
			if got, err := evidence.ParseInclusion(string(bad)); err == nil {
				_, err = got.Check(leaf, origin, known)
				require.Error(t, err, "byte %d", i)
			}
		}
	}
}

func TestAProofHoldsForItsLeafItsLogAndItsKeyOnly(t *testing.T) {
	proof, leaf, verifier := provenLeaf(t, 300, 77)
	_, stranger := logKey(t, 1)
	_, err := proof.Check(leaf, origin, note.VerifierList(verifier))
	require.NoError(t, err)
	for name, check := range map[string]func() (evidence.Checkpoint, error){
		"leaf": func() (evidence.Checkpoint, error) {
			return proof.Check(tlog.RecordHash([]byte("x")), origin, note.VerifierList(verifier))
		},
		"log": func() (evidence.Checkpoint, error) {
			return proof.Check(leaf, "doorstep-test/yt", note.VerifierList(verifier))
		},
		"key": func() (evidence.Checkpoint, error) { return proof.Check(leaf, origin, note.VerifierList(stranger)) },
	} {
		_, err := check()
		require.Error(t, err, name)
	}
}

func TestEveryLeafOfALogOfAnySizeIsProven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 600).Draw(t, "size")
		proof, leaf, known := provenLeaf(t, size, rapid.Int64Range(0, size-1).Draw(t, "index"))
		read, err := evidence.ParseInclusion(proof.Text())
		require.NoError(t, err)
		require.Equal(t, proof.Text(), read.Text())
		_, err = read.Check(leaf, origin, note.VerifierList(known))
		require.NoError(t, err)
	})
}

func FuzzParseInclusion(f *testing.F) {
	proof, leaf, verifier := provenLeaf(f, 5, 3)
	f.Add(proof.Text())
	f.Fuzz(func(t *testing.T, text string) {
		got, err := evidence.ParseInclusion(text)
		if err != nil {
			return
		}
		require.Equal(t, text, got.Text())
		if _, err := got.Check(leaf, origin, note.VerifierList(verifier)); err == nil {
			require.Equal(t, proof, got)
		}
	})
}
