package evidence_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/complaints"
	"doorstep/evidence"
)

var filed = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

var lockerCase = evidence.Case{ComplaintID: "1-case", Waybill: "SF1", Category: "locker_without_consent", FiledAt: filed, CourierNo: 7}

// at is a moment so long after the complaint; before it if negative.
func at(d time.Duration) time.Time { return filed.Add(d) }

// rec is a record of the case's courier.
func rec(id string, kind evidence.Kind, source evidence.Source, when time.Time, pairs ...any) evidence.Record {
	r := evidence.Record{
		Leaf: evidence.Leaf{ID: id, Kind: kind, ReceivedAt: when.Add(time.Second)}, OccurredAt: when,
		About: evidence.About{Source: source, CourierNo: 7, Waybill: "SF1"}, Values: map[string]json.RawMessage{},
	}
	for i := 0; i < len(pairs); i += 2 {
		raw, err := json.Marshal(pairs[i+1])
		if err != nil {
			panic(err)
		}
		r.Values[pairs[i].(string)] = raw
	}
	return r
}

// ringing is a provider's record of a call that nobody answered.
func ringing(id string, when time.Time, rang time.Duration, endedBy string) evidence.Record {
	return rec(id, evidence.Call, evidence.Provider, when, "call_id", id, "state", "no_answer", "direction", "outgoing",
		"ring_at", when.Add(2*time.Second), "ended_at", when.Add(2*time.Second+rang), "ended_by", endedBy)
}

func healthy(t evidence.Truth) []evidence.Feed {
	return []evidence.Feed{{Provider: "generic", From: at(-24 * time.Hour), To: filed, Healthy: t}}
}

func assemble(feeds []evidence.Feed, records ...evidence.Record) evidence.File {
	return evidence.Assemble(lockerCase, records, feeds)
}

func fact(f evidence.File, name string) evidence.Finding {
	for _, finding := range f.Facts {
		if finding.Fact == name {
			return finding
		}
	}
	panic("no fact " + name)
}

// speaks says for whom a fact speaks: "courier", "consumer" or "".
func speaks(f evidence.File, name string) string {
	is := func(finding evidence.Finding) bool { return finding.Fact == name }
	switch {
	case slices.ContainsFunc(f.Supports.Courier, is):
		return "courier"
	case slices.ContainsFunc(f.Supports.Consumer, is):
		return "consumer"
	}
	return ""
}

func TestThatNobodyCalledIsKnownOnlyWhereTheFeedWasHealthy(t *testing.T) {
	for _, tt := range []struct {
		feeds  []evidence.Feed
		want   evidence.Truth
		speaks string
		reason evidence.Reason
	}{
		{nil, evidence.Unknown, "", evidence.FeedNotHealthy},
		{healthy(evidence.Unknown), evidence.Unknown, "", evidence.FeedNotHealthy},
		{healthy(evidence.False), evidence.Unknown, "", evidence.FeedNotHealthy},
		{healthy(evidence.True), evidence.False, "consumer", evidence.NeverRecorded},
		{append(healthy(evidence.True), healthy(evidence.Unknown)...), evidence.Unknown, "", evidence.FeedNotHealthy},
	} {
		f := assemble(tt.feeds)
		require.Equal(t, tt.want, fact(f, "contact.attempts_before_sign").Truth, "%v", tt.feeds)
		require.Equal(t, tt.speaks, speaks(f, "contact.attempts_before_sign"), "%v", tt.feeds)
		for _, m := range f.Missing {
			if m.Fact == "contact.attempts_before_sign" {
				require.Equal(t, tt.reason, m.Reason)
				require.Equal(t, tt.want == evidence.False, m.Known)
			}
		}
	}
}

func TestAnErasedRecordMakesAFactUnknownAndNotFalse(t *testing.T) {
	gone := rec("r1", evidence.Call, evidence.Provider, at(-time.Hour))
	gone.Erased = true
	f := assemble(healthy(evidence.True), gone)
	require.Equal(t, evidence.Unknown, fact(f, "contact.attempts_before_sign").Truth)
	require.Contains(t, f.Missing, evidence.Missing{Fact: "contact.attempts_before_sign", Reason: evidence.WasErased, Weight: 20})
	require.True(t, f.Timeline[0].Erased)
}

func TestCloseTriesAreOneAttempt(t *testing.T) {
	for _, tt := range []struct {
		gap  time.Duration
		want int
	}{{59 * time.Second, 1}, {time.Minute, 2}, {5 * time.Minute, 2}} {
		f := assemble(nil,
			ringing("r1", at(-time.Hour), 20*time.Second, "courier"), ringing("r2", at(-time.Hour+tt.gap), 20*time.Second, "courier"))
		require.EqualValues(t, tt.want, fact(f, "contact.attempts_before_sign").Value, tt.gap)
	}
}

