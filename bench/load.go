package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// feed makes one connection's requests, each of them new, into the same memory.
type feed interface {
	next() (request []byte)
	// check says what is wrong with the answer to the last request.
	check(body []byte) error
	items() int // of each request
}

// target is where requests go.
type target struct {
	addr  string
	feeds []feed // one a connection
}

// connect opens a connection for each feed.
func (t target) connect(ctx context.Context) (conns []*conn, closeAll func(), err error) {
	closeAll = func() {
		for _, c := range conns {
			c.close()
		}
	}
	for range t.feeds {
		c, err := dial(ctx, t.addr)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		conns = append(conns, c)
	}
	return conns, closeAll, nil
}

// closedLoop gives items a second: each connection sends its next request once
// the last is answered, until the time is over. What is then under way is waited
// for and counted, its time too.
func closedLoop(ctx context.Context, d time.Duration, targets ...target) (rate float64, err error) {
	var items atomic.Int64
	var work errgroup.Group
	start := make(chan struct{})
	var deadline time.Time
	for _, t := range targets {
		conns, closeAll, err := t.connect(ctx)
		if err != nil {
			return 0, err
		}
		defer closeAll()
		for i, c := range conns {
			work.Go(func() error {
				<-start
				for f := t.feeds[i]; ctx.Err() == nil && time.Now().Before(deadline); {
					if err := once(c, f); err != nil {
						return err
					}
					items.Add(int64(f.items()))
				}
				return ctx.Err()
			})
		}
	}
	began := time.Now()
	deadline = began.Add(d)
	close(start)
	err = work.Wait()
	return float64(items.Load()) / time.Since(began).Seconds(), err
}

// fixedLoop sends so many items in all and gives how many a second.
func fixedLoop(ctx context.Context, t target, items int) (rate float64, err error) {
	conns, closeAll, err := t.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer closeAll()
	left := atomic.Int64{}
	left.Store(int64(items))
	var work errgroup.Group
	began := time.Now()
	for i, c := range conns {
		work.Go(func() error {
			for f := t.feeds[i]; ctx.Err() == nil && left.Add(-int64(f.items())) >= 0; {
				if err := once(c, f); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	err = work.Wait()
	return float64(items) / time.Since(began).Seconds(), err
}

func once(c *conn, f feed) error {
	body, err := c.exchange(f.next())
	if err == nil {
		err = f.check(body)
	}
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}

// openLoop sends so many requests a second, whether or not earlier ones are
// answered, as long as a connection is free for them, and gives how long each
// took from when it was due. A slow answer thus counts for all that waited
// behind it. seen, if not nil, is told of each answer, from many goroutines.
func openLoop(ctx context.Context, t target, perSecond int, d time.Duration, seen func(body []byte, at time.Time)) ([]time.Duration, error) {
	conns, closeAll, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	count := int(d.Seconds() * float64(perSecond))
	due := make(chan time.Time, count) // never holds the clock up
	var mu sync.Mutex
	took := make([]time.Duration, 0, count)
	var work errgroup.Group
	for i, c := range conns {
		work.Go(func() error {
			f := t.feeds[i]
			for at := range due {
				body, err := c.exchange(f.next())
				answered := time.Now()
				if err == nil {
					err = f.check(body)
				}
				if err != nil {
					return fmt.Errorf("request: %w", err)
				}
				if seen != nil {
					seen(body, answered)
				}
				mu.Lock()
				took = append(took, answered.Sub(at))
				mu.Unlock()
			}
			return nil
		})
	}
	began := time.Now()
	for i := range count {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(at))
		if ctx.Err() != nil {
			break
		}
		due <- at
	}
	close(due)
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return took, ctx.Err()
}
