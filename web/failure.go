package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"doorstep"
	"doorstep/session"
)

var failurePage = parse("failure.html")

// around is what stands around every page. No page holds a secret, so that its
// compressed size tells none.
func (h *house) around() []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{middleware.Gzip(), h.catch, sameOrigin, h.rememberLanguage}
}

// sameOrigin refuses what another site's page sends on a reader's behalf.
func sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !session.SameOrigin(c.Request()) {
			return doorstep.ErrForbidden
		}
		return next(c)
	}
}

// catch draws a page of what went wrong. What is our fault is logged, and the
// reader is not told what it was.
func (h *house) catch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil || c.Response().Committed {
			return err
		}
		status, key := failureOf(err)
		if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) { // whoever asked has left
			h.Log.ErrorContext(c.Request().Context(), "page failed", "route", c.Path(), "error", err)
		}
		return h.draw(c, page{Template: failurePage, Title: key + "_title", View: key, Status: status})
	}
}

// failureOf gives an error's status and the key of its text.
func failureOf(err error) (status int, key string) {
	var he *echo.HTTPError
	switch {
	case errors.Is(err, doorstep.ErrNotFound):
		return http.StatusNotFound, "failure.not_found"
	case errors.Is(err, doorstep.ErrForbidden):
		return http.StatusForbidden, "failure.forbidden"
	case errors.Is(err, doorstep.ErrConflict):
		return http.StatusConflict, "failure.conflict"
	case errors.Is(err, doorstep.ErrInvalid):
		return http.StatusUnprocessableEntity, "failure.invalid"
	case errors.Is(err, doorstep.ErrTooMany):
		return http.StatusTooManyRequests, "failure.too_many"
	case errors.Is(err, doorstep.ErrUnavailable):
		return http.StatusServiceUnavailable, "failure.fault"
	case errors.As(err, &he) && he.Code < http.StatusInternalServerError:
		return he.Code, "failure.not_found"
	}
	return http.StatusInternalServerError, "failure.fault"
}
