package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep/push"
	"doorstep/store"
)

// usualInFlight is the default of --push-in-flight.
const usualInFlight = 256

// drain is how fast a queue of alerts empties, against the bare SDK.
func (s *stage) drain(ctx context.Context) ([]Row, error) {
	return s.drains(ctx, Row{
		Name: "drain", Title: fmt.Sprintf("%d queued alerts, each a push of its own, sent and their outcomes written", s.Scale.Queue),
		Goal: &Goal{Must: 0.70, Aim: 0.90},
	}, 0, usualInFlight)
}

// delayed is the same where each answer takes as long as FCM's does. The goal
// is a rate, which does not follow from the SDK's.
func (s *stage) delayed(ctx context.Context) ([]Row, error) {
	const delay, inFlight = 40 * time.Millisecond, 1024
	rows, err := s.drains(ctx, Row{
		Name: "delayed", Title: fmt.Sprintf("the same with %v until FCM's answer, %d in flight; must reach 2000 messages/s", delay, inFlight),
	}, delay, inFlight)
	return rows, err
}

func (s *stage) drains(ctx context.Context, row Row, delay time.Duration, inFlight int) (rows []Row, err error) {
	x, phones, err := s.newRingingSite(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { x.closeInto(&err); err = errors.Join(err, phones.close()) }()
	phones.delay.Store(int64(delay))
	sdk, err := start(ctx, s.Program, []string{"SSL_CERT_FILE=" + phones.certificate},
		"bench-reference", "sdk", "--endpoint", phones.endpoint, "--in-flight", fmt.Sprint(inFlight))
	if err != nil {
		return nil, err
	}
	defer sdk.kill()
	row.Unit = "messages/s"
	row.Against = fmt.Sprintf("Send of the bare SDK with as many in flight (%d), the same message", inFlight)
	row.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (float64, error) { return x.emptyQueue(ctx, phones, inFlight) },
		func(context.Context) (float64, error) {
			phones.reset()
			err := sdk.orderSends(phones.sample, s.Scale.Queue)
			return float64(s.Scale.Queue) / time.Since(phones.begun()).Seconds(), err
		})
	return []Row{row.sum()}, err
}

// emptyQueue fills the queue while nobody sends, starts a sender, and gives how
// many messages a second left, from the first arrival until the last outcome was
// written.
func (x *site) emptyQueue(ctx context.Context, phones *phones, inFlight int) (float64, error) {
	const connections = 4
	queue, size := x.stage.Scale.Queue, min(unit, x.stage.Scale.Phones/connections)
	deaf, err := x.serve(ctx, "--push-settle", "0s")
	if err != nil {
		return 0, err
	}
	t := target{deaf.addr, feeds(connections, func(i int) *orders { return x.town.alerts(i, connections, x.stage.Scale.Phones, size) })}
	queue -= queue % size
	if _, err := fixedLoop(ctx, t, queue); err != nil {
		return 0, err
	}
	// What waits is composed: the queue is as an hour without FCM leaves it.
	if err := x.awaitBacklog(ctx, func(b push.Backlog) bool { return b.Gathering == 0 }); err != nil {
		return 0, err
	}
	if err := x.stop(deaf); err != nil {
		return 0, err
	}
	phones.reset()
	server, err := x.servePhones(ctx, phones, inFlight)
	if err != nil {
		return 0, err
	}
	if err := phones.await(ctx, queue); err != nil {
		return 0, err
	}
	if err := x.awaitBacklog(ctx, func(b push.Backlog) bool { return b.Queued+b.Leased == 0 }); err != nil {
		return 0, err
	}
	took := time.Since(phones.begun())
	if alerts, again := phones.alertsHeard(); alerts != queue || again > 0 {
		return 0, fmt.Errorf("%d of %d alerts arrived, %d of them again", alerts, queue, again)
	}
	return float64(queue) / took.Seconds(), x.stop(server)
}

// awaitBacklog looks at the queue until it is as it should be.
func (x *site) awaitBacklog(ctx context.Context, good func(push.Backlog) bool) error {
	return x.with(ctx, func(db *store.DB) error {
		for {
			b, err := db.Backlog(ctx, now())
			if err != nil || good(b) {
				return err
			}
			if err := pause(ctx, 5*time.Millisecond); err != nil {
				return err
			}
		}
	})
}
