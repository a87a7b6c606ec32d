package fcm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"doorstep/push/wire"
)

// scope is the one permission asked for: sending messages.
const scope = "https://www.googleapis.com/auth/firebase.messaging"

// bearer puts an access token on each request. Unlike the SDK's own transport
// it gives up when the request's time is over, whatever the token endpoint
// does, and tells a missing token from a failed request.
type bearer struct {
	next http.RoundTripper
	load func() (*auth.Credentials, error)
	turn chan struct{} // one fetch at a time; a channel, so that waiting ends with the context

	mu    sync.Mutex
	creds *auth.Credentials // nil: to be loaded
}

func newBearer(cfg Config, next http.RoundTripper) (*bearer, error) {
	client := &http.Client{Transport: newTransport(cfg), Timeout: cfg.AttemptTimeout}
	b := &bearer{
		next: next,
		load: func() (*auth.Credentials, error) { return loadCredentials(cfg.CredentialsFile, client) },
		turn: make(chan struct{}, 1),
	}
	var err error
	b.creds, err = b.load() // a bad file shows at start
	return b, err
}

// loadCredentials reads the operator's own file, so every type of credentials
// that Google knows is welcome: service accounts, workload identity.
func loadCredentials(path string, client *http.Client) (*auth.Credentials, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("fcm credentials: %w", err)
	}
	var file struct {
		Type credentials.CredType `json:"type"`
	}
	if err := json.Unmarshal(text, &file); err != nil || file.Type == "" {
		return nil, fmt.Errorf("fcm credentials: %s is not a Google credentials file", path)
	}
	creds, err := credentials.NewCredentialsFromJSON(file.Type, text, &credentials.DetectOptions{
		Scopes: []string{scope}, Client: client,
	})
	if err != nil {
		return nil, fmt.Errorf("fcm credentials: %s: %w", path, err)
	}
	return creds, nil
}

// RoundTrip implements http.RoundTripper. Like guard it never fails.
func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	creds, token, err := b.token(ctx)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		a := attemptOf(ctx)
		if ctx.Err() == context.Canceled {
			a.Fault = wire.Cancelled
		} else {
			a.noToken = err
		}
		return answer(req, hiddenStatus, wire.Exchange{}), nil
	}
	attemptOf(ctx).creds = creds
	req = req.Clone(ctx)
	req.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(req)
}

func (b *bearer) token(ctx context.Context) (*auth.Credentials, string, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	creds, err := b.current()
	if err != nil {
		return nil, "", err
	}
	token, err := creds.Token(ctx)
	if err != nil {
		return nil, "", err
	}
	return creds, token.Value, nil
}

func (b *bearer) current() (*auth.Credentials, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.creds == nil {
		creds, err := b.load()
		if err != nil {
			return nil, err
		}
		b.creds = creds
	}
	return b.creds, nil
}

// forget drops a refused token with the credentials it came from. The next
// attempt reads the file again, so a rotated key needs no restart.
func (b *bearer) forget(refused *auth.Credentials) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.creds == refused {
		b.creds = nil
	}
}
