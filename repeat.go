package doorstep

import (
	"context"
	"time"
)

// Repeat makes a pass at once and then one every interval until ctx ends. A
// pass that found something to do is followed by another without waiting: there
// may be more. failed is told of passes that went wrong.
func Repeat(ctx context.Context, interval time.Duration, pass func(context.Context) (int, error), failed func(error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		n, err := pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			failed(err)
		} else if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
