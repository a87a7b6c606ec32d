package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
)

func TestACallersRequestIDIsEchoedIfItCanStandInALog(t *testing.T) {
	tests := []struct{ given, want string }{
		{"call-7", "call-7"},
		{"A.b_c-9", "A.b_c-9"},
		{strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{strings.Repeat("a", 65), "id-1"},
		{"", "id-1"},
		{"two words", "id-1"},
		{"x\ty", "id-1"},
		{"名", "id-1"},
	}
	for _, tt := range tests {
		w := newApp(t).send("GET", "/healthz", "", header("X-Request-Id", tt.given))
		require.Equal(t, tt.want, w.Header().Get("X-Request-Id"), tt.given)
	}
}

func TestAddressesThatNoIDCanHoldAreRefused(t *testing.T) {
	tests := []struct{ target, code string }{
		{"/v1/complaints/%ff", "invalid_utf8"},
		{"/v1/complaints/a%00b", "bad_request"},
		{"/v1/complaints?courier_id=%ff", "invalid_utf8"},
		{"/v1/complaints?courier_id=%00", "bad_request"},
		{"/v1/complaints?courier_id=%zz", "bad_request"},
		{"/v1/complaints?limit=1&limit=2", "bad_request"},
	}
	for _, tt := range tests {
		p := problemOf(t, newApp(t).send("GET", tt.target, "", as(doorstep.RoleManager)))
		require.Equal(t, http.StatusBadRequest, p.Status, tt.target)
		require.Equal(t, tt.code, p.Code, tt.target)
	}
}

func TestAnswersAboutPersonsAreNotKeptByCaches(t *testing.T) {
	w := newApp(t).send("GET", "/v1/me/tags", "")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
}

func TestReadinessSaysUnavailableUntilItIsReady(t *testing.T) {
	a := newApp(t)
	require.Equal(t, http.StatusOK, a.send("GET", "/readyz", "").Code)
	a.ready = http.ErrServerClosed
	require.Equal(t, "unavailable", problemOf(t, a.send("GET", "/readyz", "")).Code)
	require.Equal(t, http.StatusOK, a.send("GET", "/healthz", "").Code)
}
