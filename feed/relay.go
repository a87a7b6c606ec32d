package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// Source is an outlet with events that wait for their numbers.
type Source struct {
	Outlet  doorstep.OutletNo  `db:"outlet_no"`
	Company doorstep.CompanyNo `db:"company_no"`
}

// RelayStore is what a Relay needs kept.
type RelayStore interface {
	// WaitingEvents lists outlets whose committed events have no number yet, at
	// most limit.
	WaitingEvents(ctx context.Context, limit int) ([]Source, error)
	// NumberEvents moves an outlet's events, the oldest first and at most limit,
	// to the end of its company's feed, in one transaction, and says how many.
	// held means that somebody else has the company's lease: nothing was done. The
	// lease lasts as long as the transaction, and ends with whoever holds it.
	NumberEvents(ctx context.Context, s Source, now time.Time, limit int) (n int, held bool, err error)
}

// Relay numbers events once they are committed. Any number may share a
// database: of each company's feed one at a time has the lease.
type Relay struct {
	store RelayStore
	now   func() time.Time
	log   *slog.Logger
	woken chan struct{}
}

// NewRelay makes a relay.
func NewRelay(store RelayStore, now func() time.Time, log *slog.Logger) *Relay {
	return &Relay{store: store, now: now, log: log, woken: make(chan struct{}, 1)}
}

const (
	relayPoll    = 5 * time.Second        // for what nobody woke the relay for: commits of other processes
	relayAgain   = 200 * time.Millisecond // while another has the lease: it may have looked just too early
	relaySources = 64
	relayBatch   = 500 // events in one transaction; on SQLite everybody's writes wait for it
)

// Wake has the relay look now. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// Run makes a pass whenever it is woken, and now and then, until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	for {
		n, held, err := r.Pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		wait := relayPoll
		switch {
		case err != nil:
			r.log.ErrorContext(ctx, "number events", "error", err)
		case n > 0: // there may be more
			continue
		case held:
			wait = relayAgain
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-r.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Pass numbers a batch of each outlet's events. It says how many, and whether a
// company was left to another.
func (r *Relay) Pass(ctx context.Context) (total int, held bool, err error) {
	sources, err := r.store.WaitingEvents(ctx, relaySources)
	if err != nil {
		return 0, false, fmt.Errorf("outlets with events: %w", err)
	}
	var failures []error
	for _, s := range sources {
		n, busy, err := r.store.NumberEvents(ctx, s, r.now(), relayBatch)
		if err != nil {
			failures = append(failures, fmt.Errorf("outlet %d: %w", s.Outlet, err))
		}
		total, held = total+n, held || busy
	}
	return total, held, errors.Join(failures...)
}
