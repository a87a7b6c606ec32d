package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/vault"
)

// A session ends this long after its last use, and maxSession after it began
// however much it is used.
const (
	courierSession = 30 * 24 * time.Hour
	deskSession    = 12 * time.Hour
	maxSession     = DefaultTTL
)

// sessionLife is how long a session lives without use; 0 for roles that sign in
// nowhere.
func sessionLife(role doorstep.Role) time.Duration {
	switch role {
	case doorstep.RoleCourier:
		return courierSession
	case doorstep.RoleManager, doorstep.RoleHQ:
		return deskSession
	}
	return 0
}

// prolonged is when a session that is used at now ends, and whether that is
// worth a write: not before a 24th of its life has passed.
func (t Token) prolonged(now time.Time) (expires time.Time, due bool) {
	life := sessionLife(t.Role)
	expires = now.Add(life)
	if last := t.CreatedAt.Add(maxSession); expires.After(last) {
		expires = last
	}
	return expires, expires.Sub(t.ExpiresAt) >= life/24
}

// Invited is whom a sign-in link is for. Looking does not use it up. A link that
// does not hold gives ErrUnknown.
func (o *Office) Invited(ctx context.Context, secret string) (doorstep.Actor, error) {
	link, err := o.link(ctx, secret)
	return link.Actor(), err
}

// SignIn uses a sign-in link up and begins a session. The session's secret is
// shown this once. A link that does not hold gives ErrUnknown.
func (o *Office) SignIn(ctx context.Context, link string) (secret string, who doorstep.Actor, err error) {
	from, err := o.link(ctx, link)
	if err != nil {
		return "", doorstep.Actor{}, err
	}
	secret, err = vault.NewSecret(Prefix, o.Random)
	if err != nil {
		return "", doorstep.Actor{}, err
	}
	s := from
	s.ID, s.Kind, s.ParentID, s.CreatedAt = o.NewID(from.Company), KindSession, from.ID, o.Now()
	s.ExpiresAt = s.CreatedAt.Add(sessionLife(s.Role))
	err = o.Store.ExchangeLink(ctx, vault.HashSecret(secret), s)
	if errors.Is(err, doorstep.ErrNotFound) {
		return "", doorstep.Actor{}, ErrUnknown
	}
	if err != nil {
		return "", doorstep.Actor{}, fmt.Errorf("sign in: %w", err)
	}
	return secret, s.Actor(), nil
}

func (o *Office) link(ctx context.Context, secret string) (Token, error) {
	t, err := o.Store.TokenByHash(ctx, vault.HashSecret(secret))
	if errors.Is(err, doorstep.ErrNotFound) {
		return Token{}, ErrUnknown
	}
	if err != nil {
		return Token{}, err
	}
	if t.Kind != KindLink || !t.holds(o.Now()) {
		return Token{}, ErrUnknown
	}
	return t, nil
}
