package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/api/replay"
	"doorstep/push"
	"doorstep/session"
)

// operations does what a test says. What it says nothing about is nil: to call
// it is a panic.
type operations struct {
	api.StrictServerInterface
	putCourier         func(context.Context, api.PutCourierRequestObject) (api.PutCourierResponseObject, error)
	postDispatches     func(context.Context, api.PostDispatchesRequestObject) (api.PostDispatchesResponseObject, error)
	fileComplaint      func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error)
	createConsumerLink func(context.Context, api.CreateConsumerLinkRequestObject) (api.CreateConsumerLinkResponseObject, error)
}

func (o *operations) PutCourier(ctx context.Context, r api.PutCourierRequestObject) (api.PutCourierResponseObject, error) {
	return o.putCourier(ctx, r)
}

func (o *operations) PostDispatches(ctx context.Context, r api.PostDispatchesRequestObject) (api.PostDispatchesResponseObject, error) {
	return o.postDispatches(ctx, r)
}

func (o *operations) FileComplaint(ctx context.Context, r api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
	return o.fileComplaint(ctx, r)
}

func (o *operations) CreateConsumerLink(ctx context.Context, r api.CreateConsumerLinkRequestObject) (api.CreateConsumerLinkResponseObject, error) {
	return o.createConsumerLink(ctx, r)
}

// tokens knows one token for every role, which is the role's name.
type tokens struct{ err error }

func (t tokens) Authenticate(_ context.Context, token string) (doorstep.Actor, error) {
	if t.err != nil {
		return doorstep.Actor{}, t.err
	}
	for _, role := range doorstep.Roles {
		if token == string(role) {
			return doorstep.Actor{TokenID: "token of " + token, Role: role}, nil
		}
	}
	return doorstep.Actor{}, fmt.Errorf("token: %w", api.ErrUnauthorized)
}

// app is the interface with everything behind it faked, and every answer held
// to the contract.
type app struct {
	t       *testing.T
	ops     *operations
	tokens  api.Authenticator
	replays *replays
	follow  api.Followed
	dropped chan push.Drop // has room
	draw    float64
	ready   error
	now     time.Time
	log     bytes.Buffer
	ids     atomic.Int64
}

func newApp(t *testing.T) *app {
	return &app{
		t:       t,
		ops:     &operations{},
		tokens:  tokens{},
		dropped: make(chan push.Drop, 8),
		replays: &replays{entries: map[replay.Scope]replay.Entry{}},
		now:     time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
	}
}

// handler is unchecked, for what the contract does not know: the files of the
// documentation page.
func (a *app) handler() http.Handler {
	return api.New(api.Config{
		Operations: a.ops,
		Tokens:     a.tokens,
		Cookie:     session.Jar{Secure: func() bool { return false }}.OfPage,
		Replays:    a.replays,
		Follow:     a.follow,
		Dropped:    func(why push.Drop) { a.dropped <- why },
		Ready:      func(context.Context) error { return a.ready },
		Log:        slog.New(slog.NewTextHandler(&a.log, nil)),
		Now:        func() time.Time { return a.now },
		NewID:      func() string { return fmt.Sprintf("id-%d", a.ids.Add(1)) },
		Draw:       func() float64 { return a.draw },
	})
}

// option changes a request before it is sent.
type option func(*http.Request)

func header(name string, values ...string) option {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func as(role doorstep.Role) option { return header("Authorization", "Bearer "+string(role)) }

func (a *app) send(method, target, body string, options ...option) *httptest.ResponseRecorder {
	a.t.Helper()
	return a.sendReader(method, target, strings.NewReader(body), options...)
}

func (a *app) sendReader(method, target string, body io.Reader, options ...option) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("Content-Type", "application/json")
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	apitest.Checked(a.t, a.handler()).ServeHTTP(w, r)
	return w
}

// problem is what a test reads of one.
type problem struct {
	Type      string
	Title     string
	Status    int
	Code      string
	Detail    string
	Errors    []problemField
	RequestID string `json:"request_id"`
}

type problemField struct{ Pointer, Code, Detail string }

func problemOf(t *testing.T, w *httptest.ResponseRecorder) problem {
	t.Helper()
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	var p problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, w.Code, p.Status)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	return p
}
