package complaints

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// WatchStore is what a Watch needs kept.
type WatchStore interface {
	// AlarmOutlets lists outlets with a complaint whose alarm is due by now, those
	// that are latest first, at most limit.
	AlarmOutlets(ctx context.Context, now time.Time, limit int) ([]doorstep.OutletNo, error)
	// RingAlarms has ring decide on those complaints of an outlet, at most limit,
	// that nobody else is deciding on, and keeps what becomes of each, in one
	// transaction. It says how many.
	RingAlarms(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int, ring func(*Complaint) (Outcome, bool)) (int, error)
}

// Watch does what becomes due by itself: warnings and breaches, each told once;
// the ends of pauses; the closing of answers that nobody confirmed. Any number
// may share a database.
type Watch struct {
	Store WatchStore
	Now   func() time.Time
	NewID doorstep.IDMaker
	Log   *slog.Logger
}

const (
	watchInterval = time.Second // clocks are exact to the second
	watchOutlets  = 64
	watchBatch    = 100 // complaints in one transaction; on SQLite everybody's writes wait for it
)

// Run repeats Pass until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, watchInterval, w.Pass, func(err error) {
		w.Log.ErrorContext(ctx, "complaint clocks", "error", err)
	})
}

// Pass rings a batch of alarms of each outlet, one a complaint, and says how many.
func (w *Watch) Pass(ctx context.Context) (total int, err error) {
	now := w.Now().Truncate(time.Millisecond)
	outlets, err := w.Store.AlarmOutlets(ctx, now, watchOutlets)
	if err != nil {
		return 0, fmt.Errorf("outlets with alarms: %w", err)
	}
	var failures []error
	for _, outlet := range outlets {
		n, err := w.Store.RingAlarms(ctx, outlet, now, watchBatch, func(c *Complaint) (Outcome, bool) {
			out, rang := c.Ring(now)
			if rang {
				out.record(*c, evidence.Server, w.NewID(c.Outlet), now)
			}
			return out, rang
		})
		total += n
		if err != nil {
			failures = append(failures, fmt.Errorf("outlet %d: %w", outlet, err))
		}
	}
	return total, errors.Join(failures...)
}
