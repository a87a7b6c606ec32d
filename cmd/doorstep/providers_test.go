package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

const maskedNumber = "+8617000000001"

// sort has the worker read what waits.
func (a *app) sort() {
	a.t.Helper()
	for {
		n, _, err := a.sorter.Pass(a.t.Context())
		require.NoError(a.t, err)
		if n == 0 {
			return
		}
	}
}

// bring sends events in our own form.
func (a *app) bring(list ...api.ProviderEventInput) api.ProviderEventResults {
	a.t.Helper()
	return read[api.ProviderEventResults](a.post(a.integrator(), "/v1/providers/generic/events", api.ProviderEventBatch{Events: list}), http.StatusOK)
}

// callback makes an address for the provider to call, without the host.
func (a *app) callback(provider string) string {
	a.t.Helper()
	made := read[api.ProviderCallback](a.post(a.integrator(), "/v1/providers/"+provider+"/callbacks", nil), http.StatusCreated)
	path, ok := strings.CutPrefix(*made.URL, "https://doorstep.example")
	require.True(a.t, ok, *made.URL)
	return path
}

// contacts is what the manager sees of a parcel.
func (a *app) contacts(waybill string) api.ParcelContacts {
	a.t.Helper()
	return read[api.ParcelContacts](a.get(a.manager("west"), "/v1/parcels/"+waybill+"/contacts"), http.StatusOK)
}

// aCall is the reports of one call that rang for 20 s and was talked on for 30.
func aCall(id, waybill string, from time.Time) []api.ProviderEventInput {
	at := func(s int) string { return from.Add(time.Duration(s) * time.Second).Format(time.RFC3339) }
	event := func(name, state string, s int) api.ProviderEventInput {
		return api.ProviderEventInput{EventID: id + "|" + name, CallID: ptr(id), Kind: "call", Waybill: ptr(waybill), State: state, At: at(s)}
	}
	end := event("end", "ended", 52)
	end.EndedBy = ptr("consumer")
	return []api.ProviderEventInput{event("place", "placed", 0), event("ring", "ringing", 2), event("answer", "answered", 22), end}
}

func TestProviderRecordsGiveTheSameCallInAnyOrderHoweverOftenAndLate(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		start := a.clock.Now()
		straight := aCall("c-1", "SF1", start)
		require.Equal(t, 4, a.bring(straight...).Accepted)
		a.sort()
		want := a.contacts("SF1").Calls
		require.Len(t, want, 1)
		require.Equal(t, "ended", want[0].State)
		require.Equal(t, "connected", want[0].Grade)
		require.Equal(t, 20.0, *want[0].RingS)
		require.Equal(t, 30.0, *want[0].TalkS)
		require.Equal(t, "consumer", *want[0].EndedBy)

		a.clock.Add(12 * time.Hour)
		shuffled := slices.Concat(aCall("c-2", "SF2", start), aCall("c-2", "SF2", start), aCall("c-2", "SF2", start))
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, e := range shuffled { // one by one, each read before the next comes
			a.bring(e)
			a.sort()
		}
		got := a.contacts("SF2").Calls
		require.Len(t, got, 1)
		got[0].CallID = want[0].CallID
		require.Equal(t, want, got)

		facts := a.evidence("west", "&kind=call&waybill=SF2")
		require.Len(t, facts, 4, "one a report, none a repeat")
		for _, f := range facts {
			require.Equal(t, api.EvidenceSource("provider"), f.Source)
			require.Equal(t, "c-2", *f.CallID)
			require.Equal(t, "li", *f.CourierID)
			require.Greater(t, *f.SkewMs, (11 * time.Hour).Milliseconds())
		}
	})
}

func TestAnotherRecordUnderTheSameIDIsKeptFlaggedAndNeverCounted(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		list := aCall("c-1", "SF1", a.clock.Now())
		a.bring(list...)
		a.sort()
		before := a.contacts("SF1")

		forged := list[3]
		forged.EndedBy = ptr("courier")
		for range 2 {
			got := a.bring(forged, list[0])
			require.Equal(t, 1, got.Duplicate)
			require.Equal(t, 1, got.Rejected)
			require.Equal(t, "conflict", got.Results[0].Problem.Code)
		}
		a.sort()
		require.Equal(t, before, a.contacts("SF1"))
		for _, who := range []string{a.integrator(), a.manager("west"), a.hq()} {
			faults := read[api.ProviderFaultPage](a.get(who, "/v1/providers/faults"), http.StatusOK).Items
			require.Len(t, faults, 1, "the same forgery is kept once")
			require.Equal(t, "conflict", faults[0].State)
			require.Equal(t, "c-1|end", faults[0].EventID)
			require.NotEqual(t, faults[0].Sha256, *faults[0].KeptSha256)
		}
		require.Empty(t, read[api.ProviderFaultPage](a.get(a.manager("east"), "/v1/providers/faults"), http.StatusOK).Items)
		require.Equal(t, 1, a.feed("generic").Conflicts)
	})
}

