package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// singles is calls of one dispatch, against a handler that only decodes.
func (s *stage) singles(ctx context.Context) (rows []Row, err error) {
	const connections = 64
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	echo, err := start(ctx, s.Program, nil, "bench-reference", "echo")
	if err != nil {
		return nil, err
	}
	defer echo.kill()
	ours := target{server.addr, feeds(connections, x.town.singles)}
	theirs := target{echo.addr, feeds(connections, func(i int) echoed { return echoed{x.town.singles(i)} })}
	if err := s.warmUp(ctx, ours, theirs); err != nil {
		return nil, err
	}
	row := Row{
		Name: "singles", Title: "single dispatches over 64 connections", Unit: "requests/s", Goal: &Goal{Must: 0.40, Aim: 0.70},
		Against: "an echo handler that decodes the same calls and answers",
	}
	row.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, ours) },
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, theirs) })
	return []Row{row.sum()}, err
}

func (s *stage) warmUp(ctx context.Context, targets ...target) error {
	for _, t := range targets {
		if _, err := closedLoop(ctx, s.Scale.Slice/2, t); err != nil {
			return err
		}
	}
	return nil
}

// perSecond is the given rate of the rows about time.
const perSecond = 1000

// latency is how long a dispatch takes at a given rate, against what the disk
// alone takes to keep a page.
func (s *stage) latency(ctx context.Context) (rows []Row, err error) {
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	t := target{server.addr, feeds(64, x.town.singles)}
	if err := s.warmUp(ctx, t); err != nil {
		return nil, err
	}
	row := Row{
		Name: "latency", Title: fmt.Sprintf("p99 of the answer at %d single dispatches a second, from when each was due", perSecond),
		Unit: "ms", Goal: &Goal{Must: 10, Aim: 6, AtMost: true}, Against: "the p99 of a bare 4 KiB append and fsync",
	}
	row.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (float64, error) {
			took, err := openLoop(ctx, t, perSecond, s.Scale.Paced, nil)
			return millis(Percentile(took, 0.99)), err
		},
		func(ctx context.Context) (float64, error) {
			took, err := appends(ctx, filepath.Join(x.dir, "appends"), s.Scale.Paced)
			return millis(Percentile(took, 0.99)), err
		})
	return []Row{row.sum()}, err
}

// appends writes 4 KiB to the end of a file and waits for the disk, again and
// again.
func appends(ctx context.Context, path string, d time.Duration) (took []time.Duration, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page := make([]byte, 4<<10)
	for deadline := time.Now().Add(d); ctx.Err() == nil; {
		began := time.Now()
		if began.After(deadline) {
			return took, nil
		}
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return nil, ctx.Err()
}
