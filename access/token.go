// Package access decides who a caller is: tokens, what they are bound to, and
// how long they hold.
package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"doorstep"
	"doorstep/vault"
)

// How long tokens hold.
const (
	DefaultTTL = 2160 * time.Hour // 90 days
	LinkTTL    = 2160 * time.Hour // of a consumer's link
	SignInTTL  = 15 * time.Minute // of a one-time sign-in link
	maxTTL     = 10 * 365 * 24 * time.Hour
)

// Prefix of every token's text, so that secret scanners can know one.
const Prefix = "dst_"

// ErrUnknown means that a token was never made, has expired or was revoked.
var ErrUnknown = errors.New("unknown, expired or revoked token")

// Kind says what a secret is good for.
type Kind string

// The kinds. A bearer or a page's cookie is a KindToken or a KindSession; a
// KindLink is good for one sign-in and nothing else.
const (
	KindToken   Kind = "token"
	KindLink    Kind = "link"
	KindSession Kind = "session"
)

// Token is what a secret stands for. The secret itself is not kept.
type Token struct {
	ID        string
	Kind      Kind
	ParentID  string // of a session: the link that it began with
	Role      doorstep.Role
	Company   doorstep.CompanyNo
	OutletID  string
	CourierID string
	Consumer  doorstep.ConsumerID
	Subject   string
	Waybill   doorstep.Waybill  // of a link to one parcel
	Outlet    doorstep.OutletNo // of that parcel
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero: neither revoked nor, as a link, used
}

// holds says whether the token is good at now.
func (t Token) holds(now time.Time) bool { return t.RevokedAt.IsZero() && now.Before(t.ExpiresAt) }

// Actor is who the token's holder is.
func (t Token) Actor() doorstep.Actor {
	return doorstep.Actor{
		TokenID: t.ID, Role: t.Role, Company: t.Company, Outlet: t.OutletID, Courier: t.CourierID, Subject: t.Subject,
		Consumer: t.Consumer, Waybill: t.Waybill, LinkOutlet: t.Outlet,
	}
}

// Store is what tokens need kept.
type Store interface {
	// Company finds a company by name and makes it if it is new.
	Company(ctx context.Context, name string) (doorstep.CompanyNo, error)
	AddToken(ctx context.Context, hash string, t Token) error
	// TokenByHash gives ErrNotFound for a hash that was never added.
	TokenByHash(ctx context.Context, hash string) (Token, error)
	// Tokens lists them all, the newest first.
	Tokens(ctx context.Context) ([]Token, error)
	// RevokeToken ends a token and the sessions that began with it. It gives
	// ErrNotFound for an id that no token has.
	RevokeToken(ctx context.Context, id string, at time.Time) error
	// ExchangeLink ends a link and adds its session, in one transaction. A link
	// that has ended already gives ErrNotFound, so that only one of two wins.
	ExchangeLink(ctx context.Context, hash string, session Token) error
	// ProlongToken moves the end of a token that is not revoked.
	ProlongToken(ctx context.Context, id string, expires time.Time) error
	Consumer(company doorstep.CompanyNo, phone doorstep.Phone) doorstep.ConsumerID
	// ParcelConsignee finds a parcel of the company: where it was dispatched, or
	// scanned, last, and whose it is. ErrNotFound if there is none, or if nobody
	// said whose it is.
	ParcelConsignee(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill) (doorstep.OutletNo, doorstep.ConsumerID, error)
}

// Office makes and revokes tokens.
type Office struct {
	Store  Store
	Now    func() time.Time
	NewID  doorstep.IDMaker
	Random io.Reader
}

// Request says what a token is to be.
type Request struct {
	Role          doorstep.Role
	Company       string
	OutletID      string
	CourierID     string
	ConsumerPhone string
	Subject       string
	TTL           time.Duration
	Link          bool // a one-time sign-in link, for SignInTTL, instead of a token
}

