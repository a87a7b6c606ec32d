package i18n_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/i18n"
	"doorstep/prefs"
)

func TestEveryTextExistsInBothLanguages(t *testing.T) {
	zh, en := catalogue(t, "zh-CN.json"), catalogue(t, "en.json")
	for key, text := range zh {
		require.NotEmpty(t, text, key)
		require.NotEmpty(t, en[key], key)
	}
	require.Len(t, en, len(zh))
	for _, tag := range prefs.Tags {
		require.Contains(t, zh, "instruction."+string(tag))
		require.Contains(t, zh, "wish."+string(tag))
	}
}

func TestTheLanguageFollowsTheWishes(t *testing.T) {
	for _, tt := range []struct{ wish, want string }{
		{"zh-CN", "请勿放快递柜"},
		{"zh-TW", "请勿放快递柜"},
		{"en-GB,en;q=0.8", "Do not use a parcel locker"},
		{"fr", "请勿放快递柜"},
		{"", "请勿放快递柜"},
	} {
		require.Equal(t, tt.want, i18n.For(tt.wish).Instruction(prefs.NoLocker), tt.wish)
	}
}

func catalogue(t *testing.T, file string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var texts map[string]string
	require.NoError(t, json.Unmarshal(raw, &texts))
	return texts
}
