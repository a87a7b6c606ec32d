package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
	"doorstep/store/storetest"
)

// clientID is the n-th that a phone made.
func clientID(n int) string { return fmt.Sprintf("01936f40-77aa-7d10-8c33-5160f0%06d", n) }

func here() *api.PlaceInput {
	return &api.PlaceInput{Lat: ptr(31.2), Lng: ptr(121.5), AccuracyM: ptr(8.0)}
}

// signed is a sign-for with an id of its own.
func signed(method string, at time.Time) api.SignForInput {
	return api.SignForInput{Method: method, At: at.Format(time.RFC3339Nano), ClientID: uuid.NewString()}
}

func (a *app) signFor(courier, waybill string, in api.SignForInput) answer {
	a.t.Helper()
	return a.post(a.courier(courier), "/v1/parcels/"+waybill+"/sign-for", in)
}

func (a *app) parcel(token, waybill string) api.Parcel {
	a.t.Helper()
	return read[api.Parcel](a.get(token, "/v1/parcels/"+waybill), http.StatusOK)
}

// allow gives a consent for every parcel of the consumer.
func (a *app) allow(phone, kind string, change ...func(*api.ConsentInput)) api.Consent {
	a.t.Helper()
	in := api.ConsentInput{Kind: kind, Scope: "all", ReceiptMethod: "unspecified"}
	for _, c := range change {
		c(&in)
	}
	return read[api.Consent](a.post(a.consumer(phone), "/v1/me/consents", in), http.StatusCreated)
}

// refusedBody is a problem with what the gate adds.
type refusedBody struct {
	Code    string
	Missing []struct{ What, Method, Text string }
	Steps   []struct{ Step, Method, Path, Text string } `json:"next_steps"`
}

func TestWithoutConsentTheCourierLearnsWhatIsMissingAndWhatToDo(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		for _, method := range []string{"locker", "pickup_point", "proxy", "doorstep"} {
			r := a.signFor("li", "SF1", signed(method, a.clock.Now()))
			got := read[refusedBody](r, http.StatusConflict)
			require.Equal(t, "consent_required", got.Code)
			require.Equal(t, "consent", got.Missing[0].What)
			require.Equal(t, method, got.Missing[0].Method)
			steps := []string{}
			for _, s := range got.Steps {
				steps = append(steps, s.Step)
				require.NotEmpty(t, s.Text)
				if s.Path != "" {
					require.True(t, strings.HasPrefix(s.Path, "/v1/parcels/SF1/"), s.Path)
				}
			}
			require.Equal(t, []string{"call", "pre_contact", "return", "override"}, steps)
		}
		zh := a.post(a.courier("li"), "/v1/parcels/SF1/sign-for", signed("locker", a.clock.Now()), withHeader("Accept-Language", "zh-CN"))
		require.Regexp(t, `\p{Han}`, read[refusedBody](zh, http.StatusConflict).Steps[0].Text)
		require.Empty(t, a.evidence("west", "&kind=sign_for"))
		require.Equal(t, api.ParcelStatusOut, a.parcel(a.courier("li"), "SF1").Status)

		// With it, it is one record; sent again it is the same, and other content is refused
		c := a.allow(anne, "locker")
		in := signed("locker", a.clock.Now())
		in.Facility, in.Location = ptr("Locker 7"), here()
		first := read[api.SignFor](a.signFor("li", "sf1", in), http.StatusOK)
		require.Equal(t, []any{"consent", c.ID, 1}, []any{string(first.Ground), *first.ConsentID, first.Version})
		a.clock.Add(time.Minute)
		require.Equal(t, first, read[api.SignFor](a.signFor("li", "SF1", in), http.StatusOK))
		other := in
		other.Facility = ptr("Locker 8")
		require.Equal(t, "conflict", a.signFor("li", "SF1", other).problem(http.StatusConflict).Code)
		require.Equal(t, "conflict", a.signFor("li", "SF2", in).problem(http.StatusConflict).Code)
		require.Equal(t, "already_signed", a.signFor("li", "SF1", signed("in_person", a.clock.Now())).problem(http.StatusConflict).Code)
		records := a.evidence("west", "&kind=sign_for")
		require.Len(t, records, 1)
		require.Equal(t, []string{"locker", "consent", c.ID, "Locker 7"}, []string{*records[0].Method, *records[0].Ground, *records[0].ConsentID, *records[0].Facility})
		require.Equal(t, first.ID, records[0].ID)
	})
}

