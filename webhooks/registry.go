package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep"
	"doorstep/feed"
)

// Receiver reaches the carriers' systems.
type Receiver interface {
	// Check says whether requests may go to a URL. What is wrong with it is an
	// *AddressError.
	Check(ctx context.Context, url string) error
	// Post makes one attempt.
	Post(ctx context.Context, m Message) Result
}

// AddressError says why requests may not go to a URL.
type AddressError struct{ Code, Detail string }

func (e *AddressError) Error() string { return e.Code + ": " + e.Detail }

// Store is what a Registry needs kept.
type Store interface {
	// AddWebhook keeps a webhook, which begins at the end of the feed. Beyond most
	// there is a conflict.
	AddWebhook(ctx context.Context, w Webhook, most int) (Webhook, error)
	Webhook(ctx context.Context, company doorstep.CompanyNo, id string) (Webhook, error)
	// Webhooks lists a company's webhooks behind an id, the oldest first.
	Webhooks(ctx context.Context, company doorstep.CompanyNo, after string, limit int) ([]Webhook, error)
	// UpdateWebhook loads, changes and saves in one transaction. One that becomes
	// enabled has its waiting deliveries begin anew at now.
	UpdateWebhook(ctx context.Context, company doorstep.CompanyNo, id string, now time.Time, change func(*Webhook) error) (Webhook, error)
	RemoveWebhook(ctx context.Context, company doorstep.CompanyNo, id string) error
	// Deliveries lists those of a webhook before a number, the newest first; state
	// "" means all.
	Deliveries(ctx context.Context, company doorstep.CompanyNo, id string, state State, before int64, limit int) ([]Delivery, error)
	// UpdateDelivery loads, changes and saves in one transaction. An attempt that is
	// under way no longer counts.
	UpdateDelivery(ctx context.Context, company doorstep.CompanyNo, id string, seq int64, change func(Webhook, *Delivery) error) (Delivery, error)
}

// Registry is where a carrier's systems keep their webhooks.
type Registry struct {
	Store    Store
	Receiver Receiver
	Now      func() time.Time
	NewID    doorstep.IDMaker
	Random   io.Reader
	Wake     func() // has the sender look; nil: it looks by itself
}

func (r *Registry) wake() {
	if r.Wake != nil {
		r.Wake()
	}
}

// Create registers a webhook. Its secret is shown only now.
func (r *Registry) Create(ctx context.Context, a doorstep.Actor, in Settings) (Webhook, error) {
	types, description, err := r.check(ctx, in)
	if err != nil {
		return Webhook{}, err
	}
	secret, err := NewSecret(r.Random)
	if err != nil {
		return Webhook{}, err
	}
	return r.Store.AddWebhook(ctx, Webhook{
		ID: r.NewID(a.Company), Company: a.Company, URL: in.URL, Types: types, Description: description,
		Secrets: Secrets{Current: secret}, CreatedAt: r.Now(),
	}, Most)
}

// check validates settings and has the address looked at.
func (r *Registry) check(ctx context.Context, in Settings) (types []feed.Type, description string, err error) {
	var checks doorstep.Checks
	types, description = in.check(&checks)
	var bad *AddressError
	switch err := r.Receiver.Check(ctx, in.URL); {
	case errors.As(err, &bad):
		checks.Add("/url", bad.Code, bad.Detail)
	case err != nil:
		return nil, "", fmt.Errorf("check address: %w", err)
	}
	return types, description, checks.Err()
}

// Webhook shows one.
func (r *Registry) Webhook(ctx context.Context, a doorstep.Actor, id string) (Webhook, error) {
	return r.Store.Webhook(ctx, a.Company, id)
}

// Webhooks lists the company's behind an id, the oldest first.
func (r *Registry) Webhooks(ctx context.Context, a doorstep.Actor, after string, limit int) ([]Webhook, error) {
	return r.Store.Webhooks(ctx, a.Company, after, limit)
}

