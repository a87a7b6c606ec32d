package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/session"
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

// pages are the pages, with a browser that keeps its cookies.
type pages struct {
	handler http.Handler
	cookies map[string]string
}

func newPages(forms web.Forms, sessions web.Sessions) *pages {
	e := echo.New()
	web.Register(e, web.Config{
		Tokens: links{}, Sessions: sessions, Forms: forms,
		Jar: session.Jar{Secure: func() bool { return false }}, Log: slog.New(slog.DiscardHandler),
	})
	return &pages{handler: e, cookies: map[string]string{}}
}

// ask sends one request; headers are names and values.
func (p *pages) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		p.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		}
	}
	return w
}

// follow asks, and then for where the answer leads to.
func (p *pages) follow(path string, headers ...string) *httptest.ResponseRecorder {
	w := p.ask(http.MethodGet, path, "", headers...)
	if to := w.Header().Get("Location"); to != "" {
		return p.ask(http.MethodGet, to, "", headers...)
	}
	return w
}

func get(path, language string) *httptest.ResponseRecorder {
	return newPages(noForms{}, nil).follow(path, "Accept-Language", language)
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
		require.Empty(t, page.Result().Cookies())
	}
}

func TestALinkLeavesTheAddressBarAtOnceAndABrowserHoldsSeveral(t *testing.T) {
	p := newPages(noForms{}, nil)
	first := p.ask(http.MethodGet, "/p/"+parcelLink, "")
	second := p.ask(http.MethodGet, "/p/"+personLink, "")

	for _, opened := range []*httptest.ResponseRecorder{first, second} {
		require.Equal(t, http.StatusSeeOther, opened.Code)
		require.NotContains(t, opened.Header().Get("Location"), "dst_")
		cookie := opened.Result().Cookies()[0]
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	}
	require.Contains(t, p.ask(http.MethodGet, first.Header().Get("Location"), "").Body.String(), `data-scope="parcel"`)
	require.Contains(t, p.ask(http.MethodGet, second.Header().Get("Location"), "").Body.String(), `data-scope="person"`)

	elsewhere := newPages(noForms{}, nil).ask(http.MethodGet, first.Header().Get("Location"), "", "Accept-Language", "en")
	require.Contains(t, elsewhere.Body.String(), "Please open your link again")
	require.NotContains(t, elsewhere.Body.String(), "7890")
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
	key := regexp.MustCompile(`>\s*(page|link|shell|wish|category|status)\.\w|:"(page|wish|category|status)\.`)
	for _, language := range []string{"zh-CN", "en"} {
		for _, token := range []string{personLink, parcelLink, "dst_never_made"} {
			require.NotRegexp(t, key, get("/p/"+token, language).Body.String())
		}
	}
}

func TestTheScriptHasEveryTextThatItShows(t *testing.T) {
	script, err := os.ReadFile("assets/consumer.js")
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
	require.Equal(t, "same-origin", page.Header().Get("Referrer-Policy"))
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'self'; ")
	require.NotContains(t, page.Header().Get("Content-Security-Policy"), "unsafe")
}

func TestThePageAsksNobodyElse(t *testing.T) {
	page := get("/p/"+personLink, "en").Body.String()
	own := regexp.MustCompile(`(?:src|href)="(/assets/[a-z0-9./]+)"`)

	require.NotRegexp(t, `(src|href)="(https?:)?//`, page)
	assets := own.FindAllStringSubmatch(page, -1)
	require.Len(t, assets, 5) // icon twice, styles, script
	for _, asset := range assets {
		got := get(asset[1], "en")
		require.Equal(t, http.StatusOK, got.Code, asset[1])
		require.NotRegexp(t, `url\(|@import|https?://[^w]`, got.Body.String()) // the namespace of SVG is no request
	}
}
