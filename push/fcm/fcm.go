// Package fcm hands messages to Firebase Cloud Messaging. It is the only
// package that knows the Firebase SDK, so that everything else compiles and
// tests without it.
//
// The SDK repeats a request up to four times on its own and believes any answer
// below 304. The alert queue needs the opposite: one request an attempt, and a
// verdict on how it ended. So the SDK speaks through a guard (guard.go) that
// makes one request and keeps the facts, and classify.go turns them into a
// push.Result.
package fcm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"

	"doorstep/push"
	"doorstep/push/wire"
)

// Sender is the FCM provider. It is safe for concurrent use and meant to live
// as long as the process, because its connections do.
type Sender struct {
	client  *messaging.Client
	bearer  *bearer // nil without credentials
	base    *http.Transport
	timeout time.Duration
	now     func() time.Time
}

var _ push.Provider = (*Sender)(nil)

// New checks the settings and reads the credentials. It contacts nobody: the
// first access token is fetched by the first Send.
func New(ctx context.Context, cfg Config) (*Sender, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	s := &Sender{base: newTransport(cfg), timeout: cfg.AttemptTimeout, now: cfg.Now}
	var trip http.RoundTripper = &guard{base: s.base}
	if cfg.CredentialsFile != "" {
		s.bearer, err = newBearer(cfg, trip)
		if err != nil {
			return nil, err
		}
		trip = s.bearer
	}
	opts := []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: trip})}
	if cfg.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(cfg.Endpoint))
	}
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: cfg.Project}, opts...)
	if err != nil {
		return nil, fmt.Errorf("firebase app: %w", err)
	}
	s.client, err = app.Messaging(ctx)
	if err != nil {
		return nil, fmt.Errorf("firebase messaging: %w", err)
	}
	return s, nil
}

// Name implements push.Provider.
func (s *Sender) Name() string { return "fcm" }

// Send implements push.Provider: one request, at most AttemptTimeout long.
func (s *Sender) Send(ctx context.Context, to push.Address, m push.Message) push.Result {
	if to.Kind != push.KindToken || to.Value == "" {
		return push.Result{Outcome: push.BadMessage, Code: wire.CodeAddress}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var a attempt
	name, err := s.client.Send(withAttempt(ctx, &a), wireMessage(to.Value, m, s.now()))
	result := classify(&a, name, err, s.now())
	if result.Code == wire.CodeUnauthorized && a.creds != nil {
		s.bearer.forget(a.creds)
	}
	return result
}

// Close drops the idle connections.
func (s *Sender) Close() { s.base.CloseIdleConnections() }
