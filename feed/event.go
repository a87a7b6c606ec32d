// Package feed tells a company's systems what happened, as events in one order
// that never changes: each has a number, and no number appears before one that
// is lower.
package feed

import (
	"context"
	"encoding/json"
	"time"

	"doorstep"
)

// Type says what an event is about.
type Type string

// ConsumerMessage is a message to a consumer, which the carrier passes on by its
// own channel. Its object is an outreach.Message.
const ConsumerMessage Type = "consumer.message"

// Types lists them. A new one is a line here, one in openapi.yaml, and whoever
// writes it to the store with its cause.
var Types = []Type{ConsumerMessage}

// Event is one entry of a feed.
type Event struct {
	Seq      int64 // in the company's feed, from 1, without gaps
	Type     Type
	Object   json.RawMessage // the whole object as it was then
	Sequence int64           // of this object, from 1: of two events the higher is the newer
	At       time.Time
}

// Store is what a Reader needs kept.
type Store interface {
	// Events lists a company's events after a number, in order, at most limit.
	Events(ctx context.Context, company doorstep.CompanyNo, after int64, limit int) ([]Event, error)
}

// Reader shows feeds.
type Reader struct{ Store Store }

// Events lists the events of the caller's company after a number.
func (r *Reader) Events(ctx context.Context, a doorstep.Actor, after int64, limit int) ([]Event, error) {
	return r.Store.Events(ctx, a.Company, after, limit)
}
