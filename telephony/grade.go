package telephony

import "doorstep/evidence"

// Grade says how good a contact a call was.
type Grade string

// The grades, the best first. The first three are genuine attempts.
const (
	Connected     Grade = "connected"      // talked long enough to agree on something
	BrieflySpoken Grade = "answered"       // answered, and soon over
	Rang          Grade = "rang"           // long enough to be heard
	BrieflyRang   Grade = "rang_briefly"   // a ring that may mean nothing
	AttemptFailed Grade = "attempt_failed" // it never rang
)

// Judgement is a call by the thresholds of a policy.
type Judgement struct {
	Grade   Grade
	Genuine evidence.Truth // the consumer could have answered, or did
	Fair    evidence.Truth // not one ring and cut by the courier
}

// Judge grades a call by what is certain so far: a later record can only raise
// the grade.
func (p Policy) Judge(c Call) (j Judgement) {
	rings, ringsKnown := c.Rings()
	talk, _ := c.Talk()
	switch {
	case !c.AnsweredAt.IsZero() && talk >= p.Connected.Duration():
		j.Grade, j.Genuine, j.Fair = Connected, evidence.True, evidence.True
	case !c.AnsweredAt.IsZero() || c.State == Answered || c.State == Ended:
		j.Grade, j.Genuine, j.Fair = BrieflySpoken, evidence.True, evidence.True
	case ringsKnown && rings >= p.Rang.Duration():
		j.Grade, j.Genuine, j.Fair = Rang, evidence.True, evidence.True
	case c.Rang == evidence.True:
		j.Grade, j.Fair = BrieflyRang, p.fair(c)
		if ringsKnown {
			j.Genuine = evidence.False
		}
	default:
		j.Grade, j.Genuine, j.Fair = AttemptFailed, c.Rang, c.Rang
	}
	return j
}

// fair says whether an unanswered ring gave the consumer a chance.
func (p Policy) fair(c Call) evidence.Truth {
	rings, known := c.Rings()
	switch {
	case !known:
		return evidence.Unknown
	case rings >= p.OneRing.Duration():
		return evidence.True
	case c.EndedBy == "":
		return evidence.Unknown
	}
	return evidence.Known(c.EndedBy != Courier)
}
