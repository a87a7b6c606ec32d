package vault_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/vault"
)

func TestWhatIsSealedOpensOnlyInItsOwnPlace(t *testing.T) {
	v := open(t)
	at := vault.Place{Table: "parcel", Column: "consignee", Row: "1|SF1"}
	sealed, err := v.Seal([]byte("+8613800001234"), at)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "13800001234")

	plain, err := v.Open(sealed, at)
	require.NoError(t, err)
	require.Equal(t, "+8613800001234", string(plain))

	_, err = v.Open(sealed, vault.Place{Table: "parcel", Column: "consignee", Row: "1|SF2"})
	require.Error(t, err)
}

func TestAHashIsStableKeyedAndBoundToItsPurpose(t *testing.T) {
	v := open(t)
	require.Equal(t, v.Hash("phone", "x"), v.Hash("phone", "x"))
	require.NotEqual(t, v.Hash("phone", "x"), v.Hash("address", "x"))
	require.NotEqual(t, v.Hash("phone", "x"), open(t).Hash("phone", "x"))
	require.Len(t, v.Hash("phone", "x"), 26)
}

func TestProcessesThatStartAtOnceShareOneKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	fingerprints := make([]string, 8)
	var all sync.WaitGroup
	for i := range fingerprints {
		all.Go(func() {
			v, err := vault.Load(path)
			if err == nil {
				fingerprints[i] = v.Fingerprint()
			}
		})
	}
	all.Wait()
	for _, f := range fingerprints {
		require.NotEmpty(t, f)
		require.Equal(t, fingerprints[0], f)
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAKeySetMayBeGivenInline(t *testing.T) {
	keys, err := vault.NewKeys()
	require.NoError(t, err)
	v, err := vault.Load(string(keys))
	require.NoError(t, err)
	require.NotEmpty(t, v.Fingerprint())
}

func TestADamagedKeyFileIsRefused(t *testing.T) {
	for _, file := range []string{`{}`, `{"seal":1}`, `{"seal":{"key":[]},"hash":{}}`} {
		_, err := vault.Open([]byte(file))
		require.Error(t, err, file)
	}
}

func open(t *testing.T) *vault.Vault {
	t.Helper()
	keys, err := vault.NewKeys()
	require.NoError(t, err)
	v, err := vault.Open(keys)
	require.NoError(t, err)
	return v
}
