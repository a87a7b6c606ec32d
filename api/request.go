package api

import (
	"context"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// maxRequestID bounds the request ids that are taken from callers.
const maxRequestID = 64

// request is what every answer to a request needs to know of it.
type request struct {
	id             string
	acceptLanguage string
	accept         string
}

type requestKey struct{}

func requestFrom(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// identify names the request: as the caller did, if the name can stand in a
// log, else with an id of our own.
func identify(newID func() string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			id := r.Header.Get(echo.HeaderXRequestID)
			if id == "" || len(id) > maxRequestID || strings.ContainsFunc(id, notInRequestID) {
				id = newID()
			}
			c.Response().Header().Set(echo.HeaderXRequestID, id)
			known := request{id: id, acceptLanguage: r.Header.Get("Accept-Language"), accept: r.Header.Get("Accept")}
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), requestKey{}, known)))
			return next(c)
		}
	}
}

func notInRequestID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("._-", r)
}

// recoverPanics turns a panic into an error, which answers 500.
func recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler: // net/http's own way to cut a connection
				panic(v)
			default:
				err = &panicError{value: v, stack: debug.Stack()}
			}
		}()
		return next(c)
	}
}

// readableURL refuses bytes that no id or filter can hold, before a database
// would.
func readableURL(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		query, err := url.QueryUnescape(u.RawQuery)
		if err != nil {
			return &refusal{status: http.StatusBadRequest, code: "bad_request", detail: "the query is badly escaped"}
		}
		if !utf8.ValidString(u.Path) || !utf8.ValidString(query) {
			return &refusal{status: http.StatusBadRequest, code: "invalid_utf8", detail: "the address is not UTF-8"}
		}
		if strings.ContainsRune(u.Path, 0) || strings.ContainsRune(query, 0) {
			return &refusal{status: http.StatusBadRequest, code: "bad_request", detail: "the address holds a NUL"}
		}
		return next(c)
	}
}

// guard sets the headers that every answer carries. Answers below /v1 are about
// persons: no cache may keep them, and no browser may show them as a page.
func guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderReferrerPolicy, "no-referrer")
		if strings.HasPrefix(c.Request().URL.Path, "/v1/") {
			h.Set(echo.HeaderCacheControl, "no-store")
			h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
		}
		return next(c)
	}
}
