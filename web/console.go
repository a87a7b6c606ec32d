package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/session"
)

var consolePage = parse("console.html")

// console is the face at /console/.
type console struct{ *house }

func (f console) register(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "/console/") })
	g.GET("/", f.signedIn(session.Console, f.home))
	g.POST("/sign-out", f.signOut(session.Console))
}

// home answers GET /console/.
func (f console) home(c echo.Context, who doorstep.Actor) error {
	return f.draw(c, page{Template: consolePage, Title: "console.title", Face: "console", Who: who, SignOut: "/console/sign-out"})
}
