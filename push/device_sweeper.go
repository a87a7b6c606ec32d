package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// DeviceStore is what a Sweeper needs kept.
type DeviceStore interface {
	// UnseenOutlets lists outlets that keep devices last seen at or before a
	// time, at most limit.
	UnseenOutlets(ctx context.Context, before time.Time, limit int) ([]doorstep.OutletNo, error)
	// ForgetDevices deletes an outlet's devices last seen at or before a time,
	// retired ones included, in one transaction, and says how many; at most limit.
	ForgetDevices(ctx context.Context, outlet doorstep.OutletNo, before time.Time, limit int) (int, error)
}

// Sweeper forgets the devices that nobody has seen for ForgottenAfter. Any
// number may share a database.
type Sweeper struct {
	Store DeviceStore
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
		s.Log.ErrorContext(ctx, "forget devices", "error", err)
	})
}

// Sweep makes one pass, of a batch an outlet, and says how many devices it
// forgot.
func (s *Sweeper) Sweep(ctx context.Context) (int, error) {
	before := s.Now().Add(-ForgottenAfter)
	outlets, err := s.Store.UnseenOutlets(ctx, before, outletBatch)
	if err != nil {
		return 0, fmt.Errorf("outlets with unseen devices: %w", err)
	}
	total := 0
	var failures []error
	for _, outlet := range outlets {
		n, err := s.Store.ForgetDevices(ctx, outlet, before, sweepBatch)
		total += n
		if err != nil {
			failures = append(failures, fmt.Errorf("outlet %d: %w", outlet, err))
		}
	}
	return total, errors.Join(failures...)
}
