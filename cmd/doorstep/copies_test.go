package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

// A copy shows its owner's number, and nobody else's: not of whoever called for the
// consumer, nor the masked ones of which calls went out.
func TestACopyHoldsNobodyElsesNumber(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.put(a.integrator(), "/v1/providers/generic", api.ProviderInput{MaskedNumbers: &[]string{maskedNumber}}).is(http.StatusOK)
		dialled := read[api.DialledCall](a.post(a.courier("li"), "/v1/parcels/SF1/calls", nil), http.StatusCreated)
		a.clock.Add(time.Minute)
		a.bring(api.ProviderEventInput{
			EventID: "e1", CallID: ptr("c1"), Kind: "call", State: "no_answer", At: a.clock.Now().Format(time.RFC3339),
			MaskedNumber: &dialled.Number,
		})
		read[api.Complaint](a.post(a.integrator(), "/v1/complaints", api.ComplaintInput{
			Waybill: "SF1", Text: lockerZH, Reporter: &api.Reporter{Name: ptr(canarySister), Phone: ptr("+8615987651234")},
		}), http.StatusCreated)

		r := a.get(a.consumer(anne), "/v1/me/export")
		copied := read[api.ConsumerExport](r, http.StatusOK)
		require.Equal(t, anne, *copied.Parcels[0].Phone, "her own, whole")
		for _, other := range []string{"15987651234", canarySister, maskedNumber[3:]} {
			require.NotContains(t, string(r.body), other)
		}
		numbers := 0
		for _, record := range copied.Parcels[0].Records {
			require.Nil(t, record.Reporter)
			for _, number := range []*string{record.Peer, record.MaskedNumber} {
				if number != nil {
					numbers++
					require.Contains(t, *number, "*")
				}
			}
		}
		require.Positive(t, numbers)
	})
}
