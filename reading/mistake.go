package reading

import (
	"slices"

	"doorstep/complaints"
	"doorstep/prefs"
)

// mostMistakes is how many rows a score shows.
const mostMistakes = 20

// Mistake is a row that was read wrongly.
type Mistake struct {
	Row
	Read    complaints.Category `json:"read"`
	Wrong   []prefs.Tag         `json:"wrong"`   // predicted, not labelled
	Missing []prefs.Tag         `json:"missing"` // labelled, not predicted
	Weight  float64             `json:"weight"`
}

// mistakeOf weighs what is wrong in got: a missing tag 1, a wrong tag 1 and its
// confidence, as much again if it is a trap, a wrong category half its
// confidence.
func mistakeOf(row Row, got Reading) Mistake {
	m := Mistake{Row: row, Read: got.Category, Wrong: []prefs.Tag{}, Missing: []prefs.Tag{}}
	var tags []prefs.Tag
	for _, t := range got.Tags {
		tags = append(tags, t.Tag)
		if slices.Contains(row.Tags, t.Tag) {
			continue
		}
		m.Wrong = append(m.Wrong, t.Tag)
		m.Weight += 1 + t.Confidence
		if slices.Contains(row.Avoid, t.Tag) {
			m.Weight += 1 + t.Confidence
		}
	}
	for _, tag := range row.Tags {
		if !slices.Contains(tags, tag) {
			m.Missing = append(m.Missing, tag)
			m.Weight++
		}
	}
	if got.Category != row.Category {
		m.Weight += got.Confidence / 2
	}
	return m
}

// worst sorts mistakes, the worst first, and keeps the first of them.
func worst(ms []Mistake) []Mistake {
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		switch {
		case a.Weight > b.Weight:
			return -1
		case a.Weight < b.Weight:
			return 1
		}
		return 0
	})
	return ms[:min(len(ms), mostMistakes)]
}
