package reading

import (
	"slices"

	"doorstep/complaints"
	"doorstep/prefs"
)

// Count is how often predicted tags were right, wrong and left out.
type Count struct {
	TruePositives  int `json:"tp"`
	FalsePositives int `json:"fp"`
	FalseNegatives int `json:"fn"`
}

// Precision is 0 where nothing was predicted.
func (c Count) Precision() float64 {
	return ratio(c.TruePositives, c.TruePositives+c.FalsePositives)
}

// Recall is 0 where there was nothing to find.
func (c Count) Recall() float64 { return ratio(c.TruePositives, c.TruePositives+c.FalseNegatives) }

// F1 is the harmonic mean of precision and recall.
func (c Count) F1() float64 {
	return ratio(2*c.TruePositives, 2*c.TruePositives+c.FalsePositives+c.FalseNegatives)
}

// Figures are the scores of one set of rows, pooled.
type Figures struct {
	Rows       int   `json:"rows"`
	Tags       Count `json:"tags"`
	Categories int   `json:"categories_right"`
	Traps      int   `json:"traps"`
	TrapsHit   int   `json:"traps_hit"`
	Empty      int   `json:"empty"` // rows that teach nothing
	LeftEmpty  int   `json:"left_empty"`
}

// CategoryAccuracy is the share of rows with the right category.
func (f Figures) CategoryAccuracy() float64 { return ratio(f.Categories, f.Rows) }

// TrapRate is the share of the listed wrong inferences that were made.
func (f Figures) TrapRate() float64 { return ratio(f.TrapsHit, f.Traps) }

// EmptyRate is the share of rows without tags that were left without.
func (f Figures) EmptyRate() float64 { return ratio(f.LeftEmpty, f.Empty) }

// Score is what Evaluate found, for all rows and for each language apart.
type Score struct {
	All        Figures                       `json:"all"`
	ByLang     map[string]Figures            `json:"by_lang"`
	ByTag      map[prefs.Tag]Count           `json:"by_tag"`
	ByCategory map[complaints.Category]Count `json:"by_category"`
	Worst      []Mistake                     `json:"worst"` // the worst first, at most mostMistakes
}

// Evaluate compares what read says with the labels of rows, as data/README.md
// defines (Scoring).
func Evaluate(rows []Row, read func(string) Reading) Score {
	s := newScore()
	s.add(rows, read)
	return s
}

func newScore() Score {
	return Score{ByLang: make(map[string]Figures), ByTag: make(map[prefs.Tag]Count),
		ByCategory: make(map[complaints.Category]Count)}
}

func (s *Score) add(rows []Row, read func(string) Reading) {
	var mistakes []Mistake
	for _, row := range rows {
		got := read(row.Text)
		if m := mistakeOf(row, got); m.Weight > 0 {
			mistakes = append(mistakes, m)
		}
		tags := make([]prefs.Tag, len(got.Tags))
		for i, t := range got.Tags {
			tags[i] = t.Tag
		}
		lang := s.ByLang[row.Lang]
		s.All.add(row, got.Category, tags)
		lang.add(row, got.Category, tags)
		s.ByLang[row.Lang] = lang
		for _, tag := range prefs.Tags {
			c := s.ByTag[tag]
			c.add(slices.Contains(row.Tags, tag), slices.Contains(tags, tag))
			s.ByTag[tag] = c
		}
		for _, category := range complaints.Categories {
			c := s.ByCategory[category]
			c.add(row.Category == category, got.Category == category)
			s.ByCategory[category] = c
		}
	}
	s.Worst = worst(append(s.Worst, mistakes...))
}

func (c *Count) add(gold, predicted bool) {
	switch {
	case gold && predicted:
		c.TruePositives++
	case predicted:
		c.FalsePositives++
	case gold:
		c.FalseNegatives++
	}
}

func (f *Figures) add(row Row, category complaints.Category, tags []prefs.Tag) {
	f.Rows++
	if category == row.Category {
		f.Categories++
	}
	for _, tag := range prefs.Tags {
		f.Tags.add(slices.Contains(row.Tags, tag), slices.Contains(tags, tag))
	}
	for _, tag := range row.Avoid {
		f.Traps++
		if slices.Contains(tags, tag) {
			f.TrapsHit++
		}
	}
	if len(row.Tags) == 0 {
		f.Empty++
		if len(tags) == 0 {
			f.LeftEmpty++
		}
	}
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// LeftOut is the score on one author of a reader that never saw him.
type LeftOut struct {
	Author string `json:"author"`
	Score  Score  `json:"score"`
}

// CrossValidate trains on plain and on all authors but one, in turn, and reads
// the rows of the one left out: of each that only names, or of all. The pooled
// score is over all rows that were read so.
func CrossValidate(authors []Author, plain []Row, t Training, only ...string) (pooled Score, each []LeftOut) {
	pooled = newScore()
	for i, author := range authors {
		if len(only) > 0 && !slices.Contains(only, author.Name) {
			continue
		}
		others := slices.Clone(plain)
		for j := range authors {
			if j != i {
				others = append(others, authors[j].Rows...)
			}
		}
		r := Train(others, t)
		each = append(each, LeftOut{Author: author.Name, Score: Evaluate(author.Rows, r.Read)})
		pooled.add(author.Rows, r.Read)
	}
	return pooled, each
}

// LeaveOut trains once, on plain and on all authors but those named, and reads
// the rows of these. One training for all costs less than CrossValidate, and
// the reader has fewer rows to learn from.
func LeaveOut(authors []Author, plain []Row, t Training, names ...string) (pooled Score, each []LeftOut) {
	pooled = newScore()
	others := slices.Clone(plain)
	var out []Author
	for _, a := range authors {
		if slices.Contains(names, a.Name) {
			out = append(out, a)
		} else {
			others = append(others, a.Rows...)
		}
	}
	r := Train(others, t)
	for _, a := range out {
		each = append(each, LeftOut{Author: a.Name, Score: Evaluate(a.Rows, r.Read)})
		pooled.add(a.Rows, r.Read)
	}
	return pooled, each
}
