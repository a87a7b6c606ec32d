package api_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
)

func TestWithoutAGoodTokenNobodyIsLetIn(t *testing.T) {
	tests := []struct {
		name      string
		given     []string
		challenge string
	}{
		{"none", nil, `Bearer realm="doorstep"`},
		{"blank", []string{""}, `Bearer realm="doorstep"`},
		{"no token behind the scheme", []string{"Bearer  "}, `Bearer realm="doorstep"`},
		{"another scheme", []string{"Basic aHE6aHE="}, `Bearer realm="doorstep"`},
		{"bare", []string{"hq"}, `Bearer realm="doorstep"`},
		{"two tokens", []string{"Bearer hq", "Bearer hq"}, `Bearer realm="doorstep"`},
		{"two words", []string{"Bearer hq hq"}, `Bearer realm="doorstep"`},
		{"unknown", []string{"Bearer nobody"}, `Bearer realm="doorstep", error="invalid_token"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newApp(t).send("GET", "/v1/complaints", "", header("Authorization", tt.given...))
			require.Equal(t, "unauthorized", problemOf(t, w).Code)
			require.Equal(t, tt.challenge, w.Header().Get("WWW-Authenticate"))
		})
	}
}

func TestTheSchemeOfATokenMayBeInAnyCase(t *testing.T) {
	w := newApp(t).send("POST", "/v1/complaints", "", header("Authorization", "bearer consumer"))
	require.Equal(t, http.StatusBadRequest, w.Code, "let in, and the body is empty")
}

func TestAFaultOfTheAuthenticatorIsNotTheCallers(t *testing.T) {
	a := newApp(t)
	a.tokens = tokens{err: errors.New("database is gone")}
	w := a.send("GET", "/v1/complaints", "", as(doorstep.RoleHQ))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Empty(t, w.Header().Get("WWW-Authenticate"))
}

func TestARoleIsCheckedBeforeTheBodyIsRead(t *testing.T) {
	w := newApp(t).send("PUT", "/v1/outlets/o1", `{`, as(doorstep.RoleCourier))
	require.Equal(t, "forbidden", problemOf(t, w).Code)
}
