package reading

import "doorstep/prefs"

// ruling is what a rule says: that the text teaches tag. A sure one needs no
// second opinion; any other is only a hint to the model.
type ruling struct {
	tag        prefs.Tag
	sure       bool
	own        bool // the writer's own wish: no guard on the clause
	clause     int  // index
	start, end int  // folded text
}

// view is a text as a whole, for rules that look beyond their clause.
type view struct {
	text         []rune
	clauses      []clause
	concepts     [conceptCount]bool // that occur anywhere
	refusesPlace bool               // some place other than the door is refused
	refusesNoise bool               // bell, knock or telephone are refused
}

func viewOf(text []rune, cs []clause, fs []finding) *view {
	v := &view{text: text, clauses: cs}
	for i := range cs {
		for _, h := range cs[i].hits {
			v.concepts[h.concept] = true
		}
	}
	for _, f := range fs {
		if f.stance != sRefuse {
			continue
		}
		switch f.topic {
		case cLocker, cIntoLocker, cStation, cDownstairs, cSpot:
			v.refusesPlace = true
		case cBell, cCall:
			v.refusesNoise = true
		}
	}
	return v
}

func (v *view) has(concepts ...concept) bool {
	for _, c := range concepts {
		if v.concepts[c] {
			return true
		}
	}
	return false
}

type topicStance struct {
	topic  concept
	stance stance
}

// teaches holds the rules that need one clause and nothing else.
var teaches = map[topicStance]prefs.Tag{
	{cLocker, sRefuse}:     prefs.NoLocker,
	{cLocker, sGrieve}:     prefs.NoLocker,
	{cLocker, sEvent}:      prefs.NoLocker,
	{cLocker, sAllow}:      prefs.LockerOK,
	{cLocker, sWant}:       prefs.LockerOK,
	{cIntoLocker, sRefuse}: prefs.NoLocker,
	{cIntoLocker, sGrieve}: prefs.NoLocker,
	{cIntoLocker, sEvent}:  prefs.NoLocker,
	{cIntoLocker, sAllow}:  prefs.LockerOK,
	{cIntoLocker, sWant}:   prefs.LockerOK,
	{cStation, sRefuse}:    prefs.NoPickupPoint,
	{cStation, sGrieve}:    prefs.NoPickupPoint,
	{cStation, sEvent}:     prefs.NoPickupPoint,
	{cStation, sAllow}:     prefs.PickupPointOK,
	{cStation, sWant}:      prefs.PickupPointOK,
	{cToDoor, sWant}:       prefs.ToDoor,
	{cToDoor, sMissed}:     prefs.ToDoor,
	{cDownstairs, sRefuse}: prefs.ToDoor,
	{cDownstairs, sGrieve}: prefs.ToDoor,
	{cDownstairs, sEvent}:  prefs.ToDoor,
	{cComeDown, sGrieve}:   prefs.ToDoor,
	{cComeDown, sRefuse}:   prefs.ToDoor,
	{cSpot, sAllow}:        prefs.LeaveAtDoorOK,
	{cSpot, sWant}:         prefs.LeaveAtDoorOK,
	{cDoor, sAllow}:        prefs.LeaveAtDoorOK,
	{cDoor, sWant}:         prefs.LeaveAtDoorOK,
	{cCall, sWant}:         prefs.CallFirst,
	{cCall, sMissed}:       prefs.CallFirst,
	{cCalled, sMissed}:     prefs.CallFirst,
	{cCalled, sWant}:       prefs.CallFirst,
	{cCall, sRefuse}:       prefs.NoCall,
	{cMessage, sWant}:      prefs.MessageFirst,
	{cMessage, sMissed}:    prefs.MessageFirst,
	{cMessage, sAllow}:     prefs.MessageFirst,
	{cBell, sRefuse}:       prefs.NoDoorbell,
	{cPhoto, sWant}:        prefs.PhotoProof,
	{cPhoto, sMissed}:      prefs.PhotoProof,
	{cPhoto, sAllow}:       prefs.PhotoProof,
	{cFragile, sWant}:      prefs.FragileCare,
	{cFragile, sMissed}:    prefs.FragileCare,
	{cFragile, sMention}:   prefs.FragileCare,
	{cThrow, sMention}:     prefs.NoThrowing,
	{cThrow, sRefuse}:      prefs.NoThrowing,
	{cInPerson, sWant}:     prefs.SignInPerson,
	{cEvening, sWant}:      prefs.EveningOnly,
	{cEvening, sAllow}:     prefs.EveningOnly,
	{cEvening, sRefuse}:    prefs.DaytimeOnly,
	{cDark, sRefuse}:       prefs.DaytimeOnly,
	{cDaytime, sRefuse}:    prefs.EveningOnly,
	{cDaytime, sWant}:      prefs.DaytimeOnly,
	{cWeekend, sWant}:      prefs.WeekendOnly,
	{cWeekend, sAllow}:     prefs.WeekendOnly,
	{cWeekend, sRefuse}:    prefs.NoWeekend,
	{cWeekday, sRefuse}:    prefs.WeekendOnly,
	{cWeekday, sWant}:      prefs.NoWeekend,
	{cFamily, sAllow}:      prefs.FamilyMaySign,
	{cFamily, sWant}:       prefs.FamilyMaySign,
	{cProxy, sAllow}:       prefs.FamilyMaySign,
	{cHandover, sAllow}:    prefs.FamilyMaySign,
	{cHandover, sWant}:     prefs.FamilyMaySign,
	{cProxy, sRefuse}:      prefs.SignInPerson,
}

// rulings applies the rules to the findings of a text.
func rulings(text []rune, cs []clause, fs []finding) []ruling {
	v := viewOf(text, cs, fs)
	var out []ruling
	for _, f := range fs {
		tag, ok := teaches[topicStance{f.topic, f.stance}]
		if !ok {
			continue
		}
		c := &cs[f.clause]
		if f.topic == cDoor && f.stance != sRefuse && isBrought(c, f) {
			tag = prefs.ToDoor
		}
		out = append(out, ruling{tag: tag, sure: c.guard == 0 && plain(v, c, f), own: c.guard == 0, clause: f.clause, start: f.start, end: f.end})
	}
	for n := range cs {
		out = append(out, phrasesOf(v, n)...)
	}
	for _, pair := range opposites {
		unsureBoth(out, pair)
	}
	return out
}

// isBrought reports whether the door is where a parcel shall be brought to, not
// where it may be left: "deliver to my home", "I want it at my door".
func isBrought(c *clause, f finding) bool {
	if c.has(cPut, cPutDone) {
		return false
	}
	return c.has(cDeliver, cDelivered) || f.stance == sWant && firstOf(c.hits[:f.hit], cCall, cMessage, cPhoto, cBell, cHandover) < 0
}

// unsureBoth takes the certainty from both sides of a text that says one thing
// here and the opposite there: which of them counts is not for rules.
func unsureBoth(rs []ruling, pair [2]prefs.Tag) {
	var found [2]bool
	for _, r := range rs {
		for side, tag := range pair {
			found[side] = found[side] || r.tag == tag
		}
	}
	if !found[0] || !found[1] {
		return
	}
	for i := range rs {
		if rs[i].tag == pair[0] || rs[i].tag == pair[1] {
			rs[i].sure = false
		}
	}
}
