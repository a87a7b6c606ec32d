package complaints

import (
	"context"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/feed"
)

// act has one action decide on a complaint and keeps its record beside it.
func (d *Desk) act(ctx context.Context, a doorstep.Actor, id string, do func(c *Complaint, now time.Time) (Outcome, error)) (Complaint, error) {
	now := d.now()
	return d.Store.Change(ctx, a, id, func(c *Complaint) (Outcome, error) {
		out, err := do(c, now)
		if err == nil {
			out.record(*c, evidence.Person, d.NewID(c.Outlet), now)
		}
		return out, err
	})
}

// now is the present as it can be kept: to the millisecond.
func (d *Desk) now() time.Time { return d.Now().Truncate(time.Millisecond) }

// record makes the fact of an outcome that has one.
func (out *Outcome) record(c Complaint, source evidence.Source, id string, now time.Time) {
	if len(out.fields) == 0 {
		return
	}
	out.Fact = &evidence.Fact{
		ID: id, Outlet: c.Outlet, Kind: evidence.Complaint, Source: source, CourierNo: c.CourierNo, Waybill: c.Waybill,
		ComplaintID: c.ID, OccurredAt: now, ReceivedAt: now, Fields: out.fields,
	}
}

// words checks what a person wrote.
func words(pointer, text string, least int, checks *doorstep.Checks) string {
	text, err := doorstep.CheckText(text, least, maxText)
	checks.Under(pointer, err)
	return text
}

// Answer is the outlet's answer to the consumer.
func (d *Desk) Answer(ctx context.Context, a doorstep.Actor, id, text string) (Complaint, error) {
	var checks doorstep.Checks
	text = words("/text", text, 1, &checks)
	if err := checks.Err(); err != nil {
		return Complaint{}, err
	}
	return d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) {
		return c.answer(d.NewID(c.Outlet), a.Subject, text, now)
	})
}

// Pause stops the work clock. The consumer sees the reason and the note.
func (d *Desk) Pause(ctx context.Context, a doorstep.Actor, id, reason, note string) (Complaint, error) {
	var checks doorstep.Checks
	note = words("/note", note, 0, &checks)
	if !slices.Contains(PauseReasons, PauseReason(reason)) {
		checks.Add("/reason", "unknown_reason", "must be waiting_consumer, weather or customs")
	}
	if err := checks.Err(); err != nil {
		return Complaint{}, err
	}
	return d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) {
		return c.pause(d.NewID(c.Outlet), a.Subject, PauseReason(reason), note, now)
	})
}

// Recategorise moves the complaint to another category.
func (d *Desk) Recategorise(ctx context.Context, a doorstep.Actor, id, category, reason string) (Complaint, error) {
	var checks doorstep.Checks
	reason = words("/reason", reason, 1, &checks)
	if !slices.Contains(Categories, Category(category)) {
		checks.Add("/category", "unknown_category", "is not in the list of categories")
	}
	if err := checks.Err(); err != nil {
		return Complaint{}, err
	}
	return d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) {
		return c.recategorise(a.Subject, Category(category), reason, d.NewID(c.Outlet), now)
	})
}

// AddNote keeps a note that only the outlet and headquarters can read.
func (d *Desk) AddNote(ctx context.Context, a doorstep.Actor, id, text string) (Note, error) {
	var checks doorstep.Checks
	text = words("/text", text, 1, &checks)
	if err := checks.Err(); err != nil {
		return Note{}, err
	}
	var note Note
	_, err := d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) {
		out := c.note(d.NewID(c.Outlet), a.Subject, text, now)
		note = *out.Note
		return out, nil
	})
	return note, err
}

// Reroute sends the complaint to another outlet of the company, once.
func (d *Desk) Reroute(ctx context.Context, a doorstep.Actor, id, to, reason string) (Complaint, error) {
	var checks doorstep.Checks
	reason = words("/reason", reason, 1, &checks)
	to, err := doorstep.CheckID(to)
	checks.Under("/to", err)
	if err := checks.Err(); err != nil {
		return Complaint{}, err
	}
	now := d.now()
	return d.Store.Reroute(ctx, a, id, to, func(c *Complaint, newOutlet doorstep.OutletNo) (Outcome, error) {
		out, err := c.reroute(a.Subject, newOutlet, to, reason, d.NewID(newOutlet), now)
		if err == nil {
			out.record(*c, evidence.Person, d.NewID(c.Outlet), now)
			c.Outlet, c.RowID = newOutlet, d.NewID(newOutlet)
		}
		return out, err
	})
}

