package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/store/storetest"
)

func TestAConsumerSeesWhyAndHasTheLastWord(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(me, "SF1", lockerZH)

		// What was learned says why, and how sure it is
		learned := a.tags(me)
		require.Len(t, learned, 1)
		require.Equal(t, api.TagState("on"), learned[0].State)
		require.Equal(t, api.TagSource("learned"), learned[0].Source)
		require.Greater(t, *learned[0].Confidence, 0.5)
		require.Equal(t, []api.TagReason{{
			On: "2026-03-02", Category: "locker_without_consent", Text: ptr("因为您在3月2日就尾号SF1的包裹告诉过我们"),
		}}, learned[0].Because)
		english := read[api.MyTags](a.get(me, "/v1/me/tags", withHeader("Accept-Language", "en-GB")), http.StatusOK).Tags[0]
		require.Equal(t, "because you told us on 2 March about parcel …SF1", *english.Because[0].Text)
		require.Equal(t, "likely", *english.ConfidenceText)
		require.Equal(t, "The courier of the day and the outlet see the wish; the courier never sees why.", *english.SeenBy)
		require.Equal(t, "No parcel lockers", *english.Text)
		require.Nil(t, english.Feedback)
		require.True(t, learned[0].FadesAt.After(a.clock.Now()))

		// Confirmed, it is the consumer's own word
		confirmed := read[api.MyTag](a.post(me, "/v1/me/tags/no_locker/confirmation", nil), http.StatusOK)
		require.Equal(t, api.TagSource("explicit"), confirmed.Source)
		require.Equal(t, a.clock.Now().AddDate(0, 0, 365), *confirmed.AskAgainAt)
		require.Equal(t, []api.Decision{{Tag: "no_locker", Level: "avoid", DecidedBy: "standing"}}, a.dispatch(parcel("SF2", "li", anne))[0].Decisions)

		// Removed, it is gone, and a new complaint only asks
		a.delete(me, "/v1/me/tags/no_locker").is(http.StatusNoContent)
		require.Empty(t, a.dispatch(parcel("SF3", "li", anne))[0].Tags)
		a.clock.Add(time.Hour)
		a.complain(me, "SF3", lockerEN)
		asked := a.tags(me)
		require.Len(t, asked, 1)
		require.Equal(t, api.TagState("asked"), asked[0].State)
		require.Empty(t, a.dispatch(parcel("SF4", "li", anne))[0].Tags)

		// Without learning nothing is learned and nothing learned counts
		a.dispatch(parcel("SF5", "li", bela))
		you := a.consumer(bela)
		a.complain(you, "SF5", callEN)
		require.Equal(t, []api.Tag{"call_first"}, a.dispatch(parcel("SF6", "li", bela))[0].Tags)
		require.False(t, read[api.Learning](a.put(you, "/v1/me/learning", api.LearningInput{Enabled: ptr(false)}), http.StatusOK).Enabled)
		require.Empty(t, a.dispatch(parcel("SF7", "li", bela))[0].Tags)
		require.Empty(t, a.complain(you, "SF6", lockerEN).Learned)
		require.False(t, read[api.MyTags](a.get(you, "/v1/me/tags"), http.StatusOK).LearningEnabled)
		a.put(you, "/v1/me/learning", api.LearningInput{Enabled: ptr(true)}).is(http.StatusOK)
		require.Equal(t, []api.Tag{"call_first"}, a.dispatch(parcel("SF8", "li", bela))[0].Tags, "what was said while it was off was never learned")
	})
}

func TestADayInWordsIsTheConsumersOwn(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	a.clock.Add(time.Date(2026, 5, 2, 23, 0, 0, 0, time.UTC).Sub(a.clock.Now())) // 7:00 on 3 May in Shanghai
	me := a.consumer(anne)
	a.dispatch(parcel("SF1234567834", "li", anne))
	a.complain(me, "SF1234567834", lockerZH)
	english := withHeader("Accept-Language", "en")
	because := read[api.MyTags](a.get(me, "/v1/me/tags", english), http.StatusOK).Tags[0].Because[0]
	require.Equal(t, "because you told us on 3 May about parcel …7834", *because.Text)
	require.Equal(t, "2026-05-02", because.On)
	a.clock.Add(300 * 24 * time.Hour)
	me = a.freshToken(access.Request{Role: doorstep.RoleConsumer, Company: "default", ConsumerPhone: anne, TTL: access.DefaultTTL})
	because = read[api.MyTags](a.get(me, "/v1/me/tags", english), http.StatusOK).Tags[0].Because[0]
	require.Equal(t, "because you told us on 3 May 2026 about parcel …7834", *because.Text)
}

