// Package web serves the pages that people, not programs, use: so far the
// consumer's, behind the link that a carrier sends. A page draws what never
// changes; its script speaks to the public API with the link's own token, so
// that a page can do nothing that the API does not allow.
package web

import (
	"context"
	"embed"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// Tokens knows whom a link speaks for. A token that does not hold gives
// access.ErrUnknown.
type Tokens interface {
	Authenticate(ctx context.Context, token string) (doorstep.Actor, error)
}

//go:embed consumer.html consumer.css consumer.js icon.svg
var files embed.FS

// policy lets a page load its own style and script, speak to its own server,
// and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Register adds the pages to e.
func Register(e *echo.Echo, tokens Tokens) {
	c := consumer{tokens: tokens}
	e.GET("/p/:token", c.page)
	e.GET("/p/assets/consumer.css", asset("consumer.css", "text/css; charset=utf-8"))
	e.GET("/p/assets/consumer.js", asset("consumer.js", "text/javascript; charset=utf-8"))
	e.GET("/p/assets/icon.svg", asset("icon.svg", "image/svg+xml"))
}

// asset serves an embedded file. It is checked for a newer one at every visit:
// the page and its script must be of one version.
func asset(name, contentType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
		return c.Blob(http.StatusOK, contentType, content)
	}
}
