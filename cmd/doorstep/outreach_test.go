package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/session"
	"doorstep/store/storetest"
)

// messages relays what waits and gives every message of the feed, read by the
// carrier as it would be, page by page.
func (a *app) messages() (list []api.ConsumerMessage) {
	a.t.Helper()
	_, _, err := a.relay.Pass(a.t.Context())
	require.NoError(a.t, err)
	for after := int64(0); ; {
		page := read[api.EventPage](a.get(a.integrator(), fmt.Sprintf("/v1/events?limit=1&after=%d", after)), http.StatusOK)
		if len(page.Items) == 0 {
			require.Equal(a.t, after, page.NextAfter)
			return list
		}
		e := page.Items[0]
		require.Equal(a.t, after+1, e.Seq)
		if after = e.Seq; e.Type != "consumer.message" {
			continue
		}
		require.Equal(a.t, int64(1), e.Sequence)
		var m api.ConsumerMessage
		require.NoError(a.t, json.Unmarshal(e.Object, &m))
		list, after = append(list, m), page.NextAfter
	}
}

// page opens a message's link as a browser does.
func (a *app) page(m api.ConsumerMessage) *httptest.ResponseRecorder {
	a.t.Helper()
	opened := a.browse(http.MethodGet, strings.TrimPrefix(m.URL, "https://doorstep.example"), "")
	if to := opened.Header().Get("Location"); to != "" {
		return a.browse(http.MethodGet, to, "")
	}
	return opened
}

// tap sends a form of a message's page.
func (a *app) tap(m api.ConsumerMessage, form string) *httptest.ResponseRecorder {
	a.t.Helper()
	link := strings.TrimPrefix(m.URL, "https://doorstep.example/p/")
	a.browse(http.MethodGet, "/p/"+link, "")
	return a.browse(http.MethodPost, "/p/"+string(session.OfLink(link)), form)
}

// answered taps, and follows to the page that shows it.
func (a *app) answered(m api.ConsumerMessage, form string) string {
	a.t.Helper()
	w := a.tap(m, form)
	require.Equal(a.t, http.StatusSeeOther, w.Code, w.Body)
	next := a.browse(http.MethodGet, w.Header().Get("Location"), "")
	require.Equal(a.t, http.StatusOK, next.Code)
	return next.Body.String()
}

func (a *app) browse(method, path, form string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	for _, c := range a.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	a.streams.ServeHTTP(w, r)
	a.cookies = append(a.cookies, w.Result().Cookies()...)
	return w
}

