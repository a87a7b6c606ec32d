package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
)

func TestABodyThatCannotBeReadIsRefusedWhole(t *testing.T) {
	deep := strings.Repeat("x", 1000)
	tests := []struct {
		name, body, code, pointer string
	}{
		{"no JSON", `hello`, "malformed_json", ""},
		{"broken off", `{"dispatches":[{"waybill":"W1"`, "malformed_json", "/dispatches/0"},
		{"more behind it", `{"dispatches":[]}{}`, "malformed_json", ""},
		{"a comment", `{"dispatches":[]/**/}`, "malformed_json", ""},
		{"half a surrogate pair", `{"dispatches":[{"waybill":"\ud800"}]}`, "malformed_json", "/dispatches/0/waybill"},
		{"not UTF-8", "{\"dispatches\":[{\"waybill\":\"\xff\"}]}", "invalid_utf8", ""},
		{"an array", `[]`, "wrong_type", ""},
		{"null", `null`, "wrong_type", ""},
		{"a number for a string", `{"dispatches":[{"waybill":"W1"},{"waybill":7}]}`, "wrong_type", "/dispatches/1/waybill"},
		{"a string for an array", `{"dispatches":"none"}`, "wrong_type", "/dispatches"},
		{"an unknown field", `{"dispatches":[{"consignee":{"phone":"1","email":"x"}}]}`, "unknown_field", "/dispatches/0/consignee/email"},
		{"a known field in capitals", `{"Dispatches":[]}`, "unknown_field", "/Dispatches"},
		{"a field twice", `{"dispatches":[],"dispatches":[]}`, "duplicate_field", "/dispatches"},
		{"an endless unknown field", `{"dispatches":[{"` + deep + `":1}]}`, "unknown_field", "/dispatches/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := problemOf(t, newApp(t).send("POST", "/v1/dispatches", tt.body, as(doorstep.RoleIntegrator)))
			require.Equal(t, http.StatusBadRequest, p.Status)
			require.Equal(t, tt.code, p.Code)
			require.Len(t, p.Errors, 1)
			require.Equal(t, tt.code, p.Errors[0].Code)
			require.Equal(t, tt.pointer, p.Errors[0].Pointer)
		})
	}
}

func TestABadValueIsLeftToTheDomain(t *testing.T) {
	a := newApp(t)
	var got []api.DispatchInput
	a.ops.postDispatches = func(_ context.Context, r api.PostDispatchesRequestObject) (api.PostDispatchesResponseObject, error) {
		got = r.Body.Dispatches
		return api.PostDispatches200JSONResponse{Results: []api.DispatchResult{}}, nil
	}
	w := a.send("POST", "/v1/dispatches", `{"dispatches":[
		{"waybill":"no waybill!\u0000","dispatched_at":"yesterday","consignee":{"phone":"none","name":null}}, null]}`, as(doorstep.RoleIntegrator))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	yesterday := "yesterday"
	require.Equal(t, []api.DispatchInput{
		{Waybill: "no waybill!\x00", DispatchedAt: &yesterday, Consignee: api.Consignee{Phone: "none"}},
		{},
	}, got)
}

func TestAnEmptyBodyIsRefusedWhereOneIsNeeded(t *testing.T) {
	for _, body := range []string{"", " \n"} {
		p := problemOf(t, newApp(t).send("PUT", "/v1/couriers/c1", body, as(doorstep.RoleIntegrator)))
		require.Equal(t, "empty_body", p.Code)
	}
}

func TestAnOptionalBodyMayBeAbsent(t *testing.T) {
	a := newApp(t)
	var got []*api.ConsumerLinkInput
	a.ops.createConsumerLink = func(_ context.Context, r api.CreateConsumerLinkRequestObject) (api.CreateConsumerLinkResponseObject, error) {
		got = append(got, r.Body)
		return api.CreateConsumerLink201JSONResponse{ExpiresAt: a.now}, nil
	}
	for _, body := range []string{"", `{"scope":"person"}`} {
		w := a.send("POST", "/v1/parcels/W1/consumer-link", body, as(doorstep.RoleIntegrator))
		require.Equal(t, http.StatusCreated, w.Code)
	}
	require.Nil(t, got[0])
	require.Equal(t, "person", *got[1].Scope)
}

