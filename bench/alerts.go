package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"doorstep"
	"doorstep/access"
	"doorstep/push"
	"doorstep/store"

	"golang.org/x/sync/errgroup"
)

// patience bounds how long what is under way may take to arrive.
const patience = 2 * time.Minute

// alerts is how long after a dispatch's answer its alert is with FCM.
func (s *stage) alerts(ctx context.Context) (rows []Row, err error) {
	const connections = 64
	x, phones, err := s.newRingingSite(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { x.closeInto(&err); err = errors.Join(err, phones.close()) }()
	server, err := x.servePhones(ctx, phones, usualInFlight)
	if err != nil {
		return nil, err
	}
	t := target{server.addr, feeds(connections, func(i int) *orders { return x.town.alerts(i, connections, s.Scale.Phones, 1) })}
	if _, err := openLoop(ctx, t, perSecond, s.Scale.Paced/2, nil); err != nil { // warms up
		return nil, err
	}
	row := Row{
		Name: "alerts", Title: fmt.Sprintf("p99 from a dispatch's answer to its alert's arrival at FCM's stand-in, %d alerts a second, each a push of its own", perSecond),
		Unit: "ms", Goal: &Goal{Must: 25, Aim: 5, AtMost: true},
	}
	row.Runs, err = s.pairs(ctx, func(ctx context.Context) (float64, error) {
		var mu sync.Mutex
		answered := map[string]time.Time{}
		_, err := openLoop(ctx, t, perSecond, s.Scale.Paced, func(body []byte, at time.Time) {
			id := alertOf(body)
			mu.Lock()
			defer mu.Unlock()
			answered[id] = at
		})
		if err != nil {
			return 0, err
		}
		took, err := arrivals(ctx, phones, answered)
		return millis(Percentile(took, 0.99)), err
	}, nil)
	if err != nil {
		return nil, err
	}
	if _, again := phones.alertsHeard(); again > 0 {
		return nil, fmt.Errorf("%d alerts were sent twice", again)
	}
	return []Row{row.sum()}, nil
}

// alertOf is the alert of a single dispatch's answer.
func alertOf(body []byte) string {
	_, rest, _ := bytes.Cut(body, []byte(`"alert_id":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id)
}

// arrivals is how long after its answer each alert arrived, at least 0: a push
// may be faster than the answer.
func arrivals(ctx context.Context, phones *phones, answered map[string]time.Time) (took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for id, at := range answered {
		for {
			if arrived, ok := phones.heard(id); ok {
				took = append(took, max(0, arrived.Sub(at)))
				break
			}
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				return nil, fmt.Errorf("alert %q does not arrive: %w", id, err)
			}
		}
	}
	return took, nil
}

// newRingingSite is a new installation with wishes, whose couriers have phones
// at a stand-in for FCM.
func (s *stage) newRingingSite(ctx context.Context) (x *site, p *phones, err error) {
	if x, err = s.newTaughtSite(ctx); err != nil {
		return nil, nil, err
	}
	if p, err = newPhones(x.dir); err == nil {
		err = x.register(ctx, max(s.Scale.Phones, couriers))
	}
	if err != nil {
		x.closeInto(&err)
		return nil, nil, err
	}
	return x, p, nil
}

// register gives so many couriers a phone.
func (x *site) register(ctx context.Context, phones int) error {
	return x.with(ctx, func(db *store.DB) error {
		office := access.Office{Store: db}
		no, err := office.Store.Company(ctx, company)
		if err != nil {
			return err
		}
		inbox := push.Inbox{Store: db, Now: now}
		var work errgroup.Group
		work.SetLimit(32) // they share commits
		for i := range phones {
			work.Go(func() error {
				_, err := inbox.PutDevice(ctx, doorstep.Actor{Role: doorstep.RoleCourier, Company: no, Courier: courierID(i)}, push.DeviceRequest{
					InstallID: "phone", Provider: push.FCM, Address: fmt.Sprintf("token-%04d", i), Locale: "zh-CN",
				})
				return err
			})
		}
		return work.Wait()
	})
}