// permitted are the kinds of drop that the consumer consents to now.
func (a *app) permitted(token string) (kinds []string) {
	a.t.Helper()
	for _, c := range a.consents(token) {
		if c.RevokedAt == nil {
			kinds = append(kinds, c.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func TestALearnedPermissionIsAQuestionAndAYesIsAConsent(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.integrator(), "SF1", lockerOK)

		// The question is in the feed, with nothing about the person
		sent := a.messages()
		require.Len(t, sent, 1)
		q := sent[0]
		require.Equal(t, "tag_question", q.Template)
		require.Equal(t, "SF1", q.Waybill)
		require.Equal(t, "zh-CN", q.Locale)
		require.NotEmpty(t, q.ConsumerRef)
		raw := string(a.get(a.hq(), "/v1/events").body)
		for name, bird := range map[string]string{"phone": anne[3:], "complaint": "locker"} {
			require.NotContains(t, raw, bird, name)
		}

		// Looking changes nothing, however often
		for range 2 {
			w := a.page(q)
			require.Equal(t, http.StatusOK, w.Code)
			require.Contains(t, w.Body.String(), "A parcel locker is fine")
			require.NotContains(t, w.Body.String(), "<script")
			require.Equal(t, "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
				w.Header().Get("Content-Security-Policy"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		}
		require.Equal(t, api.TagState("asked"), a.tags(me)[0].State)
		require.Empty(t, a.permitted(me), "silence is no consent")

		// One tap
		require.Contains(t, a.answered(q, "tag=locker_ok&answer=yes"), "You said yes")
		require.Equal(t, api.TagState("on"), a.tags(me)[0].State)
		require.Equal(t, api.TagSource("explicit"), a.tags(me)[0].Source)
		require.Equal(t, []string{"locker"}, a.permitted(me))
		require.Equal(t, []api.Decision{{Tag: "locker_ok", Level: "avoid", DecidedBy: "standing"}}, a.dispatch(parcel("SF2", "li", anne))[0].Decisions)
		a.answered(q, "tag=locker_ok&answer=yes")
		require.Equal(t, []string{"locker"}, a.permitted(me), "a second tap adds nothing")

		// A finger slipped: the last word counts while the link holds
		require.Contains(t, a.answered(q, "tag=locker_ok&answer=no"), "You said no")
		require.Equal(t, api.TagState("off"), a.tags(me)[0].State)
		require.Empty(t, a.permitted(me))
		require.Len(t, a.messages(), 1)

		// but nobody keeps a courier's phone ringing with it
		for range 7 {
			a.answered(q, "tag=locker_ok&answer=no")
		}
		require.Equal(t, http.StatusTooManyRequests, a.tap(q, "tag=locker_ok&answer=yes").Code)
		require.Empty(t, a.permitted(me), "the last answer that counted stands")
		require.Contains(t, a.page(q).Body.String(), "You said no")
	})
}

func TestAQuestionIsAskedOnceInAWhile(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		complain := func(waybill, words string) {
			t.Helper()
			a.clock.Add(time.Hour)
			a.dispatch(parcel(waybill, "li", anne))
			a.complain(a.consumer(anne), waybill, words)
		}
		complain("SF1", eveningZH)
		require.Len(t, a.messages(), 1)
		complain("SF2", eveningZH)
		complain("SF3", lockerEN)
		require.Len(t, a.messages(), 1, "one is open; and what is simply learned is no question")

		// Said no to, it is asked anew after 90 days if it is complained of anew
		a.answered(a.messages()[0], "tag=evening_only&answer=no")
		complain("SF4", eveningZH)
		require.Len(t, a.messages(), 1)
		a.clock.Add(91 * 24 * time.Hour)
		clear(a.tokens) // they hold for 90 days
		complain("SF5", lockerEN)
		require.Len(t, a.messages(), 1, "not because of another matter")
		complain("SF6", eveningZH)
		sent := a.messages()
		require.Len(t, sent, 2)
		require.Equal(t, sent[0].ConsumerRef, sent[1].ConsumerRef, "the same person")
		require.Equal(t, "en", sent[1].Locale, "the language of the form that was answered")

		// The link ends by itself, and the older one has nothing left to ask
		require.Equal(t, http.StatusNotFound, a.page(sent[0]).Code)
		require.Contains(t, a.answered(sent[1], "tag=evening_only&answer=yes"), "You said yes")
		require.Equal(t, []api.Tag{"evening_only", "no_locker"}, a.dispatch(parcel("SF7", "li", anne))[0].Tags)
		a.clock.Add(14 * 24 * time.Hour)
		require.Equal(t, http.StatusNotFound, a.page(sent[1]).Code)
		require.Equal(t, http.StatusNotFound, a.tap(sent[1], "tag=evening_only&answer=no").Code)

		// Whoever switched learning off is left alone
		clear(a.tokens)
		you := a.consumer(bela)
		a.dispatch(parcel("SF8", "li", bela))
		a.put(you, "/v1/me/learning", api.LearningInput{Enabled: ptr(false)}).is(http.StatusOK)
		a.complain(you, "SF8", lockerOK)
		require.Len(t, a.messages(), 2)
	})
}

func TestASuspendedPermissionIsAskedAboutAndSoIsARemovedTag(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me, you := a.consumer(anne), a.consumer(bela)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"locker_ok"}}).is(http.StatusOK)
		a.delete(you, "/v1/me/tags/no_locker").is(http.StatusNoContent)
		a.clock.Add(time.Hour)
		a.complain(me, "SF1", lockerEN)
		a.complain(you, "SF2", lockerEN)

		sent := a.messages()
		require.Len(t, sent, 2)
		require.NotEqual(t, sent[0].ConsumerRef, sent[1].ConsumerRef)
		slices.SortFunc(sent, func(a, b api.ConsumerMessage) int { return strings.Compare(a.Waybill, b.Waybill) })
		require.Contains(t, a.page(sent[0]).Body.String(), "A parcel locker is fine")
		require.Contains(t, a.page(sent[1]).Body.String(), "No parcel lockers")
		require.Equal(t, []api.Tag{"no_locker"}, a.dispatch(parcel("SF3", "li", anne))[0].Tags, "suspended")

		a.clock.Add(time.Hour)
		a.answered(sent[0], "tag=locker_ok&answer=yes")
		a.answered(sent[1], "tag=no_locker&answer=yes")
		require.Equal(t, []api.Tag{"locker_ok"}, a.dispatch(parcel("SF4", "li", anne))[0].Tags, "it is newer than the complaint")
		require.Equal(t, []api.Tag{"no_locker"}, a.dispatch(parcel("SF5", "li", bela))[0].Tags)
	})
}

