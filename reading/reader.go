package reading

import (
	"slices"
	"sort"

	"doorstep/complaints"
	"doorstep/prefs"
)

// surely is the least probability of a tag that a sure rule found.
const surely = 0.9

// Reader reads complaints. It is safe for concurrent use.
type Reader struct {
	model *model
}

// Read says what text says. It reads the first MaxRunes runes.
func (r *Reader) Read(text string) Reading {
	a := analyse(text)
	scores := r.model.scores(a.features)
	out := r.category(a, scores)
	probability := make([]float64, tagCount)
	for i := range probability {
		probability[i] = logistic(scores[i])
	}
	for _, ruling := range a.rulings {
		if ruling.sure {
			i := slices.Index(prefs.Tags, ruling.tag)
			probability[i] = max(probability[i], surely)
		}
	}
	for _, pair := range opposites {
		i, j := slices.Index(prefs.Tags, pair[0]), slices.Index(prefs.Tags, pair[1])
		if probability[i] >= probability[j] {
			probability[j] = 0
		} else {
			probability[i] = 0
		}
	}
	explained := a.explained()
	for i, p := range probability {
		tag := prefs.Tags[i]
		if threshold := a.thresholdOf(tag, explained); p >= threshold {
			out.Tags = append(out.Tags, TagReading{Tag: tag, Confidence: confidence(p, threshold), Because: r.because(a, i, tag)})
		}
	}
	sort.Slice(out.Tags, func(i, j int) bool { return out.Tags[i].Tag < out.Tags[j].Tag })
	return out
}

// confidence puts the threshold at MinConfidence and keeps the order.
func confidence(p, threshold float64) float64 {
	return MinConfidence + (p-threshold)/(1-threshold)*(1-MinConfidence)
}

// category begins a reading with the likeliest category.
func (r *Reader) category(a *analysis, scores []float64) Reading {
	ps := slices.Clone(scores[tagCount:])
	softmax(ps)
	best := 0
	for i, p := range ps {
		if p > ps[best] {
			best = i
		}
	}
	return Reading{
		Category:        complaints.Categories[best],
		Confidence:      ps[best],
		CategoryBecause: r.weightiest(a, tagCount+best),
	}
}

// because gives the words of the sure rules for tag, else those that weighed
// most with the model.
func (r *Reader) because(a *analysis, output int, tag prefs.Tag) []Span {
	var spans []Span
	for _, ruling := range a.rulings {
		if ruling.tag == tag && ruling.sure {
			spans = append(spans, a.text.span(ruling.start, ruling.end))
		}
	}
	if len(spans) > 0 {
		return merged(spans)
	}
	return r.weightiest(a, output)
}

// mostReasons is how many features are named as the reason of a reading.
const mostReasons = 3

// weightiest gives the words that spoke most for an output.
func (r *Reader) weightiest(a *analysis, output int) []Span {
	type reason struct {
		share float32
		feature
	}
	var top []reason
	for _, f := range a.features {
		share := r.model.share(f, output)
		if share <= 0 || f.end == f.start {
			continue
		}
		i := sort.Search(len(top), func(i int) bool { return top[i].share < share })
		if i < mostReasons {
			top = slices.Insert(top, i, reason{share, f})[:min(len(top)+1, mostReasons)]
		}
	}
	spans := make([]Span, len(top))
	for i, t := range top {
		spans[i] = a.text.span(t.start, t.end)
	}
	return merged(spans)
}

// merged sorts spans and joins those that touch.
func merged(spans []Span) []Span {
	sort.Slice(spans, func(i, j int) bool { return spans[i].Start < spans[j].Start })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}
