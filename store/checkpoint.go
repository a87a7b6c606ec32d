package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// SQLite copies what was committed from the log into the file now and then. Left
// alone, the writer does so itself every 1,000 pages, with everybody waiting.
const (
	checkpointEvery = 100 * time.Millisecond
	checkpointRest  = 10 * time.Second // after one that failed
	checkpointPages = 4_000            // of 4 KiB: fewer are not worth the fsync
	longestLog      = 32_000           // pages; then the writer lends a hand, since a log that never empties grows for ever
)

// checkpointer empties SQLite's log beside the writer, on a connection of its
// own.
type checkpointer struct {
	pool    *sqlx.DB
	tooLong atomic.Bool // the writer should finish what is left
	stained atomic.Bool // the log may hold what was erased
	faults  chan error  // the last that nobody has heard of yet
	stop    context.CancelFunc
	stopped chan struct{}
}

func newCheckpointer(pool *sqlx.DB) *checkpointer {
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{pool: pool, faults: make(chan error, 1), stop: stop, stopped: make(chan struct{})}
	c.stained.Store(true) // by a process that ended before it could scrub
	go c.loop(ctx)
	return c
}

func (c *checkpointer) close() error {
	c.stop()
	<-c.stopped
	return c.pool.Close()
}

func (c *checkpointer) loop(ctx context.Context) {
	defer close(c.stopped)
	wait := checkpointEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = checkpointEvery
		if err := c.empty(ctx); err != nil && ctx.Err() == nil {
			c.report(err)
			wait = checkpointRest
		}
	}
}

// empty copies the log into the file, if it is worth it.
func (c *checkpointer) empty(ctx context.Context) error {
	log, err := checkpoint(ctx, c.pool, "noop") // which only looks
	if err != nil || log.Pages-log.Copied < checkpointPages {
		return err
	}
	if log, err = checkpoint(ctx, c.pool, "passive"); err == nil && log.Pages > longestLog {
		c.tooLong.Store(true)
	}
	return err
}

// help finishes, between two writes, what is left of a log that has grown too
// long: little.
func (c *checkpointer) help(writer *sqlx.DB) {
	if !c.tooLong.CompareAndSwap(true, false) {
		return
	}
	if _, err := checkpoint(context.Background(), writer, "passive"); err != nil {
		c.report(err)
	}
}

// scrubWait is how long a scrub waits for readers; writers wait meanwhile.
const scrubWait = time.Second

// scrub empties the log and cuts it off. A reader that stays leaves it stained.
func (c *checkpointer) scrub(ctx context.Context) error {
	if _, err := checkpoint(ctx, c.pool, "passive"); err != nil { // the bulk of it, with nobody waiting
		return err
	}
	conn, err := c.pool.Connx(ctx)
	if err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("pragma busy_timeout = %d", scrubWait.Milliseconds())); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	c.stained.Store(false) // before: what is erased meanwhile stains it again
	log, err := checkpoint(ctx, conn, "truncate")
	if err != nil || log.Busy {
		c.stained.Store(true)
	}
	return err
}

// report leaves a fault for Hear. It never blocks.
func (c *checkpointer) report(err error) {
	select {
	case c.faults <- err:
	default:
	}
}

// walState is how long SQLite's log is, and how much of it is in the file, in pages.
type walState struct {
	Busy   bool
	Pages  int `db:"log"`
	Copied int `db:"checkpointed"`
}

// checkpoint looks at the log ("noop"), or copies what nobody needs in it any
// more ("passive"). When all of it is copied the next write begins it anew.
func checkpoint(ctx context.Context, on sqlx.QueryerContext, mode string) (l walState, err error) {
	if err := sqlx.GetContext(ctx, on, &l, "pragma wal_checkpoint("+mode+")"); err != nil {
		return l, fmt.Errorf("checkpoint: %w", err)
	}
	return l, nil
}