func (a *app) feed(provider string) api.ProviderFeed {
	a.t.Helper()
	health := read[api.ProviderHealth](a.get(a.integrator(), "/v1/providers/health"), http.StatusOK)
	at := slices.IndexFunc(health.Items, func(f api.ProviderFeed) bool { return f.Provider == provider })
	require.GreaterOrEqual(a.t, at, 0, "%s was never heard", provider)
	return health.Items[at]
}

func TestABadRecordIsRefusedOrSetAsideAndHarmsNoOther(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		list := aCall("c-1", "SF1", a.clock.Now())
		list[1].State, list[2].At = "humming", "noon"
		got := a.bring(list...)
		require.Equal(t, 2, got.Accepted)
		require.Equal(t, 2, got.Rejected)
		require.Equal(t, "/events/1/state", got.Results[1].Problem.Errors[0].Pointer)
		require.Equal(t, "/events/2/at", got.Results[2].Problem.Errors[0].Pointer)
		a.post(a.integrator(), "/v1/providers/generic/events", `{"events":[]}`).is(http.StatusUnprocessableEntity)
		a.post(a.integrator(), "/v1/providers/generic/events", `{"events":[{"colour":1}]}`).is(http.StatusBadRequest)
		a.post(a.integrator(), "/v1/providers/nobody/events", `{"events":[{}]}`).is(http.StatusNotFound)

		a.put(a.integrator(), "/v1/providers/alibaba-pnp", api.ProviderInput{}).is(http.StatusOK)
		path := a.callback("alibaba-pnp")
		at := a.clock.Now().In(time.FixedZone("", 8*60*60)).Format(time.DateTime)
		answer := a.post("", path, fmt.Sprintf(`[{"call_id":"a-1","call_time":%q,"out_id":"SF1"},{"call_id":"a-2","call_time":"when?"},{}]`, at))
		answer.is(http.StatusOK)
		require.JSONEq(t, `{"code":0,"msg":"ok"}`, string(answer.body))
		a.sort()
		feed := a.feed("alibaba-pnp")
		require.Equal(t, 2, feed.Quarantined)
		require.Len(t, a.contacts("SF1").Calls, 2)
	})
}

func TestAlibabasRingCountsOnlyAfterTheCallWentOut(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.put(a.integrator(), "/v1/providers/alibaba-pnp", api.ProviderInput{}).is(http.StatusOK)
		path := a.callback("alibaba-pnp")
		beijing := a.clock.Now().In(time.FixedZone("", 8*60*60))
		record := func(id string, ring int) string {
			at := func(s int) string { return beijing.Add(time.Duration(s) * time.Second).Format(time.DateTime) }
			return fmt.Sprintf(`{"call_id":%q,"phone_no":"13900000009","secret_no":"17000000001","peer_no":"13800000001","call_type":"0","call_time":%q,`+
				`"call_out_time":%q,"free_ring_time":%q,"start_time":%q,"release_time":%q,"release_dir":1,"out_id":"SF1"}`, id, at(0), at(2), at(ring), at(30), at(30))
		}
		a.post("", path, "["+record("never", 2)+","+record("rang", 5)+"]").is(http.StatusOK)
		a.sort()
		grades := map[string]string{}
		for _, c := range a.contacts("SF1").Calls {
			grades[c.CallID] = c.Grade + " " + c.Rang
			require.Equal(t, a.clock.Now(), c.StartedAt, "+08:00, though the record says no zone")
		}
		require.Equal(t, map[string]string{"never": "attempt_failed false", "rang": "rang true"}, grades)
		for _, f := range a.evidence("west", "&kind=call") {
			require.Equal(t, "138******01", *f.Peer)
			require.NotContains(t, *f.PeerHash, "138")
		}
		require.NotContains(t, a.log.String(), "13800000001")
	})
}

