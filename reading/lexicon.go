package reading

import (
	_ "embed"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
)

//go:embed lexicon/concepts.txt
var conceptLines string

// concept is what a word stands for, whatever its language.
type concept uint8

// The concepts, in the order of conceptNames.
const (
	cNone concept = iota
	cLocker
	cIntoLocker
	cStation
	cDoor
	cToDoor
	cDownstairs
	cComeDown
	cSpot
	cCall
	cCalled
	cMessage
	cBell
	cPhoto
	cSign
	cInPerson
	cMeOnly
	cOtherPerson
	cFamily
	cProxy
	cHandover
	cProxyBan
	cThrow
	cFling
	cParcel
	cFragile
	cFragileMark
	cPet
	cAsleep
	cOwn
	cEvening
	cDaytime
	cDark
	cWeekend
	cWeekday
	cNobody
	cHome
	cPut
	cPutDone
	cDeliver
	cDelivered
	cCollect
	cNeg
	cBad
	cNoNeed
	cFact
	cOK
	cWant
	cWantish
	cNeeded
	cAgain
	cUnasked
	cOnly
	cBefore
	cFuture
	cInstead
	cBut
	cHypo
	cSaid
	cThird
	cPast
	cOnce
	cNow
	cUsually
	cBroken
	cLost
	cLate
	cFee
	cRude
	cWrong
	cPrivacy
	cRecord
	cCode
	cMachine
	cPraise
	cSelf
	cYou
	cOr
	cAnd
	cThen
	cDone
	cDispose
	cBa
	cBe
	cAsk
	conceptCount
)

var conceptNames = [conceptCount]string{
	"none", "locker", "intolocker", "station", "door", "todoor", "downstairs", "comedown", "spot",
	"call", "called", "message", "bell", "photo", "sign", "inperson", "meonly", "otherperson", "family", "proxy", "handover", "proxyban",
	"throw", "fling", "parcel", "fragile", "fragilemark", "pet", "asleep", "own",
	"evening", "daytime", "dark", "weekend", "weekday", "nobody", "home",
	"put", "putdone", "deliver", "delivered", "collect",
	"neg", "bad", "noneed", "fact", "ok", "want", "wantish", "needed", "again", "unasked", "only", "before", "future", "instead", "but",
	"hypo", "said", "third", "past", "once", "now", "usually",
	"broken", "lost", "late", "fee", "rude", "wrong", "privacy", "record", "code", "machine", "praise",
	"self", "you", "or", "and", "then", "done", "dispose", "ba", "be", "ask",
}

// word is one entry of the lexicon.
type word struct {
	runes   []rune
	concept concept
	prefix  bool // any ending may follow
}

// lexicon finds words by their first rune, longest first.
type lexicon map[rune][]word

// theLexicon is parsed once; the file is part of the program, so an error in
// it is a bug that the first test finds.
var theLexicon = sync.OnceValue(func() lexicon {
	l, err := parseLexicon(conceptLines)
	if err != nil {
		panic(err)
	}
	return l
})

// macros are the lists that stand behind the macros of the lexicon file.
var macros = map[string][]string{
	"{eve}": {"五", "六", "七", "八", "九", "十", "5", "6", "7", "8", "9", "10", "17", "18", "19", "20", "21",
		"five", "six", "seven", "eight", "nine", "ten"},
	"{floor}": {"二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二",
		"2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "15", "16", "18", "20"},
	"{day}": {"三", "四", "五", "六", "3", "4", "5", "6", "16", "17", "18", "three", "four", "five", "six"},
}

// parseLexicon reads "concept: word, word" lines. A word may stand for one
// concept only.
func parseLexicon(text string) (lexicon, error) {
	byName := make(map[string]concept, conceptCount)
	for c, name := range conceptNames {
		byName[name] = concept(c)
	}
	seen := make(map[string]concept)
	l := make(lexicon)
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, list, ok := strings.Cut(line, ":")
		c, known := byName[name]
		if !ok || !known {
			return nil, fmt.Errorf("lexicon line %d: unknown concept %q", n+1, name)
		}
		for _, entry := range strings.Split(list, ",") {
			for _, s := range expand(strings.TrimSpace(entry)) {
				if was, dup := seen[s]; dup {
					return nil, fmt.Errorf("lexicon line %d: %q stands for %s already", n+1, s, conceptNames[was])
				}
				seen[s] = c
				w := word{concept: c}
				w.prefix = strings.HasSuffix(s, "*")
				w.runes = []rune(strings.TrimSuffix(s, "*"))
				if len(w.runes) == 0 {
					return nil, fmt.Errorf("lexicon line %d: empty word", n+1)
				}
				l[w.runes[0]] = append(l[w.runes[0]], w)
			}
		}
	}
	for _, ws := range l {
		sort.SliceStable(ws, func(i, j int) bool { return len(ws[i].runes) > len(ws[j].runes) })
	}
	return l, nil
}

// expand writes out the macro of an entry, if it has one.
func expand(entry string) []string {
	for macro, values := range macros {
		if strings.Contains(entry, macro) {
			out := make([]string, len(values))
			for i, v := range values {
				out[i] = strings.ReplaceAll(entry, macro, v)
			}
			return out
		}
	}
	return []string{entry}
}

// hit is one word of the text that the lexicon knows: [start, end) in the
// folded text.
type hit struct {
	concept    concept
	start, end int
}

// hits finds the words of text from left to right, the longest at each place.
func (l lexicon) hits(text []rune) []hit {
	var out []hit
	for i := 0; i < len(text); {
		if isLatin(text[i]) && i > 0 && isLatin(text[i-1]) {
			i++
			continue
		}
		c, end := l.longest(text, i)
		if end == 0 {
			i++
			continue
		}
		if n := len(out); n > 0 && isHeld[c] && out[n-1].concept == cDownstairs && i-out[n-1].end <= 2 {
			out = out[:n-1] // "the shop downstairs" is a shop
		}
		if n := len(out); n > 0 && c == cDownstairs && out[n-1].concept == cProxy && isLatin(text[i]) && i-out[n-1].end <= len(" the ") {
			out[n-1].concept = cPut // left with reception: put there, signed for by nobody
		}
		if c != cNone {
			out = append(out, hit{c, i, end})
		}
		i = end
	}
	return out
}

// isHeld: what may stand downstairs and is more than that.
var isHeld = conceptSet(cStation, cLocker, cSpot)

// longest gives the longest word at text[i] and where it ends, or 0 if none
// stands there.
func (l lexicon) longest(text []rune, i int) (concept, int) {
	for _, w := range l[text[i]] {
		end := i + len(w.runes)
		if end > len(text) || !slices.Equal(text[i:end], w.runes) {
			continue
		}
		if !isLatin(w.runes[len(w.runes)-1]) {
			return w.concept, end
		}
		for w.prefix && end < len(text) && isLatin(text[end]) {
			end++
		}
		if end == len(text) || !isLatin(text[end]) {
			return w.concept, end
		}
	}
	return cNone, 0
}

// isLatin reports whether r continues a word that is written with spaces.
func isLatin(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '\'' || 0xC0 <= r && r <= 0x24F
}
