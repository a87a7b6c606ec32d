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

	adviseAt        = 0.50 // talk to the consumer first
	avoidAt         = 0.70 // and avoidIncidents separate complaints
	avoidIncidents  = 2
	otherAddress    = 0.5 // what happened at another address counts half
	incidentWeight  = 4.0 // a complaint whose category names the wish, or whose text says so for certain
	weightPerWindow = 8.0 // however often somebody complains within weightWindow
	weightWindow    = 30 * 24 * time.Hour

	// LeastConfidence is what a reading of free text needs to teach at all.
	LeastConfidence = 0.6
)

// TextWeight is what a complaint's text teaches about a tag that it was read to
// express with the given confidence (0..1). Below LeastConfidence it is 0.
func TextWeight(confidence float64) float64 {
	if confidence < LeastConfidence {
		return 0
	}
	return incidentWeight * min(confidence, 1)
}

// CategoryWeight is what a category chosen by a person teaches.
const CategoryWeight = incidentWeight

// belief is what the evidence says about a tag at one address and one time.
type belief struct {
	supports  float64 // decayed weights
	contrary  float64
	incidents int
	because   []Evidence // what supports it, oldest first
}

// belief weighs the evidence. Tags that contradict each other share one
// posterior, so that they cannot both hold; where neither is stricter only
// what was said since the last contrary word counts.
func (p Profile) belief(tag Tag, addressID string, now time.Time) belief {
	var b belief
	if p.LearningOff {
		return b
	}
	evidence := slices.Clone(p.Evidence)
	slices.SortStableFunc(evidence, func(a, b Evidence) int { return a.At.Compare(b.At) })
	budgets := map[Tag][]Evidence{}
	for _, e := range evidence {
		supports := e.Tag == tag
		if !supports && !slices.Contains(tag.Opposites(), e.Tag) {
			continue
		}
		weight := min(e.Weight, left(budgets[e.Tag], e.At))
		e.Weight = weight
		budgets[e.Tag] = append(budgets[e.Tag], e)
		if e.AddressID != "" && addressID != "" && e.AddressID != addressID {
			weight *= otherAddress
		}
		weight *= decay(now.Sub(e.At))
		switch {
		case supports && tag.newerWins():
			b.contrary = 0
			fallthrough
		case supports:
			b.supports += weight
			b.incidents++
			b.because = append(b.because, e)
		case tag.newerWins():
			b = belief{contrary: b.contrary + weight}
		default:
			b.contrary += weight
		}
	}
	return b
}

// left is how much weight a tag may still gain at t, given what it gained
// before.
func left(gained []Evidence, t time.Time) float64 {
	free := weightPerWindow
	for _, e := range gained {
		if t.Sub(e.At) < weightWindow {
			free -= e.Weight
		}
	}
	return max(free, 0)
}

// decay is the share of its weight that evidence of this age keeps. A clock
// that was set back makes nothing heavier.
func decay(age time.Duration) float64 {
	return math.Exp2(-float64(max(age, 0)) / float64(halfLife))
}

// probability that the consumer minds.
func (b belief) probability() float64 {
	return (priorFor + b.supports) / (priorFor + priorAgainst + b.supports + b.contrary)
}

func (b belief) level() Level {
	p := b.probability()
	switch {
	case p >= avoidAt && b.incidents >= avoidIncidents:
		return Avoid
	case p >= adviseAt:
		return Advise
	}
	return ""
}

// fadesAt is when the probability falls below adviseAt if nothing more is
// said. With all weights halving together, (1+s)/(4+s+c) = 1/2 where s-c = 2.
func (b belief) fadesAt(now time.Time) time.Time {
	margin := (b.supports - b.contrary) / (priorAgainst - priorFor)
	if margin <= 1 {
		return now
	}
	return now.Add(time.Duration(math.Log2(margin) * float64(halfLife))).Truncate(time.Second)
}
