package complaints

import (
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/feed"
)

// Outcome is what a change to a complaint leaves to keep beside it.
type Outcome struct {
	Event   feed.Type
	Message *Message
	Note    *Note
	Notices []Notice
	Ended   *Period // the round that the next one took the place of
	Fact    *evidence.Fact

	fields []evidence.Field // of the fact; none: there is none
}

// said is what the record of a change holds; by is a person of the outlet or of
// headquarters.
func said(action, by, text string) []evidence.Field {
	list := []evidence.Field{{Name: "action", Value: action}}
	if by != "" {
		list = append(list, evidence.Field{Name: "by", Value: by})
	}
	if text != "" {
		list = append(list, evidence.Field{Name: "text", Value: text})
	}
	return list
}

// takeUp is the outlet's first touch.
func (c *Complaint) takeUp(by string) {
	if c.Status.move(TakeUp) == nil {
		c.Handler = by
	}
}

// answer is the outlet's word to the consumer. It meets the clocks of the period.
func (c *Complaint) answer(id, by, text string, now time.Time) (Outcome, error) {
	if err := c.Status.move(Answer); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Event: feed.ComplaintAnswered, Message: &Message{ID: id, Author: FromOutlet, Text: text, At: now}, fields: said("answered", by, text)}
	if c.Handler == "" {
		c.Handler = by
	}
	c.endPause(now)
	c.Period.AnsweredAt = now
	if c.HandledAt.IsZero() {
		c.HandledAt = now
	}
	return out, nil
}

// pause stops the work clock for a reason that the consumer sees; note is for the
// consumer too.
func (c *Complaint) pause(id, by string, reason PauseReason, note string, now time.Time) (Outcome, error) {
	if !c.Status.owesAnswer() || c.Period.Pause != nil {
		return Outcome{}, &doorstep.ConflictError{Code: "not_in_this_state", Detail: "only a complaint that owes an answer and is not paused can be paused"}
	}
	c.takeUp(by)
	c.Period.pause(reason, now)
	out := Outcome{Event: feed.ComplaintPaused, fields: append(said("paused", by, note), evidence.Field{Name: "reason", Value: string(reason)})}
	if note != "" {
		out.Message = &Message{ID: id, Author: FromOutlet, Text: note, At: now}
	}
	return out, nil
}

func (c *Complaint) resume(now time.Time) Outcome {
	out := Outcome{Event: feed.ComplaintResumed, fields: said("resumed", "", "")}
	c.endPause(now)
	return out
}

func (c *Complaint) endPause(now time.Time) {
	if c.Period.Pause == nil {
		return
	}
	c.Period.resume(now)
}

// note is the outlet's word to itself.
func (c *Complaint) note(id, by, text string, now time.Time) Outcome {
	c.takeUp(by)
	return Outcome{Event: feed.ComplaintUpdated, Note: &Note{ID: id, By: by, Text: text, At: now}}
}

// recategorise moves the complaint to another category; the count of it moves
// too.
func (c *Complaint) recategorise(by string, to Category, reason string, noteID string, now time.Time) (Outcome, error) {
	if to == c.Category {
		return Outcome{}, &doorstep.ConflictError{Code: "same_category", Detail: "the complaint has this category already"}
	}
	was := c.Category
	c.takeUp(by)
	c.Category = to
	return Outcome{
		Event: feed.ComplaintUpdated, Note: &Note{ID: noteID, By: by, Text: reason, At: now},
		fields: append(said("recategorised", by, reason), evidence.Field{Name: "from", Value: string(was)}, evidence.Field{Name: "to", Value: string(to)}),
	}, nil
}

// add is something more that the consumer says. Any word of the consumer ends a
// pause.
func (c *Complaint) add(id, text string, now time.Time) (Outcome, error) {
	if !c.Status.IsOpen() {
		return Outcome{}, &doorstep.ConflictError{Code: "not_in_this_state", Detail: "the complaint is closed; it can be reopened"}
	}
	out := Outcome{Event: feed.ComplaintUpdated, fields: said("message", "", text)}
	c.hear(&out, id, text, now)
	return out, nil
}

// Hear is more of what the consumer says, by filing the same again.
func (c *Complaint) Hear(id, text string, now time.Time) Outcome {
	out := Outcome{Event: feed.ComplaintUpdated}
	c.hear(&out, id, text, now)
	return out
}

// hear keeps the consumer's words, and ends a pause.
func (c *Complaint) hear(out *Outcome, id, text string, now time.Time) {
	if text != "" {
		out.Message = &Message{ID: id, Author: FromConsumer, Text: text, At: now}
	}
	c.endPause(now)
}

// confirm is the consumer's word that the answer solved it.
func (c *Complaint) confirm(now time.Time) (Outcome, error) {
	if err := c.Status.move(Confirm); err != nil {
		return Outcome{}, err
	}
	c.ResolvedAt = now
	return Outcome{Event: feed.ComplaintClosed, fields: said("confirmed", "", "")}, nil
}

// dispute is the consumer's word that the answer does not solve it: the outlet
// owes another, in a period of its own.
func (c *Complaint) dispute(id, text string, rules Rules, now time.Time) (Outcome, error) {
	if err := c.Status.move(Dispute); err != nil {
		return Outcome{}, err
	}
	out := c.nextPeriod(ByDispute, rules, now)
	out.Event, out.fields = feed.ComplaintDisputed, said("disputed", "", text)
	c.hear(&out, id, text, now)
	return out, nil
}

// reopen takes a closed complaint up again, within ReopeningTime of its end.
func (c *Complaint) reopen(id, text string, rules Rules, now time.Time) (Outcome, error) {
	if slices.Contains(moves[Reopen].from, c.Status) && now.Sub(c.ResolvedAt) > ReopeningTime {
		return Outcome{}, &doorstep.ConflictError{Code: "too_late", Detail: "a complaint can be reopened within 15 days of its end"}
	}
	if err := c.Status.move(Reopen); err != nil {
		return Outcome{}, err
	}
	c.ResolvedAt = time.Time{}
	out := c.nextPeriod(ByReopening, rules, now)
	out.Event, out.fields = feed.ComplaintReopened, said("reopened", "", text)
	c.hear(&out, id, text, now)
	return out, nil
}

// withdraw ends the complaint because the consumer says so.
func (c *Complaint) withdraw(now time.Time) (Outcome, error) {
	if err := c.Status.move(Withdraw); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Event: feed.ComplaintClosed, fields: said("withdrawn", "", "")}
	c.endPause(now)
	c.ResolvedAt = now
	return out, nil
}

// expire ends an answered complaint that the consumer was silent about.
func (c *Complaint) expire(at time.Time) (Outcome, error) {
	if err := c.Status.move(Expire); err != nil {
		return Outcome{}, err
	}
	c.ResolvedAt = at
	return Outcome{Event: feed.ComplaintClosed, fields: said(string(c.Status), "", "")}, nil
}

func (c *Complaint) nextPeriod(by Opener, rules Rules, now time.Time) Outcome {
	ended := c.Period
	c.PausedFor += ended.PausedFor
	if c.ReopenedAt.IsZero() {
		c.ReopenedAt = now
	}
	c.Period = openPeriod(ended.No+1, by, now, rules)
	return Outcome{Ended: &ended}
}