func TestOnlyTheProviderItselfMayCall(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		a.dispatch(parcel("SF1", "li", anne))
		a.post(a.integrator(), "/v1/providers/twilio/callbacks", nil).is(http.StatusNotFound)
		a.put(a.integrator(), "/v1/providers/twilio", api.ProviderInput{}).is(http.StatusUnprocessableEntity)
		keys := []string{"new-token", "old-token"}
		account := a.put(a.integrator(), "/v1/providers/twilio", api.ProviderInput{SigningKeys: &keys})
		account.is(http.StatusOK)
		require.NotContains(t, string(account.body), "token")
		path := a.callback("twilio") + "&reference=SF1"
		form := url.Values{"CallSid": {"CA1"}, "CallStatus": {"no-answer"}, "SequenceNumber": {"2"}, "To": {anne}, "From": {maskedNumber}}
		send := func(path, key string, form url.Values) answer {
			signed := "https://doorstep.example" + path
			names := slices.Sorted(func(yield func(string) bool) {
				for name := range form {
					if !yield(name) {
						return
					}
				}
			})
			for _, name := range names {
				signed += name + form.Get(name)
			}
			mac := hmac.New(sha1.New, []byte(key))
			mac.Write([]byte(signed))
			return a.post("", path, form.Encode(), withHeader("Content-Type", "application/x-www-form-urlencoded"),
				withHeader("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))))
		}
		send(path, "new-token", form).is(http.StatusNoContent)
		send(path, "old-token", form).is(http.StatusNoContent)
		send(path, "stolen", form).is(http.StatusForbidden)
		send(strings.Replace(path, "key=", "key=x", 1), "new-token", form).is(http.StatusUnauthorized)
		send(strings.Replace(path, "twilio", "alibaba-pnp", 1), "new-token", form).is(http.StatusUnauthorized)
		a.sort()
		calls := a.contacts("SF1").Calls
		require.Len(t, calls, 1)
		require.Equal(t, "no_answer", calls[0].State)
		require.Equal(t, "true", calls[0].Rang)

		got := read[api.ProviderAccount](a.get(a.hq(), "/v1/providers/twilio"), http.StatusOK)
		require.Len(t, got.Callbacks, 1)
		a.delete(a.integrator(), "/v1/providers/twilio/callbacks/"+got.Callbacks[0].ID).is(http.StatusNoContent)
		send(path, "new-token", form).is(http.StatusUnauthorized)
	})
}

// A heartbeat makes an account too, one without keys. Twilio signs all the same.
func TestWhereNoKeyIsKnownNobodyPassesForAProviderThatSigns(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		a.post(a.integrator(), "/v1/providers/twilio/heartbeats", nil).is(http.StatusOK)
		const form = "CallSid=CA1&CallStatus=completed&CallDuration=60"
		unsigned := a.post("", a.callback("twilio"), form, withHeader("Content-Type", "application/x-www-form-urlencoded"))
		require.Equal(t, "not_the_provider", unsigned.problem(http.StatusForbidden).Code)
	})
}

func TestHuaweisRecordsAreSignedAndInUTC(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		a.dispatch(parcel("SF1", "li", anne))
		keys := []string{"app-secret"}
		a.put(a.integrator(), "/v1/providers/huawei-private-number", api.ProviderInput{SigningKeys: &keys}).is(http.StatusOK)
		path := a.callback("huawei-private-number")
		at := func(s int) string { return a.clock.Now().Add(time.Duration(s) * time.Second).Format(time.DateTime) }
		body := fmt.Sprintf(`{"eventType":"fee","feeLst":[{"sessionId":"h-1","bindNum":%q,"fwdDstNum":%q,"callInTime":%q,"fwdAlertingTime":%q,`+
			`"fwdAnswerTime":%q,"callEndTime":%q,"ulFailReason":0,"userData":"SF1"}]}`, maskedNumber, anne, at(0), at(3), at(8), at(14))
		send := func(key string, created time.Time) answer {
			stamp := created.Format(time.RFC3339)
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte("n0nce" + stamp))
			return a.post("", path, body, withHeader("X-AKSK", fmt.Sprintf(`UsernameToken Username="k",PasswordDigest=%q,Nonce="n0nce",Created=%q`,
				base64.StdEncoding.EncodeToString(mac.Sum(nil)), stamp)))
		}
		send("other", a.clock.Now()).is(http.StatusForbidden)
		send("app-secret", a.clock.Now().Add(-6*time.Minute)).is(http.StatusForbidden)
		good := send("app-secret", a.clock.Now().Add(-4*time.Minute))
		good.is(http.StatusOK)
		require.JSONEq(t, `{"resultcode":"0","resultdesc":"Success"}`, string(good.body))
		a.sort()
		calls := a.contacts("SF1").Calls
		require.Len(t, calls, 1)
		require.Equal(t, "answered", calls[0].Grade, "six seconds are no connection")
		require.Equal(t, a.clock.Now(), calls[0].StartedAt)
	})
}

