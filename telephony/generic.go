package telephony

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"doorstep"
	"doorstep/evidence"
)

// genericEvent is an event as the carrier's own systems send it.
type genericEvent struct {
	EventID    string  `json:"event_id"`
	CallID     string  `json:"call_id"`
	MessageID  string  `json:"message_id"`
	Kind       string  `json:"kind"`
	Waybill    *string `json:"waybill"`
	Reference  *string `json:"reference"`
	State      string  `json:"state"`
	Sequence   int64   `json:"sequence"`
	At         string  `json:"at"`
	RingAt     *string `json:"ring_at"`
	AnsweredAt *string `json:"answered_at"`
	EndedAt    *string `json:"ended_at"`
	EndedBy    *string `json:"ended_by"`
	Direction  *string `json:"direction"`
	Number     *string `json:"masked_number"`
}

// splitGeneric takes {"events": [...]} apart.
func splitGeneric(d Delivery) ([][]byte, error) {
	var batch struct {
		Events []jsontext.Value `json:"events"`
	}
	if err := json.Unmarshal(d.Body, &batch); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if len(batch.Events) == 0 || len(batch.Events) > MaxRecords {
		return nil, evidence.ErrBatchSize("/events", MaxRecords)
	}
	list := make([][]byte, len(batch.Events))
	for i, v := range batch.Events {
		list[i] = bytes.Clone(v)
	}
	return list, nil
}

func readGeneric(raw []byte, now time.Time) (Event, error) {
	var g genericEvent
	if err := json.Unmarshal(raw, &g, json.RejectUnknownMembers(true)); err != nil {
		return Event{}, malformed("")
	}
	var checks doorstep.Checks
	at := func(pointer string, s *string) time.Time {
		if s == nil {
			return time.Time{}
		}
		return doorstep.ParseEventTime(pointer, *s, now, &checks)
	}
	e := Event{
		Key: text("/event_id", g.EventID, maxKey, &checks), Kind: evidence.Kind(g.Kind), State: State(g.State), Sequence: g.Sequence,
		At: at("/at", &g.At), RingAt: at("/ring_at", g.RingAt), AnsweredAt: at("/answered_at", g.AnsweredAt), EndedAt: at("/ended_at", g.EndedAt),
	}
	id, states := "", callStates
	switch e.Kind {
	case evidence.Call:
		e.Subject, id = g.CallID, "/call_id"
		if g.MessageID != "" {
			checks.Add("/message_id", "not_of_this_kind", "calls have none")
		}
	case evidence.Message:
		e.Subject, id, states = g.MessageID, "/message_id", messageStates
		for name, given := range map[string]bool{
			"call_id": g.CallID != "", "ring_at": g.RingAt != nil, "answered_at": g.AnsweredAt != nil, "ended_at": g.EndedAt != nil, "ended_by": g.EndedBy != nil,
		} {
			if given {
				checks.Add("/"+name, "not_of_this_kind", "messages have none")
			}
		}
	default:
		checks.Add("/kind", "unknown_kind", "must be call or message")
		return e, checks.Err()
	}
	e.Subject = text(id, e.Subject, maxSubject, &checks)
	if !slices.Contains(states, e.State) {
		checks.Add("/state", "not_allowed", fmt.Sprintf("must be one of %v", states))
	}
	if g.EndedBy != nil {
		if e.EndedBy = Party(*g.EndedBy); !slices.Contains(parties, e.EndedBy) {
			checks.Add("/ended_by", "not_allowed", fmt.Sprintf("must be one of %v", parties))
		}
	}
	if g.Direction != nil {
		if e.Incoming = *g.Direction == "incoming"; !e.Incoming && *g.Direction != "outgoing" {
			checks.Add("/direction", "not_allowed", "must be outgoing or incoming")
		}
	}
	var err error
	if g.Number != nil {
		e.Number, err = doorstep.ParsePhone(*g.Number)
		checks.Under("/masked_number", err)
	}
	if g.Reference != nil {
		e.Reference = text("/reference", *g.Reference, maxSubject, &checks)
	}
	if g.Waybill != nil {
		var w doorstep.Waybill
		w, err = doorstep.ParseWaybill(*g.Waybill)
		checks.Under("/waybill", err)
		e.Reference = string(w)
	}
	e.settle()
	return e, checks.Err()
}

// settle draws what a state says by itself from the time of the event.
func (e *Event) settle() {
	switch {
	case e.Kind != evidence.Call:
	case e.State == Ringing && e.RingAt.IsZero():
		e.RingAt = e.At
	case e.State == Answered && e.AnsweredAt.IsZero():
		e.AnsweredAt = e.At
	case e.State.Terminal():
		if e.EndedAt.IsZero() {
			e.EndedAt = e.At
		}
		if (e.State == Busy || e.State == Failed) && e.RingAt.IsZero() {
			e.Rang = evidence.False
		}
	}
}
