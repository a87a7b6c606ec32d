package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// Limits of bodies, in bytes.
const (
	maxBatch = 4 << 20
	maxBody  = 64 << 10
)

// bodyKey is where readBody leaves the body in echo's context.
const bodyKey = "doorstep.body"

// bodyKind is what a body may claim to be.
type bodyKind struct {
	is     func(contentType string) bool
	detail string // what is said to another
}

var (
	ofJSON   = bodyKind{isJSON, "the body must be application/json in UTF-8"}
	ofForms  = bodyKind{isForm, "the body must be application/x-www-form-urlencoded"}
	ofImages = bodyKind{isImage, "the body must be an image: image/jpeg, image/png or image/webp"}
)

// readBody reads the whole body of a POST or PUT, up to limit bytes, and refuses
// one that does not claim to be of the kind.
func readBody(limit int64, kind bodyKind) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Method != http.MethodPost && r.Method != http.MethodPut {
				return next(c)
			}
			if r.ContentLength > limit {
				return tooLarge(limit)
			}
			var buf bytes.Buffer
			if r.ContentLength > 0 {
				buf.Grow(int(r.ContentLength) + bytes.MinRead) // room for the read that finds the end
			}
			_, err := io.Copy(&buf, http.MaxBytesReader(c.Response().Writer, r.Body, limit))
			var over *http.MaxBytesError
			switch {
			case errors.As(err, &over):
				return tooLarge(limit)
			case err != nil:
				return &refusal{
					status: http.StatusBadRequest, code: "bad_request", detail: "the body broke off", cause: err,
				}
			case buf.Len() > 0 && !kind.is(r.Header.Get(echo.HeaderContentType)):
				return &refusal{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", detail: kind.detail}
			}
			c.Set(bodyKey, buf.Bytes())
			r.Body = io.NopCloser(&buf) // for operations that read it themselves
			return next(c)
		}
	}
}

func tooLarge(limit int64) error {
	return &refusal{
		status: http.StatusRequestEntityTooLarge, code: "too_large",
		detail: fmt.Sprintf("the body may have at most %d bytes", limit),
	}
}

func isJSON(contentType string) bool {
	kind, params, err := mime.ParseMediaType(contentType)
	charset, given := params["charset"]
	return err == nil && kind == echo.MIMEApplicationJSON && (!given || strings.EqualFold(charset, "utf-8"))
}

// isImage hears only that it is one: which, its bytes say.
func isImage(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && strings.HasPrefix(kind, "image/")
}