func TestTheNumberThatWasGivenOutLongestAgoComesNext(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		numbers := []string{maskedNumber, "+8617000000002", "+8617000000003"}
		a.put(a.integrator(), "/v1/providers/generic", api.ProviderInput{MaskedNumbers: &numbers}).is(http.StatusOK)
		var given []string
		for range 7 {
			given = append(given, read[api.DialledCall](a.post(a.courier("li"), "/v1/parcels/SF1/calls", nil), http.StatusCreated).Number)
			a.clock.Add(40 * time.Minute) // longer than a call is taken for an intent
		}
		require.ElementsMatch(t, numbers, given[:3])
		require.Equal(t, given[:4], given[3:])
	})
}

func TestTapToCallGivesAMaskedNumberAndTheProviderConfirmsIt(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", bela))
		none := a.post(a.courier("li"), "/v1/parcels/SF1/calls", nil)
		none.is(http.StatusConflict)
		require.Contains(t, string(none.body), "no_masked_number")
		a.put(a.integrator(), "/v1/providers/generic", api.ProviderInput{MaskedNumbers: &[]string{maskedNumber, "+8617000000002"}}).is(http.StatusOK)
		a.post(a.courier("li"), "/v1/parcels/SF2/calls", nil).is(http.StatusNotFound)

		first := read[api.DialledCall](a.post(a.courier("li"), "/v1/parcels/SF1/calls", nil), http.StatusCreated)
		a.clock.Add(time.Second)
		second := read[api.DialledCall](a.post(a.courier("mo"), "/v1/parcels/SF2/calls", nil), http.StatusCreated)
		require.NotEqual(t, first.Number, second.Number, "the number that was given out longest ago")
		intents := a.evidence("west", "&kind=call_intent&waybill=SF1")
		require.Len(t, intents, 1)
		require.Equal(t, api.EvidenceSource("server"), intents[0].Source)
		require.Equal(t, first.ID, *intents[0].IntentID)
		require.NotContains(t, *intents[0].MaskedNumber, "1700000000")

		a.clock.Add(time.Minute)
		call := func(id string, change func(*api.ProviderEventInput)) {
			e := api.ProviderEventInput{EventID: id, CallID: ptr(id), Kind: "call", State: "no_answer", At: a.clock.Now().Format(time.RFC3339)}
			change(&e)
			require.Equal(t, 1, a.bring(e).Accepted)
		}
		call("by-number", func(e *api.ProviderEventInput) { e.MaskedNumber = &first.Number })
		call("by-intent", func(e *api.ProviderEventInput) { e.Reference = &second.ID })
		call("by-nothing", func(*api.ProviderEventInput) {})
		call("by-strange-number", func(e *api.ProviderEventInput) { e.MaskedNumber = ptr("+8617000000003") })
		a.sort()
		one, two := a.contacts("SF1").Calls, a.contacts("SF2").Calls
		require.Len(t, one, 1)
		require.Equal(t, "by-number", one[0].CallID)
		require.Equal(t, first.ID, *one[0].IntentID)
		require.Len(t, two, 1)
		require.Equal(t, second.ID, *two[0].IntentID)
		require.Equal(t, 2, a.feed("generic").Unassigned)

		// Two parcels were about to be called through one number: it could be either.
		until := a.clock.Now().Add(time.Hour).Format(time.RFC3339)
		shared := api.MaskedNumberInput{Provider: "generic", Number: "+8617000000009", Until: until}
		for _, w := range []string{"SF1", "SF2"} {
			a.put(a.integrator(), "/v1/parcels/"+w+"/masked-number", shared).is(http.StatusOK)
		}
		require.Equal(t, shared.Number, read[api.DialledCall](a.post(a.courier("li"), "/v1/parcels/SF1/calls", nil), http.StatusCreated).Number)
		a.post(a.courier("mo"), "/v1/parcels/SF2/calls", nil).is(http.StatusCreated)
		call("either", func(e *api.ProviderEventInput) { e.MaskedNumber = &shared.Number })
		a.sort()
		require.Equal(t, 3, a.feed("generic").Unassigned)

		// The waybill comes with a later report: what was reported before counts too.
		call("either-end", func(e *api.ProviderEventInput) { e.CallID, e.Waybill = ptr("either"), ptr("SF1") })
		a.sort()
		require.Equal(t, 2, a.feed("generic").Unassigned)
		calls := a.contacts("SF1").Calls
		require.Equal(t, "either", calls[1].CallID)
		require.Equal(t, 2, calls[1].Records)
		require.Len(t, a.evidence("west", "&kind=call&waybill=SF1"), 3)
	})
}

