// Package replay decides what a request meets that names itself with an
// idempotency key: nothing, an earlier run that has not ended, or its answer.
// It does no I/O.
package replay

import (
	"context"
	"errors"
	"net/http"
	"time"

	"doorstep"
)

const (
	// Kept is how long an answer can be had again, counted from the claim.
	Kept = 24 * time.Hour
	// Lease is how long a run may take before another request may take the
	// key over. A node that dies between the claim and the answer blocks its
	// key no longer than this.
	Lease = time.Minute
)

// ErrReused says that another request went out under the key before.
var ErrReused = errors.New("idempotency key belongs to another request")

// Scope is what a key belongs to: the same key of another token, or for
// another operation, is another key.
type Scope struct {
	TokenID   string
	Operation string // the operation's id in openapi.yaml
	Key       string // 1 to 255 printable ASCII characters
}

// Attempt is one arrival of a request.
type Attempt struct {
	Scope
	Consumer    doorstep.ConsumerID // whose request it is; "" of others
	Fingerprint [32]byte            // SHA-256 over path, query and body
	Claim       string              // unique to this arrival
	At          time.Time
}

// Answer is what the first run ended with.
type Answer struct {
	Status int
	Header http.Header // only what a replay needs: Content-Type, Location
	Body   []byte      // may hold a secret, such as a link: keep it encrypted
}

// Entry is what is kept for a scope.
type Entry struct {
	Fingerprint [32]byte
	Claim       string
	ClaimedAt   time.Time
	Answer      *Answer // nil while the run has not ended
}

// Meet says what the attempt meets in found, which is nil if nothing is kept.
// A nil answer and a nil error mean that the attempt may run: its own entry
// replaces found. Another request under the key gives ErrReused; a run that has
// not ended, a *doorstep.ConflictError.
func Meet(found *Entry, a Attempt) (*Answer, error) {
	if found == nil || !a.At.Before(found.ClaimedAt.Add(Kept)) {
		return nil, nil
	}
	if found.Fingerprint != a.Fingerprint {
		return nil, ErrReused
	}
	if found.Answer != nil {
		return found.Answer, nil
	}
	if a.At.Before(found.ClaimedAt.Add(Lease)) {
		return nil, &doorstep.ConflictError{
			Code: "idempotency_key_in_use", Detail: "the first request under this key has not ended",
		}
	}
	return nil, nil
}

// Entry is what an attempt that may run leaves behind.
func (a Attempt) Entry() Entry {
	return Entry{Fingerprint: a.Fingerprint, Claim: a.Claim, ClaimedAt: a.At}
}

// Store keeps entries.
type Store interface {
	// Begin loads the entry of a's scope, asks Meet, and keeps a.Entry() if a
	// may run, in one transaction. The results are Meet's.
	Begin(ctx context.Context, a Attempt) (*Answer, error)
	// Finish keeps the answer, unless another claim has taken the key over.
	Finish(ctx context.Context, a Attempt, answer Answer) error
	// Abandon frees the key, unless another claim has taken it over.
	Abandon(ctx context.Context, a Attempt) error
}
