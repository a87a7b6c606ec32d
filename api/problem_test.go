package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
)

const complaint = `{"waybill":"W1","text":"where is it"}`

func (a *app) failFiling(err error) {
	a.ops.fileComplaint = func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		return nil, err
	}
}

func TestErrorsOfTheDomainBecomeProblems(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		code   string
		detail string
		errors []problemField
	}{
		{
			"every bad field",
			&doorstep.InvalidError{Fields: []doorstep.FieldError{
				{Pointer: "/waybill", Code: "invalid_waybill", Detail: "must be a waybill"},
				{Pointer: "/text", Code: "too_long", Detail: "must be shorter"},
			}},
			422, "invalid", "",
			[]problemField{{"/waybill", "invalid_waybill", "must be a waybill"}, {"/text", "too_long", "must be shorter"}},
		},
		{"bare invalid", fmt.Errorf("outlet: %w", doorstep.ErrInvalid), 422, "invalid", "", []problemField{}},
		{"forbidden", &doorstep.ForbiddenError{Code: "person_required", Detail: "a link is not enough"}, 403, "person_required", "a link is not enough", []problemField{}},
		{"bare forbidden", doorstep.ErrForbidden, 403, "forbidden", "", []problemField{}},
		{"not found", doorstep.NotFound("parcel", "W1"), 404, "not_found", "", []problemField{}},
		{"conflict", fmt.Errorf("close: %w", &doorstep.ConflictError{Code: "already_closed", Detail: "it is closed"}), 409, "already_closed", "it is closed", []problemField{}},
		{"bare conflict", doorstep.ErrConflict, 409, "conflict", "", []problemField{}},
		{"unavailable", fmt.Errorf("outlet 7: %w", doorstep.ErrUnavailable), 503, "unavailable", "", []problemField{}},
		{"out of time", fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "unavailable", "", []problemField{}},
		{"our fault", errors.New("disk on fire"), 500, "internal", "", []problemField{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t)
			a.failFiling(tt.err)
			p := problemOf(t, a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer)))
			require.Equal(t, tt.status, p.Status)
			require.Equal(t, tt.code, p.Code)
			require.Equal(t, "/docs/problems#"+tt.code, p.Type)
			require.Equal(t, tt.detail, p.Detail)
			require.Equal(t, tt.errors, p.Errors)
			require.NotEmpty(t, p.Title)
		})
	}
}

func TestAFaultIsLoggedOnceAndNeverTold(t *testing.T) {
	a := newApp(t)
	a.failFiling(errors.New("password hunter2 refused"))
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), header("X-Request-Id", "call-7"))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.NotContains(t, w.Body.String(), "hunter2")
	require.Equal(t, 1, strings.Count(a.log.String(), "hunter2"))
	require.Contains(t, a.log.String(), "request_id=call-7")
}

func TestACallersMistakeIsNotLogged(t *testing.T) {
	a := newApp(t)
	a.failFiling(doorstep.ErrConflict)
	require.Equal(t, http.StatusConflict, a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer)).Code)
	require.Empty(t, a.log.String())
}

func TestACallerWhoHangsUpIsNoFault(t *testing.T) {
	a := newApp(t)
	ctx, hangUp := context.WithCancel(t.Context())
	a.ops.fileComplaint = func(ctx context.Context, _ api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		hangUp()
		return nil, fmt.Errorf("insert: %w", ctx.Err())
	}
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), func(r *http.Request) { *r = *r.WithContext(ctx) })
	require.Empty(t, a.log.String())
}

func TestAPanicAnswersAProblem(t *testing.T) {
	a := newApp(t)
	a.ops.fileComplaint = func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		panic("index out of range")
	}
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer))
	require.Equal(t, "internal", problemOf(t, w).Code)
	require.NotContains(t, w.Body.String(), "index")
	require.Contains(t, a.log.String(), "panic: index out of range")
	require.Contains(t, a.log.String(), "problem_test.go", "the stack")
}

func TestUnavailableSaysWhenToRetry(t *testing.T) {
	a := newApp(t)
	a.failFiling(doorstep.ErrUnavailable)
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer))
	require.Equal(t, "2", w.Header().Get("Retry-After"))
}

func TestTitlesFollowTheLanguageAndCodesDoNot(t *testing.T) {
	tests := []struct{ accept, language, title string }{
		{"", "en", "There is no such thing"},
		{"en-GB,en;q=0.8", "en", "There is no such thing"},
		{"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "未找到"},
		{"zh", "zh-CN", "未找到"},
		{"de, zh-CN;q=0.5", "zh-CN", "未找到"},
		{"fr", "en", "There is no such thing"},
		{";;;", "en", "There is no such thing"},
	}
	for _, tt := range tests {
		t.Run(tt.accept, func(t *testing.T) {
			a := newApp(t)
			a.failFiling(doorstep.ErrNotFound)
			w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), header("Accept-Language", tt.accept))
			require.Equal(t, tt.language, w.Header().Get("Content-Language"))
			require.Equal(t, "Accept-Language", w.Header().Get("Vary"))
			require.Equal(t, tt.title, problemOf(t, w).Title)
			require.Equal(t, "not_found", problemOf(t, w).Code)
		})
	}
}

func TestACodeOfTheDomainHasTheTitleOfItsStatus(t *testing.T) {
	a := newApp(t)
	a.failFiling(&doorstep.ConflictError{Code: "already_closed"})
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer))
	require.Equal(t, "The present state forbids it", problemOf(t, w).Title)
}

func TestAnUnknownAddressOrMethodIsAProblem(t *testing.T) {
	a := newApp(t)
	require.Equal(t, "not_found", problemOf(t, a.send("GET", "/v1/nothing", "")).Code)
	w := a.send("PATCH", "/v1/complaints", "")
	require.Equal(t, "method_not_allowed", problemOf(t, w).Code)
	require.Contains(t, w.Header().Get("Allow"), "POST")
}

func TestAnItemsProblemPointsIntoTheBatch(t *testing.T) {
	p := api.VerdictOn(t.Context(), &doorstep.InvalidError{Fields: []doorstep.FieldError{
		{Pointer: "/consignee/phone", Code: "invalid_phone", Detail: "must be a telephone number"},
	}}, "/dispatches/3")
	require.Equal(t, 422, p.Status)
	require.Equal(t, "invalid", p.Code)
	require.Equal(t, "A value is not valid", p.Title)
	require.Equal(t, []api.ProblemField{
		{Pointer: "/dispatches/3/consignee/phone", Code: "invalid_phone", Detail: "must be a telephone number"},
	}, p.Errors)
}

func TestAProblemOfAnItemLeavesTheErrorAsItWas(t *testing.T) {
	err := &doorstep.InvalidError{Fields: []doorstep.FieldError{{Pointer: "/at", Code: "time_out_of_range"}}}
	api.VerdictOn(t.Context(), err, "/scans/0")
	require.Equal(t, "/at", err.Fields[0].Pointer)
}
