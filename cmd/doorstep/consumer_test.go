package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/access"
	"doorstep/api"
	"doorstep/complaints"
	"doorstep/store/storetest"
)

// reader is a consumer's browser behind one link.
type reader struct {
	*app
	home   string
	cookie *http.Cookie
}

// follows opens a link that the carrier sent about a parcel.
func (a *app) follows(waybill, scope string) reader {
	a.t.Helper()
	link := read[api.ConsumerLink](a.post(a.integrator(), "/v1/parcels/"+waybill+"/consumer-link", api.ConsumerLinkInput{Scope: &scope}), http.StatusCreated)
	opened := a.visit(http.MethodGet, "/p/"+link.Token)
	require.Equal(a.t, http.StatusSeeOther, opened.status)
	return reader{a, opened.header.Get("Location"), (&http.Response{Header: opened.header}).Cookies()[0]}
}

// sees reads one of the link's pages.
func (r reader) sees(path string) string {
	r.t.Helper()
	page := r.visit(http.MethodGet, r.home+path, withCookie(r.cookie), withHeader("Accept-Language", "en"))
	require.Equal(r.t, http.StatusOK, page.status, path)
	return string(page.body)
}

// sends fills a form in; form is what the browser sends.
func (r reader) sends(path, form string) answer {
	r.t.Helper()
	return r.sendTo(r.streams, http.MethodPost, "", r.home+path, form,
		withCookie(r.cookie), withHeader("Content-Type", "application/x-www-form-urlencoded"), withHeader("Accept-Language", "en"))
}

// does sends a form that is taken and leads on.
func (r reader) does(path, form string) (to string) {
	r.t.Helper()
	sent := r.sends(path, form)
	require.Equal(r.t, http.StatusSeeOther, sent.status, "%s %s: %s", path, form, sent.body)
	return strings.TrimPrefix(sent.header.Get("Location"), r.home)
}

func TestAComplaintIsMadeAndSettledWithFormsAlone(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		r := a.follows("SF1", access.ScopeParcel)

		// Three steps, of which only the last files
		require.Contains(t, r.sees("/complain"), "nobody asked me")
		asked := r.sends("/complain", "to=words&category=locker_without_consent")
		require.Contains(t, string(asked.body), "textarea")
		form := url.Values{"category": {"locker_without_consent"}, "words": {"In a locker.\r\nNobody asked."}, "to": {"review"}}
		review := r.sends("/complain", form.Encode())
		require.Contains(t, string(review.body), "In a locker.")
		promise := "Answer by " + a.clock.Now().Add(complaints.Promise).In(a.operations.Zone).Format("Mon 2 January, 15:04")
		require.Contains(t, string(review.body), promise)
		require.Empty(t, a.complaintsOf(anne))
		form.Set("to", "file")
		to := r.does("/complain", form.Encode())
		require.Equal(t, to, r.does("/complain", form.Encode()), "a second press of the button files nothing")
		filed := a.complaintsOf(anne)
		require.Len(t, filed, 1)
		require.Equal(t, "In a locker.\nNobody asked.", *filed[0].Text)
		at := "/complaints/" + filed[0].ID
		require.Equal(t, at+"?filed=1", to)
		require.Contains(t, r.sees(at), promise)
		require.Contains(t, r.sees(""), promise)

		// The outlet pauses, and any word of the consumer's ends it
		a.clock.Add(time.Hour)
		a.post(a.manager("west"), "/v1"+at+"/pause", api.ComplaintPauseInput{Reason: "waiting_consumer", Note: ptr("Which locker?")}).is(http.StatusOK)
		require.Contains(t, r.sees(at), "Waiting for your answer.")
		require.Contains(t, r.sees(at), "Which locker?")
		r.does(at, "action=message&words=The+one+at+the+gate")
		require.NotContains(t, r.sees(at), "Waiting for your answer.")

		// It answers, which does not solve it, and answers again
		for _, step := range []struct{ before, action, after string }{
			{"Does the answer solve it?", "action=dispute&words=Still+there", "You said that it is not solved"},
			{"Does the answer solve it?", "action=confirmation", "You said that it is solved"},
		} {
			a.clock.Add(time.Hour)
			a.post(a.manager("west"), "/v1"+at+"/answer", words("We bring it up.")).is(http.StatusOK)
			require.Contains(t, r.sees(at), step.before)
			require.Contains(t, r.sees(at), "We bring it up.")
			a.clock.Add(time.Minute)
			r.does(at, step.action)
			require.Contains(t, r.sees(at), step.after)
		}
		require.Equal(t, http.StatusConflict, r.sends(at, "action=dispute").status, "it is over")
		r.does(at, "action=reopening&words=Again")
		require.Contains(t, r.sees(at), "You reopened it")
		r.does(at, "action=withdrawal")
		require.Contains(t, r.sees(at), "You withdrew it")
		require.NotContains(t, r.sees(at), `value="message"`)
		require.NotContains(t, a.log.String(), "locker.")
	})
}

// complaintsOf lists a consumer's complaints as the API does.
func (a *app) complaintsOf(phone string) []api.Complaint {
	return pages(a, a.consumer(phone), "/v1/me/complaints?limit=9", complaintPage)
}

