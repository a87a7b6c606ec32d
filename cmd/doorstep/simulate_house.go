package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/access"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/feed"
	"doorstep/kpi"
	"doorstep/metrics"
	"doorstep/parcels"
	"doorstep/privacy"
	"doorstep/push"
	"doorstep/reading"
	"doorstep/store"
	"doorstep/telephony"
)

// simulatedHouse is a whole server on a simulated clock. Its workers make their
// passes when they are told to, where a server's wait on the real clock.
type simulatedHouse struct {
	clock  *simulatedClock
	ids    *simulatedIDs
	db     *store.DB
	office *access.Office
	keeper *kpi.Keeper
	ledger *evidence.Ledger
	base   string

	sender  worker
	hourly  []worker
	nightly []worker
}

// worker makes one pass and says how much it did.
type worker func(context.Context) (int, error)

// all repeats a worker's pass until nothing is left to do.
func (w worker) all(ctx context.Context) error {
	for {
		if n, err := w(ctx); n == 0 || err != nil {
			return err
		}
	}
}

// openHouse opens a database at a time. Its keys are fresh, so that a database with
// anything in it refuses to open: no clock of another year comes near real people.
func openHouse(ctx context.Context, where database, from time.Time) (*simulatedHouse, error) {
	h := &simulatedHouse{clock: &simulatedClock{}}
	h.clock.set(from)
	h.ids = &simulatedIDs{clock: h.clock}
	db, err := where.openBy(ctx, h.clock.Now, h.ids.makeID, alertsGather)
	h.db = db
	return h, err
}

// alertsGather is the settle window of a server.
const alertsGather = 20 * time.Second

// serve answers at a free port until ctx ends.
func (h *simulatedHouse) serve(ctx context.Context, log *slog.Logger, serving func(context.Context) error) error {
	reader, err := reading.New()
	if err != nil {
		return err
	}
	policy, err := telephony.LoadPolicy()
	if err != nil {
		return err
	}
	now := h.clock.Now
	sender := push.NewSender(push.Sender{
		Queue: h.db, Providers: map[string]push.Provider{push.FCM: everyPhone{}}, Content: push.ContentTags, Now: now,
		Draw: func() float64 { return 0 }, NewToken: func() string { return h.ids.makeUUID().String() }, Log: log, Rate: 10_000, InFlight: 1,
	})
	operations := newServer(h.db, reader, policy, &push.Bell{}, now, h.ids.makeID)
	operations.PublicURL = func() string { return h.base }
	measured := metrics.New(metrics.Config{
		Queue: h.db, Services: sender.Services, Streams: func() int { return 0 }, Now: now, Log: log,
	})
	operations.Inbox.Arrived = measured.Arrived
	h.office = operations.Office
	h.keeper = &kpi.Keeper{Store: h.db, Now: now, Log: log}
	h.ledger = operations.Ledger
	h.employ(sender, operations.Eraser, log)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.base = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		return serveHTTP(ctx, newHTTPServer(handler(operations, h.db, measured, now, log), log), listener)
	})
	work.Go(func() error {
		defer stop()
		return serving(ctx)
	})
	return work.Wait()
}

// employ lists the workers of a server, but those for providers' records, photos
// and web push, of which a town has none.
func (h *simulatedHouse) employ(sender *push.Sender, eraser *privacy.Eraser, log *slog.Logger) {
	now := h.clock.Now
	closer := push.Closer{Ledger: h.db, Now: now, Log: log}
	reviser := parcels.Reviser{Store: h.db, Now: now, NewID: h.ids.makeID, Log: log}
	watch := complaints.Watch{Store: h.db, Now: now, NewID: h.ids.makeID, Log: log}
	relay, sealer := feed.NewRelay(h.db, now, log), evidence.NewSealer(h.db, log)
	devices := push.Sweeper{Store: h.db, Now: now, Log: log}
	events := feed.Sweeper{Store: h.db, Now: now, Log: log}
	// Photos of the simulation are hashes: there are no bytes to delete.
	noBytes := func(context.Context) (int, error) { return 0, nil }
	retention := privacy.Sweeper{Store: h.db, Photos: noBytes, Now: now, Log: log}
	notary := evidence.Notary{Store: h.db, Ledger: h.ledger, Log: log}
	unheld := func(pass func(context.Context) (int, bool, error)) worker {
		return func(ctx context.Context) (int, error) {
			n, _, err := pass(ctx)
			return n, err
		}
	}
	h.sender = sender.SendDue
	h.hourly = []worker{reviser.ReviseDue, h.sender, closer.CloseDue, watch.Pass, unheld(relay.Pass), unheld(sealer.Pass)}
	h.nightly = []worker{eraser.EraseDue, devices.Sweep, events.Sweep, h.keeper.Pass, func(ctx context.Context) (int, error) {
		if _, err := retention.SweepAll(ctx); err != nil {
			return 0, err
		}
		_, err := notary.Pass(ctx)
		return 0, err
	}}
}

// everyPhone is a push service that reaches every phone.
type everyPhone struct{}

func (everyPhone) Name() string             { return push.FCM }
func (everyPhone) Check(push.Message) error { return nil }
func (everyPhone) Send(context.Context, push.Address, push.Message) push.Result {
	return push.Result{Outcome: push.Accepted, Code: "ok"}
}

// token makes a token of a company that lasts the whole simulation.
func (h *simulatedHouse) token(ctx context.Context, company string, who access.Request) (string, error) {
	who.Company, who.TTL = company, simulatedTTL
	secret, err := h.office.Create(ctx, who)
	if err != nil {
		return "", fmt.Errorf("token of a %s: %w", who.Role, err)
	}
	return secret, nil
}

// simulatedTTL outlasts the longest town.
const simulatedTTL = 400 * 24 * time.Hour

// logsAgree makes every log anew from its records.
func (h *simulatedHouse) logsAgree(ctx context.Context) error {
	return checkLogs(ctx, h.db, h.ledger, func(_ evidence.Log, _ int64, found error) error { return found })
}
