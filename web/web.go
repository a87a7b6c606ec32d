// Package web serves the pages that people, not programs, use: so far the
// consumer's, behind the links that a carrier sends. The page of a token draws
// what never changes; its script speaks to the public API with the link's own
// token, so that a page can do nothing that the API does not allow. A link that
// asks one thing opens a plain form, without any script.
package web

import (
	"context"
	"embed"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/i18n"
	"doorstep/outreach"
)

// Tokens knows whom a link speaks for. A token that does not hold gives
// access.ErrUnknown.
type Tokens interface {
	Authenticate(ctx context.Context, token string) (doorstep.Actor, error)
}

//go:embed consumer.html form.html consumer.css consumer.js icon.svg
var files embed.FS

// policy lets a page load its own style and script, speak to its own server,
// and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Register adds the pages to e.
func Register(e *echo.Echo, tokens Tokens, forms Forms) {
	c, f := consumer{tokens: tokens}, form{forms: forms}
	e.GET("/p/:token", func(ctx echo.Context) error {
		if outreach.IsLink(ctx.Param("token")) {
			return f.show(ctx)
		}
		return c.page(ctx)
	})
	e.POST("/p/:token", f.take)
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

// textsOf speaks the reader's language: the one that the page was switched to,
// else the browser's.
func textsOf(c echo.Context) i18n.Texts {
	return i18n.For(c.QueryParam("lang"), c.Request().Header.Get("Accept-Language"))
}

// otherThan is the language to switch to.
func otherThan(texts i18n.Texts) (other string) {
	for _, language := range i18n.Languages {
		if language != texts.Language {
			other = language.String()
		}
	}
	return other
}

// private heads a page that is for one person only.
func private(c echo.Context, policy, language string) {
	h := c.Response().Header()
	h.Set(echo.HeaderContentSecurityPolicy, policy)
	h.Set(echo.HeaderReferrerPolicy, "no-referrer")
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set("Content-Language", language)
	h.Set("X-Robots-Tag", "noindex")
}
