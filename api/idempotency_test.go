package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
)

// filing counts how often complaints are filed, and names each by its number.
func (a *app) filing() (runs *int) {
	runs = new(int)
	a.ops.fileComplaint = func(_ context.Context, r api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		*runs++
		return filed(fmt.Sprintf("c-%d", *runs), a.now), nil
	}
	return runs
}

func filed(id string, at time.Time) api.FileComplaint201JSONResponse {
	clock := api.Clock{DueAt: at, State: api.ClockStateRunning}
	return api.FileComplaint201JSONResponse{
		Body: api.Complaint{
			ID: id, Waybill: "W1", Category: "lost", Status: api.ComplaintStatusFiled, FiledAt: at,
			Clocks: api.Clocks{Promise: clock, Work: clock, Legal: clock}, Learned: []string{},
		},
		Headers: api.FileComplaint201ResponseHeaders{Location: "/v1/complaints/" + id},
	}
}

func key(k string) option { return header("Idempotency-Key", k) }

func TestARetryUnderTheSameKeyGetsTheFirstAnswer(t *testing.T) {
	a := newApp(t)
	runs := a.filing()
	first := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	a.now = a.now.Add(24*time.Hour - 1)
	again := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))

	require.Equal(t, 1, *runs)
	require.Equal(t, http.StatusCreated, again.Code)
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Equal(t, "/v1/complaints/c-1", again.Header().Get("Location"))
	require.Equal(t, "application/json", again.Header().Get("Content-Type"))
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	require.Empty(t, first.Header().Get("Idempotency-Replayed"))
	require.NotEqual(t, first.Header().Get("X-Request-Id"), again.Header().Get("X-Request-Id"))
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	a := newApp(t)
	runs := a.filing()
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	a.now = a.now.Add(24 * time.Hour)
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	require.Equal(t, 2, *runs)
}

func TestWithoutAKeyEveryRequestRuns(t *testing.T) {
	a := newApp(t)
	runs := a.filing()
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer))
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer))
	require.Equal(t, 2, *runs)
	require.Empty(t, a.replays.entries)
}

func TestTheSameKeyForAnotherRequestIsRefused(t *testing.T) {
	a := newApp(t)
	runs := a.filing()
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	for _, other := range []struct{ target, body string }{
		{"/v1/complaints", `{"waybill":"W2","text":"where is it"}`},
		{"/v1/complaints?x=1", complaint},
	} {
		p := problemOf(t, a.send("POST", other.target, other.body, as(doorstep.RoleConsumer), key("k")))
		require.Equal(t, http.StatusUnprocessableEntity, p.Status)
		require.Equal(t, "idempotency_key_reused", p.Code)
	}
	require.Equal(t, 1, *runs)
}

func TestAKeyBelongsToItsTokenAndOperation(t *testing.T) {
	a := newApp(t)
	runs := a.filing()
	a.ops.createConsumerLink = func(context.Context, api.CreateConsumerLinkRequestObject) (api.CreateConsumerLinkResponseObject, error) {
		*runs++
		return api.CreateConsumerLink201JSONResponse{ExpiresAt: a.now}, nil
	}
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleIntegrator), key("k"))
	a.send("POST", "/v1/parcels/W1/consumer-link", "", as(doorstep.RoleIntegrator), key("k"))
	require.Equal(t, 3, *runs)
}

func TestWhileTheFirstRequestRunsASecondWaitsItsTurn(t *testing.T) {
	a := newApp(t)
	a.ops.fileComplaint = func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		p := problemOf(t, a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k")))
		require.Equal(t, http.StatusConflict, p.Status)
		require.Equal(t, "idempotency_key_in_use", p.Code)
		return filed("c-1", a.now), nil
	}
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	require.Equal(t, http.StatusCreated, w.Code)
}

func TestARunThatWasTakenOverDoesNotOverwriteItsSuccessor(t *testing.T) {
	a := newApp(t)
	runs := 0
	a.ops.fileComplaint = func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		runs++
		if runs == 1 { // slow: the caller tries again a minute later
			a.now = a.now.Add(time.Minute)
			w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
			require.Equal(t, http.StatusCreated, w.Code)
			return filed("slow", a.now), nil
		}
		return filed("successor", a.now), nil
	}
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	require.Equal(t, 2, runs)
	require.Contains(t, w.Body.String(), "successor")
}

