package telephony

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Source is a company's provider with records to read.
type Source struct {
	Company  doorstep.CompanyNo `db:"outlet_no"`
	Provider Provider
}

// Kept is a record as it waits.
type Kept struct {
	Key        string
	Raw        []byte
	ReceivedAt time.Time
}

// Lookup asks where contacts belong.
type Lookup struct {
	Waybills []doorstep.Waybill
	Intents  []string
	Numbers  []string  // keyed hashes of masked numbers
	From, To time.Time // of intents by number
}

// Found answers a Lookup.
type Found struct {
	Runs    map[doorstep.Waybill][]Run // in order of time
	Intents []Intent
}

// Run is that a parcel went out with a courier; without one, that it is known.
type Run struct {
	Outlet    doorstep.OutletNo
	CourierNo int64
	At        time.Time
}

// Sorted is what a batch of records came to. It is kept whole or not at all.
type Sorted struct {
	Read     []string // keys of the records
	Bad      []string // of those that could not be read after all
	Contacts []Contact
	Facts    []evidence.Fact
}

// SortStore is what a Sorter needs kept.
type SortStore interface {
	// WaitingRecords lists whose records wait, those that have waited longest
	// first.
	WaitingRecords(ctx context.Context, limit int) ([]Source, error)
	// TakeRecords lists the oldest records that wait.
	TakeRecords(ctx context.Context, s Source, limit int) ([]Kept, error)
	// Contacts finds those that were heard of before.
	Contacts(ctx context.Context, s Source, list []Subject) (map[Subject]Contact, error)
	// LookUp finds parcels and intents of the company.
	LookUp(ctx context.Context, company doorstep.CompanyNo, l Lookup) (Found, error)
	// FinishRecords keeps what records came to, unless another node did it or is at
	// it: then nothing is done and done is false.
	FinishRecords(ctx context.Context, s Source, sorted Sorted, now time.Time) (done bool, err error)
	// HashNumber is the keyed hash of a number.
	HashNumber(doorstep.Phone) string
}

// Sorter reads records once they are kept and makes calls and messages of them.
// Any number may share a database.
type Sorter struct {
	Store  SortStore
	Policy Policy
	Now    func() time.Time
	NewID  doorstep.IDMaker
	Log    *slog.Logger

	woken chan struct{}
}

// NewSorter makes a sorter that can be woken.
func NewSorter(s Sorter) *Sorter {
	s.woken = make(chan struct{}, 1)
	return &s
}

const (
	sortPoll    = 5 * time.Second        // for what nobody woke the sorter for: commits of other processes
	sortAgain   = 200 * time.Millisecond // while another node is at it
	sortSources = 64
	sortBatch   = 500 // records in one transaction; on SQLite everybody's writes wait for it
)

