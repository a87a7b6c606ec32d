package sink_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

// codes sends to token so often and lists the statuses.
func codes(s *sink.Sink, token string, times int) []int {
	var got []int
	for range times {
		got = append(got, sendTo(s, token).Code)
	}
	return got
}

func TestARuleActsOnTheSendsItNames(t *testing.T) {
	for _, c := range []struct {
		name string
		rule sink.Rule
		want []int
	}{
		{"always", sink.Rule{}, []int{500, 500, 500, 500}},
		{"for its prefix", sink.Rule{Match: sink.Match{TokenPrefix: "phone"}}, []int{500, 500, 500, 500}},
		{"not for another prefix", sink.Rule{Match: sink.Match{TokenPrefix: "tablet"}}, []int{200, 200, 200, 200}},
		{"the third only", sink.Rule{Nth: 3}, []int{200, 200, 500, 200}},
		{"every second", sink.Rule{Every: 2}, []int{200, 500, 200, 500}},
		{"twice at most", sink.Rule{Count: 2}, []int{500, 500, 200, 200}},
		{"every second, once", sink.Rule{Every: 2, Count: 1}, []int{200, 500, 200, 200}},
		{"for its regex", sink.Rule{Match: sink.Match{TokenRegex: `-\d$`}}, []int{500, 500, 500, 500}},
		{"not for another regex", sink.Rule{Match: sink.Match{TokenRegex: `^\d`}}, []int{200, 200, 200, 200}},
		{"for prefix and regex", sink.Rule{Match: sink.Match{TokenPrefix: "tablet", TokenRegex: `-1$`}}, []int{200, 200, 200, 200}},
		{"for its provider", sink.Rule{Match: sink.Match{Provider: "fcm"}}, []int{500, 500, 500, 500}},
		{"not for another provider", sink.Rule{Match: sink.Match{Provider: "webpush"}}, []int{200, 200, 200, 200}},
		{"in its time", sink.Rule{Between: sink.Span{From: noon, To: noon.Add(1)}}, []int{500, 500, 500, 500}},
		{"since a time", sink.Rule{Between: sink.Span{From: noon}}, []int{500, 500, 500, 500}},
		{"not before its time", sink.Rule{Between: sink.Span{From: noon.Add(1)}}, []int{200, 200, 200, 200}},
		{"not at its end", sink.Rule{Between: sink.Span{To: noon}}, []int{200, 200, 200, 200}},
		{"surely", sink.Rule{P: 1}, []int{500, 500, 500, 500}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSink()
			c.rule.Action = sink.Internal
			require.NoError(t, s.SetRules(c.rule))
			require.Equal(t, c.want, codes(s, "phone-1", 4))
		})
	}
}

func TestTheFirstRuleThatAppliesDecides(t *testing.T) {
	s := newSink()
	require.NoError(t, s.SetRules(
		sink.Rule{Count: 1, Action: sink.Unregistered},
		sink.Rule{Match: sink.Match{TokenPrefix: "b"}, Action: sink.Forbidden},
		sink.Rule{Count: 1, Action: sink.Internal},
	))
	require.Equal(t, []int{404}, codes(s, "b", 1))
	require.Equal(t, []int{403}, codes(s, "b", 1))
	require.Equal(t, []int{500, 200}, codes(s, "a", 2))
}

func TestAProbableFaultFollowsFromTheSeed(t *testing.T) {
	run := func(seed uint64) []int {
		s, _ := newClockedSink(seed)
		require.NoError(t, s.SetRules(sink.Rule{P: 0.3, Action: sink.Internal}))
		return codes(s, "a", 1_000)
	}
	first := run(7)
	failed := 0
	for _, code := range first {
		if code == http.StatusInternalServerError {
			failed++
		}
	}
	require.InDelta(t, 300, failed, 60) // four standard deviations
	require.Equal(t, first, run(7))
	require.NotEqual(t, first, run(8))
}

func TestARuleCountsOnlyInItsTime(t *testing.T) {
	s, clock := newClockedSink(1)
	require.NoError(t, s.SetRules(sink.Rule{
		Between: sink.Span{From: noon.Add(time.Minute)}, Nth: 2, Action: sink.Internal,
	}))
	require.Equal(t, []int{200, 200, 200}, codes(s, "a", 3))
	clock.now = noon.Add(time.Minute)
	require.Equal(t, []int{200, 500, 200}, codes(s, "a", 3))
}

func TestNewRulesCountAnew(t *testing.T) {
	s := newSink()
	for range 2 {
		require.NoError(t, s.SetRules(sink.Rule{Nth: 1, Action: sink.Internal}))
		require.Equal(t, []int{500, 200}, codes(s, "a", 2))
	}
}