func TestARefusalIsReplayedLikeASuccess(t *testing.T) {
	a := newApp(t)
	a.failFiling(doorstep.NotFound("parcel", "W1"))
	first := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	a.filing()
	again := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	require.Equal(t, http.StatusNotFound, again.Code)
	require.Equal(t, "application/problem+json", again.Header().Get("Content-Type"))
	require.Equal(t, first.Body.String(), again.Body.String())
}

func TestOurOwnFaultFreesTheKey(t *testing.T) {
	faults := map[string]func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error){
		"error": func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
			return nil, errors.New("disk on fire")
		},
		"unavailable": func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
			return nil, doorstep.ErrUnavailable
		},
		"panic": func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
			panic("index out of range")
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			a := newApp(t)
			a.ops.fileComplaint = fault
			w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
			require.GreaterOrEqual(t, problemOf(t, w).Status, http.StatusInternalServerError)

			runs := a.filing()
			w = a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
			require.Equal(t, http.StatusCreated, w.Code)
			require.Equal(t, 1, *runs)
		})
	}
}

func TestAnAnswerIsKeptThoughItsCallerHungUp(t *testing.T) {
	a := newApp(t)
	ctx, hangUp := context.WithCancel(t.Context())
	a.ops.fileComplaint = func(context.Context, api.FileComplaintRequestObject) (api.FileComplaintResponseObject, error) {
		hangUp()
		return filed("c-1", a.now), nil
	}
	a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"), func(r *http.Request) { *r = *r.WithContext(ctx) })
	require.Empty(t, a.log.String())
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	require.Equal(t, "true", w.Header().Get("Idempotency-Replayed"))
}

func TestAnAnswerThatCannotBeKeptIsStillGiven(t *testing.T) {
	a := newApp(t)
	a.filing()
	a.replays.finishErr = errors.New("disk full")
	w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), key("k"))
	require.Equal(t, http.StatusCreated, w.Code)
	require.Contains(t, a.log.String(), "disk full")
	require.Empty(t, a.replays.entries, "the key is free")
}

func TestAKeyIsPrintableASCII(t *testing.T) {
	tests := []struct {
		name string
		keys []string
		good bool
	}{
		{"short", []string{"k"}, true},
		{"blank inside", []string{"a b~!"}, true},
		{"255 characters", []string{strings.Repeat("k", 255)}, true},
		{"256 characters", []string{strings.Repeat("k", 256)}, false},
		{"empty", []string{""}, false},
		{"control character", []string{"a\tb"}, false},
		{"not ASCII", []string{"钥匙"}, false},
		{"two keys", []string{"a", "b"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t)
			a.filing()
			w := a.send("POST", "/v1/complaints", complaint, as(doorstep.RoleConsumer), header("Idempotency-Key", tt.keys...))
			if tt.good {
				require.Equal(t, http.StatusCreated, w.Code)
				return
			}
			p := problemOf(t, w)
			require.Equal(t, http.StatusUnprocessableEntity, p.Status)
			require.Equal(t, "invalid_idempotency_key", p.Errors[0].Code)
		})
	}
}

func TestBatchesAndReplacementsNeedNoKey(t *testing.T) {
	a := newApp(t)
	a.ops.postDispatches = func(context.Context, api.PostDispatchesRequestObject) (api.PostDispatchesResponseObject, error) {
		return api.PostDispatches200JSONResponse{Results: []api.DispatchResult{}}, nil
	}
	a.ops.putCourier = func(context.Context, api.PutCourierRequestObject) (api.PutCourierResponseObject, error) {
		return api.PutCourier200JSONResponse{CourierID: "c1"}, nil
	}
	a.send("POST", "/v1/dispatches", `{"dispatches":[]}`, as(doorstep.RoleIntegrator), key("k"))
	a.send("PUT", "/v1/couriers/c1", `{"name":"Wang Lei"}`, as(doorstep.RoleIntegrator), key("k"))
	require.Empty(t, a.replays.entries)
}
