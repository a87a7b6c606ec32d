package api_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
)

func TestAPageHasFiftyItemsUnlessToldOtherwise(t *testing.T) {
	page, err := api.ParsePage(nil, nil, 2)
	require.NoError(t, err)
	require.Equal(t, api.Page{Limit: 50}, page)
}

func TestALimitIsOneToTwoHundred(t *testing.T) {
	for given, good := range map[string]bool{
		"1": true, "200": true, "0": false, "201": false, "-1": false, "": false, "ten": false, "1.5": false,
		"99999999999999999999": false,
	} {
		_, err := api.ParsePage(&given, nil, 1)
		require.Equal(t, good, err == nil, "limit %q", given)
	}
}

func TestACursorCarriesItsKeys(t *testing.T) {
	for _, keys := range [][]string{{"1763715600000", "7k-0192"}, {"", `"quoted" 名`}} {
		page, err := api.ParsePage(nil, api.NextCursor(keys...), 2)
		require.NoError(t, err)
		require.Equal(t, keys, page.After)
	}
}

func TestACursorOfNoPageIsRefused(t *testing.T) {
	raw := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, given := range []string{
		"", "!", "%", raw("null"), raw("{}"), raw(`["a"]`), raw(`["a","b","c"]`), raw(`["a",1]`), raw(`["a","b"`),
		raw(`["a","b\u0000"]`), *api.NextCursor("a"), *api.NextCursor("a", strings.Repeat("b", 2000)),
	} {
		_, err := api.ParsePage(nil, &given, 2)
		require.Equal(t, []string{"/cursor invalid_cursor"}, badFields(t, err), given)
	}
}

func TestEveryBadParameterOfAListIsNamed(t *testing.T) {
	limit, cursor := "0", "!"
	_, err := api.ParsePage(&limit, &cursor, 1)
	require.Equal(t, []string{"/limit invalid_limit", "/cursor invalid_cursor"}, badFields(t, err))
}

func TestAFeedGoesOnAfterANumber(t *testing.T) {
	after, limit := "41", "200"
	from, size, err := api.ParseFeed(&after, &limit)
	require.NoError(t, err)
	require.Equal(t, int64(41), from)
	require.Equal(t, 200, size)

	from, size, err = api.ParseFeed(nil, nil)
	require.NoError(t, err)
	require.Zero(t, from)
	require.Equal(t, 50, size)
}

func TestAFeedRefusesWhatIsNoNumberOfIt(t *testing.T) {
	for _, after := range []string{"", "-1", "x", "1.0", "9223372036854775808"} {
		_, _, err := api.ParseFeed(&after, nil)
		require.Equal(t, []string{"/after invalid_after"}, badFields(t, err), after)
	}
}

func badFields(t *testing.T, err error) []string {
	t.Helper()
	var invalid *doorstep.InvalidError
	require.ErrorAs(t, err, &invalid)
	fields := make([]string, len(invalid.Fields))
	for i, f := range invalid.Fields {
		fields[i] = f.Pointer + " " + f.Code
	}
	return fields
}

func FuzzACursorIsReadOrRefused(f *testing.F) {
	f.Add(*api.NextCursor("a", "b"))
	f.Add("W10")
	f.Fuzz(func(t *testing.T, given string) {
		page, err := api.ParsePage(nil, &given, 2)
		if err != nil {
			require.ErrorIs(t, err, doorstep.ErrInvalid)
			return
		}
		require.Len(t, page.After, 2)
	})
}
