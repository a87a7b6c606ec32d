package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// teller prints the story and counts what was checked.
type teller struct {
	out    io.Writer
	began  time.Time
	steps  int
	checks int
}

// step begins a new one.
func (t *teller) step(title string) {
	t.steps++
	fmt.Fprintf(t.out, "\n%2d. %s  [%.1f s]\n", t.steps, title, time.Since(t.began).Seconds())
}

func (t *teller) say(format string, args ...any) {
	fmt.Fprintf(t.out, "    "+format+"\n", args...)
}

// check tells what should hold, and fails if it does not.
func (t *teller) check(holds bool, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if !holds {
		fmt.Fprintf(t.out, "    ✗ %s\n", what)
		return fmt.Errorf("step %d: this does not hold: %s", t.steps, what)
	}
	t.checks++
	fmt.Fprintf(t.out, "    ✓ %s\n", what)
	return nil
}

// Bounds of waiting for what happens by itself.
const (
	patience = 20 * time.Second
	glance   = 20 * time.Millisecond
)

// within looks until there is something to see, for as long as patience lasts.
func within(ctx context.Context, what string, look func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if there, err := look(); there || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
