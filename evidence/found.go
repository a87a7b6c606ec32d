package evidence

import (
	"math"
	"slices"
	"time"
)

// Distances to the address, in metres. In between a fix proves nothing: a phone
// between tall houses is off by hundreds.
const (
	atAddress   = 100.0
	farFromIt   = 1000.0
	choiceIsPut = "relayed" // of a message that asks the consumer where to put the parcel
)

func (v *view) dispatchAt() Finding {
	if list := v.of(anyRecord, Dispatch); len(list) > 0 {
		last := list[len(list)-1]
		return shown(True, last.OccurredAt, last)
	}
	return v.notKept(Dispatch)
}

// alert is the last alert that was raised about the parcel: later versions take
// the place of earlier ones.
func (v *view) alert() (Record, bool) {
	list := v.of(func(r Record) bool { return r.has("alert_id") }, Alert)
	if len(list) == 0 {
		return Record{}, false
	}
	return list[len(list)-1], true
}

func (v *view) alertID() Finding {
	if a, ok := v.alert(); ok {
		return shown(True, a.text("alert_id"), a)
	}
	return v.notKept(Alert)
}

// told finds the first record of a kind that shows that the courier's alert got
// somewhere. Without an alert there is nothing to say.
func (v *view) told(kind Kind, words ...string) Finding {
	a, ok := v.alert()
	if !ok {
		return v.notSent(kind)
	}
	list := v.of(func(r Record) bool { return slices.Contains(words, r.text("outcome")+r.text("event")) }, kind)
	if len(list) > 0 {
		return shown(True, list[0].OccurredAt, list[0])
	}
	f := v.unlessErased(Finding{Truth: False, carried: []Kind{kind}})
	f.Records = []string{a.ID}
	if f.Truth == False {
		f.Source = Server
	}
	return f
}

func (v *view) alertPushedAt() Finding { return v.told(Push, "sent") }
func (v *view) alertDeliveredAt() Finding {
	return v.told(Receipt, "received", "shown", "opened", "acknowledged")
}
func (v *view) alertOpenedAt() Finding { return v.told(Receipt, "opened", "acknowledged") }

func (v *view) firstAttemptAt() Finding {
	if list := attempts(v.contacts, time.Time{}, never); len(list) > 0 {
		return shownBy(True, list[0].at, list[0])
	}
	return v.noContact(nil)
}

// never is later than any record.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// signedOrFiled is when the parcel was handed over, else when the complaint came.
func (v *view) signedOrFiled() time.Time {
	if v.sign != nil {
		return v.sign.OccurredAt
	}
	return v.c.FiledAt
}

func (v *view) attemptsBeforeSign() Finding {
	list := attempts(v.contacts, time.Time{}, v.signedOrFiled())
	if len(list) == 0 {
		return v.noContact(0)
	}
	return shownBy(True, len(list), list...)
}

func (v *view) attemptsAfterComplaint() Finding {
	list := attempts(v.contacts, v.c.FiledAt, never)
	if len(list) == 0 { // nobody said how the feeds were since
		return notTold(Call, Message)
	}
	return shownBy(True, len(list), list...)
}

// calls are the case's calls to the consumer that a provider tells of.
func (v *view) calls() (list []*contact) {
	for _, k := range v.contacts {
		if k.isCall && !k.inbound && k.source == Provider {
			list = append(list, k)
		}
	}
	return list
}

// realRing is false where a provider says of every call that it did not ring.
func (v *view) realRing() Finding {
	calls := v.calls()
	rang := False
	for _, k := range calls {
		if k.rang == True {
			return shownBy(True, true, k)
		}
		rang = rang.Or(k.rang) // one unknown makes it unknown
	}
	switch {
	case len(calls) == 0:
		return v.noContact(nil)
	case rang == Unknown:
		return notTold(Call)
	}
	return shownBy(False, false, calls...)
}

// longest is the call with the longest span; nil if no call has it.
func longest(list []*contact, of func(*contact) *float64) (best *contact) {
	for _, k := range list {
		if of(k) != nil && (best == nil || *of(k) > *of(best)) {
			best = k
		}
	}
	return best
}

func ringOf(k *contact) *float64 { return k.ring }
func talkOf(k *contact) *float64 { return k.talk }

// ringSeconds is false where every ring was so short, and ended by the courier,
// that nobody could have answered. One of which that is not known leaves it open.
func (v *view) ringSeconds() Finding {
	calls := v.calls()
	best := longest(calls, ringOf)
	switch {
	case len(calls) == 0:
		return v.noContact(nil)
	case best == nil:
		return notTold(Call)
	}
	fair := False
	for _, k := range calls {
		if k.ring != nil && k.fair() == True {
			return shownBy(True, seconds(*best.ring), best)
		}
		fair = fair.Or(k.fair())
	}
	if fair != False {
		return notTold(Call)
	}
	return shownBy(False, seconds(*best.ring), calls...)
}

