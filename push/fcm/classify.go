package fcm

import (
	"net/http"
	"strconv"
	"time"

	"firebase.google.com/go/v4/messaging"

	"doorstep/push"
)

// The codes of a push.Result: a closed vocabulary, fit for metrics. None holds
// anything that a server or a phone said.
const (
	CodeOK           = "ok"
	CodeConnect      = "connect"       // no connection; nothing was sent
	CodeTimeout      = "timeout"       // the attempt's time was up
	CodeCancelled    = "cancelled"     // the caller gave up
	CodeTransport    = "transport"     // the answer is missing or incomplete
	CodeFalseSuccess = "false_success" // a success that is not FCM's
	CodeTLS          = "tls"
	CodeCredentials  = "credentials"     // no access token
	CodeUnauthorized = "unauthorized"    // 401: our access token was refused
	CodeAPNSAuth     = "apns_auth"       // 401: Apple refuses the project's key; Android goes on
	CodeForbidden    = "forbidden"       // 403
	CodeNotFound     = "not_found"       // 404: a wrong project or path, not a dead address
	CodeUnexpected   = "unexpected"      // a refusal FCM does not make: something stands between
	CodeQuota        = "quota"           // 429
	CodeUnavailable  = "unavailable"     // 503
	CodeServer       = "server"          // other 5xx
	CodeUnregistered = "unregistered"    // the app is gone from that phone
	CodeMismatch     = "sender_mismatch" // the address belongs to another project
	CodeAddress      = "address"         // not a registration token at all
	CodeBadMessage   = "bad_message"     // 400, 413, or refused by the SDK
)

// maxRetryAfter bounds what a server may ask for. No alert lives longer.
const maxRetryAfter = 24 * time.Hour

// classify judges an attempt by its facts and by FCM's error code, never by
// text. err must be as the SDK returned it: its predicates do not look through
// wrapping. An address is given up only when status and code both say so, for a
// wrong project setting must not wipe the fleet.
func classify(a *attempt, name string, err error, now time.Time) push.Result {
	if a.fault != noFault {
		return classifyFault(a)
	}
	switch {
	case a.status == 0 || a.status == http.StatusBadRequest || a.status == http.StatusRequestEntityTooLarge:
		return push.Result{Outcome: push.BadMessage, Code: CodeBadMessage}
	case err == nil:
		return push.Result{Outcome: push.Accepted, Code: CodeOK, ProviderID: name[:min(len(name), 200)]}
	case a.status == http.StatusNotFound && messaging.IsUnregistered(err):
		return push.Result{Outcome: push.AddrGone, Code: CodeUnregistered}
	case a.status == http.StatusForbidden && messaging.IsSenderIDMismatch(err):
		return push.Result{Outcome: push.AddrGone, Code: CodeMismatch}
	case a.status == http.StatusUnauthorized && messaging.IsThirdPartyAuthError(err):
		return push.Result{Outcome: push.ProviderDown, Code: CodeAPNSAuth}
	}
	after := retryAfter(a.retryAfter, now)
	switch {
	case a.status == http.StatusTooManyRequests:
		return push.Result{Outcome: push.Retry, Code: CodeQuota, After: after}
	case a.status == http.StatusServiceUnavailable:
		return push.Result{Outcome: push.Retry, Code: CodeUnavailable, After: after}
	case a.status >= http.StatusInternalServerError:
		return push.Result{Outcome: push.Retry, Code: CodeServer, After: after}
	case a.status == http.StatusRequestTimeout:
		return push.Result{Outcome: push.Ambiguous, Code: CodeTimeout}
	case a.status == http.StatusUnauthorized:
		return push.Result{Outcome: push.ProviderDown, Code: CodeUnauthorized}
	case a.status == http.StatusForbidden:
		return push.Result{Outcome: push.ProviderDown, Code: CodeForbidden}
	case a.status == http.StatusNotFound:
		return push.Result{Outcome: push.ProviderDown, Code: CodeNotFound}
	}
	return push.Result{Outcome: push.ProviderDown, Code: CodeUnexpected}
}

func classifyFault(a *attempt) push.Result {
	lost := push.Retry
	if a.sent {
		lost = push.Ambiguous
	}
	switch a.fault {
	case noToken:
		return push.Result{Outcome: push.ProviderDown, Code: CodeCredentials}
	case badTLS:
		return push.Result{Outcome: push.ProviderDown, Code: CodeTLS}
	case noConnection:
		return push.Result{Outcome: lost, Code: CodeConnect}
	case timedOut:
		return push.Result{Outcome: lost, Code: CodeTimeout}
	case cancelled:
		return push.Result{Outcome: lost, Code: CodeCancelled}
	case falseSuccess:
		return push.Result{Outcome: push.Ambiguous, Code: CodeFalseSuccess}
	}
	return push.Result{Outcome: push.Ambiguous, Code: CodeTransport}
}

// retryAfter reads the header in both its forms, seconds and HTTP date
// (RFC 9110, 10.2.3). What it cannot read is no hint: 0.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
