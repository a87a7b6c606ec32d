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
	pauseWait     = 30 * time.Second // credentials or configuration are wrong
)

// Wait is how long to wait after attempt n (1 is the first) ended in r. draw is
// from [0, 1). The nominal time doubles, is spread over half to one and a half
// of itself, and is never shorter than what the provider asked for, which is
// lengthened by up to a tenth.
func Wait(r Result, attempt int, draw float64) time.Duration {
	base := firstWait
	switch {
	case r.Outcome == ProviderDown:
		base, attempt = pauseWait, 1
	case r.Code == "quota" && r.After == 0:
		base = quotaWait
	case r.Outcome == Ambiguous:
		base = ambiguousWait
	}
	nominal := longestWait
	if shift := attempt - 1; shift < 16 && base<<shift < longestWait {
		nominal = base << shift
	}
	asked := time.Duration(float64(r.After) * (1 + draw/10))
	return max(time.Duration(float64(nominal)*(0.5+draw)), asked)
}