func TestReceiptsOfAMessageStandForThemselves(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		receipt := func(state string, s int) api.ProviderEventInput {
			return api.ProviderEventInput{
				EventID: state, MessageID: ptr("m-1"), Kind: "message", Waybill: ptr("SF1"), State: state,
				At: a.clock.Now().Add(time.Duration(s) * time.Second).Format(time.RFC3339),
			}
		}
		a.bring(receipt("read", 60), receipt("sent", 0))
		a.sort()
		m := a.contacts("SF1").Messages
		require.Len(t, m, 1)
		require.Nil(t, m[0].DeliveredAt, "read says nothing of delivered")
		require.Equal(t, time.Minute, m[0].ReadAt.Sub(*m[0].SentAt))
		a.bring(receipt("delivered", 30))
		a.sort()
		require.NotNil(t, a.contacts("SF1").Messages[0].DeliveredAt)
		require.Len(t, a.evidence("west", "&kind=message"), 3)
	})
}

func TestAFeedIsHealthyOnlyWhereItWasHeardOrItsTotalsAgree(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		beat := func() { a.post(a.integrator(), "/v1/providers/generic/heartbeats", nil).is(http.StatusOK) }
		health := func(from, to time.Time) api.ProviderFeed {
			got := read[api.ProviderHealth](a.get(a.manager("west"), "/v1/providers/health?from="+escaped(from)+"&to="+escaped(to)), http.StatusOK)
			require.Len(t, got.Items, 1)
			return got.Items[0]
		}
		start := a.clock.Now()
		for range 12 { // two hours of beats
			beat()
			a.clock.Add(10 * time.Minute)
		}
		require.Equal(t, "unknown", health(start.Add(time.Minute), start.Add(time.Hour)).Healthy, "records may be late")
		a.clock.Add(12 * time.Hour)
		beat()
		require.Equal(t, "true", health(start.Add(time.Minute), start.Add(time.Hour)).Healthy)
		require.Equal(t, "unknown", health(start.Add(-time.Hour), start.Add(time.Hour)).Healthy, "before it was first heard")
		silent := health(start.Add(time.Minute), start.Add(6*time.Hour))
		require.Equal(t, "false", silent.Healthy)
		require.Len(t, silent.Gaps, 1)

		// What the provider says of its days decides over silence.
		zone, err := time.LoadLocation("Asia/Shanghai")
		require.NoError(t, err)
		day := start.In(zone)
		noon := time.Date(day.Year(), day.Month(), day.Day()+1, 12, 0, 0, 0, zone).UTC()
		path := "/v1/providers/generic/totals/" + noon.In(zone).Format(time.DateOnly)
		a.clock.Add(noon.Sub(a.clock.Now()))
		a.bring(aCall("c-1", "SF1", noon)...)
		a.sort()
		a.clock.Add(24 * time.Hour)
		a.put(a.integrator(), path, api.ProviderTotalInput{Records: 5}).is(http.StatusOK)
		require.Equal(t, "false", health(noon, noon.Add(6*time.Hour)).Healthy)
		a.put(a.integrator(), path, api.ProviderTotalInput{Records: 4}).is(http.StatusOK)
		agreed := health(noon, noon.Add(6*time.Hour))
		require.Equal(t, "true", agreed.Healthy)
		require.Equal(t, []api.ProviderDay{{Day: noon.In(zone).Format(time.DateOnly), Declared: 4, Received: 4}}, agreed.Days)
		a.get(a.integrator(), "/v1/providers/health?from="+escaped(noon)+"&to="+escaped(noon)).is(http.StatusUnprocessableEntity)
	})
}
