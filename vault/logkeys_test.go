package vault_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"doorstep/vault"
)

func TestCopiesOfOneKeyFileHaveOneLogKey(t *testing.T) {
	file, err := vault.NewKeys()
	require.NoError(t, err)
	a, err := vault.Open(file)
	require.NoError(t, err)
	b, err := vault.Open(file)
	require.NoError(t, err)
	require.Len(t, a.LogKeys(), 1)
	require.Equal(t, a.LogKeys()[0].Public, b.LogKeys()[0].Public)
	require.NotEqual(t, a.LogKeys()[0].Public, open(t).LogKeys()[0].Public)
}

func TestALogKeyIsAddedBeforeTheOthersAndKeepsTheirName(t *testing.T) {
	file, err := vault.NewKeys()
	require.NoError(t, err)
	before, err := vault.Open(file)
	require.NoError(t, err)
	file, err = vault.AddLogKey(file, rand.Reader)
	require.NoError(t, err)
	after, err := vault.Open(file)
	require.NoError(t, err)
	require.Equal(t, before.Fingerprint(), after.Fingerprint())
	keys := after.LogKeys()
	require.Len(t, keys, 2)
	require.Equal(t, before.LogKeys()[0].Public, keys[1].Public)
	require.NotEqual(t, keys[0].Public, keys[1].Public)
	require.Equal(t, keys[1].Name(), keys[0].Name())

	signed, err := note.Sign(&note.Note{Text: "text\n"}, keys[0])
	require.NoError(t, err)
	verifier, err := note.NewVerifier(keys[0].Public)
	require.NoError(t, err)
	_, err = note.Open(signed, note.VerifierList(verifier))
	require.NoError(t, err)
}

func TestADamagedLogKeyIsRefused(t *testing.T) {
	file, err := vault.NewKeys()
	require.NoError(t, err)
	file, err = vault.AddLogKey(file, rand.Reader)
	require.NoError(t, err)
	bad := bytes.Replace(file, []byte(`"log": [`), []byte(`"log": ["AAAA",`), 1)
	require.NotEqual(t, file, bad)
	_, err = vault.Open(bad)
	require.Error(t, err)
}