func TestAttemptsCountBeforeTheSignForAndNotAtIt(t *testing.T) {
	signed := rec("r2", evidence.SignFor, evidence.Device, at(-time.Hour), "act", "sign_for", "method", "locker", "ground", "override", "by", "Sun Yan")
	for _, tt := range []struct {
		call time.Duration
		want evidence.Truth
	}{{-time.Hour - time.Millisecond, evidence.True}, {-time.Hour, evidence.False}, {-time.Minute, evidence.False}} {
		f := assemble(healthy(evidence.True), ringing("r1", at(tt.call), 20*time.Second, "courier"), signed)
		require.Equal(t, tt.want, fact(f, "contact.attempts_before_sign").Truth, tt.call)
	}
}

func TestOneRingAndCutIsNoFairAttempt(t *testing.T) {
	for _, tt := range []struct {
		ring    time.Duration
		endedBy string
		want    evidence.Truth
		speaks  string
	}{
		{11900 * time.Millisecond, "courier", evidence.False, "consumer"},
		{12 * time.Second, "courier", evidence.True, "courier"},
		{3 * time.Second, "consumer", evidence.True, "courier"},
		{3 * time.Second, "", evidence.Unknown, ""},
		{12 * time.Second, "", evidence.True, "courier"},
	} {
		f := assemble(nil, ringing("r1", at(-time.Hour), tt.ring, tt.endedBy))
		require.Equal(t, tt.want, fact(f, "contact.ring_seconds").Truth, tt.ring)
		require.Equal(t, tt.speaks, speaks(f, "contact.ring_seconds"), tt.ring)
		require.Equal(t, evidence.True, fact(f, "contact.real_ring").Truth)

		more := fact(assemble(nil, ringing("r1", at(-time.Hour), tt.ring, tt.endedBy), ringing("r2", at(-2*time.Hour), 2*time.Second, "courier")), "contact.ring_seconds")
		require.Equal(t, tt.want, more.Truth, "%v, and another that he cut", tt)
		if tt.want == evidence.Unknown {
			require.Nil(t, more.Value)
		}
	}
}

func TestUnreachableTakesTwoFairAttemptsHalfAnHourApart(t *testing.T) {
	for _, tt := range []struct {
		gap  time.Duration
		ring time.Duration
		want evidence.Truth
	}{
		{30 * time.Minute, 20 * time.Second, evidence.False},
		{30*time.Minute - time.Second, 20 * time.Second, evidence.Unknown},
		{time.Hour, 5 * time.Second, evidence.Unknown},
	} {
		f := assemble(nil, ringing("r1", at(-3*time.Hour), tt.ring, "courier"), ringing("r2", at(-3*time.Hour+tt.gap), tt.ring, "courier"))
		require.Equal(t, tt.want, fact(f, "contact.reachable").Truth, tt)
	}
}

func TestAMessageThatWasOnlySentProvesNothing(t *testing.T) {
	state := func(id, state string) evidence.Record {
		return rec(id, evidence.Message, evidence.Provider, at(-time.Hour), "message_id", "m1", "state", state)
	}
	require.Equal(t, evidence.Unknown, fact(assemble(nil, state("r1", "sent")), "msg.delivered_at").Truth)
	require.Equal(t, evidence.True, fact(assemble(nil, state("r1", "sent"), state("r2", "delivered")), "msg.delivered_at").Truth)
	require.Equal(t, evidence.False, fact(assemble(nil, state("r1", "sent"), state("r2", "failed")), "msg.delivered_at").Truth)
}

func TestTheGateSaysWhetherThereWasConsent(t *testing.T) {
	sign := func(ground string) evidence.Record {
		return rec("r1", evidence.SignFor, evidence.Device, at(-time.Hour), "act", "sign_for", "method", "locker", "ground", ground)
	}
	for ground, want := range map[string]struct {
		truth  evidence.Truth
		speaks string
	}{
		"consent": {evidence.True, "courier"}, "override": {evidence.False, "consumer"}, "in_person": {evidence.True, ""},
	} {
		f := assemble(nil, sign(ground))
		require.Equal(t, want.truth, fact(f, "consent.kind").Truth, ground)
		require.Equal(t, want.speaks, speaks(f, "consent.kind"), ground)
	}
	withdrawn := rec("r2", evidence.Correction, evidence.Device, at(-50*time.Minute), "act", "withdrawal", "ground", "withdrawn")
	require.Equal(t, evidence.False, fact(assemble(nil, sign("consent"), withdrawn), "sign.at").Truth)
}

