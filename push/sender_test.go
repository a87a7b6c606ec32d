package push_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
)

// belt is a queue in memory. Deliveries go round on it until they end.
type belt struct {
	mu     sync.Mutex
	queued []push.Delivery
	leased int
	ended  []push.Ended
	hook   func() // called by each claim that takes something
}

// load puts deliveries of a provider on the belt, each to a device of its own.
func (b *belt) load(provider string, n int) {
	for i := range n {
		id := fmt.Sprint(provider, i)
		b.queued = append(b.queued, push.Delivery{
			Outlet: 1, ID: id, CourierNo: int64(i), DeviceID: id, Provider: provider, CreatedAt: time.Now().Add(-time.Duration(n-i) * time.Second), ExpiresAt: time.Now().Add(8 * time.Hour),
			Message: push.Message{Kind: push.KindDigest}, Address: push.Address{Kind: push.KindToken, Value: id},
		})
	}
}

func (b *belt) DueOutlets(_ context.Context, _ time.Time, providers []string, _ int) ([]doorstep.OutletNo, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.ContainsFunc(b.queued, func(d push.Delivery) bool { return slices.Contains(providers, d.Provider) }) {
		return []doorstep.OutletNo{1}, nil
	}
	return nil, nil
}

func (b *belt) Claim(_ context.Context, c push.Claim) (push.Claimed, error) {
	var list []push.Delivery
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, room := range c.Rooms {
		b.queued = slices.DeleteFunc(b.queued, func(d push.Delivery) bool {
			if d.Provider != room.Provider || room.Limit == 0 {
				return false
			}
			room.Limit--
			d.Attempt++
			list = append(list, d)
			return true
		})
	}
	b.leased += len(list)
	if b.hook != nil && len(list) > 0 {
		b.hook()
	}
	return push.Claimed{Deliveries: list}, nil
}

func (b *belt) Finish(_ context.Context, list []push.Ended) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leased -= len(list)
	b.ended = append(b.ended, list...)
	return nil
}

func (b *belt) TakeOver(context.Context, time.Time) error { return nil }

// is counts the deliveries that ended in a state.
func (b *belt) is(state push.State) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.ended {
		if e.State == state {
			n++
		}
	}
	return n
}

// tried counts the outcomes of attempts that were made in vain: what was claimed
// ahead and not begun goes back without one.
func (b *belt) tried() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.ended {
		if e.State == push.Queued && e.Code != "not_begun" {
			n++
		}
	}
	return n
}

// slow is a provider that answers the same after a while.
type slow struct {
	name   string
	takes  time.Duration
	answer push.Result
}

func (s slow) Name() string             { return s.name }
func (s slow) Check(push.Message) error { return nil }

func (s slow) Send(context.Context, push.Address, push.Message) push.Result {
	time.Sleep(s.takes)
	return s.answer
}

// running runs a sender of the providers, in a synctest bubble, until stop.
func running(b *belt, rate float64, inFlight int, providers ...push.Provider) (s *push.Sender, stop func() error) {
	byName := map[string]push.Provider{}
	for _, p := range providers {
		byName[p.Name()] = p
	}
	s = push.NewSender(push.Sender{
		Queue: b, Providers: byName, Now: time.Now, Draw: func() float64 { return 0 }, NewToken: func() string { return "token" },
		Log: slog.New(slog.DiscardHandler), Rate: rate, InFlight: inFlight,
	})
	ctx, cancel := context.WithCancel(context.Background())
	b.mu.Lock()
	if b.hook != nil {
		b.hook = cancel
	}
	b.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() error {
		cancel()
		return <-done
	}
}

func TestWhatWasClaimedAndNotBegunGoesBackUnspent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{hook: func() {}} // the server is told to stop while it claims
		b.load("fcm", 3)
		_, stop := running(b, 100, 8, slow{"fcm", 0, accepted})
		synctest.Wait()
		require.NoError(t, stop())
		require.Zero(t, b.leased)
		require.Len(t, b.ended, 3)
		for _, e := range b.ended {
			require.Equal(t, push.Queued, e.State)
			require.Equal(t, e.Delivery.CreatedAt, e.NextAt, "its old place")
			require.Zero(t, e.Attempts())
		}
	})
}

func TestAShutdownWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		b.load("fcm", 3)
		_, stop := running(b, 100, 2, slow{"fcm", 10 * time.Second, accepted})
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 10*time.Second, time.Since(begun))
		require.Equal(t, 2, b.is(push.Sent))
		require.Equal(t, 1, b.is(push.Queued), "it was claimed ahead, and goes back")
	})
}

func TestWhatOutlastsAShutdownKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		b.load("fcm", 1)
		_, stop := running(b, 100, 2, slow{"fcm", time.Minute, accepted})
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 12*time.Second, time.Since(begun))
		require.Empty(t, b.ended)
		require.Equal(t, 1, b.leased)
		time.Sleep(time.Minute) // by the bubble's clock
		require.Equal(t, 1, b.leased)
	})
}

func TestASenderKeepsToItsRate(t *testing.T) {
	for _, rate := range []int{5, 100} {
		synctest.Test(t, func(t *testing.T) {
			b := &belt{}
			b.load("fcm", 10*rate)
			_, stop := running(b, float64(rate), 64, slow{"fcm", time.Millisecond, accepted})
			time.Sleep(4 * time.Second)
			require.LessOrEqual(t, b.is(push.Sent), 5*rate, "four seconds, and the bucket")
			require.Greater(t, b.is(push.Sent), 5*rate*9/10)
			require.NoError(t, stop())
		})
	}
}

func TestAQuotaMakesTheWholeProviderWaitAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		b.load("fcm", 50)
		b.load("webpush", 50)
		answer := quota
		answer.After = 7 * time.Second
		_, stop := running(b, 1000, 4, slow{"fcm", 10 * time.Millisecond, answer}, slow{"webpush", 10 * time.Millisecond, accepted})
		time.Sleep(7 * time.Second)
		require.Equal(t, 4, b.tried(), "those under way")
		require.Equal(t, 50, b.is(push.Sent))
		time.Sleep(time.Second)
		require.Equal(t, 8, b.tried())
		require.NoError(t, stop())
		for _, e := range b.ended {
			if e.State == push.Queued && e.Code != "not_begun" {
				require.Zero(t, e.Attempts())
				require.Equal(t, e.At.Add(7*time.Second), e.NextAt)
			}
		}
	})
}

func TestAProviderThatHangsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		b.load("fcm", 500)
		b.load("webpush", 500)
		_, stop := running(b, 1000, 16, slow{"fcm", 10 * time.Second, lost}, slow{"webpush", time.Millisecond, accepted})
		time.Sleep(5 * time.Second)
		require.Equal(t, 500, b.is(push.Sent))

		// Of the one that hangs, no more are begun once five have ended.
		time.Sleep(24 * time.Second)
		require.GreaterOrEqual(t, b.tried(), 16)
		require.Less(t, b.tried(), 16+5)
		require.NoError(t, stop())
	})
}

func TestAWokenSenderLooksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		s, stop := running(b, 100, 2, slow{"fcm", 0, accepted})
		time.Sleep(100 * time.Millisecond)
		b.mu.Lock()
		b.load("fcm", 1)
		b.mu.Unlock()
		synctest.Wait()
		require.Zero(t, b.is(push.Sent))
		s.Wake()
		synctest.Wait()
		require.Equal(t, 1, b.is(push.Sent))
		require.NoError(t, stop())
	})
}

// A probe that fails says nothing about its delivery.
func TestWhileAProviderIsDownNoAttemptIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		b.load("fcm", 100)
		_, stop := running(b, 1000, 1, slow{"fcm", 0, refused})
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		spent := 0
		for _, e := range b.ended {
			spent += e.Attempts()
		}
		require.Equal(t, 5, spent)
		// 30 s, 1, 2, 4 and then every 5 min: 4 + 10 probes in what is left of the hour.
		require.Equal(t, 5+4+10, b.tried())
	})
}

func TestASenderTakesWhatADispatchClaimedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &belt{}
		s := push.NewSender(push.Sender{Queue: b, Now: time.Now})
		_, ok := s.Offer(1)
		require.False(t, ok, "it does not run yet")

		s, stop := running(b, 100, 2, slow{"fcm", time.Second, accepted})
		synctest.Wait()
		claim, ok := s.Offer(1)
		require.True(t, ok)
		require.Equal(t, []push.Room{{Provider: "fcm", Limit: 4}}, claim.Rooms, "one ahead for each place")
		b.load("fcm", 3)
		list := slices.Clone(b.queued)
		list[1].DeviceID = list[0].DeviceID // a phone that another claim has a message for, too
		b.queued = nil
		s.Take(list)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 2, b.is(push.Sent))
		require.Equal(t, 1, b.is(push.Queued), "a device has one message at a time")

		require.NoError(t, stop())
		_, ok = s.Offer(1)
		require.False(t, ok)
	})
}