// Create makes a token and returns its secret, which is shown this once. What
// the token names need not exist yet.
func (o *Office) Create(ctx context.Context, in Request) (secret string, err error) {
	var checks doorstep.Checks
	if !slices.Contains(doorstep.Roles, in.Role) {
		checks.Add("--role", "unknown_role", "must be integrator, courier, consumer, manager or hq")
	}
	need := func(flag, value string, roles ...doorstep.Role) {
		if slices.Contains(roles, in.Role) && value == "" {
			checks.Add(flag, "required", "is needed for this role")
		}
		if value != "" {
			_, err := doorstep.CheckID(value)
			checks.Under(flag, err)
		}
	}
	need("--company", in.Company, doorstep.Roles...)
	need("--outlet", in.OutletID, doorstep.RoleManager)
	need("--courier", in.CourierID, doorstep.RoleCourier)
	need("--subject", in.Subject, doorstep.RoleManager, doorstep.RoleHQ)
	var phone doorstep.Phone
	if in.Role == doorstep.RoleConsumer {
		phone, err = doorstep.ParsePhone(in.ConsumerPhone)
		checks.Under("--consumer-phone", err)
	}
	if in.TTL <= 0 || in.TTL > maxTTL {
		checks.Add("--ttl", "out_of_range", "must be positive and at most ten years")
	}
	if in.Link && sessionLife(in.Role) == 0 {
		checks.Add("--link", "no_pages", "is for couriers, managers and hq")
	}
	if err := checks.Err(); err != nil {
		return "", err
	}
	company, err := o.Store.Company(ctx, in.Company)
	if err != nil {
		return "", err
	}
	t := Token{Kind: KindToken, Role: in.Role, Company: company, OutletID: in.OutletID, CourierID: in.CourierID, Subject: in.Subject}
	ttl := in.TTL
	if in.Link {
		t.Kind, ttl = KindLink, SignInTTL
	}
	if phone != "" {
		t.Consumer = o.Store.Consumer(company, phone)
	}
	secret, _, err = o.add(ctx, t, ttl)
	return secret, err
}

// Scopes of a consumer's link.
const (
	ScopeParcel = "parcel"
	ScopePerson = "person"
)

// Link makes a token for the consignee of a parcel: bound to that parcel, or to
// the person where the carrier vouches for them.
func (o *Office) Link(ctx context.Context, a doorstep.Actor, waybill, scope string) (secret string, expires time.Time, err error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return "", time.Time{}, doorstep.NotFound("parcel", "") // no such number can be ours
	}
	if scope != ScopeParcel && scope != ScopePerson {
		return "", time.Time{}, &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/scope", Code: "unknown_scope", Detail: "must be parcel or person",
		}}}
	}
	outlet, consumer, err := o.Store.ParcelConsignee(ctx, a.Company, w)
	if err != nil {
		return "", time.Time{}, err
	}
	t := Token{Kind: KindToken, Role: doorstep.RoleConsumer, Company: a.Company, Consumer: consumer}
	if scope == ScopeParcel {
		t.Waybill, t.Outlet = w, outlet
	}
	return o.add(ctx, t, LinkTTL)
}

func (o *Office) add(ctx context.Context, t Token, ttl time.Duration) (string, time.Time, error) {
	secret, err := vault.NewSecret(Prefix, o.Random)
	if err != nil {
		return "", time.Time{}, err
	}
	t.ID, t.CreatedAt = o.NewID(t.Company), o.Now()
	t.ExpiresAt = t.CreatedAt.Add(ttl)
	if err := o.Store.AddToken(ctx, vault.HashSecret(secret), t); err != nil {
		return "", time.Time{}, fmt.Errorf("token: %w", err)
	}
	return secret, t.ExpiresAt, nil
}

// Revoke ends a token and the sessions that began with it.
func (o *Office) Revoke(ctx context.Context, id string) error {
	return o.Store.RevokeToken(ctx, id, o.Now())
}
