package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

func TestARetryUnderAnIdempotencyKeyIsAnsweredWithTheFirstAnswer(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		me := a.consumer(anne)
		for _, c := range []struct {
			token, path string
			body, other any
		}{
			{me, "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: lockerZH}, api.ComplaintInput{Waybill: "SF1", Text: callEN}},
			{
				me, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"},
				api.ConsentInput{Kind: "proxy", Scope: "all", ReceiptMethod: "photo"},
			},
			{a.integrator(), "/v1/parcels/SF1/consumer-link", api.ConsumerLinkInput{Scope: ptr("person")}, api.ConsumerLinkInput{}},
		} {
			key := withHeader("Idempotency-Key", "attempt 1")
			first := a.post(c.token, c.path, c.body, key)
			first.is(http.StatusCreated)
			require.Empty(t, first.header.Get("Idempotency-Replayed"))

			a.clock.Add(time.Hour)
			again := a.post(c.token, c.path, c.body, key)
			again.is(http.StatusCreated)
			require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
			require.JSONEq(t, string(first.body), string(again.body))
			require.Equal(t, first.header.Get("Location"), again.header.Get("Location"))

			require.Equal(t, "idempotency_key_reused", a.post(c.token, c.path, c.other, key).problem(http.StatusUnprocessableEntity).Code)
			fresh := a.post(c.token, c.path, c.other, withHeader("Idempotency-Key", "attempt 2"))
			fresh.is(http.StatusCreated)
			require.NotEqual(t, first.body, fresh.body)

			a.clock.Add(25 * time.Hour)
			late := a.post(c.token, c.path, c.body, key)
			require.Empty(t, late.header.Get("Idempotency-Replayed"), "kept for 24 h")
		}
		require.Len(t, pages(a, me, "/v1/me/complaints?limit=9", complaintPage), 2)
	})
}
