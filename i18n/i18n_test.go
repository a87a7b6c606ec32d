package i18n_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/i18n"
	"doorstep/parcels"
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
	for _, certainty := range prefs.Certainties {
		require.Contains(t, zh, "confidence."+string(certainty))
	}
	for _, method := range parcels.Methods {
		require.Contains(t, zh, "signed."+string(method))
		if _, needed := method.Needs(); needed {
			require.Contains(t, zh, "missing.consent_"+string(method))
		}
	}
	for _, step := range (&parcels.ConsentRequiredError{Missing: []parcels.Missing{parcels.MissingPhoto, parcels.MissingPickupCode}}).NextSteps() {
		require.Contains(t, zh, "step."+string(step))
	}
	for _, reason := range parcels.Reasons {
		require.Contains(t, zh, "attempt."+reason.Code)
	}
	place := regexp.MustCompile(`\{\w+\}`)
	for key := range zh {
		require.ElementsMatch(t, place.FindAllString(zh[key], -1), place.FindAllString(en[key], -1), key)
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

func TestADayIsNamedWithItsYearOnlyIfItIsAnother(t *testing.T) {
	now, day := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		wish string
		day  time.Time
		want string
	}{
		{"en", day, "3 May"}, {"zh-CN", day, "5月3日"},
		{"en", day.AddDate(-1, 0, 0), "3 May 2025"}, {"zh-CN", day.AddDate(-1, 0, 0), "2025年5月3日"},
	} {
		require.Equal(t, tt.want, i18n.For(tt.wish).Day(tt.day, now))
	}
	require.Equal(t, "because you told us on 3 May about parcel …1234", i18n.For("en").Fill("because.parcel", "date", "3 May", "end", "1234"))
}

func catalogue(t *testing.T, file string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var texts map[string]string
	require.NoError(t, json.Unmarshal(raw, &texts))
	return texts
}
