package wire_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/wire"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"7":                              7 * time.Second,
		"-7":                             0,
		"7.5":                            0,
		"soon":                           0,
		"86400":                          24 * time.Hour,
		"86401":                          24 * time.Hour,
		"99999999999999999999":           0,
		"Mon, 02 Mar 2026 12:01:30 GMT":  90 * time.Second,
		"Monday, 02-Mar-26 12:01:30 GMT": 90 * time.Second,
		"Mon, 02 Mar 2026 11:59:00 GMT":  0,
		"Mon, 02 Mar 2099 12:00:00 GMT":  24 * time.Hour,
	} {
		require.Equal(t, want, wire.RetryAfter(header, noon), header)
	}
}

func TestAFaultLeavesDoubtOnlyIfSomethingWasSent(t *testing.T) {
	for _, c := range []struct {
		fault        wire.Fault
		code         string
		unsent, sent push.Outcome
	}{
		{wire.NoConnection, wire.CodeConnect, push.Retry, push.Ambiguous},
		{wire.TimedOut, wire.CodeTimeout, push.Retry, push.Ambiguous},
		{wire.Cancelled, wire.CodeCancelled, push.Retry, push.Ambiguous},
		{wire.Cut, wire.CodeTransport, push.Ambiguous, push.Ambiguous},
		{wire.BadTLS, wire.CodeTLS, push.ProviderDown, push.ProviderDown},
	} {
		for sent, outcome := range map[bool]push.Outcome{false: c.unsent, true: c.sent} {
			got := wire.Exchange{Fault: c.fault, Sent: sent, Status: http.StatusOK}.Refusal(noon)
			require.Equal(t, push.Result{Outcome: outcome, Code: c.code}, got)
		}
	}
}

func TestNoStatusOfARefusalIsASuccess(t *testing.T) {
	for status := 100; status < 600; status++ {
		got := wire.Exchange{Sent: true, Status: status, Header: http.Header{"Retry-After": {"7"}}}.Refusal(noon)
		require.NotEqual(t, push.Accepted, got.Outcome, status)
		require.NotEqual(t, push.AddrGone, got.Outcome, status)
		require.Equal(t, status == 429 || status >= 500, got.After == 7*time.Second, status)
	}
}
