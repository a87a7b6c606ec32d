package push_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push"
)

func TestWhyACourierWasNotInformed(t *testing.T) {
	sent := push.Tried{State: push.Sent, Attempt: 1, Code: "ok"}
	gone := push.Tried{State: push.Failed, Attempt: 1, Code: "unregistered"}
	for _, tt := range []struct {
		name           string
		composed       bool
		tried          []push.Tried
		now, afterward push.Reason
	}{
		{"it gathers", false, nil, push.Waiting, push.RanOut},
		{"he has no phone", true, nil, push.NoDevice, push.NoDevice},
		{"his phone has lost the app", true, []push.Tried{gone}, push.NoDevice, push.NoDevice},
		{"a phone got it", true, []push.Tried{gone, sent}, push.NeverAcked, push.NeverAcked},
		{"it is on its way", true, []push.Tried{{State: push.Queued}}, push.Waiting, push.ProviderFail},
		{"the provider is down", true, []push.Tried{{State: push.Queued, Code: "unauthorized"}}, push.ProviderFail, push.ProviderFail},
		{"it was down to the end", true, []push.Tried{{State: push.Expired, Code: "unauthorized"}}, push.ProviderFail, push.ProviderFail},
		{"it failed for hours", true, []push.Tried{{State: push.Failed, Attempt: 8, Code: "unavailable"}}, push.ProviderFail, push.ProviderFail},
		{"it is tried again", true, []push.Tried{{State: push.Queued, Attempt: 2, Code: "unavailable"}}, push.Waiting, push.RanOut},
		{"the shift ended first", true, []push.Tried{{State: push.Expired, Attempt: 2, Code: "unavailable"}}, push.RanOut, push.RanOut},
		{"the message was refused", true, []push.Tried{{State: push.Failed, Attempt: 1, Code: "bad_message"}}, push.Refused, push.Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.now, push.WhyNot(tt.composed, "", tt.tried, false))
			require.Equal(t, tt.afterward, push.WhyNot(tt.composed, "", tt.tried, true))
		})
	}
	for _, held := range []string{push.HeldQuiet, push.HeldBudget} {
		require.Equal(t, push.Reason(held), push.WhyNot(false, held, nil, true))
		require.Equal(t, push.NeverAcked, push.WhyNot(true, held, []push.Tried{sent}, true), "it rang after all")
	}
}
