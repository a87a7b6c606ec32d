package reading

import (
	"math"
	"slices"
)

// feature is one thing seen in a text: its hashed name, how much it counts,
// and where it stood first in the folded text.
type feature struct {
	id         uint32
	value      float32
	start, end int
}

// kind keeps the names of different features apart.
type kind uint8

const (
	kindRunes kind = iota + 1
	kindWord
	kindWordPair
	kindWordPart
	kindConcept
	kindConceptPair
	kindConceptSkip
	kindConceptTriple
	kindBefore
	kindAfter
	kindFinding
	kindFindingPair
	kindRuling
	kindLength
)

// The weight of each group of features: each is scaled to this length, so that
// a long text does not shout and no group drowns another. Found by
// cross-validation.
const (
	gramWeight    = 1.0
	conceptWeight = 0.5
	findingWeight = 1.0
)

// longestGram is the longest run of Chinese characters that is one feature.
const longestGram = 4

// analysis is a text taken apart.
type analysis struct {
	text     folded
	clauses  []clause
	findings []finding
	rulings  []ruling
	features []feature
}

func analyse(text string) *analysis {
	a := &analysis{text: fold(text)}
	hits := theLexicon().hits(a.text.runes)
	a.clauses = clauses(a.text.runes, hits)
	a.findings = findings(a.text.runes, a.clauses)
	a.rulings = rulings(a.text.runes, a.clauses, a.findings)
	a.addGroup(a.grams(), gramWeight)
	a.addGroup(a.concepts(), conceptWeight)
	a.addGroup(a.structure(), findingWeight)
	return a
}

// addGroup keeps the first of equal features and scales the group.
func (a *analysis) addGroup(fs []feature, weight float64) {
	slices.SortFunc(fs, func(x, y feature) int {
		if x.id != y.id {
			if x.id < y.id {
				return -1
			}
			return 1
		}
		return x.start - y.start
	})
	fs = slices.CompactFunc(fs, func(x, y feature) bool { return x.id == y.id })
	value := float32(weight / math.Sqrt(float64(max(len(fs), 1))))
	for i := range fs {
		fs[i].value = value
	}
	a.features = append(a.features, fs...)
}

// hash is FNV-1a over 32-bit steps.
type hash uint32

func newHash(k kind) hash { return hash(2166136261).with(uint32(k)) }

func (h hash) with(v uint32) hash {
	for range 3 { // a rune has 21 bits
		h = (h ^ hash(v&0xff)) * 16777619
		v >>= 8
	}
	return h
}

func (h hash) withRunes(rs []rune) hash {
	for _, r := range rs {
		h = h.with(uint32(r))
	}
	return h
}

// grams are runs of Chinese characters, English words, pairs of words and
// parts of words.
func (a *analysis) grams() []feature {
	text := a.text.runes
	out := make([]feature, 0, 4*len(text))
	var last [2]int // the word before
	for i := 0; i < len(text); {
		switch {
		case isLatin(text[i]):
			end := i
			for end < len(text) && isLatin(text[end]) {
				end++
			}
			out = append(out, feature{id: uint32(newHash(kindWord).withRunes(text[i:end])), start: i, end: end})
			pair := newHash(kindWordPair).withRunes(text[last[0]:last[1]]).with(' ').withRunes(text[i:end])
			out = append(out, feature{id: uint32(pair), start: last[0], end: end})
			last = [2]int{i, end}
			out = appendParts(out, text, i, end)
			i = end
		case text[i] == ' ' || text[i] == '\n':
			i++
		default:
			h := newHash(kindRunes)
			for end := i; end < min(i+longestGram, len(text)) && !isLatin(text[end]) && text[end] > ' '; end++ {
				h = h.with(uint32(text[end]))
				out = append(out, feature{id: uint32(h), start: i, end: end + 1})
			}
			i++
		}
	}
	return out
}

// appendParts adds the starts of a word, which stand in for its stem. Words
// longer than any in use are cut.
func appendParts(out []feature, text []rune, start, end int) []feature {
	for n := 4; n <= 6 && start+n < end; n++ {
		id := newHash(kindWordPart).withRunes(text[start : start+n])
		out = append(out, feature{id: uint32(id), start: start, end: end})
	}
	return out
}

// concepts are the concepts of each clause, alone, in order, and with the
// runes next to them.
func (a *analysis) concepts() []feature {
	var out []feature
	add := func(h hash, first, last hit) {
		out = append(out, feature{id: uint32(h), start: first.start, end: last.end})
	}
	for n := range a.clauses {
		hs := a.clauses[n].hits
		for i, x := range hs {
			add(newHash(kindConcept).with(uint32(x.concept)), x, x)
			for j := i + 1; j < min(i+5, len(hs)); j++ {
				y := hs[j]
				add(newHash(kindConceptSkip).with(uint32(x.concept)).with(uint32(y.concept)), x, y)
				if j == i+1 {
					add(newHash(kindConceptPair).with(uint32(x.concept)).with(uint32(y.concept)), x, y)
				}
				if j == i+2 {
					add(newHash(kindConceptTriple).with(uint32(x.concept)).with(uint32(hs[i+1].concept)).with(uint32(y.concept)), x, y)
				}
			}
			before, after := neighbours(a.text.runes, x)
			add(newHash(kindBefore).with(uint32(x.concept)).withRunes(before), x, x)
			add(newHash(kindAfter).with(uint32(x.concept)).withRunes(after), x, x)
		}
	}
	return out
}

// neighbours gives the word, or the two Chinese characters, on each side of h.
func neighbours(text []rune, h hit) (before, after []rune) {
	i := h.start
	for i > 0 && text[i-1] == ' ' {
		i--
	}
	start := i
	for start > 0 && isLatin(text[start-1]) && i-start < 16 {
		start--
	}
	if start == i {
		start = max(i-2, 0)
	}
	j := h.end
	for j < len(text) && text[j] == ' ' {
		j++
	}
	end := j
	for end < len(text) && isLatin(text[end]) && end-j < 16 {
		end++
	}
	if end == j {
		end = min(j+2, len(text))
	}
	return text[start:i], text[j:end]
}

// structure is what the rules found: stances, alone and in pairs, and rulings.
func (a *analysis) structure() []feature {
	var out []feature
	code := func(f finding) uint32 { return uint32(f.topic)*uint32(stanceCount) + uint32(f.stance) }
	for i, f := range a.findings {
		out = append(out, feature{id: uint32(newHash(kindFinding).with(code(f))), start: f.start, end: f.end})
		guarded := newHash(kindFinding).with(code(f)).with(uint32(a.clauses[f.clause].guard) + 1)
		out = append(out, feature{id: uint32(guarded), start: f.start, end: f.end})
		for j := i + 1; j < min(i+4, len(a.findings)); j++ {
			g := a.findings[j]
			pair := newHash(kindFindingPair).with(code(f)).with(code(g))
			out = append(out, feature{id: uint32(pair), start: f.start, end: max(f.end, g.end)})
		}
	}
	for _, r := range a.rulings {
		h := newHash(kindRuling).withRunes([]rune(string(r.tag)))
		if r.sure {
			h = h.with(1)
		}
		out = append(out, feature{id: uint32(h), start: r.start, end: r.end})
	}
	length := uint32(math.Log2(float64(len(a.text.runes) + 1)))
	return append(out, feature{id: uint32(newHash(kindLength).with(length))})
}