func TestALinkThatAsksCanDoNothingElse(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(a.integrator(), "SF1", lockerOK)
		q := a.messages()[0]
		before := encoded(t, a.tags(a.consumer(anne)))

		secret := q.URL[strings.LastIndex(q.URL, "/")+1:]
		seen := a.get(a.hq(), "/v1/events")
		seen.is(http.StatusOK)
		require.Contains(t, string(seen.body), q.ID)
		require.NotContains(t, string(seen.body), secret, "headquarters could answer for a consumer")
		for _, path := range []string{"/v1/me/tags", "/v1/me/complaints", "/v1/me/consents", "/v1/events"} {
			require.Equal(t, "unauthorized", a.get(secret, path).problem(http.StatusUnauthorized).Code, path)
		}
		for form, status := range map[string]int{
			"tag=no_locker&answer=yes":          http.StatusNotFound, // not what it asks
			"tag=nonsense&answer=yes":           http.StatusNotFound,
			"choice=locker":                     http.StatusNotFound, // not what it is
			"tag=locker_ok":                     http.StatusUnprocessableEntity,
			"tag=locker_ok&answer=perhaps":      http.StatusUnprocessableEntity,
			"":                                  http.StatusUnprocessableEntity,
			"tag=%zz":                           http.StatusUnprocessableEntity,
			"words=" + strings.Repeat("x", 9e3): http.StatusUnprocessableEntity,
		} {
			require.Equal(t, status, a.tap(q, form).Code, form)
		}
		other := q
		for _, secret := range []string{secret + "x", "dsl_", "dsl_1_", "dsl_zzzzzzzzzzzzzzzz_x", "dst_none", strings.Repeat("dsl_1_", 50)} {
			other.URL = "https://doorstep.example/p/" + secret
			require.Equal(t, http.StatusNotFound, a.page(other).Code, secret)
			require.Equal(t, http.StatusNotFound, a.tap(other, "tag=locker_ok&answer=yes").Code, secret)
		}
		require.Equal(t, before, encoded(t, a.tags(a.consumer(anne))))
		require.NotContains(t, stored(t, url), secret, "a link's secret is in clear")
		require.NotContains(t, a.log.String(), secret)
	})
}