func TestWhoDeliversSaysWhetherATagIsRight(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(me, "SF1", lockerZH)
		a.dispatch(parcel("SF2", "li", anne))
		before := a.tags(me)[0]

		since := a.clock.Now()
		for range 2 {
			got := read[api.Feedback](a.post(a.courier("li"), "/v1/parcels/sf2/tags/no_locker/feedback", api.FeedbackInput{Verdict: "right"}), http.StatusOK)
			require.Equal(t, api.Feedback{Waybill: "SF2", Tag: "no_locker", Verdict: "right", At: since}, got)
			a.clock.Add(time.Minute)
		}
		require.Greater(t, *a.tags(me)[0].Confidence, *before.Confidence)
		a.post(a.manager("west"), "/v1/parcels/SF2/tags/no_locker/feedback", api.FeedbackInput{Verdict: "wrong"}).is(http.StatusOK)
		told := read[api.MyTags](a.get(me, "/v1/me/tags", withHeader("Accept-Language", "en")), http.StatusOK).Tags[0]
		require.Equal(t, &api.TagFeedback{Right: 1, Wrong: 1, Text: "Couriers and outlets called it right 1× and wrong 1×."}, told.Feedback)

		require.Equal(t, []api.TagLearning{{Tag: "no_locker", Verdicts: 2, Wrong: 1}},
			read[api.TagLearningPage](a.get(a.manager("west"), "/v1/learning"), http.StatusOK).Items)
		p := a.post(a.courier("li"), "/v1/parcels/SF2/tags/no_locker/feedback", api.FeedbackInput{Verdict: "so so"}).problem(http.StatusUnprocessableEntity)
		require.Equal(t, []string{"/verdict unknown_verdict"}, at(p.Errors))

		var verdicts []string
		for _, r := range a.evidence("west", "&kind=tag_verdict") {
			verdicts = append(verdicts, *r.Verdict)
		}
		require.ElementsMatch(t, []string{"right", "wrong"}, verdicts)
	})
}

func TestAWrongTagIsCorrectedInOneStep(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF1", "li", anne))
		a.complain(me, "SF1", callEN)
		got := read[api.MyTag](a.post(me, "/v1/me/tags/call_first/correction", api.CorrectionInput{Tag: "message_first"}), http.StatusOK)
		require.Equal(t, api.Tag("message_first"), got.Tag)
		require.Equal(t, []api.Tag{"message_first"}, a.dispatch(parcel("SF2", "li", anne))[0].Tags)
		p := a.post(me, "/v1/me/tags/call_first/correction", api.CorrectionInput{Tag: "call_first"}).problem(http.StatusUnprocessableEntity)
		require.Equal(t, []string{"/tag same_tag"}, at(p.Errors))
	})
}

func TestWhatTellsAbsenceAndWhatPermitsIsOnlyAskedAbout(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		for i, c := range []struct{ words, tag string }{{eveningZH, "evening_only"}, {lockerOK, "locker_ok"}} {
			phone := fmt.Sprintf("+861390000000%d", i)
			a.dispatch(parcel(fmt.Sprintf("SF%d", i), "li", phone))
			require.Equal(t, []api.Tag{c.tag}, a.complain(a.consumer(phone), fmt.Sprintf("SF%d", i), c.words).Learned)
			tags := a.tags(a.consumer(phone))
			require.Len(t, tags, 1)
			require.Equal(t, api.TagState("asked"), tags[0].State)
			require.Empty(t, a.dispatch(parcel(fmt.Sprintf("SF1%d", i), "li", phone))[0].Tags, "silence is not consent")
		}
	})
}