// Replace changes what the caller says of a webhook. One that is enabled again
// goes on where it stopped.
func (r *Registry) Replace(ctx context.Context, a doorstep.Actor, id string, in Settings) (Webhook, error) {
	types, description, err := r.check(ctx, in)
	if err != nil {
		return Webhook{}, err
	}
	now := r.Now()
	w, err := r.Store.UpdateWebhook(ctx, a.Company, id, now, func(w *Webhook) error {
		w.URL, w.Types, w.Description = in.URL, types, description
		if in.Disabled {
			w.disable(ByCaller, now)
		} else if !w.Enabled() {
			w.enable()
		}
		return nil
	})
	if err == nil {
		r.wake()
	}
	return w, err
}

// Remove ends a webhook. What is under way may still arrive.
func (r *Registry) Remove(ctx context.Context, a doorstep.Actor, id string) error {
	return r.Store.RemoveWebhook(ctx, a.Company, id)
}

// Rotate gives a webhook a new secret, which is shown only now.
func (r *Registry) Rotate(ctx context.Context, a doorstep.Actor, id string) (Webhook, error) {
	secret, err := NewSecret(r.Random)
	if err != nil {
		return Webhook{}, err
	}
	now := r.Now()
	return r.Store.UpdateWebhook(ctx, a.Company, id, now, func(w *Webhook) error {
		w.Secrets.Rotate(secret, now)
		return nil
	})
}

// testType is of a message that stands in no feed.
const testType feed.Type = "webhook.test"

// Test sends a message at once, also to a webhook that is disabled, and says what
// became of it. It counts for nothing else.
func (r *Registry) Test(ctx context.Context, a doorstep.Actor, id string) (Result, error) {
	w, err := r.Store.Webhook(ctx, a.Company, id)
	if err != nil {
		return Result{}, err
	}
	object, err := json.Marshal(map[string]string{"id": w.ID})
	if err != nil {
		return Result{}, fmt.Errorf("test: %w", err)
	}
	now := r.Now()
	m, err := w.message(feed.Event{ID: r.NewID(a.Company), Type: testType, Object: object, At: now}, now)
	if err != nil {
		return Result{}, err
	}
	result := r.Receiver.Post(ctx, m)
	return result, ctx.Err()
}

// Deliveries lists those of a webhook before a number, the newest first.
func (r *Registry) Deliveries(ctx context.Context, a doorstep.Actor, id string, state State, before int64, limit int) ([]Delivery, error) {
	if _, err := r.Store.Webhook(ctx, a.Company, id); err != nil {
		return nil, err
	}
	return r.Store.Deliveries(ctx, a.Company, id, state, before, limit)
}

// Resend puts one delivery on its way again, whatever became of it.
func (r *Registry) Resend(ctx context.Context, a doorstep.Actor, id string, seq int64) (Delivery, error) {
	now := r.Now()
	d, err := r.Store.UpdateDelivery(ctx, a.Company, id, seq, func(w Webhook, d *Delivery) error {
		if !w.Enabled() {
			return errDisabled
		}
		if d.State == Queued {
			return &doorstep.ConflictError{Code: "delivery_queued", Detail: "an earlier event about the same object goes first"}
		}
		d.State, d.Attempts, d.DueAt = Waiting, 0, now
		return nil
	})
	if err == nil {
		r.wake()
	}
	return d, err
}

var errDisabled = &doorstep.ConflictError{Code: "webhook_disabled", Detail: "enable the webhook first"}

// Replay goes back in the feed: what stands after a number is sent again, in its
// order and under its old ids.
func (r *Registry) Replay(ctx context.Context, a doorstep.Actor, id string, after int64) (Webhook, error) {
	w, err := r.Store.UpdateWebhook(ctx, a.Company, id, r.Now(), func(w *Webhook) error {
		if after < 0 || after > w.After {
			var checks doorstep.Checks
			checks.Add("/after", "out_of_range", "must be 0 to the webhook's own `after`: going forward would leave events out")
			return checks.Err()
		}
		if !w.Enabled() {
			return errDisabled
		}
		w.After = after
		return nil
	})
	if err == nil {
		r.wake()
	}
	return w, err
}