func TestAPreContactBecomesConsentAndInstructionAndReachesTheCourier(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF0", "li", anne))
		a.complain(me, "SF0", lockerEN)
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{}, Note: ptr("The bell is broken.")}).is(http.StatusOK)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela), parcel("SF3", "chen", anne))

		// Only for a flagged parcel of one's own, and once a day
		ask := func(token, waybill string) answer { return a.post(token, "/v1/parcels/"+waybill+"/pre-contact", nil) }
		require.Equal(t, "not_flagged", ask(a.courier("li"), "SF2").problem(http.StatusConflict).Code)
		ask(a.courier("li"), "SF3").problem(http.StatusNotFound)
		ask(a.courier("li"), "none").problem(http.StatusNotFound)
		ask(a.courier("li"), "%20").problem(http.StatusNotFound)
		ask(a.manager("east"), "SF1").problem(http.StatusNotFound)
		first := read[api.PreContact](ask(a.courier("li"), "sf1"), http.StatusCreated)
		a.clock.Add(time.Minute)
		require.Equal(t, first, read[api.PreContact](ask(a.manager("west"), "SF1"), http.StatusOK))
		read[api.PreContact](ask(a.manager("west"), "SF3"), http.StatusCreated)
		sent := a.messages()
		require.Len(t, sent, 2)
		m := sent[0]
		require.Equal(t, []string{"pre_contact", "SF1"}, []string{m.Template, m.Waybill})
		require.Equal(t, first.ExpiresAt, m.ExpiresAt)
		require.Len(t, a.evidence("west", "&waybill=SF1&kind=message"), 1, "that he asked is on record")

		// The consumer chooses; it holds for this parcel alone
		page := a.page(m).Body.String()
		for _, choice := range []string{"To my door", "Into a parcel locker", "To a pickup point", "To a neighbour", "At another time"} {
			require.Contains(t, page, choice)
		}
		require.Contains(t, a.answered(m, "choice=locker&words=Box+7"), "Into a parcel locker")
		require.Equal(t, []string{"locker"}, a.permitted(me))
		require.Equal(t, "SF1", *a.consents(me)[0].Waybill)
		a.clock.Add(10 * time.Second)
		a.revise()
		inbox := a.inbox("li")
		last := inbox[len(inbox)-1]
		require.Equal(t, []api.Tag{"locker_ok"}, last.Tags)
		require.Equal(t, 2, last.Version)
		stop := a.stop("li", "SF1")
		require.Equal(t, "收件人答复：同意放快递柜。 Box 7\nThe bell is broken.", *stop.Note, "in the outlet's language, then in hers; what she wrote herself stays")
		require.NotContains(t, string(a.get(a.courier("li"), "/v1/me/run").body), "complaint")
		require.Equal(t, []api.Tag{"no_locker"}, a.dispatch(parcel("SF4", "li", anne))[0].Tags, "the next parcel is another matter")

		// She thinks better of it, says when, and the courier hears of that too
		a.clock.Add(time.Minute)
		a.answered(m, "choice=door")
		require.Empty(t, a.permitted(me), "the consent went with its choice")
		a.clock.Add(10 * time.Second)
		a.revise()
		require.Contains(t, string(a.page(m).Body.String()), "To my door")
		require.Equal(t, http.StatusUnprocessableEntity, a.tap(m, "choice=other_time&words=+").Code)
		require.Equal(t, http.StatusUnprocessableEntity, a.tap(m, "choice=other_time&words="+strings.Repeat("x", 121)).Code)
		require.Equal(t, http.StatusUnprocessableEntity, a.tap(m, "choice=moon").Code)
		before := len(a.inbox("li"))
		a.clock.Add(time.Minute)
		a.answered(m, "choice=other_time&words="+"after+7")
		a.clock.Add(10 * time.Second)
		a.revise()
		require.Len(t, a.inbox("li"), before+1, "a note alone is told, too")
		require.Equal(t, "收件人希望换个时间： after 7\nThe bell is broken.", *a.stop("li", "SF1").Note)
		require.Equal(t, []api.Tag{"no_locker", "to_door"}, tagsOfStop(a.stop("li", "SF1")))

		said := a.evidence("west", "&waybill=SF1&kind=message")
		require.Equal(t, []string{"other_time", "door", "locker", "relayed"}, []string{*said[0].Outcome, *said[1].Outcome, *said[2].Outcome, *said[3].Outcome})
		require.Equal(t, api.EvidenceSource("person"), said[0].Source)

		// Tomorrow it says nothing any more
		a.clock.Add(24 * time.Hour)
		require.Equal(t, http.StatusNotFound, a.page(m).Code)
		require.Equal(t, http.StatusNotFound, a.tap(m, "choice=locker").Code)
		ask(a.courier("li"), "SF1").problem(http.StatusNotFound)
	})
}

func tagsOfStop(s api.RunItem) (tags []api.Tag) {
	for _, i := range s.Instructions {
		tags = append(tags, i.Tag)
	}
	return tags
}

func (a *app) stop(courier, waybill string) api.RunItem {
	a.t.Helper()
	run := read[api.Run](a.get(a.courier(courier), "/v1/me/run"), http.StatusOK)
	i := slices.IndexFunc(run.Items, func(item api.RunItem) bool { return item.Waybill == waybill })
	require.GreaterOrEqual(a.t, i, 0)
	return run.Items[i]
}

