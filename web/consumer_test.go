package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/web"
)

const (
	personLink = "dst_person"
	parcelLink = "dst_parcel"
	courier    = "dst_courier"
	whenDown   = "dst_when_the_database_is_down"
)

// links knows the tokens above.
type links struct{}

func (links) Authenticate(_ context.Context, token string) (doorstep.Actor, error) {
	switch token {
	case personLink:
		return doorstep.Actor{Role: doorstep.RoleConsumer, Consumer: "somebody"}, nil
	case parcelLink:
		return doorstep.Actor{Role: doorstep.RoleConsumer, Consumer: "somebody", Waybill: "SF1234567890"}, nil
	case courier:
		return doorstep.Actor{Role: doorstep.RoleCourier, Courier: "c-1"}, nil
	case whenDown:
		return doorstep.Actor{}, errors.New("no database")
	}
	return doorstep.Actor{}, access.ErrUnknown
}

// noForms knows no link that asks.
type noForms struct{ web.Forms }

func get(path, language string) *httptest.ResponseRecorder {
	e := echo.New()
	web.Register(e, links{}, noForms{})
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestAParcelLinkShowsTheEndOfItsWaybillAndOffersNothingStanding(t *testing.T) {
	page := get("/p/"+parcelLink, "en")

	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Body.String(), "…7890")
	require.Contains(t, page.Body.String(), `data-scope="parcel"`)
	require.NotContains(t, page.Body.String(), `id="learning"`)
}

func TestAPersonsLinkShowsWhatIsKnown(t *testing.T) {
	page := get("/p/"+personLink, "en")

	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Body.String(), `data-scope="person"`)
	require.Contains(t, page.Body.String(), `id="learning"`)
}

func TestALinkThatNoConsumerHoldsShowsAFriendlyPage(t *testing.T) {
	for _, token := range []string{"dst_never_made", courier} {
		page := get("/p/"+token, "en")

		require.Equal(t, http.StatusNotFound, page.Code, token)
		require.Contains(t, page.Body.String(), "This link no longer opens anything")
		require.NotContains(t, page.Body.String(), "<script")
	}
}

func TestAFaultIsNotTakenForAnExpiredLink(t *testing.T) {
	require.Equal(t, http.StatusInternalServerError, get("/p/"+whenDown, "en").Code)
}

func TestThePageSpeaksTheReadersLanguage(t *testing.T) {
	for _, tt := range []struct{ path, accept, want string }{
		{"/p/" + personLink, "", "zh-CN"},
		{"/p/" + personLink, "en-GB,en;q=0.9", "en"},
		{"/p/" + personLink + "?lang=en", "zh-CN", "en"},
		{"/p/" + personLink + "?lang=zh-CN", "en", "zh-CN"},
	} {
		page := get(tt.path, tt.accept)

		require.Equal(t, tt.want, page.Header().Get("Content-Language"), tt)
		require.Contains(t, page.Body.String(), `<html lang="`+tt.want+`"`)
	}
}

// A key that a catalogue lacks shows as itself.
func TestNoTextIsMissing(t *testing.T) {
	key := regexp.MustCompile(`>\s*(page|wish|category|status)\.|:"(page|wish|category|status)\.`)
	for _, language := range []string{"zh-CN", "en"} {
		for _, token := range []string{personLink, parcelLink, "dst_never_made"} {
			require.NotRegexp(t, key, get("/p/"+token, language).Body.String())
		}
	}
}

func TestTheScriptHasEveryTextThatItShows(t *testing.T) {
	script, err := os.ReadFile("consumer.js")
	require.NoError(t, err)
	page := get("/p/"+personLink, "en").Body.String()
	keys := regexp.MustCompile(`"(page\.\w+)"`).FindAllStringSubmatch(string(script), -1)

	require.NotEmpty(t, keys)
	for _, key := range keys {
		require.Contains(t, page, `"`+key[1]+`":`)
	}
	for _, state := range []string{"on", "asked", "off"} { // looked up by their names
		require.Contains(t, page, `"page.`+state+`":`)
	}
}

func TestThePageNeverHoldsItsToken(t *testing.T) {
	page := get("/p/"+personLink, "en")

	require.NotContains(t, page.Body.String(), personLink)
	require.Equal(t, "no-store", page.Header().Get("Cache-Control"))
	require.Equal(t, "no-referrer", page.Header().Get("Referrer-Policy"))
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'")
}

func TestThePageAsksNobodyElse(t *testing.T) {
	page := get("/p/"+personLink, "en").Body.String()
	own := regexp.MustCompile(`(?:src|href)="(/p/assets/[a-z.]+)"`)

	require.NotRegexp(t, `(src|href)="(https?:)?//`, page)
	assets := own.FindAllStringSubmatch(page, -1)
	require.Len(t, assets, 4) // icon twice, style, script
	for _, asset := range assets {
		got := get(asset[1], "en")
		require.Equal(t, http.StatusOK, got.Code, asset[1])
		require.NotRegexp(t, `url\(|@import|https?://[^w]`, got.Body.String()) // the namespace of SVG is no request
	}
}
