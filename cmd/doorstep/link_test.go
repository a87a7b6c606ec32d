package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/access"
	"doorstep/api"
	"doorstep/store/storetest"
)

func TestALinkOpensOneParcelUnlessTheCarrierVouchesForThePerson(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		other := a.complain(a.consumer(anne), "SF2", callEN)
		link := func(scope string) api.ConsumerLink {
			return read[api.ConsumerLink](a.post(a.integrator(), "/v1/parcels/sf1/consumer-link", api.ConsumerLinkInput{Scope: &scope}), http.StatusCreated)
		}
		bound := link("parcel")
		require.Equal(t, "https://doorstep.example/p/"+bound.Token, bound.URL)
		require.Equal(t, bound.Token[:4], access.Prefix)

		// The holder of the link may speak about this parcel
		require.Empty(t, a.tags(bound.Token), "what else is known of the person is none of the holder's business")
		a.put(bound.Token, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}, Waybill: ptr("SF1")}).is(http.StatusOK)
		require.Len(t, a.tags(bound.Token), 1)
		a.post(bound.Token, "/v1/me/consents", api.ConsentInput{Kind: "doorstep", Scope: "parcel", Waybill: ptr("SF1"), ReceiptMethod: "photo"}).is(http.StatusCreated)
		c := a.complain(bound.Token, "SF1", lockerEN)
		require.Equal(t, []string{c.ID}, complaintIDs(pages(a, bound.Token, "/v1/me/complaints?limit=9", complaintPage)))

		// and about nothing else
		for _, refused := range []answer{
			a.put(bound.Token, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}}),
			a.put(bound.Token, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}, AddressID: ptr("home")}),
			a.put(bound.Token, "/v1/me/learning", api.LearningInput{Enabled: ptr(false)}),
			a.post(bound.Token, "/v1/me/tags/no_locker/confirmation", nil),
			a.post(bound.Token, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "pickup_code"}),
			a.post(bound.Token, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "address", Waybill: ptr("SF1"), ReceiptMethod: "pickup_code"}),
		} {
			require.Equal(t, "person_required", refused.problem(http.StatusForbidden).Code, refused.request)
		}
		for _, missing := range []answer{
			a.get(bound.Token, "/v1/complaints/"+other.ID),
			a.post(bound.Token, "/v1/complaints", api.ComplaintInput{Waybill: "SF2", Text: lockerEN}),
			a.put(bound.Token, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}, Waybill: ptr("SF2")}),
			a.post(bound.Token, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "parcel", Waybill: ptr("SF2"), ReceiptMethod: "pickup_code"}),
		} {
			require.Equal(t, "not_found", missing.problem(http.StatusNotFound).Code, missing.request)
		}
		a.delete(bound.Token, "/v1/me/tags/call_first").is(http.StatusNoContent)
		require.Equal(t, []api.Tag{"call_first", "no_locker"}, a.dispatch(parcel("SF3", "li", anne))[0].Tags, "what the person's complaints taught stays")

		// A person's link opens everything
		person := link("person").Token
		require.Len(t, a.tags(person), 3)
		a.put(person, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_call"}}).is(http.StatusOK)
		a.get(person, "/v1/complaints/"+other.ID).is(http.StatusOK)
		require.Len(t, pages(a, person, "/v1/me/complaints?limit=9", complaintPage), 2)
	})
}
