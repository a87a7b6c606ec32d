package push

import (
	"context"
	"time"
)

// Outcome classifies one attempt to hand a message to a provider.
type Outcome uint8

// Every path of every provider ends in one of these.
const (
	Accepted     Outcome = iota + 1 // the provider took it; nothing is known about the phone
	Retry                           // not taken, safe to try again
	Ambiguous                       // may have been taken; try again under the same collapse identity
	AddrGone                        // the address is dead: retire it, if it is still the one we sent to
	BadMessage                      // our own fault: never try again
	ProviderDown                    // credentials or configuration: pause the provider, spend no attempt
)

// String names the outcome as logs and metrics do.
func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Retry:
		return "retry"
	case Ambiguous:
		return "ambiguous"
	case AddrGone:
		return "addr_gone"
	case BadMessage:
		return "bad_message"
	case ProviderDown:
		return "provider_down"
	}
	return "unknown"
}

// Result is what became of one attempt.
type Result struct {
	Outcome    Outcome
	ProviderID string        // the provider's name for the message, at most 200 bytes
	Code       string        // from a bounded vocabulary: "ok", "unregistered", "quota", "transport", ...
	After      time.Duration // the provider's Retry-After, 0 if it gave none
}

// Kinds of address.
const (
	KindToken        = "token"        // an FCM registration token
	KindSubscription = "subscription" // the JSON of a browser's PushSubscription
)

// AddressKind is the kind of address that a provider's devices have; empty for
// None.
func AddressKind(provider string) string {
	switch provider {
	case FCM:
		return KindToken
	case WebPush:
		return KindSubscription
	}
	return ""
}

// Address is where a device can be reached. Its value is a secret.
type Address struct {
	Kind  string
	Value string
}

// Message is one push to one device. It holds no personal data.
type Message struct {
	Kind     string            // "digest" or "catch_up": also the Android tag, so a repeat replaces the banner
	Data     map[string]string // what the app reads; within MaxData
	TitleKey string            // localisation keys: the phone renders its own language
	BodyKey  string
	BodyArgs []string // counts only
	Collapse string   // at most four distinct ones per app: FCM keeps four
	TTL      time.Duration
	High     bool // wakes the phone; needs a visible notification
}

// Visible says whether the phone shows the message; else it is for the app
// alone.
func (m Message) Visible() bool { return m.TitleKey != "" }

// MaxData is the size of a message in bytes, keys and values counted, that FCM
// takes (firebase.google.com/docs/cloud-messaging).
const MaxData = 4096

// Provider hands messages to one push service.
type Provider interface {
	// Name is the provider's name in devices: FCM, WebPush.
	Name() string
	// Check refuses a message that the service would refuse: size, TTL, keys.
	Check(Message) error
	// Send makes exactly one attempt. It never retries, never panics, and
	// classifies every way in which the attempt can end.
	Send(ctx context.Context, to Address, m Message) Result
}
