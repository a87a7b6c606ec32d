package telephony

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"doorstep"
	"doorstep/vault"
)

// Account is a company's connection to a provider.
type Account struct {
	Company   doorstep.CompanyNo
	Provider  Provider
	Settings  Settings
	Callbacks []Callback
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Settings are what the carrier says of its account. They are kept sealed.
type Settings struct {
	Keys    []string         `json:"keys"`    // what the provider signs with; two while they change
	Sources []netip.Prefix   `json:"sources"` // which may call; none: any
	Numbers []doorstep.Phone `json:"numbers"` // masked numbers that couriers dial
}

// Callback is an address with a secret in it, which a provider calls. Several may
// be good at a time, so that one can be changed for another without a gap.
type Callback struct {
	ID        string
	CreatedAt time.Time
}

// Bounds of an account.
const (
	maxKeys      = 4
	maxSources   = 64
	maxNumbers   = 1000
	maxSecret    = 256
	MaxCallbacks = 8
)

// AccountInput is what an integrator says of an account. Nil keys leave those
// that are kept.
type AccountInput struct {
	Keys    *[]string
	Sources []string
	Numbers []string
}

// AccountStore is what Accounts need kept.
type AccountStore interface {
	// PutAccount makes or changes an account.
	PutAccount(ctx context.Context, company doorstep.CompanyNo, p Provider, at time.Time, change func(*Settings) error) (Account, error)
	// Account finds an account with its callbacks.
	Account(ctx context.Context, company doorstep.CompanyNo, p Provider) (Account, error)
	// AddCallback adds a callback under the hash of its secret, up to most.
	AddCallback(ctx context.Context, company doorstep.CompanyNo, p Provider, c Callback, hash string, most int) error
	// RemoveCallback ends a callback.
	RemoveCallback(ctx context.Context, company doorstep.CompanyNo, p Provider, id string) error
	// CalledBack finds the account and the id of a callback by its secret's hash.
	CalledBack(ctx context.Context, company doorstep.CompanyNo, p Provider, hash string) (Account, string, error)
}

// Accounts are a company's connections to providers.
type Accounts struct {
	Store  AccountStore
	Now    func() time.Time
	NewID  doorstep.IDMaker
	Random io.Reader
}

// Put makes or changes an account.
func (s *Accounts) Put(ctx context.Context, a doorstep.Actor, p Provider, in AccountInput) (Account, error) {
	adapter, ok := adapters[p]
	if !ok {
		return Account{}, doorstep.NotFound("provider", string(p))
	}
	set, err := in.settings()
	if err != nil {
		return Account{}, err
	}
	return s.Store.PutAccount(ctx, a.Company, p, s.Now(), func(kept *Settings) error {
		if in.Keys == nil {
			set.Keys = kept.Keys
		}
		if adapter.signs && len(set.Keys) == 0 || adapter.verify == nil && len(set.Keys) > 0 {
			var checks doorstep.Checks
			checks.Add("/signing_keys", "signing_keys", "are needed where the provider signs always, and none are where it never does")
			return checks.Err()
		}
		*kept = set
		return nil
	})
}

func (in AccountInput) settings() (set Settings, err error) {
	var checks doorstep.Checks
	bound := func(pointer string, n, most int) {
		if n > most {
			checks.Add(pointer, "too_many", fmt.Sprintf("must be at most %d", most))
		}
	}
	if in.Keys != nil {
		bound("/signing_keys", len(*in.Keys), maxKeys)
		for i, k := range *in.Keys {
			set.Keys = append(set.Keys, text("/signing_keys/"+strconv.Itoa(i), k, maxSecret, &checks))
		}
	}
	bound("/sources", len(in.Sources), maxSources)
	for i, raw := range in.Sources {
		prefix, err := netip.ParsePrefix(raw)
		if err != nil {
			checks.Add("/sources/"+strconv.Itoa(i), "invalid_source", "must be a block of addresses such as 203.0.113.0/24")
		}
		set.Sources = append(set.Sources, prefix)
	}
	bound("/masked_numbers", len(in.Numbers), maxNumbers)
	for i, raw := range in.Numbers {
		number, err := doorstep.ParsePhone(raw)
		checks.Under("/masked_numbers/"+strconv.Itoa(i), err)
		set.Numbers = append(set.Numbers, number)
	}
	return set, checks.Err()
}

// Account shows an account.
func (s *Accounts) Account(ctx context.Context, a doorstep.Actor, p Provider) (Account, error) {
	return s.Store.Account(ctx, a.Company, p)
}

// AddCallback makes a callback. Its secret is seen this once.
func (s *Accounts) AddCallback(ctx context.Context, a doorstep.Actor, p Provider) (c Callback, secret string, err error) {
	if p == Generic {
		return c, "", &doorstep.ConflictError{Code: "no_callback", Detail: "generic is called with the integrator's token"}
	}
	c = Callback{ID: s.NewID(a.Company), CreatedAt: s.Now()}
	// The company's number finds the secret's hash where it is kept.
	secret, err = vault.NewSecret(strconv.FormatInt(int64(a.Company), 36)+".", s.Random)
	if err != nil {
		return c, "", err
	}
	return c, secret, s.Store.AddCallback(ctx, a.Company, p, c, vault.HashSecret(secret), MaxCallbacks)
}

// RemoveCallback ends a callback.
func (s *Accounts) RemoveCallback(ctx context.Context, a doorstep.Actor, p Provider, id string) error {
	return s.Store.RemoveCallback(ctx, a.Company, p, id)
}

// Caller is who a secret speaks for: the provider, on the company's behalf.
type Caller struct {
	doorstep.Actor
	Settings Settings
	secret   bool
}

// Caller knows a provider by the secret in the address that it calls.
func (s *Accounts) Caller(ctx context.Context, p Provider, secret string) (Caller, error) {
	short, _, _ := strings.Cut(secret, ".")
	company, err := strconv.ParseInt(short, 36, 64)
	if err != nil || company <= 0 {
		return Caller{}, doorstep.NotFound("callback", "")
	}
	account, id, err := s.Store.CalledBack(ctx, doorstep.CompanyNo(company), p, vault.HashSecret(secret))
	if err != nil {
		return Caller{}, err
	}
	who := doorstep.Actor{TokenID: id, Role: doorstep.RoleIntegrator, Company: account.Company}
	return Caller{Actor: who, Settings: account.Settings, secret: true}, nil
}

// Vouched is a caller whose token vouches for what it brings: the carrier's own
// systems, with records of their own or fetched from the provider's queue.
func Vouched(a doorstep.Actor) Caller { return Caller{Actor: a} }

// admits holds a provider's request to its sources and its signature.
func (c Caller) admits(p Provider, d Delivery) bool {
	if !c.secret {
		return true
	}
	if len(c.Settings.Sources) > 0 && !within(d.From, c.Settings.Sources) {
		return false
	}
	adapter := adapters[p]
	if len(c.Settings.Keys) == 0 { // also of an account that nobody has named yet
		return !adapter.signs
	}
	for _, key := range c.Settings.Keys {
		if adapter.verify(d, key) {
			return true
		}
	}
	return false
}

func within(from netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(from.Unmap()) {
			return true
		}
	}
	return false
}
