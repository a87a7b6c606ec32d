package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/session"
	"doorstep/web"
)

// desk knows one sign-in link, which begins a session of links.
type desk struct {
	used    bool
	revoked []string
}

const invitation = "dst_invitation"

func (d *desk) Invited(_ context.Context, link string) (doorstep.Actor, error) {
	if link != invitation || d.used {
		return doorstep.Actor{}, access.ErrUnknown
	}
	return doorstep.Actor{Role: doorstep.RoleCourier, Courier: "c-1"}, nil
}

func (d *desk) SignIn(ctx context.Context, link string) (string, doorstep.Actor, error) {
	who, err := d.Invited(ctx, link)
	d.used = true
	return courier, who, err
}

func (d *desk) Revoke(_ context.Context, id string) error {
	d.revoked = append(d.revoked, id)
	return nil
}

func TestASignInLinkIsUsedByItsButtonAndNotByLooking(t *testing.T) {
	office := &desk{}
	p := newPages(noForms{}, office)

	for range 2 { // a scanner, and then the courier
		page := p.ask(http.MethodGet, "/sign-in/"+invitation, "", "Accept-Language", "en")
		require.Equal(t, http.StatusOK, page.Code)
		require.Contains(t, page.Body.String(), "c-1")
		require.NotContains(t, page.Body.String(), invitation)
		require.False(t, office.used)
		require.Empty(t, page.Result().Cookies())
	}

	entered := p.ask(http.MethodPost, "/sign-in/"+invitation, "")
	require.Equal(t, http.StatusSeeOther, entered.Code)
	require.Equal(t, "/c/", entered.Header().Get("Location"))
	cookie := entered.Result().Cookies()[0]
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Contains(t, p.ask(http.MethodGet, "/c/", "", "Accept-Language", "en").Body.String(), "c-1")

	again := newPages(noForms{}, office).ask(http.MethodPost, "/sign-in/"+invitation, "", "Accept-Language", "en")
	require.Equal(t, http.StatusNotFound, again.Code)
	require.Empty(t, again.Result().Cookies())
	require.Contains(t, again.Body.String(), "does not work any more")
}

func TestWithoutASessionTheFacesShowHowToSignIn(t *testing.T) {
	for _, path := range []string{"/c/", "/console/"} {
		p := newPages(noForms{}, &desk{})
		page := p.ask(http.MethodGet, path, "", "Accept-Language", "en")
		require.Equal(t, http.StatusOK, page.Code)
		require.Contains(t, page.Body.String(), "Ask ")
	}
}

func TestASessionOpensItsOwnFaceOnly(t *testing.T) {
	p := newPages(noForms{}, &desk{})
	p.cookies["doorstep_console"] = courier

	require.Contains(t, p.ask(http.MethodGet, "/console/", "", "Accept-Language", "en").Body.String(), "Ask ")
}

func TestSigningOutEndsTheSession(t *testing.T) {
	office := &desk{}
	p := newPages(noForms{}, office)
	p.cookies["doorstep_courier"] = courier

	require.Equal(t, http.StatusForbidden, p.ask(http.MethodPost, "/c/sign-out", "", "Sec-Fetch-Site", "cross-site").Code)
	require.Empty(t, office.revoked)

	require.Equal(t, http.StatusNotFound, p.ask(http.MethodGet, "/c/sign-out", "").Code)
	require.Empty(t, office.revoked)

	require.Equal(t, "/c/", p.ask(http.MethodPost, "/c/sign-out", "", "Sec-Fetch-Site", "same-origin").Header().Get("Location"))
	require.Len(t, office.revoked, 1)
	require.NotContains(t, p.cookies, "doorstep_courier")
}

func TestAPageThatIsNotThereLooksLikeTheHouse(t *testing.T) {
	for path, want := range map[string]int{"/c/nothing": http.StatusNotFound, "/console/nothing": http.StatusNotFound} {
		page := newPages(noForms{}, &desk{}).ask(http.MethodGet, path, "", "Accept-Language", "en")
		require.Equal(t, want, page.Code)
		require.Contains(t, page.Body.String(), "There is nothing here")
	}
}

func TestTheChosenLanguageIsRemembered(t *testing.T) {
	p := newPages(noForms{}, &desk{})
	require.Equal(t, "zh-CN", p.ask(http.MethodGet, "/c/", "").Header().Get("Content-Language"))
	require.Equal(t, "en", p.ask(http.MethodGet, "/c/?lang=en", "").Header().Get("Content-Language"))
	require.Equal(t, "en", p.ask(http.MethodGet, "/c/", "", "Accept-Language", "zh-CN").Header().Get("Content-Language"))
}

func TestTheChosenLanguageIsKeptAsTheSessionsAre(t *testing.T) {
	for _, secure := range []bool{true, false} {
		e := echo.New()
		web.Register(e, web.Config{Tokens: links{}, Sessions: &desk{}, Jar: session.Jar{Secure: func() bool { return secure }}, Log: slog.New(slog.DiscardHandler)})
		p := &pages{handler: e, cookies: map[string]string{}}

		cookies := p.ask(http.MethodGet, "/c/?lang=en", "").Result().Cookies()
		require.Len(t, cookies, 1)
		require.Equal(t, secure, cookies[0].Secure)
	}
}

func TestAPageThatAnswersAFormOffersNoOtherLanguage(t *testing.T) {
	p := newPages(noForms{}, &desk{})
	home := p.ask(http.MethodGet, "/p/"+personLink, "").Header().Get("Location")

	require.Contains(t, p.ask(http.MethodGet, home+"/data", "").Body.String(), "hreflang")
	require.NotContains(t, p.ask(http.MethodPost, home+"/data/erasure", "").Body.String(), "hreflang", "there is no such page to ask for")
}