func TestRulesArePutAsJSON(t *testing.T) {
	s := newSink()
	rules := `[{"match":{"token_regex":"^z","provider":"fcm"},"between":{"from":"2026-03-02T12:00:00Z","to":"2026-03-02T13:00:00Z"},"p":0.5,"action":"500"},
		{"match":{"token_prefix":"a"},"action":"429","retry_after":7},{"match":{},"count":1,"action":"503","retry_after":"Mon, 02 Mar 2026 12:00:09 GMT"}]`
	res := call(s, http.MethodPut, "/_sink/rules", rules)
	require.Equal(t, http.StatusOK, res.Code, res.Body)

	require.Equal(t, "7", sendTo(s, "a").Header().Get("Retry-After"))
	require.Equal(t, "Mon, 02 Mar 2026 12:00:09 GMT", sendTo(s, "b").Header().Get("Retry-After"))
	require.JSONEq(t, `[{"match":{"token_regex":"^z","provider":"fcm"},"between":{"from":"2026-03-02T12:00:00Z","to":"2026-03-02T13:00:00Z"},"p":0.5,"action":"500"},
		{"match":{"token_prefix":"a"},"action":"429","retry_after":"7"},{"match":{},"count":1,"action":"503","retry_after":"Mon, 02 Mar 2026 12:00:09 GMT"}]`,
		call(s, http.MethodGet, "/_sink/rules", "").Body.String())
}

func TestWrongRulesAreRefusedAndTheOldOnesStay(t *testing.T) {
	s := newSink()
	require.NoError(t, s.SetRules(sink.Rule{Action: sink.Internal}))
	for _, body := range []string{
		`{}`, `[{"action":"explode"}]`, `[{"action":""}]`, `[{"action":"ok","nth":-1}]`, `[{"action":"ok","often":1}]`,
		`[{"action":"ok","p":-0.1}]`, `[{"action":"ok","p":1.1}]`, `[{"action":"ok","match":{"token_regex":"("}}]`,
		`[{"action":"ok","between":{"from":"noon"}}]`,
		`[{"action":"ok","between":{"from":"2026-03-02T12:00:00Z","to":"2026-03-02T12:00:00Z"}}]`,
	} {
		require.Equal(t, http.StatusBadRequest, call(s, http.MethodPut, "/_sink/rules", body).Code, body)
	}
	require.Equal(t, []int{500}, codes(s, "a", 1))
}

func TestATokenMayAskForItsFault(t *testing.T) {
	for token, want := range map[string]struct {
		code  int
		after string
	}{
		"sim-unregistered-1": {404, ""},
		"sim-429-7-1":        {429, "7"},
		"sim-429-7":          {429, ""}, // 7 is the phone here
		"sim-503-x-1":        {503, ""},
		"sim-502_html-1":     {502, ""},
		"sim-400_field-1":    {400, ""},
		"sim-ok-1":           {200, ""},
		"sim-explode-1":      {200, ""},
		"sim-503":            {200, ""},
		"phone-503-1":        {200, ""},
		"sim-once-503-1":     {503, ""},
		"sim-once-429-7-1":   {429, "7"},
		"sim-once-503":       {200, ""},
		"sim-flaky-100-1":    {503, ""},
		"sim-flaky-0-1":      {200, ""},
		"sim-flaky-100":      {200, ""}, // 100 is the phone here
		"sim-flaky-x-1":      {200, ""},
		"sim-offline-1":      {200, ""},
	} {
		res := sendTo(newSink(), token)
		require.Equal(t, want.code, res.Code, token)
		require.Equal(t, want.after, res.Header().Get("Retry-After"), token)
	}
}

func TestATokenMayAskForItsFaultOnce(t *testing.T) {
	s := newSink()
	require.Equal(t, []int{503, 200, 200}, codes(s, "sim-once-503-1", 3))
	require.Equal(t, []int{503, 200}, codes(s, "sim-once-503-2", 2))
}

func TestAFlakyTokenFailsAtTimes(t *testing.T) {
	got := codes(newSink(), "sim-flaky-50-1", 100)
	require.Contains(t, got, http.StatusOK)
	require.Contains(t, got, http.StatusServiceUnavailable)
	require.Equal(t, got, codes(newSink(), "sim-flaky-50-1", 100))
}

func TestATokenMayAskToBeOffline(t *testing.T) {
	s := newSink()
	sendTo(s, "sim-offline-1")
	require.Equal(t, []sink.Device{{Token: "sim-offline-1", Waiting: 1}}, s.Devices())
	s.SetOnline("sim-offline-1", true)
	require.Equal(t, []sink.Device{{Token: "sim-offline-1", Online: true, Arrived: 1}}, s.Devices())
}

func TestOnlyWhatWasTakenIsShown(t *testing.T) {
	taken := map[sink.Action]bool{sink.OK: true, sink.CType: true, sink.Half: true}
	for _, action := range sink.Actions {
		if action == sink.Hang {
			continue // ends with its client
		}
		s := newSink()
		require.NoError(t, s.SetRules(sink.Rule{Action: action}))
		func() {
			defer func() { // how net/http is told to end a connection
				if got := recover(); got != nil {
					require.Equal(t, http.ErrAbortHandler, got)
				}
			}()
			sendTo(s, "a")
		}()
		require.Equal(t, taken[action], len(s.Messages()) == 1, action)
		require.Equal(t, taken[action], len(s.Events()) == 1, action)
		require.Len(t, s.Requests(), 1)
		require.Equal(t, action, s.Requests()[0].Action)
	}
}
