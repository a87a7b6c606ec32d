package reading

// farthest is how many tokens are named at most on each side of the one that
// weighed most.
const farthest = 8

// because gives the words around the token that spoke most for an output: its
// clause, or as much of it as stands near.
func because(a *analysis, t *tokens, d *desk, output int) []Span {
	best, most := -1, float32(0)
	for i := range t.list {
		var said float32
		for k := range d.passes {
			said += d.passes[k].said(i, output)
		}
		if isWordy(a.text.runes, t.list[i]) && (best < 0 || said > most) {
			best, most = i, said
		}
	}
	if best < 0 {
		return nil
	}
	first, last := best, best
	for first > 0 && best-first < farthest && !endsClause(a.text.runes, t.list[first-1]) {
		first--
	}
	for last+1 < len(t.list) && last-best < farthest && !endsClause(a.text.runes, t.list[last+1]) {
		last++
	}
	return []Span{a.text.span(t.list[first].start, t.list[last].end)}
}

// isWordy reports whether a token is a word or a character, not a mark.
func isWordy(text []rune, w token) bool {
	return isLatin(text[w.start]) || text[w.start] > 0x2E7F
}

func endsClause(text []rune, w token) bool { return isBreak(text, w.start) || text[w.start] == '\n' }
