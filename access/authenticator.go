package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"doorstep"
	"doorstep/vault"
)

// Authenticator tells who holds a token. It remembers a good token for
// memory, which bounds how long a revoked one goes on working; a token that it
// does not know is looked up every time, so that a new one works at once.
type Authenticator struct {
	Store Store
	Now   func() time.Time

	mu    sync.Mutex
	known map[string]remembered
}

type remembered struct {
	token Token
	until time.Time
}

const (
	memory   = 500 * time.Millisecond
	maxKnown = 10_000
)

// Authenticate gives ErrUnknown for a token that does not hold.
func (a *Authenticator) Authenticate(ctx context.Context, secret string) (doorstep.Actor, error) {
	hash, now := vault.HashSecret(secret), a.Now()
	token, ok := a.recall(hash, now)
	if !ok {
		var err error
		token, err = a.Store.TokenByHash(ctx, hash)
		if errors.Is(err, doorstep.ErrNotFound) {
			return doorstep.Actor{}, ErrUnknown
		}
		if err != nil {
			return doorstep.Actor{}, err
		}
		if token.Kind == KindSession && token.holds(now) {
			if token, err = a.prolong(ctx, token, now); err != nil {
				return doorstep.Actor{}, err
			}
		}
		a.remember(hash, token, now)
	}
	if token.Kind == KindLink || !token.holds(now) {
		return doorstep.Actor{}, ErrUnknown
	}
	return token.Actor(), nil
}

// prolong moves the end of a session that is used.
func (a *Authenticator) prolong(ctx context.Context, t Token, now time.Time) (Token, error) {
	expires, due := t.prolonged(now)
	if !due {
		return t, nil
	}
	if err := a.Store.ProlongToken(ctx, t.ID, expires); err != nil {
		return t, err
	}
	t.ExpiresAt = expires
	return t, nil
}

func (a *Authenticator) recall(hash string, now time.Time) (Token, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.known[hash]
	// A clock set back must not stretch the memory.
	return r.token, ok && now.Before(r.until) && !now.Before(r.until.Add(-memory))
}

func (a *Authenticator) remember(hash string, t Token, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= maxKnown {
		a.known = map[string]remembered{}
	}
	a.known[hash] = remembered{token: t, until: now.Add(memory)}
}
