package reading

import (
	"slices"

	"doorstep/prefs"
)

// backing is how much the rules have to say for a tag in a text.
type backing uint8

const (
	unnamed backing = iota // no word of the tag's subject occurs
	waived                 // the subject is named only in passing, or left open
	bare                   // the subject is named in clauses without any word of wish or blame
	named                  // the subject is named, nothing is wished
	hinted                 // a rule finds the wish, perhaps somebody else's
	backed                 // a rule finds the writer's own wish
)

// subjects are the concepts by one of which a text names what a tag is about.
var subjects = map[prefs.Tag][]concept{
	prefs.NoLocker:         {cLocker, cIntoLocker},
	prefs.LockerOK:         {cLocker, cIntoLocker},
	prefs.NoPickupPoint:    {cStation},
	prefs.PickupPointOK:    {cStation, cCollect},
	prefs.ToDoor:           {cToDoor, cDownstairs, cComeDown, cDoor},
	prefs.LeaveAtDoorOK:    {cDoor, cSpot, cPut, cFling},
	prefs.CallFirst:        {cCall, cCalled},
	prefs.NoCall:           {cCall, cCalled},
	prefs.MessageFirst:     {cMessage},
	prefs.NoDoorbell:       {cBell},
	prefs.EveningOnly:      {cEvening, cDaytime, cDark, cHome, cNobody},
	prefs.DaytimeOnly:      {cEvening, cDaytime, cDark, cHome, cNobody},
	prefs.WeekendOnly:      {cWeekend, cWeekday},
	prefs.NoWeekend:        {cWeekend, cWeekday},
	prefs.SignInPerson:     {cInPerson, cMeOnly, cSign, cOtherPerson, cFamily, cProxy, cProxyBan},
	prefs.FamilyMaySign:    {cFamily, cProxy, cHandover, cOtherPerson, cSign},
	prefs.FragileCare:      {cFragile, cFragileMark},
	prefs.NoThrowing:       {cThrow, cFling},
	prefs.DogOrChildAtHome: {cPet},
	prefs.PhotoProof:       {cPhoto},
}

// thresholds are the probabilities from which the model's word for a tag is
// taken. The less the rules see of the wish, the surer the model must be. All
// but the first three are low because most tags are rare; found by cross-validation.
var thresholds = [...]float64{unnamed: 0.8, waived: 0.9, bare: 0.6, named: 0.12, hinted: 0.24, backed: 0.07}

// surplus is the threshold of what the model would add to a short text that
// sure rules have explained already.
const surplus = 0.7

// remaining is that threshold where a clause of such a text is still open.
const remaining = 0.4

// explained reports whether sure rules say what a short text is about.
func (a *analysis) explained() bool {
	return len(a.clauses) <= 3 && slices.ContainsFunc(a.rulings, func(r ruling) bool { return r.sure })
}

// thresholdOf is the probability from which tag is part of the reading.
func (a *analysis) thresholdOf(tag prefs.Tag, explained bool) float64 {
	t := thresholds[a.backingOf(tag)]
	if !explained {
		return t
	}
	if a.open(subjects[tag]) {
		return max(t, remaining)
	}
	return max(t, surplus)
}

// open reports whether a clause of the writer's own names one of cs and no sure
// rule has said what it means.
func (a *analysis) open(cs []concept) bool {
	for n := range a.clauses {
		c := &a.clauses[n]
		if c.guard == 0 && c.has(cs...) && !slices.ContainsFunc(a.rulings, func(r ruling) bool { return r.sure && r.clause == n }) {
			return true
		}
	}
	return false
}

// backingOf tells what speaks for tag in a.
func (a *analysis) backingOf(tag prefs.Tag) backing {
	best := unnamed
	for i := range a.clauses {
		if a.clauses[i].has(subjects[tag]...) {
			best = named
			break
		}
	}
	for _, r := range a.rulings {
		switch {
		case r.tag != tag:
		case r.sure || r.own:
			return backed
		default:
			best = hinted
		}
	}
	switch {
	case best == unnamed:
	case a.idle(subjects[tag]):
		return waived
	case best == named && len(a.clauses) <= 2 && a.isBare(subjects[tag]):
		return bare
	}
	return best
}

// isBare reports whether every clause that names one of cs holds none of the
// words that make a wish or a grievance. When somebody is at home needs none.
func (a *analysis) isBare(cs []concept) bool {
	if isTime[cs[0]] {
		return false
	}
	for i := range a.clauses {
		c := &a.clauses[i]
		if c.has(cs...) && c.has(charged...) {
			return false
		}
	}
	return true
}

// charged are the concepts by which clauses wish or blame.
var charged = []concept{cNeg, cBad, cNoNeed, cFact, cOK, cWant, cWantish, cAgain, cUnasked, cOnly, cFuture, cInstead,
	cBefore, cPut, cPutDone, cFling, cIntoLocker, cCollect, cComeDown, cThrow, cBa, cNobody, cAsleep, cMeOnly, cProxyBan}

// idle reports whether nothing is wished of the topics among cs: every mention
// of one is somebody else's, a trouble with the thing itself, or leaves it
// open.
func (a *analysis) idle(cs []concept) bool {
	found := false
	praised := slices.ContainsFunc(a.clauses, func(c clause) bool { return c.has(cPraise) })
	for _, f := range a.findings {
		if !slices.Contains(cs, f.topic) {
			continue
		}
		found = true
		c := &a.clauses[f.clause]
		open := f.stance == sNoNeed || f.stance == sAllow || f.stance == sWant && f.topic == cBell ||
			f.stance == sMention && praised && !f.put
		passing := c.guard&(guardThird|guardSaid) != 0 || f.stance == sMention && (c.guard != 0 || c.has(cMachine, cBroken, cCode, cFee, cRude, cNobody))
		if !open && !passing {
			return false
		}
	}
	return found
}
