package reading

import "strings"

// troubles are what makes a bare request a matter of the day: whoever misses a
// parcel wants one call back, not a call before every delivery.
var troubles = []concept{cLost, cRecord, cLate, cFee, cBroken, cWrong, cRude, cCode, cMachine, cPrivacy}

// plain reports whether a finding is stated so clearly that it decides alone.
// The conditions were set against the labelled rows and against plain
// sentences: what is often wrong there is a hint only.
func plain(v *view, c *clause, f finding) bool {
	if f.asked && (c.has(cBefore, cFuture) || !v.has(troubles...)) {
		return true
	}
	switch f.topic {
	case cLocker, cIntoLocker, cStation:
		return plainPlace(v, c, f)
	case cToDoor:
		if f.stance == sMissed {
			return true
		}
		asked := f.hit == 0 || c.has(cWant, cFuture) || c.has(cParcel) && (f.near || c.hits[f.hit-1].concept == cDelivered)
		return asked && !c.has(cFee, cRecord, cAgain, cPast)
	case cDownstairs, cComeDown:
		return (f.put || f.topic == cComeDown) && (f.stance == sRefuse || !v.has(cLost, cRecord, cBroken, cWrong)) && !c.has(cSign, cProxy)
	case cSpot, cDoor:
		if f.topic == cDoor && isBrought(c, f) {
			return c.has(cWant, cFuture) || c.has(cWantish) && c.has(cParcel)
		}
		put := c.first(cPut)
		return put >= 0 && put < f.hit && !c.has(cUnasked, cAgain, cPutDone, cDownstairs, cLost, cHome) && (c.has(cHypo) || !c.has(cNobody))
	case cCall, cCalled:
		if f.stance == sWant {
			return (c.has(cBefore, cWant, cFuture, cOnly) || f.near && v.wantsOne(c.hits[f.hit-1], c.hits[f.hit])) &&
				!c.has(cRude, cFee, cYou, cAgain)
		}
		return f.stance == sRefuse || !c.has(cCode)
	case cMessage:
		return f.stance == sMissed || f.stance == sAllow && c.hits[len(c.hits)-1].concept == cOK || c.has(cBefore, cFuture, cWant)
	case cBell:
		return true
	case cPhoto:
		if f.stance == sAllow {
			return c.hits[len(c.hits)-1].concept == cOK && c.has(cPut, cDeliver)
		}
		return !c.has(cPrivacy, cWrong) && (f.stance == sMissed || c.has(cWant, cFuture, cOK, cPut, cParcel))
	case cFragile:
		return f.stance != sMention || c.has(cFragileMark) || (len(v.clauses) <= 2 || len(c.hits) == 1) && !c.has(cOK)
	case cThrow:
		first, _ := stretch(c, f.hit)
		told := untilAnd(c.hits[first:])
		return c.has(cParcel) && firstOf(c.hits[:f.hit], cFact, cNoNeed) < 0 && firstOf(told, cDownstairs) < 0
	case cInPerson:
		return c.has(cSign, cDeliver, cPut, cProxy, cOnly, cBell) || f.hit+1 < len(c.hits) && c.hits[f.hit+1].concept == cSelf
	case cHandover:
		return !c.has(cUnasked, cAgain, cPutDone)
	case cFamily:
		return c.has(cProxy, cSign)
	case cProxy:
		return c.has(cFamily) && f.stance == sAllow || f.stance == sRefuse && c.has(cOtherPerson, cDownstairs, cFamily, cYou)
	case cEvening, cDaytime, cDark, cWeekend, cWeekday:
		return plainTime(v, c, f)
	}
	return false
}

// wantsOne tells "I asked for a call" from "I want to call".
func (v *view) wantsOne(wish, call hit) bool {
	between := strings.TrimSpace(string(v.text[wish.end:call.start]))
	return wish.concept == cWantish && (between == "a" || between == "for a")
}

func plainPlace(v *view, c *clause, f finding) bool {
	switch f.stance {
	case sRefuse:
		return f.topic != cStation || f.put || f.near || c.has(cCollect) || len(c.hits) <= 3
	case sGrieve:
		return !v.has(cMachine, cWrong)
	case sEvent:
		return f.put && !v.has(cLost, cCode, cMachine, cFee, cLate, cBroken, cOK, cWrong, cRude)
	case sAllow, sWant:
		return (f.put || c.has(cCollect) || f.stance == sAllow || c.has(cParcel)) && !c.has(cAgain, cUnasked, cPutDone, cCode, cFact)
	}
	return false
}

func plainTime(v *view, c *clause, f finding) bool {
	if v.has(cLate, cRecord) && !c.has(cWant, cFuture) {
		return false
	}
	return c.has(cDeliver, cDelivered, cParcel, cOnly, cHome, cNobody) || f.near && c.has(cWant) || f.stance == sRefuse
}