func TestAParcelsWishBeatsTheStandingOneBeatsTheAddressesBeatsWhatWasLearned(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		to := func(waybill, courier string) api.DispatchInput {
			p := parcel(waybill, courier, anne)
			p.Consignee.AddressID = ptr("home")
			return p
		}
		a.dispatch(to("SF1", "li"))
		a.complain(me, "SF1", callEN)
		set := func(tag string, where api.PreferencesInput) {
			t.Helper()
			where.Tags = []api.Tag{tag}
			if tag == "" {
				where.Tags = []api.Tag{}
			}
			a.put(me, "/v1/me/preferences", where).is(http.StatusOK)
		}
		decided := func(waybill string) []api.Decision {
			t.Helper()
			got := read[api.DispatchResults](a.post(a.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{to(waybill, "li")}}), http.StatusOK)
			return got.Results[0].Decisions
		}
		call := func(tag, level, by string) []api.Decision {
			return []api.Decision{{Tag: tag, Level: api.TagLevel(level), DecidedBy: api.DecidedBy(by)}}
		}
		require.Equal(t, call("call_first", "advise", "learned"), decided("SF2"))
		set("no_call", api.PreferencesInput{AddressID: ptr("home")})
		require.Equal(t, call("no_call", "avoid", "address"), decided("SF2"), "a duplicate answers the tags of now")
		set("call_first", api.PreferencesInput{})
		require.Equal(t, call("call_first", "avoid", "standing"), decided("SF2"))
		set("no_call", api.PreferencesInput{Waybill: ptr("SF2")})
		require.Equal(t, call("no_call", "avoid", "parcel"), decided("SF2"))
		require.Equal(t, call("call_first", "avoid", "standing"), decided("SF3"), "other parcels are not meant")

		set("", api.PreferencesInput{Waybill: ptr("SF2")})
		require.Equal(t, call("call_first", "avoid", "standing"), decided("SF2"))
		set("", api.PreferencesInput{})
		require.Equal(t, call("no_call", "avoid", "address"), decided("SF2"))
		set("", api.PreferencesInput{AddressID: ptr("home")})
		require.Equal(t, call("call_first", "advise", "learned"), decided("SF2"))
	})
}

func TestConsentsAreGivenRecordedByPermissionsAndEnd(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF1", "li", anne))
		given := read[api.Consent](a.post(me, "/v1/me/consents", api.ConsentInput{
			Kind: "pickup_point", Scope: "parcel", Waybill: ptr("SF1"), ReceiptMethod: "pickup_code", Facility: ptr("Station 8"),
		}), http.StatusCreated)
		require.Equal(t, "SF1", *given.Waybill)
		a.clock.Add(time.Second)

		// A permission records a consent and takes it along when it goes
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"locker_ok"}}).is(http.StatusOK)
		list := a.consents(me)
		require.Len(t, list, 2)
		require.Equal(t, "locker", list[0].Kind, "newest first")
		require.Equal(t, "unspecified", list[0].ReceiptMethod)
		require.Nil(t, list[0].RevokedAt)
		a.clock.Add(time.Second)
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
		list = a.consents(me)
		require.Equal(t, a.clock.Now(), *list[0].RevokedAt)
		require.Nil(t, list[1].RevokedAt, "what was given by itself stays")

		a.clock.Add(time.Second)
		a.delete(me, "/v1/me/consents/"+given.ID).is(http.StatusNoContent)
		revoked := a.clock.Now()
		a.clock.Add(time.Second)
		a.delete(me, "/v1/me/consents/"+given.ID).is(http.StatusNoContent)
		require.Equal(t, revoked, *a.consents(me)[1].RevokedAt, "the first time counts")
		require.Equal(t, a.consents(me), pages(a, me, "/v1/me/consents?limit=1", consentPage))
	})
}

func (a *app) consents(token string) []api.Consent {
	a.t.Helper()
	return pages(a, token, "/v1/me/consents?limit=200", consentPage)
}

func consentPage(p api.ConsentPage) ([]api.Consent, *string) { return p.Items, p.NextCursor }
