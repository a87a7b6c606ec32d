package apitest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api/apitest"
)

// witness notes whether a check failed.
type witness struct {
	testing.TB
	failed bool
}

func (w *witness) Errorf(string, ...any) { w.failed = true }

const notFound = `{"type":"/docs/problems#not_found","title":"t","status":404,"code":"not_found","errors":[],"request_id":"r"}`

func TestAStreamIsCheckedUpToItsFirstFlush(t *testing.T) {
	for contentType, failed := range map[string]bool{"text/event-stream": false, "text/html": true} {
		w := &witness{TB: t}
		h := apitest.Checked(w, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			require.NoError(t, control.SetWriteDeadline(time.Time{}))
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write([]byte(":\n\n"))
			require.NoError(t, r.Context().Err())
			require.NoError(t, control.Flush())
			<-r.Context().Done()
		}))
		got := httptest.NewRecorder()
		h.ServeHTTP(got, httptest.NewRequest("GET", "/v1/me/alerts/stream", nil))
		require.Equal(t, failed, w.failed, contentType)
		require.Equal(t, ":\n\n", got.Body.String())
	}
}

func TestAnAnswerAgainstTheContractFailsTheTest(t *testing.T) {
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	json := http.Header{"Content-Type": {"application/json"}}
	tests := []struct {
		name, method, target string
		status               int
		header               http.Header
		body                 string
		failed               bool
	}{
		{"as documented", "PUT", "/v1/me/learning", 200, json, `{"enabled":true}`, false},
		{"undocumented status", "PUT", "/v1/me/learning", 201, json, `{"enabled":true}`, true},
		{"wrong content type", "PUT", "/v1/me/learning", 200, problem, `{"enabled":true}`, true},
		{"missing field", "PUT", "/v1/me/learning", 200, json, `{}`, true},
		{"wrong type", "PUT", "/v1/me/learning", 200, json, `{"enabled":"yes"}`, true},
		{"no JSON", "PUT", "/v1/me/learning", 200, json, `yes`, true},
		{"documented problem", "GET", "/v1/complaints/c1", 404, problem, notFound, false},
		{"problem without its fields", "GET", "/v1/complaints/c1", 404, problem, `{"status":404}`, true},
		{"problem without its header", "GET", "/v1/complaints/c1", 503, problem, notFound, true},
		{"problem where nothing is", "GET", "/v1/nothing", 404, problem, notFound, false},
		{"success where nothing is", "GET", "/v1/nothing", 200, json, `{}`, true},
		{"method that is not there", "PATCH", "/v1/complaints", 405, problem, notFound, false},
		{"no content", "DELETE", "/v1/me/tags/to_door", 204, nil, ``, false},
		{"not modified", "GET", "/v1/me/run", 304, http.Header{"Etag": {`"1"`}}, ``, false},
		{"not modified without its tag", "GET", "/v1/me/run", 304, nil, ``, true},
		{"not modified with a body", "GET", "/v1/me/run", 304, http.Header{"Etag": {`"1"`}}, `x`, true},
		{"not modified where it cannot be", "GET", "/v1/me/tags", 304, http.Header{"Etag": {`"1"`}}, ``, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &witness{TB: t}
			h := apitest.Checked(w, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			got := httptest.NewRecorder()
			h.ServeHTTP(got, httptest.NewRequest(tt.method, tt.target, nil))
			require.Equal(t, tt.failed, w.failed)
			require.Equal(t, tt.status, got.Code, "the answer is handed on")
			require.Equal(t, tt.body, got.Body.String())
		})
	}
}
