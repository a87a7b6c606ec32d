package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"doorstep"
	"doorstep/feed"
)

// Planned is an event that becomes a delivery.
type Planned struct {
	Seq    int64
	Object string // the id of what the event is about
}

// Claimed is a delivery that is this sender's until its lease ends.
type Claimed struct {
	Event feed.Event
	Lease string
}

// Queue is what a Sender needs kept.
type Queue interface {
	feed.Store
	// Behind lists enabled webhooks whose company's feed has gone on, without their
	// URLs and secrets.
	Behind(ctx context.Context) ([]Webhook, error)
	// Plan makes deliveries of events of w's company, in order, and moves w from
	// w.After on to through. False means that somebody else has moved it, or that it
	// is disabled: nothing was done. What was a delivery before becomes one again.
	Plan(ctx context.Context, w Webhook, through int64, list []Planned, now time.Time) (bool, error)
	// Due lists enabled webhooks with deliveries to attempt at now, without their
	// URLs and secrets.
	Due(ctx context.Context, now time.Time) ([]Webhook, error)
	// ClaimDeliveries leases due deliveries of an enabled webhook, those that have
	// waited longest first, at most limit. No two of them are about one object.
	ClaimDeliveries(ctx context.Context, company doorstep.CompanyNo, id string, now, until time.Time, limit int) (Webhook, []Claimed, error)
	// FinishDelivery has record change a webhook and a delivery and saves both,
	// unless the lease has passed to another. A delivery that ends lets the next one
	// about its object out of the queue. A webhook that record disables is told of
	// in the feed, in the same transaction.
	FinishDelivery(ctx context.Context, w Webhook, c Claimed, record func(*Webhook, *Delivery)) error
}

// Observer is told of what a sender does.
type Observer interface {
	WebhookAttempted(r Result)
	WebhookDisabled(because Reason)
}

// Config is what a Sender works with. Every field is needed.
type Config struct {
	Queue    Queue
	Receiver Receiver
	Observer Observer
	Now      func() time.Time
	Draw     func() float64 // 0 to 1
	Log      *slog.Logger
}

// Sender delivers. Any number may share a database: each delivery is one's at a
// time.
type Sender struct {
	Config

	woken chan struct{}
	work  sync.WaitGroup
	mu    sync.Mutex
	busy  map[string]bool // webhooks that are being served
}

// NewSender makes a sender.
func NewSender(cfg Config) *Sender {
	return &Sender{Config: cfg, woken: make(chan struct{}, 1), busy: map[string]bool{}}
}

const (
	poll      = 5 * time.Second // for retries, and for what other nodes have numbered
	planBatch = 200             // events in one transaction
	abreast   = 8               // requests under way to one webhook, from one node

	// Lease is how long a claim holds: an attempt has ended long before.
	Lease = time.Minute
)

// Wake has the sender look now. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Run looks whenever it is woken, and now and then, until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	defer s.work.Wait()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if err := s.look(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "look for webhooks", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.woken:
		case <-tick.C:
		}
	}
}

// Pass attempts all that is due and waits for it.
func (s *Sender) Pass(ctx context.Context) error {
	defer s.work.Wait()
	return s.look(ctx)
}

// look plans, and has each webhook with something due served on its own, so that
// a slow one delays nobody else.
func (s *Sender) look(ctx context.Context) error {
	planned := s.plan(ctx)
	due, err := s.Queue.Due(ctx, s.Now())
	for _, w := range due {
		if s.begin(w.ID) {
			s.work.Go(func() {
				defer s.end(w.ID)
				if err := s.serve(ctx, w.Company, w.ID); err != nil && ctx.Err() == nil {
					s.Log.ErrorContext(ctx, "serve webhook", "webhook", w.ID, "error", err)
				}
			})
		}
	}
	return errors.Join(planned, err)
}

func (s *Sender) begin(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] {
		return false
	}
	s.busy[id] = true
	return true
}

func (s *Sender) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, id)
}

// plan makes deliveries of what the feeds have gone on by.
func (s *Sender) plan(ctx context.Context) error {
	for {
		list, err := s.Queue.Behind(ctx)
		if err != nil {
			return err
		}
		moved := false
		var failures []error
		for _, w := range list {
			ok, err := s.planOne(ctx, w)
			if err != nil {
				failures = append(failures, fmt.Errorf("webhook %s: %w", w.ID, err))
			}
			moved = moved || ok
		}
		if !moved || failures != nil {
			return errors.Join(failures...)
		}
	}
}

func (s *Sender) planOne(ctx context.Context, w Webhook) (bool, error) {
	events, err := s.Queue.Events(ctx, w.Company, w.After, planBatch)
	if err != nil || len(events) == 0 {
		return false, err
	}
	var list []Planned
	for _, e := range events {
		if !w.Wants(e.Type) {
			continue
		}
		var object struct{ ID string }
		if err := json.Unmarshal(e.Object, &object); err != nil {
			return false, fmt.Errorf("event %d: %w", e.Seq, err)
		}
		list = append(list, Planned{Seq: e.Seq, Object: object.ID})
	}
	return s.Queue.Plan(ctx, w, events[len(events)-1].Seq, list, s.Now())
}

// serve attempts what is due at one webhook until nothing is.
func (s *Sender) serve(ctx context.Context, company doorstep.CompanyNo, id string) error {
	for {
		now := s.Now()
		w, batch, err := s.Queue.ClaimDeliveries(ctx, company, id, now, now.Add(Lease), abreast)
		if err != nil || len(batch) == 0 {
			return err
		}
		failures := make([]error, len(batch))
		var posts sync.WaitGroup
		for i, c := range batch {
			posts.Go(func() { failures[i] = s.attempt(ctx, w, c) })
		}
		posts.Wait()
		if err := errors.Join(failures...); err != nil {
			return err
		}
	}
}

func (s *Sender) attempt(ctx context.Context, w Webhook, c Claimed) error {
	m, err := w.message(c.Event, s.Now())
	if err != nil {
		return err
	}
	result := s.Receiver.Post(ctx, m)
	if ctx.Err() != nil { // we stop: that says nothing about the receiver
		return ctx.Err()
	}
	s.Observer.WebhookAttempted(result)
	var disabled Reason
	err = s.Queue.FinishDelivery(ctx, w, c, func(w *Webhook, d *Delivery) {
		was := w.Enabled()
		d.record(w, result, s.Now(), s.Draw())
		disabled = ""
		if was && !w.Enabled() {
			disabled = w.DisabledBecause
		}
	})
	if err == nil && disabled != "" {
		s.Observer.WebhookDisabled(disabled)
		s.Log.WarnContext(ctx, "webhook disabled", "webhook", w.ID, "reason", disabled)
	}
	return err
}
