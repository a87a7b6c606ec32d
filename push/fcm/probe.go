package fcm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"time"

	"cloud.google.com/go/auth"
	"firebase.google.com/go/v4/messaging"

	"doorstep/push"
	"doorstep/push/wire"
)

// Finding is what a Probe found.
type Finding string

// The findings. All but Good name what to mend.
const (
	Good        Finding = "good"
	Credentials Finding = "credentials" // the token service or FCM refuses them
	Permission  Finding = "permission"  // they may not send for the project
	Project     Finding = "project"     // FCM does not know it, or the endpoint's path is wrong
	APNSKey     Finding = "apns_key"    // Apple refuses the project's key; Android goes on
	Clock       Finding = "clock"       // refused, and this machine's time is not theirs
	Network     Finding = "network"     // no connection, or no whole answer
	TLS         Finding = "tls"         // the peer's certificate or protocol is not to be trusted
	Unavailable Finding = "unavailable" // FCM is busy or broken: nothing is known about the settings
	Unexpected  Finding = "unexpected"  // not an answer of FCM: something stands between
)

// probeToken is no phone's. FCM looks at it last: a complaint about it says that
// credentials, project and permission are good.
const probeToken = "doorstep-push-check"

// maxSkew is how far clocks may be apart before a refusal is laid to them. A
// signed assertion is good for an hour, but not before it was issued.
const maxSkew = time.Minute

// Probe asks FCM to check a message to nobody, which it never sends, and says
// what that shows about the settings. It makes one request, as Send does.
func (s *Sender) Probe(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var a attempt
	m := push.Message{Kind: push.KindDigest, TitleKey: "push_digest_title", BodyKey: "push_digest_body", BodyArgs: []string{"1"}}
	_, err := s.client.SendDryRun(withAttempt(ctx, &a), wireMessage(probeToken, m, s.now()))
	if a.noToken != nil {
		return s.withoutToken(a.noToken)
	}
	return s.finding(&a, err)
}

// finding judges FCM's own answer. err must be as the SDK returned it.
func (s *Sender) finding(a *attempt, err error) Finding {
	switch {
	case a.Fault == wire.BadTLS:
		return TLS
	case a.Fault != wire.NoFault:
		return Network
	case err == nil, messaging.IsInvalidArgument(err), messaging.IsUnregistered(err), messaging.IsSenderIDMismatch(err):
		return Good
	case messaging.IsThirdPartyAuthError(err):
		return APNSKey
	case a.Status == http.StatusUnauthorized:
		return s.refused(a.Header)
	case a.Status == http.StatusForbidden:
		return Permission
	case a.Status == http.StatusNotFound:
		return Project
	case a.Status == http.StatusTooManyRequests || a.Status >= http.StatusInternalServerError:
		return Unavailable
	}
	return Unexpected
}

// withoutToken judges why the token service gave none.
func (s *Sender) withoutToken(err error) Finding {
	var answer *auth.Error
	var call *url.Error
	switch {
	case errors.As(err, &answer) && answer.Response != nil:
		if status := answer.Response.StatusCode; status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
			return Unavailable
		}
		return s.refused(answer.Response.Header)
	case isTLS(err):
		return TLS
	case errors.As(err, &call), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Network
	}
	return Credentials // a key that signs nothing
}

func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &unknown)
}

// refused tells bad credentials from good ones that a wrong clock spoils, by the
// time at which the refusal says it was made.
func (s *Sender) refused(h http.Header) Finding {
	theirs, err := http.ParseTime(h.Get("Date"))
	if err == nil && theirs.Sub(s.now()).Abs() > maxSkew {
		return Clock
	}
	return Credentials
}
