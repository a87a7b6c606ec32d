package fcm

import (
	"net/http"
	"time"

	"firebase.google.com/go/v4/messaging"

	"doorstep/push"
	"doorstep/push/wire"
)

// The codes of a push.Result that only FCM gives, beside those of package wire.
const (
	CodeCredentials  = "credentials"     // no access token
	CodeAPNSAuth     = "apns_auth"       // 401: Apple refuses the project's key; Android goes on
	CodeNotFound     = "not_found"       // 404: a wrong project or path, not a dead address
	CodeUnregistered = "unregistered"    // the app is gone from that phone
	CodeMismatch     = "sender_mismatch" // the address belongs to another project
)

// classify judges an attempt by its facts and by FCM's error code, never by
// text. err must be as the SDK returned it: its predicates do not look through
// wrapping. An address is given up only when status and code both say so, for a
// wrong project setting must not wipe the fleet.
func classify(a *attempt, name string, err error, now time.Time) push.Result {
	switch {
	case a.noToken != nil:
		return push.Result{Outcome: push.ProviderDown, Code: CodeCredentials}
	case a.Fault != wire.NoFault:
		return a.Refusal(now)
	case a.Status == 0: // the SDK would not send it
		return push.Result{Outcome: push.BadMessage, Code: wire.CodeBadMessage}
	case err == nil:
		return push.Result{Outcome: push.Accepted, Code: wire.CodeOK, ProviderID: name[:min(len(name), 200)]}
	case a.Status == http.StatusNotFound && messaging.IsUnregistered(err):
		return push.Result{Outcome: push.AddrGone, Code: CodeUnregistered}
	case a.Status == http.StatusForbidden && messaging.IsSenderIDMismatch(err):
		return push.Result{Outcome: push.AddrGone, Code: CodeMismatch}
	case a.Status == http.StatusUnauthorized && messaging.IsThirdPartyAuthError(err):
		return push.Result{Outcome: push.ProviderDown, Code: CodeAPNSAuth}
	case a.Status == http.StatusNotFound:
		return push.Result{Outcome: push.ProviderDown, Code: CodeNotFound}
	}
	return a.Refusal(now)
}
