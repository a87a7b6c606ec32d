package reading

import (
	"slices"
	"strings"
)

// stance is what a clause does with a place or an act that it names.
type stance uint8

const (
	sMention stance = iota // only named
	sRefuse                // must not be
	sNoNeed                // need not be
	sAllow                 // may be
	sWant                  // should be
	sMissed                // should have been and was not
	sGrieve                // was, unasked
	sEvent                 // was; nothing says whether that was wrong
	stanceCount
)

// isAct: a verb of its own, at which the reach of an earlier "no" ends.
var isAct = conceptSet(cPut, cPutDone, cDeliver, cDelivered, cCall, cMessage, cBell, cPhoto, cIntoLocker, cToDoor, cCollect)

// isPlace: where a parcel can be put or brought.
var isPlace = conceptSet(cLocker, cStation, cDoor, cDownstairs, cSpot)

// isTime: when somebody can receive.
var isTime = conceptSet(cEvening, cDaytime, cDark, cWeekend, cWeekday)

// isTopic: what stances are asked for.
var isTopic = conceptSet(cLocker, cIntoLocker, cStation, cDoor, cToDoor, cDownstairs, cComeDown, cSpot, cCall,
	cCalled, cMessage, cBell, cPhoto, cInPerson, cFamily, cProxy, cHandover, cThrow, cFragile,
	cEvening, cDaytime, cDark, cWeekend, cWeekday)

func conceptSet(cs ...concept) (set [conceptCount]bool) {
	for _, c := range cs {
		set[c] = true
	}
	return set
}

// finding is the stance of one clause towards one topic.
type finding struct {
	topic      concept
	stance     stance
	clause     int  // index
	hit        int  // index in the clause
	start, end int  // folded text: from the deciding word to the topic
	put        bool // something is put or brought
	asked      bool // in a bare request
	near       bool // the deciding word stands right before
}

// findings reads every topic of every clause.
func findings(text []rune, cs []clause) []finding {
	var out []finding
	for n := range cs {
		c := &cs[n]
		for i, h := range c.hits {
			if !isTopic[h.concept] {
				continue
			}
			f := finding{topic: h.concept, clause: n, hit: i}
			var by int
			f.stance, by = stanceOf(text, c, i)
			if f.stance == sMention {
				f.stance, by = carried(cs, n, i)
			}
			if f.stance == sMention || f.stance == sWant {
				if f.asked = isRequest(text, c, i); f.asked {
					f.stance = sWant
				}
			}
			if f.stance == sMention && follows(out, cs, n) && isPutHere(c, i) {
				f.stance = sGrieve
			}
			first, last := c.hits[i], c.hits[i]
			if by >= 0 && by < i {
				first = c.hits[by]
			}
			if by > i {
				last = c.hits[by]
			}
			f.start, f.end = first.start, last.end
			f.near = by >= 0 && by == i-1
			f.put = c.has(cPut, cPutDone, cIntoLocker, cFling, cDeliver, cDelivered)
			out = append(out, f)
		}
	}
	return out
}

// stanceOf reads hit i of c: the nearest word before it that reaches it, then
// words that follow it, then whether the clause tells of something done. The
// second result is the hit that decided, or -1.
func stanceOf(text []rune, c *clause, i int) (stance, int) {
	before, by := stanceBefore(text, c, i)
	if before == sRefuse || before == sMissed {
		return before, by
	}
	after, at := stanceAfter(c, i)
	if after == sRefuse || after == sMissed {
		return after, at
	}
	if grieved, at := done(text, c, i); grieved == sGrieve && before != sNoNeed ||
		grieved == sEvent && before == sMention {
		return grieved, at
	}
	if before != sMention {
		return before, by
	}
	if k := c.first(cUnasked); k >= 0 && after == sAllow {
		return sGrieve, k // "nobody asked whether the shop was fine"
	}
	if after != sMention {
		return after, at
	}
	if isLeftHere(c, i) {
		return sAllow, i - 1
	}
	if k := c.first(cInstead); k >= 0 && k+1 < i && c.hits[k+1].concept == cPut && !c.has(cFact) {
		return sAllow, k // "just put it there"
	}
	return sMention, -1
}