func TestABadFixConvictsNobodyAndAPhoneNeverDoes(t *testing.T) {
	for metres, want := range map[float64]struct {
		truth  evidence.Truth
		speaks string
	}{0: {evidence.True, "courier"}, 100: {evidence.True, "courier"}, 101: {evidence.Unknown, ""}, 1000: {evidence.Unknown, ""}, 3000: {evidence.False, ""}} {
		f := assemble(nil, rec("r1", evidence.SignFor, evidence.Device, at(-time.Hour), "act", "sign_for", "method", "in_person", "distance_m", metres))
		require.Equal(t, want.truth, fact(f, "sign.geo_distance_m").Truth, metres)
		require.Equal(t, want.speaks, speaks(f, "sign.geo_distance_m"), metres)
	}
}

func TestLatenessAndSkewAreMarkedBeyondTheirBounds(t *testing.T) {
	for _, tt := range []struct {
		skew        time.Duration
		late, apart bool
	}{
		{0, false, false}, {5 * time.Minute, false, false}, {5*time.Minute + time.Millisecond, false, true}, {15 * time.Minute, false, true},
		{15*time.Minute + time.Millisecond, true, true}, {-6 * time.Minute, false, true},
	} {
		r := rec("r1", evidence.Location, evidence.Device, at(-time.Hour))
		r.ReceivedAt = r.OccurredAt.Add(tt.skew)
		e := assemble(nil, r).Timeline[0]
		require.Equal(t, tt.late, e.Late, tt.skew)
		require.Equal(t, tt.apart, e.ClockSkew, tt.skew)
		require.Equal(t, tt.skew.Milliseconds(), e.SkewMS)
	}
}

func TestACategorysNeedsAddUpToAHundred(t *testing.T) {
	everything := assemble(healthy(evidence.True),
		rec("r1", evidence.Dispatch, evidence.Server, at(-5*time.Hour)), rec("r2", evidence.Alert, evidence.Server, at(-5*time.Hour), "alert_id", "a1"),
		ringing("r3", at(-2*time.Hour), 20*time.Second, "courier"),
		rec("r4", evidence.SignFor, evidence.Device, at(-time.Hour), "act", "sign_for", "method", "locker", "ground", "consent"))
	require.Equal(t, 100, everything.Completeness)
	require.Equal(t, 35, assemble(nil).Completeness, "that there was no sign-for and no alert is known; of consent, contacts and phone nothing is")

	var needs map[string]map[string]int
	raw, err := os.ReadFile("needs.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &needs))
	for category, weights := range needs {
		require.Contains(t, complaints.Categories, complaints.Category(category))
		sum := 0
		for name, weight := range weights {
			fact(everything, name) // there is one
			sum += weight
		}
		require.Equal(t, 100, sum, category)
	}
}

// Any order of the same records gives the same file, and what phones and persons
// say never speaks against the courier.
func TestAFileFollowsFromItsRecordsInAnyOrder(t *testing.T) {
	kinds := []evidence.Kind{evidence.Call, evidence.Message, evidence.SignFor, evidence.Correction, evidence.Alert, evidence.Receipt, evidence.Push, evidence.Photo, evidence.Attempt, evidence.Consent, evidence.Dispatch}
	words := []string{"answered", "no_answer", "sent", "delivered", "failed", "consent", "override", "locker", "opened", "courier", "withdrawal", ""}
	fields := []string{"outcome", "state", "event", "method", "ground", "act", "alert_id", "ended_by", "call_id", "message_id", "consent_id"}
	rapid.Check(t, func(t *rapid.T) {
		var list []evidence.Record
		for i := range rapid.IntRange(0, 12).Draw(t, "records") {
			source := rapid.SampledFrom([]evidence.Source{evidence.Provider, evidence.Server, evidence.Device, evidence.Person, ""}).Draw(t, "source")
			r := rec(string(rune('a'+i)), rapid.SampledFrom(kinds).Draw(t, "kind"), source, at(-time.Duration(rapid.IntRange(-3, 8).Draw(t, "hours"))*time.Hour))
			for range rapid.IntRange(0, 4).Draw(t, "fields") {
				raw, _ := json.Marshal(rapid.SampledFrom(words).Draw(t, "word"))
				r.Values[rapid.SampledFrom(fields).Draw(t, "field")] = raw
			}
			r.Erased = rapid.Bool().Draw(t, "erased")
			list = append(list, r)
		}
		feeds := healthy(rapid.SampledFrom([]evidence.Truth{evidence.True, evidence.False, evidence.Unknown}).Draw(t, "healthy"))
		f := assemble(feeds, list...)
		one, err := json.Marshal(f)
		require.NoError(t, err)
		rand.New(rand.NewPCG(uint64(len(list)), 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		other, err := json.Marshal(assemble(feeds, list...))
		require.NoError(t, err)
		require.Equal(t, string(one), string(other))
		for _, finding := range f.Supports.Consumer {
			require.Contains(t, []evidence.Source{evidence.Provider, evidence.Server}, finding.Source, finding.Fact)
		}
		require.True(t, f.Completeness >= 0 && f.Completeness <= 100)
	})
}
