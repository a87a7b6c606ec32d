// Package feed tells a company's systems what happened, as events in one order
// that never changes: each has a number, and no number appears before one that
// is lower.
package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"doorstep"
)

// Type says what an event is about.
type Type string

// ConsumerMessage is a message to a consumer, which the carrier passes on by its
// own channel. Its object is an outreach.Message.
const ConsumerMessage Type = "consumer.message"

// The types of events about complaints. Their object is the complaint as it was
// then, without anybody's words; a warning's and a breach's say whom they are for.
const (
	ComplaintFiled    Type = "complaint.filed"
	ComplaintUpdated  Type = "complaint.updated"
	ComplaintPaused   Type = "complaint.paused"
	ComplaintResumed  Type = "complaint.resumed"
	ComplaintAnswered Type = "complaint.answered"
	ComplaintDisputed Type = "complaint.disputed"
	ComplaintReopened Type = "complaint.reopened"
	ComplaintClosed   Type = "complaint.closed"
	ComplaintRerouted Type = "complaint.rerouted"
	ComplaintWarned   Type = "complaint.warned"
	ComplaintBreached Type = "complaint.breached"
)

// WebhookDisabled says that a webhook gets no more events, and why.
const WebhookDisabled Type = "webhook.disabled"

// Types lists them. A new one is a line here, one in openapi.yaml, and whoever
// writes it to the store with its cause.
var Types = []Type{
	ConsumerMessage, ComplaintFiled, ComplaintUpdated, ComplaintPaused, ComplaintResumed, ComplaintAnswered, ComplaintDisputed,
	ComplaintReopened, ComplaintClosed, ComplaintRerouted, ComplaintWarned, ComplaintBreached, WebhookDisabled,
}

// Event is one entry of a feed.
type Event struct {
	ID       string // ours, the same for ever
	Seq      int64  // in the company's feed, from 1, without gaps
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

// Events lists the events of the caller's company after a number. Only the
// carrier's systems get the links: whoever has one can answer for a consumer.
func (r *Reader) Events(ctx context.Context, a doorstep.Actor, after int64, limit int) ([]Event, error) {
	list, err := r.Store.Events(ctx, a.Company, after, limit)
	if err != nil || a.Role == doorstep.RoleIntegrator {
		return list, err
	}
	for i := range list {
		if err := list[i].withholdLink(); err != nil {
			return nil, fmt.Errorf("event %d: %w", list[i].Seq, err)
		}
	}
	return list, nil
}

func (e *Event) withholdLink() (err error) {
	var object map[string]json.RawMessage
	if err = json.Unmarshal(e.Object, &object); err != nil {
		return err
	}
	delete(object, "url")
	e.Object, err = json.Marshal(object)
	return err
}
