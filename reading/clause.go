package reading

import "slices"

// guard marks what keeps a clause from being the writer's own lasting wish.
type guard uint8

const (
	guardHypo   guard = 1 << iota // "if", "unless"
	guardSaid                     // what somebody else said
	guardThird                    // somebody else's wish
	guardPast                     // "used to"
	guardOnce                     // "just today"
	guardQuoted                   // inside quotation marks
	guardAsked                    // a question that asks for nothing
)

// clause is a stretch of text in which a "no" or a "fine" can reach a place or
// an act.
type clause struct {
	hits  []hit
	guard guard
	start int // folded text
}

// longestClause is how many hits a clause may have. People put a stop long
// before; a text without any is cut, so that its cost stays in proportion.
const longestClause = 32

// clauses cuts the text at punctuation and at words like "but".
func clauses(text []rune, hits []hit) []clause {
	quoted := quotedRunes(text)
	var out []clause
	var c clause
	flush := func(question bool) {
		if len(c.hits) > 0 {
			c.guard = guardsOf(text, c.hits, question, quoted)
			out = append(out, c)
		}
		c = clause{}
	}
	start := 0
	for i, r := range text {
		if isBreak(text, i) {
			flush(r == '?')
			start = i + 1
		}
		if len(hits) == 0 || hits[0].start != i {
			continue
		}
		if hits[0].concept == cBut || len(c.hits) == longestClause {
			flush(false)
			start = hits[0].start
		}
		if hits[0].concept == cBut {
			start = hits[0].end
		} else {
			c.start = start
			c.hits = append(c.hits, hits[0])
		}
		hits = hits[1:]
	}
	flush(false)
	return out
}

// isBreak reports whether text[i] ends a clause. A mark between two digits
// belongs to a number.
func isBreak(text []rune, i int) bool {
	switch text[i] {
	case ',', '.', ':':
		return i == 0 || i+1 == len(text) || !isDigit(text[i-1]) || !isDigit(text[i+1])
	case ';', '!', '?', '\n', '(', ')', '“', '”':
		return true
	case '-':
		return i > 0 && i+1 < len(text) && text[i-1] == ' ' && text[i+1] == ' '
	}
	return false
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// quotedRunes tells for each rune whether it stands in quotation marks. A mark
// that is never closed quotes nothing.
func quotedRunes(text []rune) []bool {
	quoted := make([]bool, len(text))
	open := -1
	for i, r := range text {
		switch {
		case (r == '“' || r == '"') && open < 0:
			open = i
		case (r == '”' || r == '"') && open >= 0:
			for j := open; j <= i; j++ {
				quoted[j] = true
			}
			open = -1
		}
	}
	return quoted
}

func guardsOf(text []rune, hits []hit, question bool, quoted []bool) guard {
	var g guard
	requested := false
	for i, h := range hits {
		switch h.concept {
		case cHypo:
			g |= guardHypo
		case cSaid:
			g |= guardSaid
		case cPast:
			g |= guardPast
		case cOnce:
			g |= guardOnce
		case cThird:
			g |= guardThird
		case cFamily:
			first := i == 0 || i == 1 && (hits[0].concept == cOwn || hits[0].concept == cSelf)
			if first && i+1 < len(hits) && isStance(hits[i+1].concept) && firstOf(hits, cProxy, cSign) < 0 {
				g |= guardThird // "my mum doesn't like ..." is not the writer's wish
			}
			if first && i+1 < len(hits) && hits[i+1].concept == cParcel && owns(text, hits[i]) {
				g |= guardThird // "my neighbour's parcel"
			}
		case cAsk:
			question = true
		case cWant, cOK, cNeg, cUnasked, cAgain:
			requested = true
		}
		if quoted[h.start] {
			g |= guardQuoted
		}
	}
	if firstOf(hits, cNobody) >= 0 {
		g &^= guardHypo // "if I am out" is no mere supposition
	}
	if question && !requested {
		g |= guardAsked
	}
	return g
}

// owns reports whether the person h stands in the genitive.
func owns(text []rune, h hit) bool {
	return h.end < len(text) && text[h.end] == '的' || h.end-h.start > 2 && text[h.end-2] == '\'' && text[h.end-1] == 's'
}

func isStance(c concept) bool { return c == cNeg || c == cBad || c == cOK || c == cNoNeed }

func (c *clause) has(concepts ...concept) bool { return c.first(concepts...) >= 0 }

// first gives the index of the first hit of one of the concepts, or -1.
func (c *clause) first(concepts ...concept) int { return firstOf(c.hits, concepts...) }

func firstOf(hits []hit, concepts ...concept) int {
	return slices.IndexFunc(hits, func(h hit) bool { return slices.Contains(concepts, h.concept) })
}
