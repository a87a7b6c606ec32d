package reading

import (
	"slices"

	"doorstep/complaints"
	"doorstep/prefs"
)

// sample is a text as rows of the tables, token by token.
type sample struct {
	features []int32
	ends     []int32 // of each token's features: as it is written, then what is known about it
	tags     []bool  // what a training row teaches
	traps    []bool  // what it would be likely to be taken for
	category int     // of a training row, or -1
}

// len is the number of tokens.
func (s *sample) len() int { return len(s.ends) / 2 }

// each calls visit twice for each token, with the features of either sort and
// by how much each counts: many shall not shout down few.
func (s *sample) each(visit func(token int, rows []int32, by float32)) {
	from := int32(0)
	for i, end := range s.ends {
		if end > from {
			visit(i/2, s.features[from:end], 1/sqrt(float32(end-from)))
		}
		from = end
	}
}

// fill looks the features of t up; those in no table are left out.
func (s *sample) fill(t *tokens, known index) {
	s.features, s.ends = s.features[:0], s.ends[:0]
	for i := range t.list {
		for _, ids := range t.features(i) {
			for _, id := range ids {
				if row, ok := known.row(id); ok {
					s.features = append(s.features, row)
				}
			}
			s.ends = append(s.ends, int32(len(s.features)))
		}
	}
}

// samples makes rows ready. Features that fewer than leastRows share are left
// out; ids are those that remain, ascending.
func samples(rows []Row) (all []sample, ids []uint32) {
	texts := make([]*tokens, len(rows))
	seen := make(map[uint32]int)
	for i := range rows {
		texts[i] = tokensOf(analyse(rows[i].Text))
		distinct := slices.Clone(texts[i].ids)
		slices.Sort(distinct)
		for _, id := range slices.Compact(distinct) {
			seen[id]++
		}
	}
	for id, n := range seen {
		if n >= leastRows {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	known := newIndex(ids)
	all = make([]sample, len(rows))
	for i := range rows {
		s := &all[i]
		s.fill(texts[i], known)
		s.category = slices.Index(complaints.Categories, rows[i].Category)
		s.tags, s.traps = marked(rows[i].Tags), marked(rows[i].Avoid)
	}
	return all, ids
}

// marked tells for each tag of the vocabulary whether it is among tags.
func marked(tags []prefs.Tag) []bool {
	is := make([]bool, tagCount)
	for _, tag := range tags {
		is[slices.Index(prefs.Tags, tag)] = true
	}
	return is
}

// joinedSample is a and b as one text, which teaches what either does. Its category is
// anybody's guess.
func joinedSample(a, b *sample) *sample {
	s := &sample{category: -1, tags: slices.Clone(a.tags), traps: make([]bool, tagCount)}
	s.features = slices.Concat(a.features, b.features)
	s.ends = slices.Clone(a.ends)
	for _, end := range b.ends {
		s.ends = append(s.ends, end+int32(len(a.features)))
	}
	for i, taught := range b.tags {
		s.tags[i] = s.tags[i] || taught
	}
	return s
}

// contradict reports whether a and b teach opposite tags.
func contradict(a, b *sample) bool {
	for _, pair := range opposites {
		i, j := slices.Index(prefs.Tags, pair[0]), slices.Index(prefs.Tags, pair[1])
		if (a.tags[i] || b.tags[i]) && (a.tags[j] || b.tags[j]) {
			return true
		}
	}
	return false
}
