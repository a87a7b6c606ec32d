package telephony

import (
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Subject names a call or a message of a provider.
type Subject struct {
	Kind evidence.Kind
	ID   string
}

// Contact is a call or a message with all that was ever reported of it.
type Contact struct {
	Subject
	Reference string // as far as it is a waybill or the id of an intent
	Number    string // keyed hash of the masked number
	IntentID  string
	Parcel    Parcel // zero while it is of no known parcel
	Events    []Event
	StartedAt time.Time
}

// Parcel is whose delivery a contact was about.
type Parcel struct {
	Outlet    doorstep.OutletNo
	Waybill   doorstep.Waybill
	CourierNo int64
}

// Assigned says whether the parcel is known.
func (c Contact) Assigned() bool { return c.Parcel.Waybill != "" }

// MaxEvents bounds what is kept of one call or message: no provider reports as
// much.
const MaxEvents = 100

func (c Contact) has(key string) bool {
	return slices.ContainsFunc(c.Events, func(e Event) bool { return e.Key == key })
}

func (c *Contact) add(e Event) {
	c.Events = append(c.Events, e)
	c.StartedAt = earliest(c.StartedAt, e.StartedAt, e.At)
}

// fact is the evidence of one event: what it says itself. What the events of a
// contact come to is their fold.
func (c Contact) fact(p Provider, e Event, hash func(doorstep.Phone) string) evidence.Fact {
	id := "call_id"
	if c.Kind == evidence.Message {
		id = "message_id"
	}
	f := evidence.Fact{
		Outlet: c.Parcel.Outlet, Kind: c.Kind, Source: evidence.Provider, CourierNo: c.Parcel.CourierNo, Waybill: c.Parcel.Waybill,
		OccurredAt: e.At, ReceivedAt: e.Received,
		Fields: []evidence.Field{{Name: "provider", Value: string(p)}, {Name: id, Value: c.ID}, {Name: "event", Value: e.Key}, {Name: "state", Value: string(e.State)}},
	}
	say := func(name string, value string) {
		if value != "" {
			f.Fields = append(f.Fields, evidence.Field{Name: name, Value: value})
		}
	}
	at := func(name string, t time.Time) {
		if !t.IsZero() {
			say(name, t.Format(time.RFC3339Nano))
		}
	}
	if c.Kind == evidence.Call {
		say("direction", Call{Incoming: e.Incoming}.Direction())
		if e.Rang != evidence.Unknown {
			say("rang", e.Rang.String())
		}
	}
	at("started_at", e.StartedAt)
	at("ring_at", e.RingAt)
	at("answered_at", e.AnsweredAt)
	at("ended_at", e.EndedAt)
	say("ended_by", string(e.EndedBy))
	say("intent_id", c.IntentID)
	for name, number := range map[string]doorstep.Phone{"masked_number": e.Number, "peer": e.Peer} {
		if number != "" {
			say(name, number.Masked())
			say(name+"_hash", hash(number))
		}
	}
	return f
}
