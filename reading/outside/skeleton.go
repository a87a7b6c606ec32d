package outside

import (
	"slices"
	"strings"
	"unicode"
)

// skeleton is a text without what spellings of one thing differ in: case, width,
// spaces, punctuation and marks.
type skeleton struct {
	runes  []rune // of the text
	folded []rune // of the skeleton
	at     []int  // where each of folded stands in runes
}

func skeletonOf(runes []rune) skeleton {
	s := skeleton{runes: runes}
	for i, r := range runes {
		if isDigit(r) || unicode.IsLetter(r) {
			s.folded, s.at = append(s.folded, folded(r)), append(s.at, i)
		}
	}
	return s
}

// folded is a rune without case and width.
func folded(r rune) rune {
	if r >= '！' && r <= '～' { // the full-width forms of ASCII
		r -= '！' - '!'
	}
	return unicode.ToLower(r)
}

// literal finds every spelling of what is known, if that has least letters or
// digits. What begins or ends with a Latin letter must do so as a word.
func (s skeleton) literal(known string, least int, mask string) (found []stretch) {
	want := skeletonOf([]rune(strings.ToValidUTF8(known, ""))).folded
	if len(want) < max(least, 1) {
		return nil
	}
	for i := 0; i+len(want) <= len(s.folded); i++ {
		if slices.Equal(s.folded[i:i+len(want)], want) && s.isWord(i, i+len(want)) {
			found = append(found, stretch{s.at[i], s.at[i+len(want)-1] + 1, mask})
		}
	}
	return found
}

// isWord says whether no Latin word goes on beyond the ends of a part of the
// skeleton.
func (s skeleton) isWord(start, end int) bool {
	from, to := s.at[start], s.at[end-1]+1
	return !(from > 0 && isLatin(s.runes[from-1]) && isLatin(s.runes[from])) &&
		!(to < len(s.runes) && isLatin(s.runes[to]) && isLatin(s.runes[to-1]))
}

func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) }

// name finds the consignee's name: whole, each word of it, and a Chinese surname
// before a form of address.
func (s skeleton) name(known string) []stretch {
	found := s.literal(known, 2, maskedName)
	for _, word := range strings.FieldsFunc(known, func(r rune) bool { return !unicode.IsLetter(r) }) {
		found = append(found, s.literal(word, 2, maskedName)...)
	}
	name := []rune(strings.TrimSpace(known))
	if len(name) < 2 || !unicode.Is(unicode.Han, name[0]) {
		return found
	}
	found = append(found, s.literal(string(name[1:]), 2, maskedName)...) // the given name alone
	for _, surname := range []string{string(name[:1]), string(name[:2])} {
		for _, title := range []string{"先生", "女士", "小姐", "太太", "某", "姓"} {
			found = append(found, s.literal(surname+title, 2, maskedName)...)
		}
		found = append(found, s.literal("姓"+surname, 2, maskedName)...)
		found = append(found, s.literal("小"+surname, 2, maskedName)...)
		found = append(found, s.literal("老"+surname, 2, maskedName)...)
	}
	return found
}

// sharedRunes is how many letters and digits in a row a text may not share with
// the consignee's address; sharedWord the length of a Latin word that it may not,
// unless places in general are called so.
const (
	sharedRunes = 4
	sharedWord  = 4
)

var commonPlaces = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields("street road avenue lane drive close court place terrace crescent boulevard floor building block house " +
		"flat apartment unit room suite north south east west upper lower front back door gate tower estate village town city county district " +
		"with near next opposite behind") {
		set[w] = true
	}
	return set
}()

// address finds the consignee's address whole, every part of it that is written
// without Latin letters, and its words in Latin ones.
func (s skeleton) address(known string) []stretch {
	found := s.literal(known, 2, maskedAddress)
	runes := []rune(known)
	want := skeletonOf(runes).folded
	shared := map[string]bool{}
	for i := 0; i+sharedRunes <= len(want); i++ {
		if !slices.ContainsFunc(want[i:i+sharedRunes], isLatin) {
			shared[string(want[i:i+sharedRunes])] = true
		}
	}
	for i := 0; i+sharedRunes <= len(s.folded); i++ {
		if shared[string(s.folded[i:i+sharedRunes])] {
			found = append(found, stretch{s.at[i], s.at[i+sharedRunes-1] + 1, maskedAddress})
		}
	}
	for _, word := range strings.FieldsFunc(known, func(r rune) bool { return !isLatin(r) }) {
		if !commonPlaces[strings.ToLower(word)] {
			found = append(found, s.literal(word, sharedWord, maskedAddress)...)
		}
	}
	return found
}
