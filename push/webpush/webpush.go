// Package webpush hands messages to the push services of browsers (RFC 8030),
// encrypted for the one browser (RFC 8291, package ece) and signed with the
// server's VAPID key (RFC 8292).
//
// What arrives at the page's service worker is JSON:
//
//	{"kind": "digest", "title_key": "push_digest_title", "body_key": "push_digest_body",
//	 "args": ["3"], "data": {"alerts": "[...]", "more": "0", ...}, "left_out": ["alerts"]}
//
// It holds localisation keys and counts, no text: the worker renders them from
// the page's own catalogue and must show a notification for every push, under
// kind as its tag. Values of data that do not fit into a push, the longest
// first, are named in left_out instead (absent if there are none); the worker
// then fetches the courier's inbox.
//
// An endpoint is a URL that a stranger chose and this server calls. So its host
// must be one of the configured push services, compared as a parsed host; an
// address that is not public is refused when it is dialled, whatever name led
// there; no redirect is followed and no proxy asked.
package webpush

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"doorstep/push"
	"doorstep/push/webpush/ece"
	"doorstep/push/wire"
)

// Sender is the Web Push provider. It is safe for concurrent use and meant to
// live as long as the process, because its connections and tokens do.
type Sender struct {
	vapid   *vapid
	hosts   allowList
	base    *http.Transport
	timeout time.Duration
	now     func() time.Time
	random  io.Reader
}

var _ push.Provider = (*Sender)(nil)

// New checks the settings. It contacts nobody.
func New(cfg Config) (*Sender, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	key, err := parseKey(cfg.PrivateKey)
	if err != nil {
		return nil, err
	}
	v, err := newVAPID(key, cfg.Subject, cfg.Rand)
	if err != nil {
		return nil, err
	}
	return &Sender{
		vapid: v, hosts: allowList{names: cfg.Hosts, loopback: cfg.AllowLoopback},
		base: newTransport(cfg), timeout: cfg.AttemptTimeout, now: cfg.Now, random: cfg.Rand,
	}, nil
}

// Name implements push.Provider.
func (s *Sender) Name() string { return push.WebPush }

// PublicKey is the applicationServerKey that pages subscribe with, in base64url.
// Browsers bind a subscription to it.
func (s *Sender) PublicKey() string { return s.vapid.public }

// CheckAddress says, in a *doorstep.InvalidError, why Send would give a
// subscription up without trying it; nil if it would try.
func (s *Sender) CheckAddress(value string) error {
	_, err := s.hosts.subscription(value)
	return err
}

// Send implements push.Provider: one request, at most AttemptTimeout long.
func (s *Sender) Send(ctx context.Context, to push.Address, m push.Message) push.Result {
	if to.Kind != push.KindSubscription || to.Value == "" {
		return push.Result{Outcome: push.BadMessage, Code: wire.CodeAddress}
	}
	sub, err := s.hosts.subscription(to.Value)
	if err != nil {
		return push.Result{Outcome: push.AddrGone, Code: codeOf(err)}
	}
	text, err := payloadOf(m)
	if err != nil {
		return push.Result{Outcome: push.BadMessage, Code: wire.CodeBadMessage}
	}
	body, err := ece.Seal(s.random, sub.key, sub.auth, text, bodySize(len(text)))
	if err != nil { // no random bytes
		return push.Result{Outcome: push.ProviderDown, Code: CodeEncryption}
	}
	origin := originOf(sub.endpoint)
	authorization, err := s.vapid.authorization(origin, s.now())
	if err != nil {
		return push.Result{Outcome: push.ProviderDown, Code: CodeEncryption}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.endpoint.String(), bytes.NewReader(body))
	if err != nil { // the URL was parsed before
		return push.Result{Outcome: push.AddrGone, Code: CodeBadSubscription}
	}
	req.Header = headers(m)
	req.Header.Set("Authorization", authorization)
	result := classify(wire.Do(s.base, req), s.now())
	if result.Code == wire.CodeUnauthorized || result.Code == wire.CodeForbidden {
		s.vapid.forget(origin, authorization) // it may have been signed under a wrong clock
	}
	return result
}

// Close drops the idle connections.
func (s *Sender) Close() { s.base.CloseIdleConnections() }

// The codes of a push.Result that only Web Push gives, beside those of package
// wire.
const (
	CodeBadSubscription = "bad_subscription" // not a PushSubscription
	CodeHostNotAllowed  = "host_not_allowed" // its endpoint is none of the push services
	CodeAddressRefused  = "address_refused"  // a push service's name leads to an address that is not public
	CodeGone            = "gone"             // 404, 410: unsubscribed
	CodeEncryption      = "encryption"       // this machine gives no random bytes
)

// maxProviderID bounds in bytes what is kept of a Location.
const maxProviderID = 200

// classify judges an attempt by its status: bodies hold nothing that counts, so
// an answer that breaks off after its head is an answer.
func classify(x wire.Exchange, now time.Time) push.Result {
	switch x.Status {
	case http.StatusCreated, http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return push.Result{Outcome: push.Accepted, Code: wire.CodeOK, ProviderID: messageID(x.Header.Get("Location"))}
	case http.StatusNotFound, http.StatusGone:
		return push.Result{Outcome: push.AddrGone, Code: CodeGone}
	case http.StatusNotAcceptable: // how Windows' service says 429
		return push.Result{
			Outcome: push.Retry, Code: wire.CodeQuota, After: wire.RetryAfter(x.Header.Get("Retry-After"), now),
		}
	}
	if errors.Is(x.Err, errNotPublic) {
		return push.Result{Outcome: push.Retry, Code: CodeAddressRefused}
	}
	return x.Refusal(now)
}

// messageID is the URL of the message at the push service, unless it holds
// anything but printable ASCII.
func messageID(location string) string {
	for _, c := range []byte(location) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return location[:min(len(location), maxProviderID)]
}
