package vault_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/vault"
)

var somewhere = vault.Place{Table: "parcel", Column: "consignee", Row: "1|SF1"}

func TestARotatedKeySealsAndTheOldOnesOpen(t *testing.T) {
	file, err := vault.NewKeys()
	require.NoError(t, err)
	running, err := vault.Open(file)
	require.NoError(t, err)
	old, err := running.Seal([]byte("old"), somewhere)
	require.NoError(t, err)
	require.True(t, running.IsCurrent(old))

	// First every node gets the key, then one may seal with it.
	staged, err := vault.AddSealKey(file)
	require.NoError(t, err)
	node, err := vault.Open(staged)
	require.NoError(t, err)
	require.Equal(t, 2, node.SealKeys())
	require.True(t, node.Staged())
	require.True(t, node.IsCurrent(old), "it does not seal yet")
	used, err := vault.UseNewestSealKey(staged)
	require.NoError(t, err)
	rotated, err := vault.Open(used)
	require.NoError(t, err)
	require.False(t, rotated.IsCurrent(old))
	fresh, err := rotated.Seal([]byte("new"), somewhere)
	require.NoError(t, err)
	for _, v := range []*vault.Vault{node, rotated} {
		plain, err := v.Open(fresh, somewhere)
		require.NoError(t, err)
		require.Equal(t, "new", string(plain))
	}
	_, err = running.Open(fresh, somewhere)
	require.Error(t, err)
	require.NoError(t, running.Reload(used))
	for sealed, want := range map[string]string{string(old): "old", string(fresh): "new"} {
		plain, err := running.Open([]byte(sealed), somewhere)
		require.NoError(t, err)
		require.Equal(t, want, string(plain))
	}
	require.Equal(t, rotated.Fingerprint(), running.Fingerprint())
	require.Equal(t, rotated.LogKeys()[0].Public, running.LogKeys()[0].Public)

	alone, err := vault.DropOldSealKeys(used)
	require.NoError(t, err)
	last, err := vault.Open(alone)
	require.NoError(t, err)
	_, err = last.Open(old, somewhere)
	require.Error(t, err)
	_, err = last.Open(fresh, somewhere)
	require.NoError(t, err)

	more, err := vault.AddSealKey(used)
	require.NoError(t, err)
	kept, err := vault.DropOldSealKeys(more)
	require.NoError(t, err)
	waiting, err := vault.Open(kept)
	require.NoError(t, err)
	require.Equal(t, 2, waiting.SealKeys())
	require.True(t, waiting.Staged(), "a staged key is no old one")

	other, err := vault.NewKeys()
	require.NoError(t, err)
	require.ErrorIs(t, running.Reload(other), vault.ErrOtherKeys)
	_, err = running.Open(fresh, somewhere)
	require.NoError(t, err, "it goes on with the keys it had")
}

func TestAKeyFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	_, err := vault.Load(path)
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	failure := errors.New("no")
	require.ErrorIs(t, vault.ReplaceFile(path, func([]byte) ([]byte, error) { return nil, failure }), failure)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)

	require.NoError(t, vault.ReplaceFile(path, vault.AddSealKey))
	v, err := vault.Load(path)
	require.NoError(t, err)
	require.Equal(t, 2, v.SealKeys())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	names, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, names, 1, "nothing is left beside it")
}
