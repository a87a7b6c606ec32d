package reading

import (
	"slices"

	"doorstep/prefs"
)

// analysis is a text with what the rules see in it.
type analysis struct {
	text     folded
	clauses  []clause
	findings []finding
	rulings  []ruling
}

func analyse(text string) *analysis {
	a := &analysis{text: fold(text)}
	hits := theLexicon().hits(a.text.runes)
	a.clauses = clauses(a.text.runes, hits)
	a.findings = findings(a.text.runes, a.clauses)
	a.rulings = rulings(a.text.runes, a.clauses, a.findings)
	return a
}

// mark is something that the rules saw in a stretch of the folded text.
type mark struct {
	id         uint32
	start, end int
}

// marks lists what the rules saw, in the order of the text.
func (a *analysis) marks() []mark {
	var out []mark
	add := func(h hash, start, end int) { out = append(out, mark{uint32(h), start, end}) }
	for i := range a.clauses {
		c := &a.clauses[i]
		for _, h := range c.hits {
			add(newHash(kindConcept).with(uint32(h.concept)), h.start, h.end)
			if c.guard != 0 {
				add(newHash(kindGuard).with(uint32(c.guard)), h.start, h.end)
			}
		}
	}
	for _, f := range a.findings {
		h := a.clauses[f.clause].hits[f.hit]
		add(newHash(kindFinding).with(uint32(f.topic)).with(uint32(f.stance)), h.start, h.end)
	}
	for _, r := range a.rulings {
		h := newHash(kindRuling).withRunes([]rune(string(r.tag)))
		if r.sure {
			h = h.with(1)
		}
		add(h, r.start, r.end)
	}
	slices.SortStableFunc(out, func(x, y mark) int { return x.start - y.start })
	return out
}

// surely is by how much rules move the log-odds of a tag. It keeps what is stated
// plainly from being talked away.
const surely = 1.8

// leaning is what the rules add to the log-odds of tag: something if one of them
// is sure of it, the opposite if they find it only in what somebody else says or
// wants.
func (a *analysis) leaning(tag prefs.Tag) float32 {
	own, foreign := false, false
	for _, r := range a.rulings {
		switch {
		case r.tag != tag:
		case r.sure:
			return surely
		case a.clauses[r.clause].guard&(guardSaid|guardThird) != 0:
			foreign = true
		default:
			own = true
		}
	}
	if foreign && !own {
		return -surely
	}
	return 0
}
