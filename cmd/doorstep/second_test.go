package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/complaints"
	"doorstep/store/storetest"
)

func TestAnUnsureComplaintIsReadElsewhereAndOnlyMaskedTextLeaves(t *testing.T) {
	const secret = "sk-nobody-may-read-this"
	storetest.OnEach(t, func(t *testing.T, url string) {
		bodies := make(chan string, 10)
		status := http.StatusOK
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bodies <- string(body)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{
				"content": `{"category":"attitude","tags":[{"tag":"no_doorbell","quote":"handled"}]}`,
			}}}})
		}))
		t.Cleanup(service.Close)
		a := newApp(t, url)
		again, err := secondReader{URL: service.URL, Model: "m", Key: secret, Timeout: 5 * time.Second, Daily: 10}.
			open(slog.New(slog.NewTextHandler(a.log, nil)))
		require.NoError(t, err)
		a.desk.Again = again
		a.desk.Read = func(string) complaints.Reading {
			return complaints.Reading{Category: complaints.Other, Confidence: 0.1}
		}

		p := parcel("SF1", "li", anne)
		p.Consignee = api.Consignee{Phone: anne, Name: ptr("Anne Tremblay-Xu"), Address: ptr("9 Larkspur Yard")}
		a.dispatch(p, parcel("SF2", "li", anne))
		vague := "It was handled how it was handled, says anne tremblay xu of Larkspur Yard, parcel SF1."
		got := a.complain(a.integrator(), "SF1", vague)
		require.Equal(t, "attitude", string(got.Category))
		body := <-bodies
		require.Contains(t, body, "says [name] of [address]")
		for _, private := range []string{"anne", "tremblay", "Larkspur"} {
			require.NotContains(t, body, private)
		}

		// A person's choice of category stands, and nothing is left to ask.
		got = read[api.Complaint](a.post(a.integrator(), "/v1/complaints", api.ComplaintInput{
			Waybill: "SF1", Text: "late", Category: ptr(api.Category("delay")),
		}), http.StatusCreated)
		require.Equal(t, "delay", string(got.Category))
		require.Empty(t, bodies)

		// Whatever is wrong with it, a complaint is filed.
		status = http.StatusInternalServerError
		got = a.complain(a.integrator(), "SF2", vague)
		require.Equal(t, "other", string(got.Category))
		<-bodies
		require.NotContains(t, a.log.String(), secret)
		require.NotContains(t, a.log.String(), "handled")
	})
}

func TestNothingLeavesUnlessAServiceIsSet(t *testing.T) {
	again, err := secondReader{Timeout: 2 * time.Second, Daily: 1000}.open(slog.Default())
	require.NoError(t, err)
	require.Nil(t, again)
	_, err = secondReader{Key: "k", Timeout: 2 * time.Second, Daily: 1000}.open(slog.Default())
	require.Error(t, err, "half a setting")
}
