package telephony

import (
	"context"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Fault is a record that a person should look at.
type Fault struct {
	ID         string // of the page
	Provider   Provider
	EventID    string
	State      string // quarantined or conflict
	Reason     string
	Digest     string // SHA-256 of this record
	Kept       string // of the one that has the key, of a conflict
	ReceivedAt time.Time
}

// FaultPage asks for faults before a place in the list.
type FaultPage struct {
	Limit    int
	BeforeMS int64
	BeforeID string
}

// BookStore is what a Book reads.
type BookStore interface {
	// ParcelContacts lists the contacts about a parcel that the caller may see, the
	// oldest first.
	ParcelContacts(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) ([]ProviderContact, error)
	// Faults lists records, the newest first: a manager sees the conflicts about his
	// outlet's parcels.
	Faults(ctx context.Context, a doorstep.Actor, page FaultPage) ([]Fault, error)
	// Feeds tells what is known of the company's feeds about an interval.
	Feeds(ctx context.Context, company doorstep.CompanyNo, from, to time.Time, around time.Duration) ([]Feed, error)
}

// ProviderContact is a contact and who reported it.
type ProviderContact struct {
	Provider Provider
	Contact
}

// Book shows what providers reported.
type Book struct {
	Store  BookStore
	Policy Policy
	Now    func() time.Time
}

// History is what providers reported about a parcel.
type History struct {
	Contacts []ProviderContact // the oldest first
	Attempts int               // the courier's calls that count as attempts of their own
	Policy   Policy
}

// History shows the calls and messages about a parcel.
func (b *Book) History(ctx context.Context, a doorstep.Actor, waybill string) (History, error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return History{}, doorstep.NotFound("parcel", "")
	}
	list, err := b.Store.ParcelContacts(ctx, a, w)
	if err != nil {
		return History{}, err
	}
	var calls []Call
	for _, c := range list {
		if c.Kind == evidence.Call {
			calls = append(calls, FoldCall(c.Events))
		}
	}
	return History{list, Distinct(calls, b.Policy.Apart.Duration()), b.Policy}, nil
}

// Faults lists what a person should look at.
func (b *Book) Faults(ctx context.Context, a doorstep.Actor, page FaultPage) ([]Fault, error) {
	return b.Store.Faults(ctx, a, page)
}

// Condition is how a feed is.
type Condition struct {
	Feed
	Healthy evidence.Truth
	Gaps    []Gap
}

// longestWatch bounds an interval that is asked about.
const longestWatch = 31 * 24 * time.Hour

// Health tells how the company's feeds were in an interval; without one, in the
// day that ended when late records had had their time.
func (b *Book) Health(ctx context.Context, a doorstep.Actor, from, to time.Time) (list []Condition, since, until time.Time, err error) {
	now := b.Now()
	if to.IsZero() {
		to = now.Add(-b.Policy.Late.Duration())
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if !from.Before(to) || to.Sub(from) > longestWatch {
		var checks doorstep.Checks
		checks.Add("/from", "out_of_range", "must be before to, by 31 days at most")
		return nil, from, to, checks.Err()
	}
	feeds, err := b.Store.Feeds(ctx, a.Company, from, to, b.Policy.Silence.Duration())
	if err != nil {
		return nil, from, to, err
	}
	for _, f := range feeds {
		list = append(list, Condition{f, b.Policy.Healthy(f, from, to, now), b.Policy.Gaps(f, from, to, now)})
	}
	return list, from, to, nil
}

// Course tells how each of the company's feeds was in an interval: only where it
// was healthy does no record mean that nothing happened.
func (b *Book) Course(ctx context.Context, company doorstep.CompanyNo, from, to time.Time) ([]evidence.Feed, error) {
	feeds, err := b.Store.Feeds(ctx, company, from, to, b.Policy.Silence.Duration())
	if err != nil {
		return nil, err
	}
	list := make([]evidence.Feed, len(feeds))
	for i, f := range feeds {
		list[i] = evidence.Feed{Provider: string(f.Provider), From: from, To: to, Healthy: b.Policy.Healthy(f, from, to, b.Now())}
	}
	return list, nil
}