func TestConsentIsAskedForAsOfTheMomentOfTheSignFor(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne), parcel("SF3", "li", anne))
		before := a.clock.Now()
		a.clock.Add(time.Hour)
		c := a.allow(anne, "locker")
		a.clock.Add(time.Hour)
		between := a.clock.Now()
		a.clock.Add(time.Hour)
		a.delete(a.consumer(anne), "/v1/me/consents/"+c.ID).is(http.StatusNoContent)
		a.clock.Add(time.Hour)

		for _, at := range []time.Time{before, a.clock.Now(), a.clock.Now().Add(20 * time.Hour)} {
			require.Equal(t, "consent_required", a.signFor("li", "SF1", signed("locker", at)).problem(http.StatusConflict).Code, at)
		}
		late := read[api.SignFor](a.signFor("li", "SF1", signed("locker", between)), http.StatusOK)
		require.True(t, late.Late, "it came two hours later")
		require.Equal(t, (2 * time.Hour).Milliseconds(), late.SkewMs)
		require.Equal(t, (2 * time.Hour).Milliseconds(), *a.evidence("west", "&kind=sign_for")[0].SkewMs)

		// A clock that is ahead does not reach a consent of the future
		again := a.allow(anne, "locker", func(in *api.ConsentInput) { in.ValidUntil = ptr(a.clock.Now().Add(time.Hour).Format(time.RFC3339)) })
		ahead := read[api.SignFor](a.signFor("li", "SF2", signed("locker", a.clock.Now().Add(2*time.Hour))), http.StatusOK)
		require.Equal(t, again.ID, *ahead.ConsentID)
		require.Negative(t, ahead.SkewMs)
		for at, code := range map[time.Time]string{a.clock.Now().Add(-73 * time.Hour): "too_late", a.clock.Now().Add(25 * time.Hour): "time_out_of_range"} {
			require.Equal(t, code, a.signFor("li", "SF3", signed("in_person", at)).problem(http.StatusUnprocessableEntity).Errors[0].Code)
		}
	})
}

func TestConsentHasTwoPartsAndAFacility(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		free := a.clock.Now().Add(48 * time.Hour)
		c := a.allow(anne, "locker", func(in *api.ConsentInput) {
			in.Scope, in.Waybill, in.Facility, in.ReceiptMethod = "parcel", ptr("SF1"), ptr("Locker 7"), "pickup_code"
			in.FreeUntil, in.FeeFen = ptr(free.Format(time.RFC3339)), ptr(int64(50))
		})
		require.Equal(t, []any{free, int64(50)}, []any{*c.FreeUntil, *c.FeeFen})
		in := signed("locker", a.clock.Now())
		missing := func(in api.SignForInput, waybill string) string {
			got := read[refusedBody](a.signFor("li", waybill, in), http.StatusConflict)
			return got.Missing[0].What + " " + got.Steps[0].Step
		}
		require.Equal(t, "consent call", missing(in, "SF1"), "which locker?")
		in.Facility = ptr("Locker 7")
		require.Equal(t, "pickup_code_issued pickup_code", missing(in, "SF1"))
		in.PickupCodeIssued = ptr(true)
		a.signFor("li", "SF1", in).is(http.StatusOK)

		a.allow(bela, "doorstep", func(in *api.ConsentInput) { in.ReceiptMethod = "photo" })
		in = signed("doorstep", a.clock.Now())
		require.Equal(t, "photo_sha256 photo", missing(in, "SF2"))
		in.PhotoSha256 = ptr(strings.Repeat("cd", 32))
		a.signFor("li", "SF2", in).is(http.StatusOK)

		given := a.evidence("west", "&kind=consent&waybill=SF1")
		require.Len(t, given, 1, "at the outlet of its parcel")
		require.Equal(t, []any{"given", "pickup_code", int64(50)}, []any{*given[0].Outcome, *given[0].ReceiptMethod, *given[0].FeeFen})
		all := pages(a, a.hq(), "/v1/evidence?limit=200&kind=consent", evidencePage)
		require.Len(t, all, 2, "one for every parcel belongs to no outlet: headquarters see it")
	})
}

