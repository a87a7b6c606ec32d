// Package web serves the pages that people, not programs, use: the courier's,
// the consumer's and the outlet's console. A page does nothing that the public
// API does not allow: its handlers call the same use cases, and its scripts the
// API itself, as whoever the browser's cookie signs in.
package web

import (
	"context"
	"embed"
	"log/slog"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/session"
)

// Tokens knows whom a secret speaks for. A secret that does not hold gives
// access.ErrUnknown.
type Tokens interface {
	Authenticate(ctx context.Context, token string) (doorstep.Actor, error)
}

// Sessions begins and ends what a browser is signed in with. A link that does
// not hold gives access.ErrUnknown.
type Sessions interface {
	Invited(ctx context.Context, link string) (doorstep.Actor, error)
	SignIn(ctx context.Context, link string) (secret string, who doorstep.Actor, err error)
	Revoke(ctx context.Context, tokenID string) error
}

// Companies names companies, as their logs are named.
type Companies interface {
	CompanyName(ctx context.Context, no doorstep.CompanyNo) (string, error)
}

// Config is what the pages need of the rest of the house.
type Config struct {
	Tokens    Tokens
	Sessions  Sessions
	Forms     Forms
	Own       Own
	Desks     Desks // of the console
	Companies Companies
	Jar       session.Jar
	Log       *slog.Logger
}

// house draws pages and knows who looks at them. Every face is built on it.
type house struct{ Config }

//go:embed templates assets vendor
var files embed.FS

// Register adds the pages to e.
func Register(e *echo.Echo, cfg Config) {
	h := &house{cfg}
	e.GET("/assets/:version/*", sendAsset)
	signIn{h}.register(e.Group("/sign-in", h.around()...))
	courier{h}.register(e.Group("/c", h.around()...))
	console{h}.register(e.Group("/console", h.around()...))
	consumer{h}.register(e.Group("/p", h.around()...))
}
