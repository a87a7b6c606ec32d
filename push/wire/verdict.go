package wire

import (
	"net/http"
	"strconv"
	"time"

	"doorstep/push"
)

// The codes of a push.Result that every provider may give: a closed vocabulary,
// fit for metrics. None holds anything that a server or a phone said.
const (
	CodeOK           = "ok"
	CodeAddress      = "address"       // of another kind than the provider's
	CodeBadMessage   = "bad_message"   // 400, 413, or refused before sending
	CodeConnect      = "connect"       // no connection; nothing was sent
	CodeTimeout      = "timeout"       // the attempt's time was up
	CodeCancelled    = "cancelled"     // the caller gave up
	CodeTransport    = "transport"     // the answer is missing or incomplete
	CodeFalseSuccess = "false_success" // a success that is not the service's
	CodeTLS          = "tls"
	CodeUnauthorized = "unauthorized" // 401
	CodeForbidden    = "forbidden"    // 403
	CodeUnexpected   = "unexpected"   // a refusal the service does not make: something stands between
	CodeQuota        = "quota"        // 429
	CodeUnavailable  = "unavailable"  // 503
	CodeServer       = "server"       // other 5xx
)

// Refusal is the verdict on an exchange in which the service's own language
// said nothing: whatever its status, the message counts as not accepted.
func (x Exchange) Refusal(now time.Time) push.Result {
	if x.Fault != NoFault {
		return x.failure()
	}
	after := RetryAfter(x.Header.Get("Retry-After"), now)
	switch {
	case x.Status < http.StatusBadRequest:
		return push.Result{Outcome: push.Ambiguous, Code: CodeFalseSuccess}
	case x.Status == http.StatusTooManyRequests:
		return push.Result{Outcome: push.Retry, Code: CodeQuota, After: after}
	case x.Status == http.StatusServiceUnavailable:
		return push.Result{Outcome: push.Retry, Code: CodeUnavailable, After: after}
	case x.Status >= http.StatusInternalServerError:
		return push.Result{Outcome: push.Retry, Code: CodeServer, After: after}
	case x.Status == http.StatusBadRequest || x.Status == http.StatusRequestEntityTooLarge:
		return push.Result{Outcome: push.BadMessage, Code: CodeBadMessage}
	case x.Status == http.StatusRequestTimeout:
		return push.Result{Outcome: push.Ambiguous, Code: CodeTimeout}
	case x.Status == http.StatusUnauthorized:
		return push.Result{Outcome: push.ProviderDown, Code: CodeUnauthorized}
	case x.Status == http.StatusForbidden:
		return push.Result{Outcome: push.ProviderDown, Code: CodeForbidden}
	}
	return push.Result{Outcome: push.ProviderDown, Code: CodeUnexpected}
}

func (x Exchange) failure() push.Result {
	lost := push.Retry
	if x.Sent {
		lost = push.Ambiguous
	}
	switch x.Fault {
	case BadTLS:
		return push.Result{Outcome: push.ProviderDown, Code: CodeTLS}
	case NoConnection:
		return push.Result{Outcome: lost, Code: CodeConnect}
	case TimedOut:
		return push.Result{Outcome: lost, Code: CodeTimeout}
	case Cancelled:
		return push.Result{Outcome: lost, Code: CodeCancelled}
	}
	return push.Result{Outcome: push.Ambiguous, Code: CodeTransport}
}

// maxRetryAfter bounds what a server may ask for. No alert lives longer.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads the header in both its forms, seconds and HTTP date
// (RFC 9110, 10.2.3), up to 24 h. What it cannot read is no hint: 0.
func RetryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