func TestAPermissionOpensTheGateAndAComplaintClosesItAgain(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		me := a.consumer(anne)
		a.dispatch(parcel("SF0", "li", anne), parcel("SF1", "li", anne), parcel("SF2", "li", anne), parcel("SF3", "li", anne))
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"locker_ok"}}).is(http.StatusOK)
		a.signFor("li", "SF1", signed("locker", a.clock.Now())).is(http.StatusOK)
		a.clock.Add(time.Minute)
		allowed := a.clock.Now()
		a.clock.Add(time.Minute)
		a.complain(me, "SF0", lockerEN)
		a.clock.Add(time.Minute)
		require.Equal(t, "consent_required", a.signFor("li", "SF2", signed("locker", a.clock.Now())).problem(http.StatusConflict).Code)
		a.signFor("li", "SF2", signed("locker", allowed)).is(http.StatusOK)

		// What she says of the one parcel beats what she says of all
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"leave_at_door_ok"}, Waybill: ptr("SF3")}).is(http.StatusOK)
		a.signFor("li", "SF3", signed("doorstep", a.clock.Now())).is(http.StatusOK)
		outcomes := map[string]int{}
		for _, r := range pages(a, a.hq(), "/v1/evidence?limit=200&kind=consent", evidencePage) {
			outcomes[*r.Outcome]++
		}
		require.Equal(t, map[string]int{"given": 2}, outcomes)
		a.put(me, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{}}).is(http.StatusOK)
		withdrawn := pages(a, a.hq(), "/v1/evidence?limit=200&kind=consent", evidencePage)
		require.Len(t, withdrawn, 3)
	})
}

func TestAManagerOverridesInHisNameOnAListOfItsOwnAndTheConsumerSeesIt(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela), parcel("SF3", "li", bela))
		over := func(token, waybill string, in api.OverrideInput) answer {
			return a.post(token, "/v1/parcels/"+waybill+"/sign-for/override", in)
		}
		for _, reason := range []string{"", "  ", strings.Repeat("字", 501)} {
			p := over(a.manager("west"), "SF1", api.OverrideInput{Method: "locker", Reason: reason}).problem(http.StatusUnprocessableEntity)
			require.Equal(t, "/reason", p.Errors[0].Pointer)
		}
		got := read[api.SignFor](over(a.manager("west"), "SF1", api.OverrideInput{Method: "locker", Reason: strings.Repeat("字", 500)}), http.StatusOK)
		require.Equal(t, []string{"override", "Sun Yan"}, []string{string(got.Ground), *got.By})
		a.clock.Add(time.Minute)
		over(a.manager("west"), "SF2", api.OverrideInput{Method: "doorstep", Reason: "Flood"}).is(http.StatusOK)
		a.allow(bela, "proxy")
		needless := read[api.SignFor](over(a.manager("west"), "SF3", api.OverrideInput{Method: "proxy", Reason: "To be sure"}), http.StatusOK)
		require.Equal(t, api.SignGround("consent"), needless.Ground, "it was allowed anyway")
		require.Equal(t, "already_signed", over(a.manager("west"), "SF1", api.OverrideInput{Method: "locker", Reason: "again"}).problem(http.StatusConflict).Code)

		list := func(token string) (waybills []string) {
			for _, o := range pages(a, token, "/v1/overrides?limit=1", func(p api.OverridePage) ([]api.Override, *string) { return p.Items, p.NextCursor }) {
				waybills = append(waybills, o.SignFor.Waybill)
				require.Equal(t, "li", *o.CourierID)
			}
			return waybills
		}
		require.Equal(t, []string{"SF2", "SF1"}, list(a.manager("west")))
		require.Equal(t, []string{"SF2", "SF1"}, list(a.hq()))
		require.Empty(t, list(a.manager("east")))
		require.Contains(t, a.scrape(), `doorstep_sign_fors_total{ground="override"} 2`)

		page := a.parcel(a.consumer(anne), "SF1")
		require.True(t, *page.SignFor.WithoutConsent)
		require.NotEmpty(t, *page.SignFor.Text)
		require.Nil(t, page.SignFor.By)
		require.Nil(t, page.SignFor.Reason)
		require.Nil(t, a.parcel(a.consumer(bela), "SF3").SignFor.WithoutConsent)
		require.NotContains(t, a.log.String(), "Flood")
	})
}

