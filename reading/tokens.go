package reading

// token is one position of a text as the network sees it: a Chinese character,
// a word of another script, or a mark.
type token struct {
	start, end int // folded text
	first      int // index in ids of its first feature
	known      int // index of the first that tells what is known about it
}

// tokens is a text made ready for the network.
type tokens struct {
	list []token
	ids  []uint32 // features of all tokens, hashed, in the order of tokens
}

// features gives the features of token i: how it is written, and what is known
// about it.
func (t *tokens) features(i int) [2][]uint32 {
	end := len(t.ids)
	if i+1 < len(t.list) {
		end = t.list[i+1].first
	}
	w := t.list[i]
	return [2][]uint32{t.ids[w.first:w.known], t.ids[w.known:end]}
}

// kind keeps the names of different features apart.
type kind uint8

const (
	kindRunes kind = iota + 1
	kindBefore
	kindAfter
	kindAround
	kindWord
	kindWordPair
	kindWordPart
	kindConcept
	kindGuard
	kindFinding
	kindRuling
)

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

// tokensOf cuts the text of a into tokens with their features.
func tokensOf(a *analysis) *tokens {
	text := a.text.runes
	t := &tokens{list: make([]token, 0, len(text)/2+1)}
	for i := 0; i < len(text); {
		end := i + 1
		if isLatin(text[i]) {
			for end < len(text) && isLatin(text[end]) {
				end++
			}
		} else if text[i] == ' ' {
			i++
			continue
		}
		t.list = append(t.list, token{start: i, end: end})
		i = end
	}
	marks := a.marks()
	t.ids = make([]uint32, 0, 12*len(t.list))
	for i := range t.list {
		w := &t.list[i]
		w.first = len(t.ids)
		if isLatin(text[w.start]) {
			t.addWord(text, i)
		} else {
			t.addRune(text, i)
		}
		w.known = len(t.ids)
		for len(marks) > 0 && marks[0].end <= w.start {
			marks = marks[1:]
		}
		for _, m := range marks {
			if m.start >= w.end {
				break
			}
			if m.end > w.start {
				t.ids = append(t.ids, m.id)
			}
		}
	}
	return t
}

// neighbour gives the runes of token i, or none beyond the text.
func (t *tokens) neighbour(text []rune, i int) []rune {
	if i < 0 || i >= len(t.list) {
		return nil
	}
	return text[t.list[i].start:t.list[i].end]
}

func (t *tokens) addRune(text []rune, i int) {
	before, it, after := t.neighbour(text, i-1), t.neighbour(text, i), t.neighbour(text, i+1)
	after2 := t.neighbour(text, i+2)
	t.ids = append(t.ids,
		uint32(newHash(kindRunes).withRunes(it)),
		uint32(newHash(kindBefore).withRunes(before).with(' ').withRunes(it)),
		uint32(newHash(kindAfter).withRunes(it).with(' ').withRunes(after)),
		uint32(newHash(kindAround).withRunes(before).with(' ').withRunes(it).with(' ').withRunes(after)),
		uint32(newHash(kindAround).with(1).withRunes(it).with(' ').withRunes(after).with(' ').withRunes(after2)),
	)
}

// longestWord is how many runes of a word are looked at: longer ones are in no
// language.
const longestWord = 24

func (t *tokens) addWord(text []rune, i int) {
	it := t.neighbour(text, i)
	it = it[:min(len(it), longestWord)]
	t.ids = append(t.ids,
		uint32(newHash(kindWord).withRunes(it)),
		uint32(newHash(kindWordPair).withRunes(t.neighbour(text, i-1)).with(' ').withRunes(it)),
	)
	for n := 3; n <= 5 && n < len(it); n++ {
		t.ids = append(t.ids, uint32(newHash(kindWordPart).withRunes(it[:n])))
	}
	for n := 3; n <= 4; n++ {
		for j := 0; j+n <= len(it) && len(it) > n; j++ {
			t.ids = append(t.ids, uint32(newHash(kindWordPart).with(1).withRunes(it[j:j+n])))
		}
	}
}
