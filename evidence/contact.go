package evidence

import (
	"slices"
	"time"
)

// What makes contacts count; evidence research and the grades of calls agree on
// these.
const (
	apart     = time.Minute      // closer tries are one: ten redials in a minute are one attempt
	fairRing  = 12.0             // seconds; a shorter ring that the courier ends is no fair attempt
	realTalk  = 10.0             // seconds; less is no agreement
	fairApart = 30 * time.Minute // between the attempts that show somebody unreachable
)

// contact is one call or message, folded from all records about it.
type contact struct {
	ids      []string
	source   Source
	at       time.Time
	isCall   bool
	inbound  bool // from the consumer
	rang     Truth
	answered Truth
	ring     *float64 // seconds until it was answered or ended
	talk     *float64 // seconds
	endedBy  string   // "courier", "consumer" or "platform"
	over     bool     // without an answer, as a provider says

	ringAt, answeredAt, endedAt time.Time // by a provider's clock

	sent, delivered, read, failed bool
	sentAt, deliveredAt, readAt   time.Time
	reply                         string // what the consumer chose
}

// contacts folds the calls and messages among the records, which are in order.
// Those of another courier than the case's are not his.
func contacts(c Case, records []Record) (list []*contact) {
	known := map[string]*contact{}
	for _, r := range records {
		if r.Kind != Call && r.Kind != Message || len(r.Values) == 0 {
			continue
		}
		if no := r.About.CourierNo; no != 0 && c.CourierNo != 0 && no != c.CourierNo {
			continue
		}
		key := string(r.Kind) + "|" + r.text(string(r.Kind)+"_id")
		k := known[key]
		if k == nil || r.text(string(r.Kind)+"_id") == "" {
			k = &contact{at: r.OccurredAt, source: r.About.Source, isCall: r.Kind == Call}
			known[key], list = k, append(list, k)
		}
		k.ids = append(k.ids, r.ID)
		k.source = weaker(k.source, r.About.Source)
		if r.Kind == Call {
			k.addCall(r)
		} else {
			k.addMessage(r)
		}
	}
	return list
}

// addCall takes over what a record says of a call: a phone's log, or one state
// that a provider told.
func (k *contact) addCall(r Record) {
	k.inbound = k.inbound || r.text("direction") == "incoming"
	if by := r.text("ended_by"); by != "" {
		k.endedBy = by
	}
	if r.About.Source != Provider {
		k.answered = Known(r.text("outcome") == "answered")
		if s, ok := r.number("duration_s"); ok && k.answered == True {
			k.talk = &s
		}
		return
	}
	k.ringAt, k.answeredAt, k.endedAt = firstOf(k.ringAt, r.moment("ring_at")), firstOf(k.answeredAt, r.moment("answered_at")), firstOf(k.endedAt, r.moment("ended_at"))
	k.over = k.over || slices.Contains(unanswered, r.text("state"))
	switch {
	case !k.answeredAt.IsZero() || r.text("state") == "answered":
		k.answered = True
	case k.over && k.answered == Unknown:
		k.answered = False
	}
	switch {
	case !k.ringAt.IsZero() || r.text("rang") == "true" || k.answered == True:
		k.rang = True
	case r.text("rang") == "false" && k.rang == Unknown:
		k.rang = False
	}
	k.ring, k.talk = span(k.ringAt, firstOf(k.answeredAt, k.endedAt)), span(k.answeredAt, k.endedAt)
}

// unanswered are the states in which a provider's call is over and nobody spoke.
var unanswered = []string{"no_answer", "busy", "rejected", "failed"}

// span is the seconds between two moments; nil if one is not known.
func span(from, to time.Time) *float64 {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	s := max(0, to.Sub(from).Seconds())
	return &s
}

func firstOf(moments ...time.Time) time.Time {
	for _, m := range moments {
		if !m.IsZero() {
			return m
		}
	}
	return time.Time{}
}

// addMessage takes over what a record says of a message: what somebody sent, a
// receipt of it, or what the consumer answered.
func (k *contact) addMessage(r Record) {
	word := r.text("outcome")
	if word == "" {
		word = r.text("state")
	}
	switch {
	case r.About.Source == Person:
		k.inbound, k.reply = true, word
	case word == "delivered":
		k.delivered, k.deliveredAt = true, r.OccurredAt
	case word == "read":
		k.read, k.readAt = true, r.OccurredAt
	case word == "failed":
		k.failed = true
	default:
		k.sent, k.sentAt = true, r.OccurredAt
	}
}

// fair says whether the consumer had a chance to answer the call.
func (k *contact) fair() Truth {
	switch {
	case k.answered == True:
		return True
	case k.rang == False:
		return False
	case k.ring == nil:
		return Unknown
	case *k.ring >= fairRing:
		return True
	case k.endedBy == "":
		return Unknown
	}
	return Known(k.endedBy != "courier")
}

// attempts are the tries to reach the consumer within a time, those that follow
// one closely not counted.
func attempts(list []*contact, from, to time.Time) (kept []*contact) {
	for _, k := range list {
		if k.inbound || k.at.Before(from) || !k.at.Before(to) {
			continue
		}
		if n := len(kept); n > 0 && k.at.Sub(kept[n-1].at) < apart {
			continue
		}
		kept = append(kept, k)
	}
	return kept
}

// trust orders the sources, the most independent first. One that nobody can name
// any more counts least.
var trust = []Source{Provider, Server, Device, Person, ""}

// weaker is the less independent of two sources: what rests on both rests on it.
func weaker(a, b Source) Source {
	return trust[max(slices.Index(trust, a), slices.Index(trust, b))]
}
