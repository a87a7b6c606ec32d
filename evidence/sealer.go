package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep"
)

// SealStore is what a Sealer needs kept.
type SealStore interface {
	// UnsealedOutlets lists outlets with records that are committed and not in
	// their logs.
	UnsealedOutlets(ctx context.Context) ([]doorstep.OutletNo, error)
	// Seal moves records of an outlet, about as many as limit and the oldest
	// first, to the end of its log, in one transaction, and says how many. held
	// means that somebody else has the log's lease: nothing was done. The lease
	// lasts as long as the transaction, and ends with whoever holds it.
	Seal(ctx context.Context, outlet doorstep.OutletNo, limit int) (n int, held bool, err error)
}

// Sealer puts committed records into their outlets' logs, within a second. Any
// number may share a database: of each log one at a time has the lease.
type Sealer struct {
	store SealStore
	log   *slog.Logger
	woken chan struct{}
}

// NewSealer makes a sealer.
func NewSealer(store SealStore, log *slog.Logger) *Sealer {
	return &Sealer{store: store, log: log, woken: make(chan struct{}, 1)}
}

const (
	sealPoll   = time.Second            // for what nobody woke the sealer for: records of a node that died
	sealGather = 200 * time.Millisecond // so that what comes one by one is sealed together
	sealBatch  = 500                    // records in one transaction; on SQLite everybody's writes wait for it
	sealAtOnce = 4                      // outlets: on SQLite their transactions share a commit
)

// Wake has the sealer look soon. It never blocks.
func (s *Sealer) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Run makes a pass whenever it is woken, but not more often than records gather,
// and now and then, until ctx ends.
func (s *Sealer) Run(ctx context.Context) error {
	for {
		_, held, err := s.Pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.log.ErrorContext(ctx, "seal records", "error", err)
		}
		gather := time.NewTimer(sealGather)
		select {
		case <-ctx.Done():
			gather.Stop()
			return nil
		case <-gather.C:
		}
		if held { // the other may have looked just too early
			continue
		}
		poll := time.NewTimer(sealPoll - sealGather)
		select {
		case <-ctx.Done():
			poll.Stop()
			return nil
		case <-s.woken:
		case <-poll.C:
		}
		poll.Stop()
	}
}

// Pass seals all that waits. It says how many records, and whether a log was left
// to somebody else. What goes wrong with one log keeps no other waiting.
func (s *Sealer) Pass(ctx context.Context) (total int, held bool, err error) {
	outlets, err := s.store.UnsealedOutlets(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("outlets with unsealed records: %w", err)
	}
	type result struct {
		n    int
		held bool
		err  error
	}
	results := make([]result, len(outlets))
	var work errgroup.Group
	work.SetLimit(sealAtOnce)
	for i, outlet := range outlets {
		work.Go(func() error {
			r := &results[i]
			for more := true; more; {
				var n int
				n, r.held, r.err = s.store.Seal(ctx, outlet, sealBatch)
				r.n, more = r.n+n, n >= sealBatch
			}
			if r.err != nil {
				r.err = fmt.Errorf("outlet %d: %w", outlet, r.err)
			}
			return nil
		})
	}
	_ = work.Wait() // each has its own
	var failures []error
	for _, r := range results {
		total, held, failures = total+r.n, held || r.held, append(failures, r.err)
	}
	return total, held, errors.Join(failures...)
}
