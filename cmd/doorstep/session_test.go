package main

import (
	"bytes"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/store/storetest"
)

// invite makes a sign-in link.
func (a *app) invite(who access.Request) string {
	a.t.Helper()
	who.Company, who.TTL, who.Link = "default", access.DefaultTTL, true
	return a.freshToken(who)
}

// signIn uses a link as its page does and gives the session's cookie.
func (a *app) signIn(link string) *http.Cookie {
	a.t.Helper()
	entered := a.visit(http.MethodPost, "/sign-in/"+link)
	require.Equal(a.t, http.StatusSeeOther, entered.status)
	cookies := (&http.Response{Header: entered.header}).Cookies()
	require.Len(a.t, cookies, 1)
	return cookies[0]
}

// visit asks for a page, which the contract knows nothing of.
func (a *app) visit(method, path string, headers ...header) answer {
	a.t.Helper()
	return a.sendTo(a.streams, method, "", path, nil, headers...)
}

func withCookie(c *http.Cookie) header { return func(r *http.Request) { r.AddCookie(c) } }

var (
	li  = access.Request{Role: doorstep.RoleCourier, CourierID: "li"}
	sun = access.Request{Role: doorstep.RoleManager, OutletID: "west", Subject: "Sun Yan"}
)

func TestASignInLinkBeginsOneSessionHoweverManyTry(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		link := a.invite(sun)

		var wait sync.WaitGroup
		codes := make([]int, 8)
		for i := range codes {
			wait.Go(func() { codes[i] = a.visit(http.MethodPost, "/sign-in/"+link).status })
		}
		wait.Wait()

		won := 0
		for _, code := range codes {
			if code == http.StatusSeeOther {
				won++
			} else {
				require.Equal(t, http.StatusNotFound, code)
			}
		}
		require.Equal(t, 1, won)
	})
}

func TestASignInLinkIsNoTokenAndEndsAfterAQuarterOfAnHour(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		link := a.invite(li)
		a.get(link, "/v1/me/run").problem(http.StatusUnauthorized)

		require.Equal(t, http.StatusOK, a.visit(http.MethodGet, "/sign-in/"+link).status)
		a.clock.Add(15 * time.Minute)
		require.Equal(t, http.StatusNotFound, a.visit(http.MethodGet, "/sign-in/"+link).status)
		require.Equal(t, http.StatusNotFound, a.visit(http.MethodPost, "/sign-in/"+link).status)
	})
}

func TestASessionSpeaksToTheAPIFromItsOwnPagesOnly(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		cookie := withCookie(a.signIn(a.invite(li)))
		asCourier, own := withHeader("Doorstep-Face", "courier"), withHeader("Sec-Fetch-Site", "same-origin")

		run := read[api.Run](a.get("", "/v1/me/run", cookie, asCourier, own), http.StatusOK)
		require.Len(t, run.Items, 1)
		a.get("", "/v1/me/run", cookie, own).is(http.StatusOK) // as an EventSource asks
		receipts := `{"receipts":[{"alert_id":"x","event":"shown","at":"2026-11-21T09:00:00Z"}]}`
		a.post("", "/v1/me/alerts/receipts", receipts, cookie, asCourier, own).is(http.StatusOK)

		for _, refused := range []answer{
			a.post("", "/v1/me/alerts/receipts", receipts, cookie, own),
			a.post("", "/v1/me/alerts/receipts", receipts, cookie, asCourier, withHeader("Sec-Fetch-Site", "cross-site")),
			a.post("", "/v1/me/alerts/receipts", receipts, cookie, asCourier, withHeader("Origin", "https://evil.example")),
			a.get("", "/v1/me/run", cookie, withHeader("Doorstep-Face", "console")),
			a.get("", "/v1/me/run", asCourier),
		} {
			refused.problem(http.StatusUnauthorized)
		}
	})
}

func TestASessionLivesWhileItIsUsed(t *testing.T) {
	for name, tt := range map[string]struct {
		who        access.Request
		face, path string
		life       time.Duration
	}{
		"a manager's": {sun, "console", "/v1/complaints", 12 * time.Hour},
		"a courier's": {li, "courier", "/v1/me/run", 30 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.OnEach(t, func(t *testing.T, dsn string) {
				a := newApp(t, dsn)
				cookie := withCookie(a.signIn(a.invite(tt.who)))
				use := func() answer { return a.get("", tt.path, cookie, withHeader("Doorstep-Face", tt.face)) }

				for range 2 {
					a.clock.Add(tt.life - time.Minute)
					use().is(http.StatusOK)
				}
				a.clock.Add(tt.life)
				use().problem(http.StatusUnauthorized)
			})
		})
	}
}

func TestNoSessionOutlivesAToken(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		cookie := withCookie(a.signIn(a.invite(li)))
		began, lasted := a.clock.Now(), time.Duration(0)
		for a.get("", "/v1/me/run", cookie).status == http.StatusOK {
			lasted = a.clock.Now().Sub(began)
			a.clock.Add(24 * time.Hour)
		}
		require.Equal(t, access.DefaultTTL-24*time.Hour, lasted)
	})
}

func TestRevokingASessionOrTheLinkThatItBeganWithEndsItWithinASecond(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		for _, kind := range []access.Kind{access.KindSession, access.KindLink} {
			cookie := withCookie(a.signIn(a.invite(sun)))
			use := func() answer { return a.get("", "/v1/complaints", cookie, withHeader("Doorstep-Face", "console")) }
			use().is(http.StatusOK)

			list, err := a.db.Tokens(t.Context())
			require.NoError(t, err)
			for _, token := range list {
				if token.Kind == kind {
					require.NoError(t, a.office().Revoke(t.Context(), token.ID))
				}
			}
			a.clock.Add(time.Second)
			use().problem(http.StatusUnauthorized)
			require.Contains(t, string(a.visit(http.MethodGet, "/console/", cookie, withHeader("Accept-Language", "en")).body), "Ask whoever runs doorstep")
		}
	})
}

func TestSecretsOfSessionsAreNotKept(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		link := a.invite(sun)
		cookie := a.signIn(link)

		require.True(t, cookie.Secure, "the public address is https")
		require.True(t, cookie.HttpOnly)
		require.Equal(t, "__Host-doorstep_console", cookie.Name)
		for _, secret := range []string{link, cookie.Value} {
			require.NotContains(t, a.log.String(), secret)
		}
	})
}

func TestTokenCreatePrintsASignInLink(t *testing.T) {
	data := t.TempDir()
	create := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"token", "create", "--data", data, "--link", "--public-url", "https://doors.example/"}, args...), &streams{Out: &out, Err: &out})
		return strings.TrimSpace(out.String()), err
	}
	link, err := create("--role", "courier", "--courier", "li")
	require.NoError(t, err)
	u, err := url.Parse(link)
	require.NoError(t, err)
	require.Equal(t, "doors.example", u.Host)
	require.Equal(t, "/sign-in", filepath.Dir(u.Path))

	for _, role := range [][]string{{"--role", "integrator"}, {"--role", "consumer", "--consumer-phone", anne}} {
		_, err = create(role...)
		require.ErrorContains(t, err, "--link")
	}
}
