package reading

// plain reports whether a finding is stated so clearly that it decides alone.
// The conditions were set against the labelled rows and against plain
// sentences: what is often wrong there is a hint only.
func plain(v *view, c *clause, f finding) bool {
	switch f.topic {
	case cLocker, cIntoLocker, cStation:
		return plainPlace(v, c, f)
	case cToDoor:
		return f.stance == sMissed || !c.has(cFee, cRecord, cAgain, cPast) && (c.has(cWant, cFuture) || f.hit == 0)
	case cDownstairs, cComeDown:
		return f.put && (f.stance == sRefuse || !v.has(cLost, cRecord, cBroken, cWrong)) && !c.has(cSign, cProxy)
	case cSpot, cDoor:
		if f.topic == cDoor && c.has(cDeliver, cDelivered) && !c.has(cPut) {
			return c.has(cWant, cFuture)
		}
		put := c.first(cPut)
		return put >= 0 && put < f.hit && !c.has(cUnasked, cAgain, cPutDone, cDownstairs, cLost, cHome, cNobody)
	case cCall, cCalled:
		if f.stance == sWant {
			return c.has(cBefore, cWant, cFuture, cOnly) && !c.has(cRude, cFee, cYou, cAgain)
		}
		return f.stance == sRefuse || !c.has(cCode)
	case cMessage:
		return f.stance == sMissed || f.stance == sAllow && c.hits[len(c.hits)-1].concept == cOK || c.has(cBefore, cFuture, cWant)
	case cBell:
		return true
	case cPhoto:
		return !c.has(cPrivacy, cWrong) && (f.stance == sMissed || c.has(cWant, cFuture, cOK, cPut, cParcel))
	case cFragile:
		return f.stance != sMention || c.has(cFragileMark) || len(v.clauses) <= 2 && !c.has(cOK)
	case cThrow:
		return c.has(cParcel) && !c.has(cFact, cNoNeed, cDownstairs)
	case cInPerson:
		return c.has(cSign, cDeliver, cPut, cProxy) || c.has(cOnly)
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

func plainPlace(v *view, c *clause, f finding) bool {
	switch f.stance {
	case sRefuse:
		return f.topic != cStation || f.put || c.has(cCollect) || len(c.hits) <= 3
	case sGrieve:
		return !v.has(cMachine, cWrong)
	case sEvent:
		return f.put && !v.has(cLost, cCode, cMachine, cFee, cLate, cBroken, cOK, cWrong, cRude)
	case sAllow, sWant:
		return (f.put || c.has(cCollect) || f.stance == sAllow) && !c.has(cAgain, cUnasked, cPutDone, cCode, cFact)
	}
	return false
}

func plainTime(v *view, c *clause, f finding) bool {
	if v.has(cLate, cRecord) {
		return false
	}
	return c.has(cDeliver, cDelivered, cParcel, cOnly, cHome, cNobody) || f.stance == sRefuse
}
