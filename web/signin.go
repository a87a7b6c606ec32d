package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/access"
	"doorstep/session"
)

var (
	invitePage = parse("invite.html")
	signInPage = parse("signin.html")
)

// signIn takes one-time links.
type signIn struct{ *house }

func (s signIn) register(g *echo.Group) {
	g.GET("/:link", s.show)
	g.POST("/:link", s.enter)
}

// show answers GET /sign-in/{link}: whom the link is for, and one button. It
// does not use the link up, for mail scanners and previews open links, too.
func (s signIn) show(c echo.Context) error {
	who, err := s.Sessions.Invited(c.Request().Context(), c.Param("link"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		return s.over(c)
	case err != nil:
		return fmt.Errorf("sign-in link: %w", err)
	}
	return s.draw(c, page{Template: invitePage, Title: "signin.title", View: who})
}

// enter answers POST /sign-in/{link}: the link is used up, and the browser gets
// the session.
func (s signIn) enter(c echo.Context) error {
	secret, who, err := s.Sessions.SignIn(c.Request().Context(), c.Param("link"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		return s.over(c)
	case err != nil:
		return err
	}
	face := faceOf(who.Role)
	s.Jar.Keep(c.Response(), c.Request(), face, secret)
	return c.Redirect(http.StatusSeeOther, homes[face])
}

// over says that a link does not hold, without saying why: whoever guesses
// learns nothing.
func (s signIn) over(c echo.Context) error {
	return s.draw(c, page{Template: invitePage, Title: "signin.over_title", View: doorstep.Actor{}, Status: http.StatusNotFound})
}

// homes are where the faces begin.
var homes = map[session.Face]string{session.Courier: "/c/", session.Console: "/console/"}

// faceOf is where a role signs in; "" for roles that sign in nowhere.
func faceOf(role doorstep.Role) session.Face {
	switch role {
	case doorstep.RoleCourier:
		return session.Courier
	case doorstep.RoleManager, doorstep.RoleHQ:
		return session.Console
	}
	return ""
}

// inside answers whoever is signed in.
type inside func(echo.Context, doorstep.Actor) error

// signedIn lets in whoever the browser is signed in as at face. Others see how
// to sign in; what they send leads there.
func (h *house) signedIn(face session.Face, then inside) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := h.who(c, face)
		switch {
		case err == nil:
			return then(c, who)
		case !errors.Is(err, access.ErrUnknown):
			return fmt.Errorf("session: %w", err)
		case c.Request().Method != http.MethodGet:
			return c.Redirect(http.StatusSeeOther, homes[face])
		}
		return h.draw(c, page{Template: signInPage, Title: "signin.title", Face: string(face), View: face})
	}
}

// who is signed in at face. Nobody gives access.ErrUnknown.
func (h *house) who(c echo.Context, face session.Face) (doorstep.Actor, error) {
	secret := h.Jar.Secret(c.Request(), face)
	if secret == "" {
		return doorstep.Actor{}, access.ErrUnknown
	}
	who, err := h.Tokens.Authenticate(c.Request().Context(), secret)
	if err != nil {
		return doorstep.Actor{}, err
	}
	if faceOf(who.Role) != face {
		return doorstep.Actor{}, access.ErrUnknown
	}
	return who, nil
}

// signOut ends the session and takes it from the browser.
func (h *house) signOut(face session.Face) echo.HandlerFunc {
	return h.signedIn(face, func(c echo.Context, who doorstep.Actor) error {
		if err := h.Sessions.Revoke(c.Request().Context(), who.TokenID); err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
		h.Jar.Drop(c.Response(), face)
		return c.Redirect(http.StatusSeeOther, homes[face])
	})
}