func TestANeighbourMaySignAndAPickupPointMayTakeItOnlyBecauseSheSaysSo(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	a.dispatch(parcel("SF0", "li", anne))
	a.complain(a.consumer(anne), "SF0", callEN)
	a.dispatch(parcel("SF1", "li", anne))
	a.post(a.courier("li"), "/v1/parcels/SF1/pre-contact", nil).is(http.StatusCreated)
	m := a.messages()[0]
	for choice, want := range map[string]struct {
		tags []api.Tag
		kind string
	}{
		"pickup_point": {[]api.Tag{"call_first", "pickup_point_ok"}, "pickup_point"},
		"neighbour":    {[]api.Tag{"call_first", "family_may_sign"}, "proxy"},
		"locker":       {[]api.Tag{"call_first", "locker_ok"}, "locker"},
	} {
		a.clock.Add(time.Minute)
		a.answered(m, "choice="+choice)
		require.Equal(t, want.tags, tagsOfStop(a.stop("li", "SF1")), choice)
		require.Equal(t, []string{want.kind}, a.permitted(a.consumer(anne)), choice)
	}
}

func TestPreContactsAreBounded(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	a.dispatch(parcel("SF", "li", anne))
	a.complain(a.consumer(anne), "SF", callEN)
	var list []api.DispatchInput
	for i := range 201 {
		list = append(list, parcel(fmt.Sprintf("SF%d", i), "li", anne))
	}
	a.dispatch(list...)
	for i := range 200 {
		a.post(a.courier("li"), fmt.Sprintf("/v1/parcels/SF%d/pre-contact", i), nil).is(http.StatusCreated)
	}
	r := a.post(a.courier("li"), "/v1/parcels/SF200/pre-contact", nil)
	require.Equal(t, "too_many_pre_contacts", r.problem(http.StatusTooManyRequests).Code)
	require.NotEmpty(t, r.header.Get("Retry-After"))
	a.post(a.courier("li"), "/v1/parcels/SF0/pre-contact", nil).is(http.StatusOK)
	a.post(a.manager("west"), "/v1/parcels/SF200/pre-contact", nil).is(http.StatusCreated)
	a.clock.Add(24 * time.Hour)
	a.dispatch(parcel("SF200", "li", anne))
	a.post(a.courier("li"), "/v1/parcels/SF200/pre-contact", nil).is(http.StatusCreated)
}

func TestAFeedIsItsCompanysOwn(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	a.dispatch(parcel("SF1", "li", anne))
	a.complain(a.integrator(), "SF1", lockerOK)
	require.Len(t, a.messages(), 1)
	theirs := read[api.EventPage](a.get(a.token(access.Request{Role: doorstep.RoleIntegrator, Company: "other"}), "/v1/events"), http.StatusOK)
	require.Empty(t, theirs.Items)
	for query, pointer := range map[string]string{"after=-1": "/after", "after=x": "/after", "limit=0": "/limit", "limit=201": "/limit"} {
		require.Equal(t, pointer, a.get(a.hq(), "/v1/events?"+query).problem(http.StatusUnprocessableEntity).Errors[0].Pointer)
	}
}

func TestTheFeedNamesNobody(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		waybill, _ := flock(t, a)
		a.complain(a.consumer(canaryPhone), waybill, "You can leave it at my door. "+canaryWords)
		a.post(a.courier("li"), "/v1/parcels/"+waybill+"/pre-contact", nil).is(http.StatusCreated)
		sent := a.messages()
		require.Len(t, sent, 2)
		birds := canaries(a)
		shows(t, birds, "the feed", string(a.get(a.integrator(), "/v1/events").body))
		for _, m := range sent {
			page := a.page(m)
			shows(t, birds, "a form", page.Body.String()+fmt.Sprint(page.Header()))
			require.NotContains(t, page.Body.String(), waybill, "a form shows the last four characters")
		}
		a.answered(sent[1], "choice=other_time&words="+canaryNote)
		shows(t, birds, "the log", a.log.String())
		require.NotContains(t, stored(t, url), canaryNote)
	})
}
