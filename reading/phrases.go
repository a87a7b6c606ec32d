package reading

import (
	"strings"

	"doorstep/prefs"
)

// phrases gathers the rulings that need more than one word of a clause.
type phrases struct {
	*view
	n   int // index of c
	c   *clause
	out []ruling
}

// phrasesOf applies every rule about phrases to clause n.
func phrasesOf(v *view, n int) []ruling {
	p := phrases{view: v, n: n, c: &v.clauses[n]}
	p.door()
	p.signing()
	p.throwing()
	p.household()
	p.absence()
	return p.out
}

// add rules for tag because of the hits at by. A guarded clause is never sure.
func (p *phrases) add(tag prefs.Tag, sure bool, by ...int) {
	own := p.c.guard == 0
	r := ruling{tag: tag, sure: sure && own, own: own, clause: p.n, start: len(p.text)}
	for _, i := range by {
		r.start, r.end = min(r.start, p.c.hits[i].start), max(r.end, p.c.hits[i].end)
	}
	p.out = append(p.out, r)
}

// door: "not the shop, to my door".
func (p *phrases) door() {
	i := p.c.first(cToDoor)
	if i >= 0 && p.refusesPlace && len(p.c.hits) <= 2 && !p.c.has(cFact, cNeg, cNoNeed, cDone, cFee, cRecord) {
		p.add(prefs.ToDoor, true, i)
	}
}

// signing: "only I may sign", "to nobody else".
func (p *phrases) signing() {
	c := p.c
	if i := c.first(cProxyBan); i >= 0 {
		p.add(prefs.SignInPerson, true, i)
	}
	me, act := c.first(cMeOnly), c.first(cSign, cProxy, cPut, cDeliver, cDelivered, cHandover, cInPerson)
	if me >= 0 && act >= 0 && !c.has(cNeg, cNoNeed, cFact) {
		p.add(prefs.SignInPerson, !c.has(cRecord), me, act)
	}
	family, takes := c.first(cFamily), c.first(cProxy)
	if family >= 0 && takes > family && p.lets(takes) && !c.has(cNeg, cBad, cNoNeed, cFact, cUnasked, cThird) {
		p.add(prefs.FamilyMaySign, !p.has(troubles...), family, takes)
	}
	neg, other := c.first(cNeg), c.first(cOtherPerson)
	if neg >= 0 && other >= 0 && (c.has(cSign, cProxy, cHandover) || neg < other && c.has(cParcel)) {
		p.add(prefs.SignInPerson, true, neg, other)
	}
}

// lets reports whether the word at i allows by itself: "can take", "能收".
func (p *phrases) lets(i int) bool {
	word := string(p.text[p.c.hits[i].start:p.c.hits[i].end])
	for _, may := range []string{"can ", "may ", "will ", "能", "可以", "会", "来"} {
		if strings.Contains(word, may) {
			return true
		}
	}
	return false
}

// throwing: to fling a parcel nowhere in particular is to throw it.
func (p *phrases) throwing() {
	neg, fling := p.c.first(cNeg), p.c.first(cFling)
	if neg >= 0 && neg < fling && p.c.has(cParcel) && !p.c.has(cLocker, cStation, cDownstairs, cDoor, cSpot) {
		p.add(prefs.NoThrowing, true, neg, fling)
	}
}

// household: a child or an animal counts for sure where noise is refused.
func (p *phrases) household() {
	c := p.c
	pet := c.first(cPet)
	if pet < 0 || c.has(cFact) {
		return
	}
	if p.refusesNoise && !c.has(cNoNeed) {
		p.add(prefs.DogOrChildAtHome, true, pet)
	} else if own := c.first(cOwn, cSelf); own >= 0 && !c.has(cNeg) {
		p.add(prefs.DogOrChildAtHome, false, own, pet)
	} else if asleep := c.first(cAsleep); asleep >= 0 {
		p.add(prefs.DogOrChildAtHome, false, pet, asleep)
	}
}

// absences say what it means that nobody is there at a time.
var absences = []struct {
	when concept
	tag  prefs.Tag
}{
	{cWeekend, prefs.NoWeekend},
	{cWeekday, prefs.WeekendOnly},
	{cDaytime, prefs.EveningOnly},
	{cEvening, prefs.DaytimeOnly},
}

func (p *phrases) absence() {
	nobody := p.c.first(cNobody)
	if nobody < 0 {
		return
	}
	for _, a := range absences {
		if i := p.c.first(a.when); i >= 0 {
			p.add(a.tag, !p.has(cRecord, cLate), i, nobody)
		}
	}
}