// Add is something more that the consumer says.
func (d *Desk) Add(ctx context.Context, a doorstep.Actor, id, text string) (Complaint, error) {
	return d.hear(ctx, a, id, text, 1, func(c *Complaint, text string, now time.Time) (Outcome, error) {
		return c.add(d.NewID(c.Outlet), text, now)
	})
}

// Confirm is the consumer's word that the answer solved it.
func (d *Desk) Confirm(ctx context.Context, a doorstep.Actor, id string) (Complaint, error) {
	return d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) { return c.confirm(now) })
}

// Dispute is the consumer's word that it did not; the text may be empty.
func (d *Desk) Dispute(ctx context.Context, a doorstep.Actor, id, text string) (Complaint, error) {
	return d.hear(ctx, a, id, text, 0, func(c *Complaint, text string, now time.Time) (Outcome, error) {
		return c.dispute(d.NewID(c.Outlet), text, RulesOf(c.OutletZone, c.Hours, now), now)
	})
}

// Reopen takes a closed complaint up again.
func (d *Desk) Reopen(ctx context.Context, a doorstep.Actor, id, text string) (Complaint, error) {
	return d.hear(ctx, a, id, text, 1, func(c *Complaint, text string, now time.Time) (Outcome, error) {
		return c.reopen(d.NewID(c.Outlet), text, RulesOf(c.OutletZone, c.Hours, now), now)
	})
}

// Withdraw ends the complaint because its consumer says so.
func (d *Desk) Withdraw(ctx context.Context, a doorstep.Actor, id string) (Complaint, error) {
	return d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) { return c.withdraw(now) })
}

func (d *Desk) hear(ctx context.Context, a doorstep.Actor, id, text string, least int,
	do func(c *Complaint, text string, now time.Time) (Outcome, error)) (Complaint, error) {
	var checks doorstep.Checks
	text = words("/text", text, least, &checks)
	if err := checks.Err(); err != nil {
		return Complaint{}, err
	}
	return d.act(ctx, a, id, func(c *Complaint, now time.Time) (Outcome, error) { return do(c, text, now) })
}

// Notes lists a complaint's notes.
func (d *Desk) Notes(ctx context.Context, a doorstep.Actor, id string) ([]Note, error) {
	return d.Store.ComplaintNotes(ctx, a, id)
}

// Notices lists what the caller is told of clocks, the newest first.
func (d *Desk) Notices(ctx context.Context, a doorstep.Actor, q NoticeQuery) ([]NoticeItem, error) {
	if q.Audience != "" && !slices.Contains(Audiences, q.Audience) {
		return nil, &doorstep.InvalidError{Fields: []doorstep.FieldError{{Pointer: "/audience", Code: "unknown_value", Detail: "must be courier, handler, manager, owner or hq"}}}
	}
	return d.Store.Notices(ctx, a, q)
}

// reroute sends the complaint to the outlet that ought to have had it, with the
// reason as a note. Its clocks go on as they are: the consumer was promised an
// answer, not an outlet.
func (c *Complaint) reroute(by string, to doorstep.OutletNo, toID, reason, noteID string, now time.Time) (Outcome, error) {
	switch {
	case to == c.Outlet:
		return Outcome{}, &doorstep.ConflictError{Code: "same_outlet", Detail: "the complaint is at this outlet already"}
	case c.Rerouted:
		return Outcome{}, &doorstep.ConflictError{Code: "already_rerouted", Detail: "a complaint is rerouted once"}
	case !c.Status.owesAnswer():
		return Outcome{}, &doorstep.ConflictError{Code: "not_in_this_state", Detail: "only a complaint that owes an answer can be rerouted"}
	}
	fields := append(said("rerouted", by, reason), evidence.Field{Name: "from", Value: c.OutletID}, evidence.Field{Name: "to", Value: toID})
	c.Rerouted, c.Handler, c.CourierNo = true, "", 0
	c.Routing.Rule = RerouteRule
	return Outcome{Event: feed.ComplaintRerouted, Note: &Note{ID: noteID, By: by, Text: reason, At: now}, fields: fields}, nil
}
