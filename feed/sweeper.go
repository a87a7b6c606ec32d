package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// Kept is how long an event can be read after it was numbered.
const Kept = 30 * 24 * time.Hour

// SweepStore is what a Sweeper needs kept.
type SweepStore interface {
	// FeedCompanies lists the companies that have a feed.
	FeedCompanies(ctx context.Context) ([]doorstep.CompanyNo, error)
	// ForgetEvents deletes the oldest events of a feed, those numbered at or
	// before a time, at most limit, and says how many. What remains has no gap.
	ForgetEvents(ctx context.Context, company doorstep.CompanyNo, before time.Time, limit int) (int, error)
	// ExpiredLinks lists outlets with links that expired at or before a time, at
	// most limit.
	ExpiredLinks(ctx context.Context, before time.Time, limit int) ([]doorstep.OutletNo, error)
	// ForgetLinks deletes an outlet's links that expired at or before a time, at
	// most limit, and says how many.
	ForgetLinks(ctx context.Context, outlet doorstep.OutletNo, before time.Time, limit int) (int, error)
}

// Sweeper forgets what is past its time: events, and the links that they
// carried. Any number may share a database.
type Sweeper struct {
	Store SweepStore
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	sweepInterval = time.Hour
	sweepBatch    = 500 // on SQLite everybody's writes wait for a batch
)

// Run repeats Sweep until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, sweepInterval, s.Sweep, func(err error) {
		s.Log.ErrorContext(ctx, "forget events", "error", err)
	})
}

// Sweep makes one pass, of a batch a feed and an outlet, and says how many rows
// it deleted.
func (s *Sweeper) Sweep(ctx context.Context) (int, error) {
	before := s.Now().Add(-Kept)
	companies, err := s.Store.FeedCompanies(ctx)
	if err != nil {
		return 0, fmt.Errorf("companies with a feed: %w", err)
	}
	outlets, err := s.Store.ExpiredLinks(ctx, before, relaySources)
	if err != nil {
		return 0, fmt.Errorf("outlets with expired links: %w", err)
	}
	total := 0
	var failures []error
	each := func(whose string, numbers []doorstep.OutletNo, forget func(context.Context, doorstep.OutletNo, time.Time, int) (int, error)) {
		for _, no := range numbers {
			n, err := forget(ctx, no, before, sweepBatch)
			total += n
			if err != nil {
				failures = append(failures, fmt.Errorf("%s %d: %w", whose, no, err))
			}
		}
	}
	each("events of company", companies, s.Store.ForgetEvents)
	each("links of outlet", outlets, s.Store.ForgetLinks)
	return total, errors.Join(failures...)
}