func TestOnlyJSONIsRead(t *testing.T) {
	tests := []struct {
		contentType string
		status      int
	}{
		{"application/json", 400},
		{"Application/JSON; charset=UTF-8", 400},
		{"application/json; charset=gbk", 415},
		{"text/plain", 415},
		{"application/x-www-form-urlencoded", 415},
		{"", 415},
		{";", 415},
	}
	for _, tt := range tests {
		w := newApp(t).send("PUT", "/v1/couriers/c1", `{`, as(doorstep.RoleIntegrator), header("Content-Type", tt.contentType))
		require.Equal(t, tt.status, problemOf(t, w).Status, tt.contentType)
	}
}

func TestABodyOverItsLimitIsRefused(t *testing.T) {
	tests := []struct {
		name, method, target string
		role                 doorstep.Role
		size                 int64
		status               int
	}{
		{"64 KiB", "PUT", "/v1/couriers/c1", doorstep.RoleIntegrator, 64 << 10, 400},
		{"a byte more", "PUT", "/v1/couriers/c1", doorstep.RoleIntegrator, 64<<10 + 1, 413},
		{"batch of 4 MiB", "POST", "/v1/dispatches", doorstep.RoleIntegrator, 4 << 20, 400},
		{"a byte more", "POST", "/v1/dispatches", doorstep.RoleIntegrator, 4<<20 + 1, 413},
		{"scans", "POST", "/v1/scans", doorstep.RoleIntegrator, 50 << 20, 413},
		{"evidence", "POST", "/v1/me/evidence", doorstep.RoleCourier, 50 << 20, 413},
		{"receipts", "POST", "/v1/me/alerts/receipts", doorstep.RoleCourier, 50 << 20, 413},
		{"where no body is read", "POST", "/v1/me/tags/to_door/confirmation", doorstep.RoleConsumer, 50 << 20, 413},
	}
	for _, tt := range tests {
		for name, length := range map[string]int64{"announced": tt.size, "unannounced": -1} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				body := &spaces{left: tt.size}
				w := newApp(t).sendReader(tt.method, tt.target, body, as(tt.role), func(r *http.Request) { r.ContentLength = length })
				require.Equal(t, tt.status, problemOf(t, w).Status)
				require.LessOrEqual(t, tt.size-body.left, int64(5<<20), "no more is read than needed")
			})
		}
	}
}

func TestABodyThatBreaksOffIsTheCallersFault(t *testing.T) {
	a := newApp(t)
	w := a.sendReader("PUT", "/v1/couriers/c1", io.MultiReader(strings.NewReader(`{"name"`), brokenReader{}), as(doorstep.RoleIntegrator))
	require.Equal(t, "bad_request", problemOf(t, w).Code)
	require.Empty(t, a.log.String())
}

// spaces is a body of blanks.
type spaces struct{ left int64 }

func (s *spaces) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.left))
	for i := range p[:n] {
		p[i] = ' '
	}
	s.left -= int64(n)
	return n, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func FuzzNoBodyIsAFault(f *testing.F) {
	f.Add(`{"dispatches":[{"waybill":"W1","consignee":{"phone":"1"}}]}`)
	f.Add(`{"dispatches":[null,{"dispatched_at":null}]}`)
	f.Add("{\"\xff\":1e999}")
	f.Add(strings.Repeat("[", 20000))
	f.Fuzz(func(t *testing.T, body string) {
		a := newApp(t)
		a.ops.postDispatches = func(context.Context, api.PostDispatchesRequestObject) (api.PostDispatchesResponseObject, error) {
			return api.PostDispatches200JSONResponse{Results: []api.DispatchResult{}}, nil
		}
		w := a.send("POST", "/v1/dispatches", body, as(doorstep.RoleIntegrator))
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, w.Code)
		require.Empty(t, a.log.String())
	})
}