// Wake has the sorter look now. It never blocks.
func (s *Sorter) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Run makes a pass whenever it is woken, and now and then, until ctx ends.
func (s *Sorter) Run(ctx context.Context) error {
	for {
		n, held, err := s.Pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		wait := sortPoll
		switch {
		case err != nil:
			s.Log.ErrorContext(ctx, "read provider records", "error", err)
		case n > 0: // there may be more
			continue
		case held:
			wait = sortAgain
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Pass reads a batch of each source. It says how many records, and whether some
// were left to another node.
func (s *Sorter) Pass(ctx context.Context) (total int, held bool, err error) {
	sources, err := s.Store.WaitingRecords(ctx, sortSources)
	if err != nil {
		return 0, false, fmt.Errorf("waiting records: %w", err)
	}
	var failures []error
	for _, source := range sources {
		n, done, err := s.sort(ctx, source)
		if err != nil {
			failures = append(failures, fmt.Errorf("records of %s, company %d: %w", source.Provider, source.Company, err))
		}
		total, held = total+n, held || !done
	}
	return total, held, errors.Join(failures...)
}

func (s *Sorter) sort(ctx context.Context, source Source) (n int, done bool, err error) {
	kept, err := s.Store.TakeRecords(ctx, source, sortBatch)
	if err != nil || len(kept) == 0 {
		return 0, true, err
	}
	var sorted Sorted
	events := make([]Event, 0, len(kept))
	for _, k := range kept {
		r := adapters[source.Provider].record(k.Raw, k.ReceivedAt)
		if r.Err != nil {
			sorted.Bad = append(sorted.Bad, k.Key)
			continue
		}
		sorted.Read = append(sorted.Read, k.Key)
		events = append(events, r.Event)
	}
	changed, err := s.gather(ctx, source, events, &sorted)
	if err != nil {
		return 0, true, err
	}
	found, err := s.Store.LookUp(ctx, source.Company, s.lookup(changed))
	if err != nil {
		return 0, true, err
	}
	for _, c := range changed {
		s.conclude(source.Provider, c, found, &sorted)
	}
	done, err = s.Store.FinishRecords(ctx, source, sorted, s.Now())
	if !done || err != nil {
		return 0, done || err != nil, err
	}
	return len(kept), true, nil
}

// change is a contact and what is new of it.
type change struct {
	Contact
	fresh []Event
}

// gather takes events into their contacts and gives those that changed.
func (s *Sorter) gather(ctx context.Context, source Source, events []Event, sorted *Sorted) (list []*change, err error) {
	subjects := make([]Subject, len(events))
	for i, e := range events {
		subjects[i] = Subject{e.Kind, e.Subject}
	}
	known, err := s.Store.Contacts(ctx, source, subjects)
	if err != nil {
		return nil, err
	}
	changes := map[Subject]*change{}
	for i, e := range events {
		c := changes[subjects[i]]
		if c == nil {
			c = &change{Contact: known[subjects[i]]}
			c.Subject = subjects[i]
			changes[subjects[i]] = c
		}
		switch {
		case c.has(e.Key):
			continue
		case len(c.Events) >= MaxEvents:
			sorted.Bad = append(sorted.Bad, e.Key)
			continue
		case len(c.fresh) == 0:
			list = append(list, c)
		}
		c.add(e)
		c.fresh = append(c.fresh, e)
		if w, isIntent := reference(e.Reference); isIntent || w != "" {
			c.Reference = e.Reference
		}
		if e.Number != "" {
			c.Number = s.Store.HashNumber(e.Number)
		}
	}
	return list, nil
}

// lookup asks for what tells where contacts belong.
func (s *Sorter) lookup(changed []*change) (l Lookup) {
	for _, c := range changed {
		if c.Assigned() {
			continue
		}
		switch w, isIntent := reference(c.Reference); {
		case isIntent:
			l.Intents = append(l.Intents, c.Reference)
		case w != "":
			l.Waybills = append(l.Waybills, w)
		case c.Number != "":
			l.Numbers = append(l.Numbers, c.Number)
			l.From = earliest(l.From, c.StartedAt.Add(-s.Policy.Pairing.Duration()))
			if until := c.StartedAt.Add(clockSkew); until.After(l.To) {
				l.To = until
			}
		}
	}
	return l
}

// conclude finds a contact's parcel and makes facts of what is new of it; once the
// parcel becomes known, of all that came before too.
func (s *Sorter) conclude(p Provider, c *change, found Found, sorted *Sorted) {
	tell := c.fresh
	if !c.Assigned() && s.assign(&c.Contact, found) {
		tell = slices.Concat(c.Events[:len(c.Events)-len(c.fresh)], c.fresh) // the fresh still know their numbers
	}
	if c.Assigned() {
		for _, e := range tell {
			f := c.fact(p, e, s.Store.HashNumber)
			f.ID = s.NewID(f.Outlet)
			sorted.Facts = append(sorted.Facts, f)
		}
	}
	sorted.Contacts = append(sorted.Contacts, c.Contact)
}

// reference reads what a carrier gave a provider: the id of an intent, or a
// waybill. Anything else is not kept: it could be about a person.
func reference(text string) (w doorstep.Waybill, isIntent bool) {
	if _, ok := doorstep.OutletOf(text); ok {
		return "", true
	}
	w, err := doorstep.ParseWaybill(text)
	if err != nil {
		return "", false
	}
	return w, false
}

// assign finds a contact's parcel: by the intent or the waybill that the carrier
// gave the provider, else by the one intent that was about to dial its number.
func (s *Sorter) assign(c *Contact, found Found) bool {
	w, isIntent := reference(c.Reference)
	if isIntent {
		i := slices.IndexFunc(found.Intents, func(i Intent) bool { return i.ID == c.Reference })
		if i < 0 {
			return false
		}
		c.IntentID, c.Parcel = found.Intents[i].ID, found.Intents[i].Parcel
		return true
	}
	if runs := found.Runs[w]; w != "" && len(runs) > 0 {
		run := runs[0]
		for _, r := range runs {
			if !r.At.After(c.StartedAt) {
				run = r
			}
		}
		c.Parcel = Parcel{run.Outlet, w, run.CourierNo}
		return true
	}
	if c.Kind != evidence.Call || c.Number == "" {
		return false
	}
	var one *Intent
	for i, intent := range found.Intents {
		if since := c.StartedAt.Sub(intent.At); intent.Number != c.Number || since < -clockSkew || since > s.Policy.Pairing.Duration() {
			continue
		}
		if one != nil && one.Parcel != intent.Parcel { // it could have been either
			return false
		}
		one = &found.Intents[i]
	}
	if one == nil {
		return false
	}
	c.IntentID, c.Parcel = one.ID, one.Parcel
	return true
}

// clockSkew is how far a provider's clock may be behind ours.
const clockSkew = 5 * time.Second
