package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/session"
)

func jar(secure bool) session.Jar { return session.Jar{Secure: func() bool { return secure }} }

func request(method string, headers map[string]string, cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(method, "/v1/me/run", nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

func TestAPageSpeaksWithItsOwnCookie(t *testing.T) {
	link := session.OfLink("dst_a")
	cookies := []*http.Cookie{
		{Name: "doorstep_courier", Value: "c"}, {Name: "doorstep_console", Value: "m"}, {Name: "doorstep_" + string(link), Value: "l"},
	}
	for _, tt := range []struct{ method, face, site, want string }{
		{"GET", "courier", "same-origin", "c"},
		{"POST", "courier", "same-origin", "c"},
		{"POST", "console", "same-origin", "m"},
		{"PUT", string(link), "same-origin", "l"},
		{"GET", "", "same-origin", "c"}, // an EventSource
		{"POST", "", "same-origin", ""},
		{"POST", "courier", "cross-site", ""},
		{"POST", "courier", "same-site", ""},
		{"DELETE", "console", "cross-site", ""},
		{"GET", "lang", "same-origin", ""},
		{"GET", string(session.OfLink("dst_b")), "same-origin", ""},
	} {
		headers := map[string]string{"Sec-Fetch-Site": tt.site}
		if tt.face != "" {
			headers[session.Header] = tt.face
		}
		require.Equal(t, tt.want, jar(false).OfPage(request(tt.method, headers, cookies...)), tt)
	}
}

func TestOnHTTPSTheCookieIsBoundToTheHost(t *testing.T) {
	w := httptest.NewRecorder()
	jar(true).Keep(w, request("POST", nil), session.Console, "secret")
	c := w.Result().Cookies()[0]
	require.Equal(t, "__Host-doorstep_console", c.Name)
	require.True(t, c.Secure && c.HttpOnly)
	require.Equal(t, "/", c.Path)
	require.Empty(t, c.Domain)
	require.Equal(t, "secret", jar(true).Secret(request("GET", nil, c), session.Console))
	require.Empty(t, jar(false).Secret(request("GET", nil, c), session.Console))
}

// A browser sends all of them with every request, and proxies bound headers.
func TestABrowserHoldsADozenLinksAndLosesTheOldest(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var held []*http.Cookie
		for i := range 20 {
			w := httptest.NewRecorder()
			jar(secure).Keep(w, request("GET", nil, held...), session.OfLink(fmt.Sprintf("dst_%d", i)), "s")
			for _, c := range w.Result().Cookies() {
				if c.MaxAge < 0 {
					require.Equal(t, held[0].Name, c.Name)
					held = held[1:]
				} else {
					held = append(held, c)
				}
			}
		}
		require.Len(t, held, 12)
		r := request("GET", nil, held...)
		require.Equal(t, "s", jar(secure).Secret(r, session.OfLink("dst_19")))
		require.Empty(t, jar(secure).Secret(r, session.OfLink("dst_7")))
	}
}

func TestALinksFaceTellsNothingOfItsSecret(t *testing.T) {
	require.Equal(t, session.OfLink("dst_a"), session.OfLink("dst_a"))
	require.NotEqual(t, session.OfLink("dst_a"), session.OfLink("dst_b"))
	require.Regexp(t, `^link-[a-z2-7]{16}$`, string(session.OfLink("dst_a")))
	require.True(t, session.OfLink("dst_a").IsLink())
	require.False(t, session.Courier.IsLink())
}