func TestAConsumerSeesWhereTheParcelIsAndThatADropIsNoReceipt(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		scan := func(code string) {
			at := a.clock.Now().Format(time.RFC3339)
			a.post(a.integrator(), "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{{Waybill: "SF1", OutletID: "west", Code: code, At: at}}}).is(http.StatusOK)
			a.clock.Add(time.Hour)
		}
		scan("damaged")
		a.dispatch(parcel("SF1", "li", bela)) // carriers use numbers again
		a.clock.Add(25 * time.Hour)
		a.dispatch(parcel("SF1", "li", anne))
		scan("arrived_outlet")
		scan("no_such_code")
		seen := a.parcel(a.consumer(anne), "SF1").Scans
		require.Len(t, seen, 1, "and no code that says nothing")
		require.Equal(t, []string{"arrived_outlet", "west"}, []string{seen[0].Status, seen[0].OutletID})
		r := a.follows("SF1", access.ScopeParcel)
		require.Contains(t, r.sees(""), "Arrived at the outlet")

		a.allow(anne, "locker")
		a.signFor("li", "SF1", signed("locker", a.clock.Now())).is(http.StatusOK)
		require.Contains(t, r.sees(""), "<h1>In a parcel locker</h1>")
		require.Contains(t, r.sees(""), "It does not say that you have it.")
	})
}

func TestWishesAndConsentsAreSaidAndTakenBackOnTheirPages(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		a.complain(a.consumer(anne), "SF2", lockerEN)
		person, link := a.follows("SF1", access.ScopePerson), a.follows("SF1", access.ScopeParcel)

		require.Contains(t, person.sees("/wishes"), "because you told us on")
		require.NotContains(t, link.sees("/wishes"), "because you told us on", "none of the holder's business")
		person.does("/wishes/no_locker", "verdict=confirm")
		require.Equal(t, api.TagSourceExplicit, a.tag(anne, "no_locker").Source)
		person.does("/wishes/no_locker", "verdict=remove")
		require.Equal(t, api.TagStateOff, a.tag(anne, "no_locker").State)
		person.does("/learning", "enabled=false")
		require.Contains(t, person.sees("/wishes"), "Learn again")
		require.Equal(t, http.StatusForbidden, link.sends("/learning", "enabled=true").status)
		require.Equal(t, http.StatusForbidden, link.sends("/wishes/no_locker", "verdict=confirm").status)

		link.does("/wishes", "tag=to_door&tag=photo_proof&note=Ring+twice")
		require.Contains(t, link.sees("/wishes"), `value="Ring twice"`)
		require.Equal(t, "SF1", *a.tag(anne, "photo_proof").Waybill)
		require.Equal(t, http.StatusUnprocessableEntity, link.sends("/wishes", "note="+strings.Repeat("x", 201)).status)

		link.does("/consents", "kind=locker&receipt_method=pickup_code&facility=Gate+East")
		require.Contains(t, link.sees("/consents"), "Gate East")
		given := read[api.ConsentPage](a.get(a.consumer(anne), "/v1/me/consents"), http.StatusOK).Items[0]
		require.Equal(t, "parcel", given.Scope)
		link.does("/consents/"+given.ID, "")
		require.Contains(t, link.sees("/consents"), "taken back")
		require.Equal(t, http.StatusNotFound, a.follows("SF2", access.ScopeParcel).sends("/consents/"+given.ID, "").status)
	})
}

// tag is what the API tells a consumer of one tag.
func (a *app) tag(phone, tag string) api.MyTag {
	a.t.Helper()
	for _, t := range a.tags(a.consumer(phone)) {
		if string(t.Tag) == tag {
			return t
		}
	}
	require.FailNow(a.t, "no such tag", tag)
	return api.MyTag{}
}

func TestACopyAndErasureNeedThePerson(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		person, link := a.follows("SF1", access.ScopePerson), a.follows("SF1", access.ScopeParcel)

		require.Contains(t, link.sees("/data"), "need you in person")
		require.Equal(t, http.StatusForbidden, link.sends("/data/copy", "").status)
		require.Equal(t, http.StatusForbidden, link.sends("/data/erasure", "sure=yes").status)

		copied := person.sends("/data/copy", "")
		require.Equal(t, http.StatusOK, copied.status)
		require.Contains(t, copied.header.Get("Content-Disposition"), "doorstep-export.json")
		var whole api.ConsumerExport
		require.NoError(t, json.Unmarshal(copied.body, &whole))
		require.Equal(t, "SF1", whole.Parcels[0].Waybill)

		require.Equal(t, http.StatusUnprocessableEntity, person.sends("/data/erasure", "").status)
		person.does("/data/erasure", "sure=yes")
		require.Contains(t, person.sees("/data"), "All of it is gone.")
		a.clock.Add(2 * time.Second) // tokens are remembered for one
		require.Contains(t, string(link.visit(http.MethodGet, link.home, withCookie(link.cookie), withHeader("Accept-Language", "en")).body), "expired", "other links are over")
	})
}
