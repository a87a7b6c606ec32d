package push

import "time"

// When a delivery is tried again. Attempts are bounded, and none is made past
// the alert's expiry.
const (
	maxAttempts = 8

	firstWait     = 2 * time.Second
	longestWait   = 5 * time.Minute
	ambiguousWait = 10 * time.Second // it may have arrived: no hurry
	quotaWait     = time.Minute      // 429 without a hint
)

// Codes of results that mean more here than their outcome. Providers spell them
// alike.
const (
	codeQuota    = "quota"     // 429: the provider is well, and we are too fast
	codeAPNSAuth = "apns_auth" // FCM may not speak to Apple: Android goes on
)

// Wait is how long a delivery waits after it ended in r for the nth time, 1 the
// first. The nominal time doubles, up to five minutes, and is spread over half
// to the whole of itself. What the provider asked for, and the least after an
// ambiguous end or a quota, is a lower bound that is lengthened by up to a
// tenth. draw is from [0, 1).
func Wait(r Result, n int, draw float64) time.Duration {
	base, least := firstWait, r.After
	switch {
	case r.Outcome == ProviderDown:
		base = longestWait
	case r.Code == codeQuota && r.After == 0:
		base, least = quotaWait, quotaWait
	case r.Outcome == Ambiguous:
		base, least = ambiguousWait, max(ambiguousWait, r.After)
	}
	nominal := longestWait
	if shift := max(0, n-1); shift < 16 && base<<shift < longestWait {
		nominal = base << shift
	}
	return max(time.Duration(float64(nominal)*(0.5+draw/2)), lengthened(least, draw))
}

// lengthened is d and up to a tenth, so that not everybody comes back at once.
func lengthened(d time.Duration, draw float64) time.Duration {
	return time.Duration(float64(d) * (1 + draw/10))
}
