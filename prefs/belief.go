package prefs

import (
	"math"
	"slices"
	"time"
)

// The posterior of a learned tag is Beta(priorFor + for, priorAgainst +
// against): "one in four would mind", weak enough that one clear statement
// outweighs it. Evidence halves in weight every halfLife: households and jobs
// change on that scale, and it makes a single complaint count for a year.
const (
	priorFor     = 1.0
	priorAgainst = 3.0
	halfLife     = 180 * 24 * time.Hour
	otherAddress = 0.5 // of what speaks for a wish at another address

	// A level holds from the first probability on until it falls below the
	// second, so that one click or one week does not turn it on and off.
	adviseOn, adviseOff = 0.50, 0.40 // talk to the consumer first
	avoidOn, avoidOff   = 0.70, 0.60 // and avoidIncidents separate incidents
	avoidIncidents      = 2

	// rounding is what sums of powers may be off by.
	rounding = 1e-9
)

// belief is what the evidence says about a tag at one door.
type belief struct {
	supports  float64 // weights, as of asOf
	contrary  float64
	asOf      time.Time
	incidents int
	advise    bool
	avoid     bool
	since     time.Time // when advise began
}

// beliefs are those of all tags, in the vocabulary's order.
type beliefs [tagCount]belief

// weigh folds the evidence into what is believed at a door, as of now or of the
// newest piece of evidence: a clock that was set back makes nothing heavier.
//
// Levels change when something is said, and where decay crosses a threshold
// between. Between two events everything halves together, so the probability
// moves one way only, towards the prior: a level can end between them but not
// begin, and to look once, at the later event, is to have looked all the time.
// So what comes out depends on the rows and the clock, and not on who asked when.
//
// Tags that contradict each other share one posterior: what speaks for one speaks
// against the other, and when one takes hold the other ends. Where neither is
// stricter only what was said since the last contrary word counts.
//
// What was said of a tag while the consumer had it removed does not count where
// deciding is set: it is asked about, now and later.
func (p Profile) weigh(addressID string, now time.Time, deciding bool) (all beliefs) {
	evidence := p.Evidence
	if p.LearningOff || len(evidence) == 0 {
		return all
	}
	if !slices.IsSortedFunc(evidence, compareEvidence) {
		evidence = slices.Clone(evidence)
		slices.SortFunc(evidence, compareEvidence)
	}
	var room [16]gain
	l := limits{gains: room[:0]}
	for i := range l.last {
		l.last[i] = none
	}
	for i := range evidence {
		e := &evidence[i]
		no, known := tagNo[e.Tag]
		if !known || deciding && e.At.Before(p.mutedUntil(e.Tag)) {
			l.skip()
			continue
		}
		gained, incident := l.take(evidence, i, no)
		weight := gained * nearness(e, addressID)
		if weight == 0 {
			continue
		}
		all[no].move(e.At)
		if !e.supports() {
			all[no].contrary += weight
			all[no].settle(e.At)
			continue
		}
		if newer[no] && e.said() {
			all[no].contrary = 0
		}
		all[no].supports += weight
		if incident {
			all[no].incidents++
		}
		for _, o := range opposed[no] {
			all[o].move(e.At)
			if newer[no] && e.said() {
				all[o].supports, all[o].incidents = 0, 0
			}
			all[o].contrary += weight
			all[o].settle(e.At)
		}
		if all[no].settle(e.At) {
			for _, o := range opposed[no] {
				all[o].advise, all[o].avoid = false, false
			}
		}
	}
	for i := range all {
		all[i].move(now)
	}
	return all
}

// move lets time pass until t.
func (b *belief) move(t time.Time) {
	if b.asOf.IsZero() {
		b.asOf = t
	}
	if !t.After(b.asOf) {
		return
	}
	share := decay(t.Sub(b.asOf))
	b.supports, b.contrary, b.asOf = b.supports*share, b.contrary*share, t
	b.fall()
}

// fall ends the levels that hold no longer.
func (b *belief) fall() {
	p := b.probability()
	b.avoid = b.avoid && p >= avoidOff-rounding
	b.advise = b.advise && p >= adviseOff-rounding
}

// settle brings the levels up to what was just said and tells whether the first
// of them began.
func (b *belief) settle(t time.Time) (began bool) {
	b.fall()
	p := b.probability()
	if began = !b.advise && p >= adviseOn-rounding; began {
		b.advise, b.since = true, t
	}
	if !b.avoid && p >= avoidOn-rounding && b.incidents >= avoidIncidents {
		b.avoid = true
	}
	return began
}

// probability that the consumer minds.
func (b *belief) probability() float64 {
	return (priorFor + b.supports) / (priorFor + priorAgainst + b.supports + b.contrary)
}

func (b *belief) level() Level {
	switch {
	case !b.advise:
		return ""
	case b.avoid:
		return Avoid
	}
	return Advise
}

// fadesAt is when the level ends if nothing more is said. With all weights
// halving together, (1+sd)/(4+(s+c)d) = 0.4 where (s - 0.4(s+c))d = 0.6.
func (b *belief) fadesAt() time.Time {
	left := (b.supports - adviseOff*(b.supports+b.contrary)) / (adviseOff*(priorFor+priorAgainst) - priorFor)
	if left <= 1 {
		return b.asOf
	}
	return b.asOf.Add(time.Duration(math.Log2(left) * float64(halfLife))).Truncate(time.Second)
}

// decay is the share of its weight that evidence of this age keeps.
func decay(age time.Duration) float64 { return math.Exp2(-float64(age) / float64(halfLife)) }

// nearness is how much of the evidence counts at an address; an unknown one may
// be any. At another address what speaks for a wish counts half, and what speaks
// against it - about this door, this parcel - does not count. What is true of a
// place is true there only.
func nearness(e *Evidence, addressID string) float64 {
	switch {
	case e.AddressID == "" || addressID == "" || e.AddressID == addressID:
		return 1
	case !e.supports() || e.Tag.ofPlace():
		return 0
	}
	return otherAddress
}

// gain is what one piece of evidence added, with its place among those of its
// tag.
type gain struct {
	weight float64
	before int // the one before it of the same tag, or none
}

const none = -1

// limits keep repetition from counting: of one parcel, of one person, within a
// time.
type limits struct {
	gains []gain
	last  [tagCount]int
}

func (l *limits) skip() { l.gains = append(l.gains, gain{}) }

// take says what evidence i may add, and whether it is an incident of its own.
func (l *limits) take(evidence []Evidence, i, tag int) (weight float64, incident bool) {
	e := &evidence[i]
	weight = e.Weight
	complained := e.sign() == Complained
	incident = complained && weight > 0
	if most, within := e.window(); within > 0 {
		free := most
		for j := l.last[tag]; j != none; j = l.gains[j].before {
			o := &evidence[j]
			if o.sign() != e.sign() || e.Sign == MarkedRight && o.By != e.By {
				continue
			}
			if complained && e.Waybill != "" && o.Waybill == e.Waybill {
				// One parcel teaches once, however often it is complained of.
				weight, incident = max(0, weight-l.gains[j].weight), false
			}
			if e.At.Sub(o.At) < within {
				free -= l.gains[j].weight
			}
		}
		weight = min(weight, max(free, 0))
	}
	l.gains = append(l.gains, gain{weight, l.last[tag]})
	l.last[tag] = i
	return weight, incident
}
