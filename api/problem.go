package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/parcels"
)

// ErrUnauthorized is the kind of error of a token that is missing, unknown,
// expired or revoked.
var ErrUnauthorized = errors.New("unauthorized")

// problemType is the content type of every error (RFC 9457).
const problemType = "application/problem+json"

// retryAfter is what a caller is told to wait for something that is
// unavailable, in seconds.
const retryAfter = 2

// refusal is an error that only HTTP knows: the request could not be read, or
// its key cannot be used.
type refusal struct {
	status int
	code   string
	detail string
	fields []doorstep.FieldError
	cause  error
}

func (e *refusal) Error() string { return e.code + ": " + e.detail }
func (e *refusal) Unwrap() error { return e.cause }

// problem is the body of a request that failed.
type problem struct {
	ItemProblem
	Missing   []missingConsent `json:"missing,omitempty"`
	NextSteps []nextStep       `json:"next_steps,omitempty"`
	RequestID string           `json:"request_id"`
}

// itemProblem says what is wrong with the item of a batch that stands at
// prefix, such as "/dispatches/3". An error that is not of doorstep's kinds has
// no place in a verdict: fail the request with it instead.
func itemProblem(ctx context.Context, err error, prefix string) *ItemProblem {
	p := problemFor(err)
	for i := range p.Errors {
		p.Errors[i].Pointer = prefix + p.Errors[i].Pointer
	}
	p.Title = title(p.Code, p.Status, languageOf(requestFrom(ctx).acceptLanguage))
	return &p
}

// problemFor turns an error into its status, code and fields. Nothing of the
// text of a fault is in it.
func problemFor(err error) ItemProblem {
	var (
		refused   *refusal
		invalid   *doorstep.InvalidError
		forbidden *doorstep.ForbiddenError
		conflict  *doorstep.ConflictError
		tooMany   *doorstep.TooManyError
		consent   *parcels.ConsentRequiredError
		http4xx   *echo.HTTPError
	)
	switch {
	case errors.As(err, &refused):
		return newProblem(refused.status, refused.code, refused.detail, refused.fields)
	case errors.As(err, &invalid):
		return newProblem(http.StatusUnprocessableEntity, "invalid", "", invalid.Fields)
	case errors.As(err, &forbidden):
		return newProblem(http.StatusForbidden, forbidden.Code, forbidden.Detail, nil)
	case errors.As(err, &conflict):
		return newProblem(http.StatusConflict, conflict.Code, conflict.Detail, nil)
	case errors.As(err, &consent):
		return newProblem(http.StatusConflict, "consent_required", "", nil)
	case errors.As(err, &tooMany):
		return newProblem(http.StatusTooManyRequests, tooMany.Code, tooMany.Detail, nil)
	case errors.Is(err, ErrUnauthorized):
		return newProblem(http.StatusUnauthorized, "unauthorized", "", nil)
	case errors.Is(err, doorstep.ErrInvalid):
		return newProblem(http.StatusUnprocessableEntity, "invalid", "", nil)
	case errors.Is(err, doorstep.ErrForbidden):
		return newProblem(http.StatusForbidden, "forbidden", "", nil)
	case errors.Is(err, doorstep.ErrNotFound):
		return newProblem(http.StatusNotFound, "not_found", "", nil)
	case errors.Is(err, doorstep.ErrConflict):
		return newProblem(http.StatusConflict, "conflict", "", nil)
	case errors.Is(err, doorstep.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, "unavailable", "", nil)
	case errors.As(err, &http4xx):
		// Of the router and of parameters. Their messages quote the input.
		if code, known := codeOf(http4xx.Code); known {
			return newProblem(http4xx.Code, code, "", nil)
		}
	}
	return newProblem(http.StatusInternalServerError, "internal", "", nil)
}

func newProblem(status int, code, detail string, fields []doorstep.FieldError) ItemProblem {
	p := ItemProblem{
		Type:   "/docs/problems#" + code,
		Status: status,
		Code:   code,
		Errors: make([]ProblemField, len(fields)),
	}
	if detail != "" {
		p.Detail = &detail
	}
	for i, f := range fields {
		p.Errors[i] = ProblemField{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail}
	}
	return p
}

// errorHandler answers every error of every route with a problem, and logs
// those that are our own, once.
func errorHandler(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		ctx, res := c.Request().Context(), c.Response()
		p := problem{ItemProblem: problemFor(err), RequestID: requestFrom(ctx).id}
		gone := errors.Is(err, context.Canceled) && ctx.Err() != nil // nobody is left to hear of it
		if p.Status >= http.StatusInternalServerError && !gone {
			log.ErrorContext(ctx, "request failed",
				"method", c.Request().Method, "route", c.Path(), "request_id", p.RequestID, "error", err)
		}
		if res.Committed {
			return
		}
		lang := languageOf(requestFrom(ctx).acceptLanguage)
		p.Title = title(p.Code, p.Status, lang)
		var consent *parcels.ConsentRequiredError
		if errors.As(err, &consent) {
			p.Missing, p.NextSteps = missingConsents(consent, lang), nextSteps(consent, lang)
		}
		res.Header().Add(echo.HeaderVary, "Accept-Language")
		res.Header().Set("Content-Language", lang.String())
		var tooMany *doorstep.TooManyError
		switch {
		case p.Status == http.StatusServiceUnavailable:
			res.Header().Set(echo.HeaderRetryAfter, strconv.Itoa(retryAfter))
		case errors.As(err, &tooMany):
			res.Header().Set(echo.HeaderRetryAfter, strconv.Itoa(max(1, int(tooMany.Wait/time.Second))))
		}
		// Nothing in a problem can fail to encode, and a caller that has hung
		// up is no fault.
		body, _ := json.Marshal(p)
		_ = c.Blob(p.Status, problemType, body)
	}
}

// panicError is a panic of a handler with the stack that led to it.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }
