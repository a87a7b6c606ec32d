package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/session"
)

var courierPage = parse("courier.html")

// courier is the face at /c/.
type courier struct{ *house }

func (f courier) register(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "/c/") })
	g.GET("/", f.signedIn(session.Courier, f.home))
	g.POST("/sign-out", f.signOut(session.Courier))
}

// home answers GET /c/.
func (f courier) home(c echo.Context, who doorstep.Actor) error {
	return f.draw(c, page{Template: courierPage, Title: "courier.title", Face: "courier", Who: who, SignOut: "/c/sign-out"})
}
