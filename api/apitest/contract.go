// Package apitest holds HTTP tests to the contract: every answer that a test
// gets must be one that openapi.yaml documents.
package apitest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"doorstep"
)

// Contract is the parsed and validated openapi.yaml. It is parsed once per test
// binary; do not change it.
var Contract = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(doorstep.OpenAPI)
	if err != nil {
		panic(err)
	}
	return doc
})

func init() {
	for _, plain := range []string{"text/event-stream", "text/html", "application/zip"} {
		openapi3filter.RegisterBodyDecoder(plain, openapi3filter.PlainBodyDecoder)
	}
}

var router = sync.OnceValue(func() routers.Router {
	r, err := legacy.NewRouter(Contract())
	if err != nil {
		panic(err)
	}
	return r
})

// Checked serves as h does and fails t for every answer that the contract does
// not document: its status, a required header, the content type or the body.
// Where the contract has no such path or method, only a problem will do.
// Answers are held back until they are complete. One that flushes would never
// be: its request ends there, and what was flushed stands for all of it.
func Checked(t testing.TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		ctx, cut := context.WithCancel(r.Context())
		defer cut()
		h.ServeHTTP(flushOnce{answer, cut}, r.WithContext(ctx))
		if err := check(r, answer); err != nil {
			t.Errorf("%s %s answered %d against the contract: %v\n%s", r.Method, r.URL, answer.Code, err, answer.Body)
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// flushOnce is a connection on which the caller hangs up at the first flush.
type flushOnce struct {
	*httptest.ResponseRecorder
	hangUp context.CancelFunc
}

// FlushError implements what http.ResponseController looks for.
func (f flushOnce) FlushError() error {
	f.hangUp()
	return nil
}

// SetWriteDeadline does nothing: there is no network to wait for.
func (f flushOnce) SetWriteDeadline(time.Time) error { return nil }

func check(r *http.Request, answer *httptest.ResponseRecorder) error {
	route, params, err := router().FindRoute(r)
	if err != nil {
		route = &routers.Route{Spec: Contract(), Operation: outside()}
	}
	if answer.Code == http.StatusNotModified {
		return notModified(route, answer) // which openapi3filter never looks at
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 answer.Code,
		Header:                 answer.Header(),
		Body:                   io.NopCloser(bytes.NewReader(answer.Body.Bytes())),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

// outside is what may be answered where the contract has nothing.
var outside = sync.OnceValue(func() *openapi3.Operation {
	problem := Contract().Components.Responses["NotFound"]
	return &openapi3.Operation{Responses: openapi3.NewResponses(
		openapi3.WithStatus(http.StatusBadRequest, problem),
		openapi3.WithStatus(http.StatusNotFound, problem),
		openapi3.WithStatus(http.StatusMethodNotAllowed, problem),
	)}
})

func notModified(route *routers.Route, answer *httptest.ResponseRecorder) error {
	switch {
	case route.Operation.Responses.Status(http.StatusNotModified) == nil:
		return errors.New("304 is not documented")
	case answer.Header().Get("ETag") == "":
		return errors.New("304 without an ETag")
	case answer.Body.Len() > 0:
		return errors.New("304 with a body")
	}
	return nil
}