// isLeftHere reports whether c asks to put something at the door or the spot i:
// "put it by the door", "没人就放门口".
func isLeftHere(c *clause, i int) bool {
	first, _ := stretch(c, i)
	if i == first || c.hits[i-1].concept != cPut || c.hits[i].concept != cDoor && c.hits[i].concept != cSpot || c.has(cDone, cFact) {
		return false
	}
	for _, h := range c.hits[first : i-1] {
		switch h.concept {
		case cHypo, cNobody, cThen, cInstead, cOr, cBefore, cFuture, cParcel:
		default:
			return false
		}
	}
	return true
}

// stanceBefore looks for the nearest word before hit i that reaches it.
func stanceBefore(text []rune, c *clause, i int) (stance, int) {
	want := -1
	for j := i - 1; j >= 0; j-- {
		if !reaches(c, j, i) {
			break
		}
		switch c.hits[j].concept {
		case cNeg, cBad:
			if doubled(c, j) {
				return sAllow, j
			}
			if isNo(text, c.hits[j]) && i+1 < len(c.hits) && c.hits[i+1].concept == cNeeded {
				return sNoNeed, j
			}
			if isNo(text, c.hits[j]) && single(text, c.hits[i]) {
				return sMissed, j // "no call", "no text": an event, unlike "no calls"
			}
			if isReproach(text, c, j, i) {
				return sMissed, j // "you never call"
			}
			if c.hits[i].concept == cCalled {
				return sMissed, j // "never called" tells, "never call" forbids
			}
			return sRefuse, j
		case cNobody:
			if (j == i-1 || j == i-2 && c.hits[i-1].concept == cSelf) && isAct[c.hits[i].concept] {
				return sMissed, j // "nobody rang", "没人给我打电话"
			}
		case cFact:
			return sMissed, j
		case cNoNeed:
			if j == i-1 && j > 0 && c.hits[j-1].concept == cSelf && isHeld[c.hits[i].concept] {
				return sRefuse, j // "我不用快递柜": I do not use it
			}
			return sNoNeed, j
		case cOK:
			if doubled(c, j) {
				return sRefuse, j // "never agreed to"
			}
			if asksOf(c, j) {
				return sWant, j
			}
			return sAllow, j
		case cWant, cWantish, cFuture, cOnly:
			if want < 0 {
				want = j // a "no" further left still wins: "please don't", "I do not want"
			}
		}
	}
	if want >= 0 {
		return sWant, want
	}
	if k := joined(c, i); k >= 0 {
		if s, by := stanceBefore(text, c, k); s == sWant {
			return sWant, by
		}
	}
	return sMention, -1
}

// joined gives the topic that "and" joins to hit i, or -1: "please knock and
// call", "a call first and delivery to my door".
func joined(c *clause, i int) int {
	first, _ := stretch(c, i)
	for _, h := range c.hits[first:i] {
		if h.concept != cParcel && h.concept != cOwn {
			return -1
		}
	}
	for k := first - 2; k >= 0 && c.hits[k].concept != cAnd; k-- {
		if isTopic[c.hits[k].concept] {
			return k
		}
	}
	return -1
}

// reaches reports whether a word at j governs the topic at i: at most one act
// lies between, none if the topic is an act itself, unless they are joined.
func reaches(c *clause, j, i int) bool {
	acts := 0
	for k := j + 1; k < i; k++ {
		switch h := c.hits[k].concept; {
		case h == cInstead || h == cThen:
			return false
		case h == cOr:
			acts = max(acts-1, 0)
		case h == cAnd:
			if k+1 < i || isAct[c.hits[i].concept] && c.hits[i].concept != cBell {
				return false
			}
			acts = 0
		case isAct[h]:
			acts++
		}
	}
	if isAct[c.hits[i].concept] {
		return acts == 0 || acts == 1 && (c.hits[i-1].concept == cDeliver || c.hits[i-1].concept == cDelivered || c.hits[i-1].concept == cPut)
	}
	return acts <= 1
}