func (v *view) talkSeconds() Finding {
	best := longest(v.contacts, talkOf)
	answered := func(k *contact) bool { return k.answered == True }
	switch {
	case best == nil && slices.ContainsFunc(v.contacts, answered):
		return notTold(Call)
	case best == nil:
		return v.noContact(nil)
	case *best.talk >= realTalk:
		return shownBy(True, seconds(*best.talk), best)
	}
	return shownBy(False, seconds(*best.talk), best)
}

// seconds rounds to what a provider's clock tells apart.
func seconds(s float64) float64 { return math.Round(s*10) / 10 }

// reachable is false where fair attempts, at least two and half an hour apart,
// were not answered.
func (v *view) reachable() Finding {
	var fair []*contact
	for _, k := range v.contacts {
		switch {
		case !k.isCall:
		case k.answered == True:
			return shownBy(True, true, k)
		case !k.inbound && k.answered == False && k.fair() == True:
			fair = append(fair, k)
		}
	}
	if len(fair) > 1 && fair[len(fair)-1].at.Sub(fair[0].at) >= fairApart {
		return shownBy(False, false, fair...)
	}
	return notTold(Call)
}

// deliveredAt is false where a provider says of every message that it failed.
func (v *view) deliveredAt() Finding {
	var sent []*contact
	failed := true
	for _, k := range v.contacts {
		if k.isCall || k.inbound {
			continue
		}
		if k.delivered || k.read {
			return shownBy(True, firstOf(k.deliveredAt, k.readAt), k)
		}
		sent, failed = append(sent, k), failed && k.failed
	}
	switch {
	case len(sent) == 0:
		return v.noContact(nil)
	case failed:
		return shownBy(False, nil, sent...)
	}
	return notTold(Message) // sent, and no more is known
}

func (v *view) readAt() Finding {
	for _, k := range v.contacts {
		if k.read {
			return shownBy(True, k.readAt, k)
		}
	}
	return notTold(Message) // most networks never say
}

func (v *view) reply() Finding {
	for _, k := range slices.Backward(v.contacts) {
		if k.reply != "" {
			return shownBy(True, k.reply, k)
		}
	}
	asked := v.of(func(r Record) bool { return r.text("outcome") == choiceIsPut }, Message)
	if len(asked) > 0 {
		return shown(False, nil, asked...)
	}
	return v.notSent(Message)
}

func (v *view) failedAttempts() Finding {
	if list := v.of(anyRecord, Attempt); len(list) > 0 {
		return shown(True, len(list), list...)
	}
	return v.notSent(Attempt)
}

func (v *view) signAt() Finding {
	if v.sign == nil {
		return v.notKept(SignFor)
	}
	return shown(True, v.sign.OccurredAt, *v.sign)
}

func (v *view) signKind() Finding {
	if v.sign == nil {
		return v.notKept(SignFor)
	}
	return shown(True, v.sign.text("method"), *v.sign)
}

// consentKind is what the consent gate found when the parcel was handed over. It
// is our server's own judgement, whoever asked for it.
func (v *view) consentKind() Finding {
	if v.sign == nil { // a standing consent is no record of this parcel
		return v.notSent(Consent, SignFor, Correction)
	}
	records := []Record{*v.sign}
	if id := v.sign.text("consent_id"); id != "" {
		records = append(records, v.of(func(r Record) bool { return r.text("consent_id") == id }, Consent)...)
	}
	f := shown(Unknown, v.sign.text("method"), records...)
	f.Source, f.carried = Server, []Kind{Consent, SignFor, Correction}
	switch v.sign.text("ground") {
	case "consent":
		f.Truth = True
	case "override":
		f.Truth = False
	case "in_person": // which needs none
		f.Truth, f.neutral = True, true
	}
	return f
}

// geoDistance is how far from the address the sign-for was at least: the
// distance less the fix's error, so that a bad fix convicts nobody.
func (v *view) geoDistance() Finding {
	if v.sign == nil {
		return v.notSent(SignFor)
	}
	metres, ok := v.sign.number("distance_m")
	if !ok {
		return v.notSent(SignFor)
	}
	f := shown(Unknown, metres, *v.sign)
	f.Source = weaker(f.Source, Device) // whoever keeps the record: a phone says where it was
	switch {
	case metres <= atAddress:
		f.Truth = True
	case metres > farFromIt:
		f.Truth = False
	}
	return f
}

func (v *view) photoHash() Finding {
	if v.sign != nil && v.sign.has("photo_sha256") {
		return shown(True, v.sign.text("photo_sha256"), *v.sign)
	}
	if list := v.of(func(r Record) bool { return r.has("sha256") }, Photo); len(list) > 0 {
		return shown(True, list[len(list)-1].text("sha256"), list[len(list)-1])
	}
	return v.notSent(Photo, SignFor)
}

func (v *view) photoTakenAt() Finding {
	list := v.of(func(r Record) bool { return !r.moment("taken_at").IsZero() }, Photo)
	if len(list) == 0 {
		return v.notSent(Photo)
	}
	last := list[len(list)-1]
	return shown(True, last.moment("taken_at"), last)
}
