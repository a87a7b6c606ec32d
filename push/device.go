package push

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorstep"
)

// Providers that a device may name. A device without one fetches its inbox.
const (
	FCM     = "fcm"
	WebPush = "webpush"
	None    = "none"
)

// Services are the providers through which something is sent.
var Services = []string{FCM, WebPush}

// Device is one installation of the courier's app.
type Device struct {
	InstallID    string
	Provider     string
	Locale       string
	AppVersion   string
	RegisteredAt time.Time
	UpdatedAt    time.Time
}

// DeviceRequest is a registration as it arrived.
type DeviceRequest struct {
	InstallID  string
	Provider   string
	Address    string // FCM: the registration token; Web Push: the subscription's JSON; none: empty
	Locale     string
	AppVersion string
}

// Which of a courier's devices are rung, and how long each is kept.
const (
	MaxDevices     = 3                   // those seen last
	UnseenAfter    = 30 * 24 * time.Hour // FCM calls an address stale after a month; the app refreshes its own at every start
	ForgottenAfter = 60 * 24 * time.Hour // then the row goes, retired or not
	SeenAgain      = time.Hour           // a refresh that says nothing new is written so often
)

const (
	maxInstallID = 128
	maxAddress   = 4096
	maxVersion   = 64
)

// InboxStore is what an Inbox needs kept.
type InboxStore interface {
	// PutDevice registers or refreshes a device. The same address under another
	// courier or install moves. Where the device or its address is new, the
	// unexpired, unacknowledged alerts become due for it. A refresh within
	// SeenAgain that changes nothing may be left unwritten.
	PutDevice(ctx context.Context, a doorstep.Actor, d Device, address string) (Device, error)
	// RemoveDevice retires a device; ErrNotFound if the courier has none such.
	RemoveDevice(ctx context.Context, a doorstep.Actor, installID string, at time.Time) error
	// EnsureCourier gives the number of the caller, who is made known if nobody
	// has named him yet.
	EnsureCourier(ctx context.Context, a doorstep.Actor) (int64, error)
	// Alerts lists the courier's alerts with a greater seq, ascending.
	Alerts(ctx context.Context, a doorstep.Actor, after int64, limit int) ([]Alert, error)
	// AddReceipts keeps receipts, one transaction an outlet, with their facts.
	// The verdicts stand in the order of the receipts.
	AddReceipts(ctx context.Context, a doorstep.Actor, list []Receipt) ([]ReceiptVerdict, error)
}

// Inbox is the courier's side of alerts: his devices, what he has to read and
// what he has read.
type Inbox struct {
	Store InboxStore
	Now   func() time.Time
	Bell  *Bell // tells streams of new alerts

	// CheckSubscription says, in a *doorstep.InvalidError, what is wrong with the
	// subscription of a Web Push device. nil: only its form is looked at, for
	// nobody sends to it.
	CheckSubscription func(string) error
	// Arrived is told, for metrics, how long after its alert a first receipt says
	// that it is on the phone. nil: nobody asks.
	Arrived func(after time.Duration)
}

// PutDevice registers the caller's device, or refreshes it.
func (b *Inbox) PutDevice(ctx context.Context, a doorstep.Actor, in DeviceRequest) (Device, error) {
	var checks doorstep.Checks
	d := Device{Provider: in.Provider, UpdatedAt: b.Now()}
	var err error
	d.InstallID, err = doorstep.CheckText(in.InstallID, 1, maxInstallID)
	checks.Under("/install_id", err)
	d.AppVersion, err = doorstep.CheckText(in.AppVersion, 0, maxVersion)
	checks.Under("/app_version", err)
	if !slices.Contains(locales, in.Locale) {
		checks.Add("/locale", "unknown_locale", "must be zh-CN or en")
	}
	d.Locale = in.Locale
	address, err := doorstep.CheckText(in.Address, 0, maxAddress)
	checks.Under("/address", err)
	switch in.Provider {
	case FCM:
		if address == "" {
			checks.Add("/address", "required", "must be the registration token")
		}
	case WebPush:
		b.checkSubscription(&checks, address)
	case None:
		address = ""
	default:
		checks.Add("/provider", "unknown_provider", "must be fcm, webpush or none")
	}
	if err := checks.Err(); err != nil {
		return Device{}, err
	}
	return b.Store.PutDevice(ctx, a, d, address)
}

// locales are the languages that the app has texts in.
var locales = []string{"zh-CN", "en"}

// checkSubscription notes what is wrong with a subscription. The address is text
// to the contract, so what is wrong inside of it is told in words.
func (b *Inbox) checkSubscription(checks *doorstep.Checks, address string) {
	if b.CheckSubscription == nil {
		if !isSubscription(address) {
			checks.Add("/address", "invalid_subscription", "must be the JSON of a push subscription with an https endpoint")
		}
		return
	}
	err := b.CheckSubscription(address)
	var bad *doorstep.InvalidError
	if !errors.As(err, &bad) {
		checks.Under("/address", err)
		return
	}
	for _, f := range bad.Fields {
		checks.Add("/address", f.Code, strings.TrimSpace(strings.TrimPrefix(f.Pointer, "/")+" "+f.Detail))
	}
}

// isSubscription knows the JSON of a browser's PushSubscription (W3C Push API).
func isSubscription(s string) bool {
	var sub struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256dh string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	if json.Unmarshal([]byte(s), &sub) != nil || sub.Keys.P256dh == "" || sub.Keys.Auth == "" {
		return false
	}
	u, err := url.Parse(sub.Endpoint)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// RemoveDevice retires the caller's device, at logout.
func (b *Inbox) RemoveDevice(ctx context.Context, a doorstep.Actor, installID string) error {
	return b.Store.RemoveDevice(ctx, a, installID, b.Now())
}

// Alerts lists the caller's alerts after a place in the inbox, ascending.
func (b *Inbox) Alerts(ctx context.Context, a doorstep.Actor, after int64, limit int) ([]Alert, error) {
	return b.Store.Alerts(ctx, a, after, limit)
}