// stanceAfter looks for a word after hit i that is said of it: "lockers are
// fine", "the shop, no thanks".
func stanceAfter(c *clause, i int) (stance, int) {
	for k := i + 1; k < len(c.hits); k++ {
		switch h := c.hits[k].concept; {
		case h == cBefore || h == cInstead:
			return sMention, -1
		case h == cBad:
			return sRefuse, k
		case h == cNoNeed && k == len(c.hits)-1 && isHeld[c.hits[i].concept]:
			return sRefuse, k // "a locker I don't need"
		case h == cNeg:
			if topicless(c.hits[k+1:]) {
				return sRefuse, k
			}
			return sMention, -1
		case h == cFact && (isAct[c.hits[i].concept] || c.hits[i].concept == cToDoor):
			if topicless(untilThen(c.hits[k+1:])) {
				return sMissed, k
			}
			return sMention, -1
		case h == cOK:
			if topicless(c.hits[k+1:]) {
				return sAllow, k
			}
			return sMention, -1
		case h == cWant && k == len(c.hits)-1:
			return sWant, k
		case h == cOnly && isTime[c.hits[i].concept]:
			return sWant, k
		case h == cBa && k == len(c.hits)-1 && c.has(cPut, cIntoLocker) && !c.has(cFact, cUnasked):
			return sAllow, k
		case isAct[h] && h != cPut && h != cDeliver:
			return sMention, -1
		}
	}
	return sMention, -1
}

// done tells of a parcel that was put at the place i: with a word of reproach
// it is a grievance, else an event.
func done(text []rune, c *clause, i int) (stance, int) {
	topic := c.hits[i].concept
	if !isPlace[topic] && topic != cIntoLocker && topic != cComeDown {
		return sMention, -1
	}
	at := c.first(cPut, cPutDone, cFling, cIntoLocker, cDeliver, cDelivered)
	put := at >= 0 || topic == cComeDown
	if k := c.first(cUnasked, cAgain); k >= 0 && (put || len(c.hits) <= 3 && k < i || c.has(cParcel)) {
		return sGrieve, k
	}
	if k := c.first(cUnasked); k >= 0 && c.has(cParcel) && topic != cDoor {
		return sGrieve, k
	}
	if k := c.first(cFact, cNobody); k >= 0 && !c.has(cHypo) && at >= 0 && at < i && (k < at || k > i) && !c.has(cOK) {
		return sGrieve, k // "did not ring and left it at the shop"
	}
	if k := c.first(cPutDone); k >= 0 && !c.has(cOK) {
		return sEvent, k
	}
	if k := c.first(cDelivered); k >= 0 && !c.has(cOK) && (topic == cLocker || topic == cStation) {
		return sEvent, k
	}
	if !put || c.has(cWant, cWantish, cOK, cCode) {
		return sMention, -1
	}
	if k := c.first(cDone, cBe); k >= 0 {
		return sEvent, k
	}
	if at >= 0 && isSlighting(text, c.hits[at]) && !c.has(cNeg, cNoNeed, cFuture, cHypo, cBa) {
		return sGrieve, at // nobody asks to have a parcel dumped
	}
	if k := c.first(cDispose); k >= 0 && !c.has(cFuture, cInstead) {
		return sEvent, k
	}
	return sMention, -1
}

