package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// Authenticator knows whom a bearer token speaks for. A token that is unknown,
// expired or revoked gives ErrUnauthorized.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (doorstep.Actor, error)
}

type actorKey struct{}

// actor is who calls. Every operation with roles has one; without it there is a
// mistake in the wiring, which panics.
func actor(ctx context.Context) doorstep.Actor { return ctx.Value(actorKey{}).(doorstep.Actor) }

// door knows who calls: by a bearer token, or, for our own pages, by the cookie
// that signs them in.
type door struct {
	tokens Authenticator
	cookie func(*http.Request) string // a page's secret, "" without one
}

// secret is what the request speaks with. A bearer token goes before a cookie.
func (d door) secret(r *http.Request) (secret string, ok bool) {
	if len(r.Header.Values(echo.HeaderAuthorization)) > 0 {
		return bearer(r)
	}
	secret = d.cookie(r)
	return secret, secret != ""
}

// admit lets the roles in, before anything of the body is read.
func (d door) admit(roles []doorstep.Role) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, h := c.Request(), c.Response().Header()
			token, ok := d.secret(r)
			if !ok {
				h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="doorstep"`)
				return fmt.Errorf("no bearer token: %w", ErrUnauthorized)
			}
			who, err := d.tokens.Authenticate(r.Context(), token)
			if err != nil {
				if problemFor(err).Status == http.StatusUnauthorized {
					h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="doorstep", error="invalid_token"`)
				}
				return fmt.Errorf("authenticate: %w", err)
			}
			if !slices.Contains(roles, who.Role) {
				return fmt.Errorf("role %s: %w", who.Role, doorstep.ErrForbidden)
			}
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), actorKey{}, who)))
			return next(c)
		}
	}
}

func bearer(r *http.Request) (token string, ok bool) {
	given := r.Header.Values(echo.HeaderAuthorization)
	if len(given) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != "" && !strings.ContainsAny(token, " \t")
}
