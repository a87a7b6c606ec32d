package kpi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// KeeperStore is what a Keeper needs kept.
type KeeperStore interface {
	// ChangedOutlets lists outlets with days whose records have changed since they
	// were counted, and have waited since before a time, those that have waited
	// longest first, at most limit.
	ChangedOutlets(ctx context.Context, before time.Time, limit int) ([]doorstep.OutletNo, error)
	// Recount counts changed days of an outlet anew from the records, in one
	// transaction, and says how many changes that settled: 0 if nothing was left or
	// somebody else was at it. Handovers that were counted stay as they are
	// FinalAfter the day.
	Recount(ctx context.Context, outlet doorstep.OutletNo) (int, error)
	// Unsettle has all days of an outlet counted anew.
	Unsettle(ctx context.Context, outlet doorstep.OutletNo) error
	// AllOutlets lists every outlet.
	AllOutlets(ctx context.Context) ([]doorstep.OutletNo, error)
}

// Keeper keeps the counts of outlets' days up to what the records say. Any number
// may share a database.
type Keeper struct {
	Store KeeperStore
	Now   func() time.Time
	Log   *slog.Logger
}

// FinalAfter is when a day's handovers are counted for good: soon after, what was
// wished for them is past its time and erased. See privacy.Rules.
const FinalAfter = 200 * 24 * time.Hour

const (
	keepInterval = 5 * time.Second
	keepOutlets  = 64

	// keepWait lets a busy day's changes gather: counting reads the day. Whoever asks
	// for figures does not wait for it, see Board.
	keepWait = time.Minute
)

// Run repeats Pass until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, keepInterval, k.Pass, func(err error) {
		k.Log.ErrorContext(ctx, "count days", "error", err)
	})
}

// Pass counts what has waited long enough, and says how many changes that was.
func (k *Keeper) Pass(ctx context.Context) (int, error) { return k.pass(ctx, k.Now().Add(-keepWait)) }

func (k *Keeper) pass(ctx context.Context, before time.Time) (total int, err error) {
	outlets, err := k.Store.ChangedOutlets(ctx, before, keepOutlets)
	if err != nil {
		return 0, fmt.Errorf("outlets with changed days: %w", err)
	}
	var failures []error
	for _, outlet := range outlets {
		n, err := k.Store.Recount(ctx, outlet)
		total += n
		if err != nil {
			failures = append(failures, fmt.Errorf("outlet %d: %w", outlet, err))
		}
	}
	return total, errors.Join(failures...)
}

// Rebuild counts every day of every outlet anew from the records, and says of how
// many outlets.
func (k *Keeper) Rebuild(ctx context.Context) (int, error) {
	outlets, err := k.Store.AllOutlets(ctx)
	if err != nil {
		return 0, err
	}
	for _, outlet := range outlets {
		if err := k.Store.Unsettle(ctx, outlet); err != nil {
			return 0, fmt.Errorf("outlet %d: %w", outlet, err)
		}
		for n := 1; n > 0; {
			if n, err = k.Store.Recount(ctx, outlet); err != nil {
				return 0, fmt.Errorf("outlet %d: %w", outlet, err)
			}
		}
	}
	return len(outlets), nil
}
