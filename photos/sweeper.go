package photos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

const (
	sweepInterval = time.Minute
	outletBatch   = 64
	blobBatch     = 100
)

// Run repeats Sweep until ctx ends.
func (al *Album) Run(ctx context.Context, log *slog.Logger) error {
	return doorstep.Repeat(ctx, sweepInterval, al.Sweep, func(err error) {
		log.ErrorContext(ctx, "sweep photos", "error", err)
	})
}

// Sweep deletes blobs that no photo holds: of uploads that broke off, and of
// photos that were erased. It makes one pass, of a batch an outlet, and says how
// many blobs went. Any number may share a database.
func (al *Album) Sweep(ctx context.Context) (int, error) {
	now := al.Now()
	outlets, err := al.Store.SweepOutlets(ctx, now, outletBatch)
	if err != nil {
		return 0, err
	}
	total := 0
	var failures []error
	for _, outlet := range outlets {
		n, err := al.sweepOutlet(ctx, outlet, now)
		total += n
		if err != nil {
			failures = append(failures, fmt.Errorf("outlet %d: %w", outlet, err))
		}
	}
	return total, errors.Join(failures...)
}

// sweepOutlet deletes a batch of blobs, and only then forgets them: what a crash
// leaves is found again.
func (al *Album) sweepOutlet(ctx context.Context, outlet doorstep.OutletNo, now time.Time) (int, error) {
	due, err := al.Store.BlobsToSweep(ctx, outlet, now, blobBatch)
	if err != nil {
		return 0, err
	}
	gone := make([]string, 0, len(due))
	var failures []error
	for _, name := range due {
		if err := al.Blobs.Delete(ctx, name); err != nil {
			failures = append(failures, err)
			continue
		}
		gone = append(gone, name)
	}
	if len(gone) > 0 {
		failures = append(failures, al.Store.ForgetBlobs(ctx, outlet, gone))
	}
	return len(gone), errors.Join(failures...)
}