func TestTwoFreeAttemptsComeBeforeAReturn(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		try := func(waybill, outcome, reason string, n int) answer {
			return a.post(a.courier("li"), "/v1/parcels/"+waybill+"/attempts", api.AttemptInput{
				Outcome: outcome, Reason: reason, At: a.clock.Now().Format(time.RFC3339), ClientID: clientID(n), Location: here(),
			})
		}
		first := read[api.AttemptResult](try("SF1", "failed", "nobody_home", 1), http.StatusCreated)
		require.Equal(t, 1, first.Attempt.No)
		require.Equal(t, api.AttemptTally{Made: 1, Counted: 1, FreeLeft: 1, AllowedNext: []api.AttemptTallyAllowedNext{"deliver"}}, first.Attempts)
		require.Equal(t, first, read[api.AttemptResult](try("SF1", "failed", "nobody_home", 1), http.StatusOK))
		require.Equal(t, "conflict", try("SF1", "failed", "no_access", 1).problem(http.StatusConflict).Code)

		// The carrier's own trouble is no attempt of the consignee's
		weather := read[api.AttemptResult](try("SF1", "failed", "bad_weather", 2), http.StatusCreated)
		require.Equal(t, []int{2, 1}, []int{weather.Attempts.Made, weather.Attempts.Counted})

		// The phone uploads the first again, and another, among its other records
		upload := func(n int, outcome, reason string) string {
			return string(a.upload("li", api.EvidenceInput{
				ID: clientID(n), Kind: "attempt", Waybill: "SF1", OccurredAt: a.clock.Now().Format(time.RFC3339), Outcome: &outcome, Reason: &reason,
			})[0].Status)
		}
		require.Equal(t, "duplicate", upload(1, "failed", "nobody_home"))
		require.Equal(t, "accepted", upload(3, "failed", "no_answer"))
		require.Equal(t, http.StatusOK, try("SF1", "failed", "no_answer", 3).status, "and the other way round")
		require.Len(t, a.evidence("west", "&kind=attempt"), 3)
		got := a.parcel(a.courier("li"), "SF1")
		require.Equal(t, api.ParcelStatusAttempted, got.Status)
		require.Equal(t, api.AttemptTally{
			Made: 3, Counted: 2, FreeLeft: 0, Chargeable: true, AllowedNext: []api.AttemptTallyAllowedNext{"deliver", "return", "reroute"},
		}, got.Attempts)
		require.Equal(t, []int{1, 2, 3}, []int{got.History[0].No, got.History[1].No, got.History[2].No})
		require.Equal(t, 3, *a.stop("li", "SF1").Attempts)

		refused := read[api.AttemptResult](try("SF2", "refused", "refused_parcel", 4), http.StatusCreated)
		require.Equal(t, []api.AttemptTallyAllowedNext{"deliver", "return"}, refused.Attempts.AllowedNext)
		require.Equal(t, "/reason", try("SF2", "failed", "felt_like_it", 5).problem(http.StatusUnprocessableEntity).Errors[0].Pointer)
	})
}

func TestACorrectionIsANewRecordWithinItsWindow(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne))
		correct := func(token, waybill string, in api.SignForCorrectionInput) answer {
			return a.post(token, "/v1/parcels/"+waybill+"/sign-for/correction", in)
		}
		li, boss := a.courier("li"), a.manager("west")
		withdraw := api.SignForCorrectionInput{Reason: "Wrong parcel", Withdraw: ptr(true)}
		require.Equal(t, "not_signed", correct(li, "SF1", withdraw).problem(http.StatusConflict).Code)
		a.signFor("li", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
		require.Equal(t, "consent_required", correct(li, "SF1", api.SignForCorrectionInput{Reason: "It was the locker", Method: ptr("locker")}).problem(http.StatusConflict).Code)
		a.clock.Add(10 * time.Minute)
		second := read[api.SignFor](correct(li, "SF1", withdraw), http.StatusOK)
		require.Equal(t, []any{"withdrawal", 2, "withdrawn"}, []any{string(second.Act), second.Version, string(second.Ground)})
		require.Equal(t, api.ParcelStatusOut, a.parcel(li, "SF1").Status)
		require.Nil(t, a.stop("li", "SF1").Signed)

		a.signFor("li", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
		require.True(t, *a.stop("li", "SF1").Signed)
		a.clock.Add(10*time.Minute + time.Millisecond)
		require.Equal(t, "correction_too_late", correct(li, "SF1", withdraw).problem(http.StatusConflict).Code)
		a.clock.Add(7*24*time.Hour - 10*time.Minute - time.Millisecond)
		fixed := read[api.SignFor](correct(boss, "SF1", api.SignForCorrectionInput{Reason: "The photo", Method: ptr("in_person"), PhotoSha256: ptr(strings.Repeat("ef", 32))}), http.StatusOK)
		require.Equal(t, []any{4, "Sun Yan"}, []any{fixed.Version, *fixed.By})
		a.clock.Add(time.Millisecond)
		require.Equal(t, "correction_too_late", correct(boss, "SF1", withdraw).problem(http.StatusConflict).Code)
		require.Len(t, a.evidence("west", "&kind=sign_for&waybill=SF1"), 2)
		require.Len(t, a.evidence("west", "&kind=correction&waybill=SF1"), 2)
	})
}