// carried looks for a stance in the next clause if that names no topic of its
// own: "lockers, I don't mind them".
func carried(cs []clause, n, i int) (stance, int) {
	if n+1 >= len(cs) || cs[n].has(cBefore) {
		return sMention, -1
	}
	topic := cs[n].hits[i].concept
	next := &cs[n+1]
	if topic == cBell && len(next.hits) == 1 && next.has(cNeg) {
		return sRefuse, -1
	}
	if topic != cLocker && topic != cIntoLocker && topic != cStation && topic != cSpot {
		return sMention, -1
	}
	if !topicless(next.hits) || len(next.hits) > 4 || len(cs[n].hits) > 4 {
		return sMention, -1
	}
	switch {
	case next.has(cUnasked):
		return sGrieve, -1
	case next.has(cBad, cNeg):
		return sRefuse, -1
	case next.has(cOK) && !next.has(cFact):
		return sAllow, -1
	}
	return sMention, -1
}

// follows reports whether clause n comes right after one that tells of
// something missed: "nobody rang, it went to the shop".
func follows(found []finding, cs []clause, n int) bool {
	if n == 0 || cs[n-1].guard != 0 {
		return false
	}
	for _, f := range slices.Backward(found) { // in the order of clauses
		if f.clause < n-1 {
			break
		}
		if f.clause == n-1 && f.stance == sMissed {
			return true
		}
	}
	return false
}

// isPutHere reports whether c may tell that a parcel was put at the place i.
func isPutHere(c *clause, i int) bool {
	switch c.hits[i].concept {
	case cIntoLocker:
	case cLocker, cStation, cDownstairs:
		there := c.has(cPut, cFling) || c.has(cThen) && c.has(cDone) || c.has(cParcel) && c.has(cBe)
		if !there {
			return false
		}
	default:
		return false
	}
	return !c.has(cWant, cWantish, cOK, cNeg, cNoNeed, cFuture, cCode, cAsk)
}

func topicless(hits []hit) bool {
	for _, h := range hits {
		if isTopic[h.concept] {
			return false
		}
	}
	return true
}

// untilThen cuts hits before the word that tells what was done instead.
func untilThen(hits []hit) []hit {
	for i, h := range hits {
		if h.concept == cThen {
			return hits[:i]
		}
	}
	return hits
}

// doubled: a "no" that is itself denied, as in "I never said no lockers".
func doubled(c *clause, j int) bool {
	return j > 0 && c.hits[j].start-c.hits[j-1].end <= 3 &&
		(c.hits[j-1].concept == cFact || c.hits[j-1].concept == cNeg)
}

// asksOf: "can you bring it" asks, "you can leave it" allows.
func asksOf(c *clause, j int) bool {
	return j == 0 && len(c.hits) > 1 && c.hits[1].concept == cYou
}

// isReproach tells "you never call", which complains of an act that was missed,
// from "never call" and "I never want a call", which forbid it.
func isReproach(text []rune, c *clause, j, i int) bool {
	switch c.hits[i].concept {
	case cCall, cMessage, cBell:
	default:
		return false
	}
	if string(text[c.hits[j].start:c.hits[j].end]) != "never" {
		return false
	}
	from := c.start
	if j > 0 {
		from = c.hits[j-1].end
		if h := c.hits[j-1].concept; (h == cYou || h == cUnasked) && firstOf(c.hits[j:i], cWant, cWantish) < 0 {
			return true
		}
	}
	switch strings.TrimSpace(string(text[from:c.hits[j].start])) {
	case "they", "he", "she", "he has", "they have":
		return true
	}
	return false
}

// isSlighting: a word for putting that is itself a reproach.
func isSlighting(text []rune, put hit) bool {
	return strings.ContainsRune("扔丢撂甩撇掟", text[put.start])
}

func isNo(text []rune, h hit) bool { return string(text[h.start:h.end]) == "no" }

// single: a call or message named in the singular.
func single(text []rune, h hit) bool {
	switch h.concept {
	case cCall, cMessage, cPhoto:
		name := string(text[h.start:h.end])
		return name == "sms" || !strings.HasSuffix(name, "s") && !strings.HasSuffix(name, "ing")
	}
	return false
}
