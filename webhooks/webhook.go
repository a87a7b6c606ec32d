// Package webhooks hands a company's feed to its systems as it grows, each event
// in a signed request as Standard Webhooks describes it. It decides what is sent,
// in which order, how often it is tried and when a receiver is given up; posting
// is left to a Receiver.
package webhooks

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"doorstep"
	"doorstep/feed"
)

// Most is how many webhooks a company may have.
const Most = 20

// secretBytes is the length of a secret; Standard Webhooks asks for 24 to 64.
const secretBytes = 32

// Overlap is how long a secret still signs beside the one that took its place.
const Overlap = 24 * time.Hour

// Longest of what a caller gives, in characters.
const (
	longestURL         = 2000
	longestDescription = 200
)

// Reason says why a webhook is disabled.
type Reason string

const (
	ByCaller Reason = "caller"  // the carrier said so
	Gone     Reason = "gone"    // the receiver answered 410
	Failing  Reason = "failing" // nothing succeeded for as long as one delivery is tried
)

// Reasons lists those for which doorstep itself disables.
var Reasons = []Reason{Gone, Failing}

// Webhook is where a company's events go.
type Webhook struct {
	ID          string
	Company     doorstep.CompanyNo
	URL         string
	Types       []feed.Type // none: all
	Description string
	Secrets     Secrets
	After       int64 // the last number of the feed that became a delivery, or was not wanted
	CreatedAt   time.Time

	FailingSince    time.Time // the first failure since the last success; zero if that is the newer
	DisabledAt      time.Time // zero while enabled
	DisabledBecause Reason
	Sequence        int64 // of the events about the webhook itself
}

// Secrets sign what is sent. After a rotation there are two for a while.
type Secrets struct {
	Current     string
	Former      string
	FormerUntil time.Time
}

// NewSecret draws a secret in the spelling of Standard Webhooks.
func NewSecret(random io.Reader) (string, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return "whsec_" + base64.StdEncoding.EncodeToString(b), nil
}

// Rotate has secret sign from now on. The former goes on signing for Overlap; one
// that was replaced earlier ends at once, which is how a leaked one is got rid of.
func (s *Secrets) Rotate(secret string, now time.Time) {
	*s = Secrets{Current: secret, Former: s.Current, FormerUntil: now.Add(Overlap)}
}

// Signing lists the secrets that sign at now, the current one first.
func (s Secrets) Signing(now time.Time) []string {
	if s.Former != "" && now.Before(s.FormerUntil) {
		return []string{s.Current, s.Former}
	}
	return []string{s.Current}
}

// Enabled says whether events are sent.
func (w *Webhook) Enabled() bool { return w.DisabledAt.IsZero() }

// Wants says whether events of a type are sent.
func (w *Webhook) Wants(t feed.Type) bool { return len(w.Types) == 0 || slices.Contains(w.Types, t) }

// disable stops a webhook. One that is stopped keeps its reason.
func (w *Webhook) disable(because Reason, now time.Time) {
	if !w.Enabled() {
		return
	}
	w.DisabledAt, w.DisabledBecause = now, because
}

func (w *Webhook) enable() {
	w.DisabledAt, w.DisabledBecause, w.FailingSince = time.Time{}, "", time.Time{}
}

// Snapshot is the object of an event about the webhook. The URL stays out of it:
// it may hold a secret of the receiver's.
func (w *Webhook) Snapshot() ([]byte, error) {
	object := struct {
		ID           string     `json:"id"`
		Description  string     `json:"description,omitempty"`
		Reason       Reason     `json:"reason"`
		DisabledAt   time.Time  `json:"disabled_at"`
		FailingSince *time.Time `json:"failing_since,omitempty"`
	}{w.ID, w.Description, w.DisabledBecause, w.DisabledAt, nil}
	if !w.FailingSince.IsZero() {
		object.FailingSince = &w.FailingSince
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("webhook %s: %w", w.ID, err)
	}
	return text, nil
}

// Settings are what a caller says of a webhook.
type Settings struct {
	URL         string
	Types       []string
	Description string
	Disabled    bool
}

// check finds every bad field but those of the URL's address, and gives the types
// and the description as they are kept.
func (in Settings) check(checks *doorstep.Checks) (types []feed.Type, description string) {
	if utf8.RuneCountInString(in.URL) > longestURL {
		checks.Add("/url", "too_long", "must have at most 2000 characters")
	}
	description, err := doorstep.CheckText(in.Description, 0, longestDescription)
	checks.Under("/description", err)
	for i, t := range in.Types {
		switch {
		case !slices.Contains(feed.Types, feed.Type(t)):
			checks.Add("/types/"+strconv.Itoa(i), "unknown_type", "must be a type of the feed's events")
		case slices.Contains(types, feed.Type(t)):
			checks.Add("/types/"+strconv.Itoa(i), "duplicate", "stands twice in the list")
		default:
			types = append(types, feed.Type(t))
		}
	}
	return types, description
}