func TestASignForSilencesWhatIsStillDue(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url, gathering(20*time.Second))
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
		a.register("li", "phone-1", "token-of-li")
		a.dispatch(parcel("SF1", "li", anne))
		a.signFor("li", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
		a.clock.Add(time.Minute)
		a.sendDue()
		require.Empty(t, a.sink.Messages(), "neither the alert nor a withdrawal of what was never shown")
		unread := read[api.UnreadAlertPage](a.get(a.manager("west"), "/v1/outlets/west/alerts"), http.StatusOK).Items
		require.Equal(t, api.UnreadAlertReason("signed_first"), *unread[0].Reason)
		next := read[api.NextStop](a.post(a.courier("li"), "/v1/me/run/next", api.NextStopInput{Waybill: "SF1"}), http.StatusOK)
		require.False(t, next.Rung)
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"call_first"}}).is(http.StatusOK)
		a.clock.Add(time.Minute)
		a.revise()
		a.clock.Add(time.Minute)
		a.sendDue()
		require.Empty(t, a.sink.Messages(), "nor what she wishes afterwards")
	})
}

func TestALateSignForIsOfWhoHadTheParcelThen(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.clock.Add(time.Hour)
		his := a.clock.Now()
		a.clock.Add(time.Hour)
		a.dispatch(parcel("SF1", "mo", anne))
		a.clock.Add(time.Hour)
		a.signFor("li", "SF1", signed("in_person", a.clock.Now())).problem(http.StatusNotFound)
		a.signFor("kim", "SF1", signed("in_person", his)).problem(http.StatusNotFound)
		a.signFor("mo", "SF1", signed("in_person", a.clock.Now())).is(http.StatusOK)
		require.Equal(t, "already_signed", a.signFor("li", "SF1", signed("in_person", his)).problem(http.StatusConflict).Code)
	})
}

// Of many phones that sign for one parcel at once, one does.
func TestAParcelIsSignedForOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		token, answers := a.courier("li"), make([]answer, 12)
		var all sync.WaitGroup
		for i := range answers {
			in := signed("in_person", a.clock.Now())
			all.Go(func() { answers[i] = a.post(token, "/v1/parcels/SF1/sign-for", in) })
		}
		all.Wait()
		won := 0
		for _, r := range answers {
			if r.status == http.StatusOK {
				won++
			} else {
				require.Equal(t, "already_signed", r.problem(http.StatusConflict).Code)
			}
		}
		require.Equal(t, 1, won)
		require.Len(t, a.evidence("west", "&kind=sign_for"), 1)
	})
}

func otherSigns(t *testing.T, s *scene) {
	in := signed("in_person", s.clock.Now())
	try := api.AttemptInput{Outcome: "failed", Reason: "nobody_home", At: s.clock.Now().Format(time.RFC3339), ClientID: uuid.NewString()}
	correct := api.SignForCorrectionInput{Reason: "not mine", Withdraw: ptr(true)}
	for _, who := range []string{s.courier("mo"), s.courier("kim"), s.courier("nobody"), s.rival(doorstep.RoleCourier)} {
		missing(t,
			s.post(who, "/v1/parcels/SF4/sign-for", in), s.post(who, "/v1/parcels/SF4/attempts", try),
			s.post(who, "/v1/parcels/SF5/sign-for/correction", correct), s.get(who, "/v1/parcels/SF4"),
		)
	}
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager)} {
		missing(t,
			s.post(who, "/v1/parcels/SF4/sign-for/override", api.OverrideInput{Method: "locker", Reason: "mine?"}),
			s.post(who, "/v1/parcels/SF5/sign-for/correction", correct), s.get(who, "/v1/parcels/SF5"),
		)
	}
	for _, who := range []string{s.consumer(bela), s.rival(doorstep.RoleConsumer), s.rival(doorstep.RoleIntegrator), s.rival(doorstep.RoleHQ)} {
		missing(t, s.get(who, "/v1/parcels/SF4"))
	}
	link := read[api.ConsumerLink](s.post(s.integrator(), "/v1/parcels/SF1/consumer-link", nil), http.StatusCreated)
	missing(t, s.get(link.Token, "/v1/parcels/SF4"))
	for _, who := range []string{s.manager("east"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		require.Empty(t, read[api.OverridePage](s.get(who, "/v1/overrides"), http.StatusOK).Items)
	}
}
