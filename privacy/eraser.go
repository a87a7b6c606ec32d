package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// Held is why something waits.
type Held string

// The reasons.
const (
	HeldTurn      Held = ""          // it is not its turn yet, or failed and is tried again
	HeldComplaint Held = "complaint" // a complaint about the parcel is open
	HeldHold      Held = "hold"      // somebody at the carrier holds the parcel
)

// Request is a consumer's wish to be forgotten.
type Request struct {
	AskedAt  time.Time
	ErasedAt time.Time // zero while something waits
	Waiting  []Waiting
}

// Waiting is a parcel that is not erased yet.
type Waiting struct {
	Parcel
	Because Held
}

// Erasing is a parcel whose turn has come.
type Erasing struct {
	Consumer doorstep.ConsumerID `db:"consumer_id"`
	Parcel
}

// EraseStore is what an Eraser needs kept.
type EraseStore interface {
	// Forget deletes what a consumer wants, what was learned of him and what he was
	// told, stops learning, ends his other tokens, and notes his parcels for erasure.
	Forget(ctx context.Context, a doorstep.Actor, now time.Time) error
	// Erasing lists parcels whose turn has come: of one consumer or, with "", of
	// any.
	Erasing(ctx context.Context, of doorstep.ConsumerID, now time.Time, limit int) ([]Erasing, error)
	// EraseParcel erases what is known of the consumer in a parcel, its
	// complaints and its records, or says what holds it.
	EraseParcel(ctx context.Context, e Erasing, now time.Time) (Held, error)
	// PutOff notes why a parcel on a consumer's list waits, and when to look again.
	PutOff(ctx context.Context, e Erasing, held Held, again time.Time) error
	// Settle takes a parcel off a consumer's list. With the last one the erasure is
	// complete.
	Settle(ctx context.Context, e Erasing, now time.Time) error
	// Request finds a consumer's wish to be forgotten, with at most limit parcels
	// that wait. ErrNotFound if there was none.
	Request(ctx context.Context, a doorstep.Actor, limit int) (Request, error)
	Scrub(ctx context.Context) error
}

// Eraser forgets consumers who ask for it. Any number may share a database: what
// was begun is finished by whoever comes next.
type Eraser struct {
	Store EraseStore
	// Recall takes back what couriers on the road were told of wishes that have
	// changed; parcels.Reviser does. It says how many consumers it dealt with.
	Recall func(context.Context) (int, error)
	// Photos deletes the bytes of photos that were erased: as a Sweeper's.
	Photos func(context.Context) (int, error)
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	eraseInterval = time.Minute
	eraseBatch    = 100       // parcels a pass
	heldAgain     = time.Hour // how often a held parcel is looked at
	shownWaiting  = 200       // parcels, in a request
	mostRecalls   = 10        // passes
)

// Erase forgets the consumer: at once, but for parcels with an open complaint or
// a hold. Those are kept for that alone and go when it ends.
func (e *Eraser) Erase(ctx context.Context, a doorstep.Actor) error {
	if !a.IsPerson() {
		return doorstep.ErrPersonRequired
	}
	if err := e.Store.Forget(ctx, a, e.Now()); err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	for range mostRecalls {
		n, err := e.Recall(ctx)
		if err != nil {
			return fmt.Errorf("recall: %w", err)
		}
		if n == 0 {
			break
		}
	}
	for n := 1; n > 0; {
		var err error
		if n, err = e.erase(ctx, a.Consumer); err != nil && n == 0 {
			return err
		} else if err != nil {
			e.Log.ErrorContext(ctx, "erase", "error", err) // put off: the passes go on
		}
	}
	// The wish is kept and done; bytes that are left on a disk go with the next sweep.
	if err := e.clean(ctx); err != nil {
		e.Log.ErrorContext(ctx, "erase: bytes", "error", err)
	}
	return nil
}

// Request says how a consumer's wish to be forgotten stands.
func (e *Eraser) Request(ctx context.Context, a doorstep.Actor) (Request, error) {
	if !a.IsPerson() {
		return Request{}, doorstep.ErrPersonRequired
	}
	return e.Store.Request(ctx, a, shownWaiting)
}

// Run repeats EraseDue until ctx ends.
func (e *Eraser) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, eraseInterval, e.EraseDue, func(err error) {
		e.Log.ErrorContext(ctx, "erase", "error", err)
	})
}

// EraseDue makes one pass over what waits, of all consumers, and says how many
// parcels it dealt with.
func (e *Eraser) EraseDue(ctx context.Context) (int, error) {
	n, err := e.erase(ctx, "")
	if n > 0 {
		err = errors.Join(err, e.clean(ctx))
	}
	return n, err
}

// clean sees to it that what was erased is on no disk.
func (e *Eraser) clean(ctx context.Context) error {
	return errors.Join(sweepPhotos(ctx, e.Photos), e.Store.Scrub(ctx))
}

// erase deals with a batch and says how many parcels that were. One that fails is
// put off, so that none waits behind it.
func (e *Eraser) erase(ctx context.Context, of doorstep.ConsumerID) (int, error) {
	now := e.Now()
	list, err := e.Store.Erasing(ctx, of, now, eraseBatch)
	if err != nil {
		return 0, fmt.Errorf("parcels to erase: %w", err)
	}
	var failures []error
	for _, one := range list {
		held, err := e.Store.EraseParcel(ctx, one, now)
		if err == nil && held == HeldTurn {
			err = e.Store.Settle(ctx, one, now)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("parcel at outlet %d: %w", one.Outlet, err))
		}
		if err != nil || held != HeldTurn {
			if err := e.Store.PutOff(ctx, one, held, now.Add(heldAgain)); err != nil {
				return 0, errors.Join(append(failures, fmt.Errorf("put off: %w", err))...)
			}
		}
	}
	return len(list), errors.Join(failures...)
}
