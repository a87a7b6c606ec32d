package reading

import (
	"slices"
	"sort"
	"sync"

	"doorstep/complaints"
	"doorstep/prefs"
)

// longText is how many tokens a text may have for its working memory to be kept.
const longText = 500

// Reader reads complaints. It is safe for concurrent use.
type Reader struct {
	model *model
	desks sync.Pool // of *desk
}

// desk is the working memory of one reading.
type desk struct {
	sample sample
	passes []pass // one for each network
}

func newReader(m *model) *Reader {
	return &Reader{model: m, desks: sync.Pool{New: func() any {
		return &desk{passes: make([]pass, len(m.networks))}
	}}}
}

// Read says what text says. It reads the first MaxRunes runes.
func (r *Reader) Read(text string) Reading {
	a := analyse(text)
	t := tokensOf(a)
	d := r.desks.Get().(*desk)
	if len(t.list) <= longText {
		defer r.desks.Put(d)
	}
	logits := r.model.run(t, d)
	for i, tag := range prefs.Tags {
		logits[i] += a.leaning(tag)
	}
	out := category(logits[tagCount:])
	out.CategoryBecause = because(a, t, d, tagCount+slices.Index(complaints.Categories, out.Category))
	confidences := make([]float64, tagCount)
	for i, x := range logits[:tagCount] {
		confidences[i] = confidence(x)
	}
	for _, pair := range opposites {
		i, j := slices.Index(prefs.Tags, pair[0]), slices.Index(prefs.Tags, pair[1])
		if confidences[i] >= confidences[j] {
			confidences[j] = 0
		} else {
			confidences[i] = 0
		}
	}
	for i, p := range confidences {
		if p >= MinConfidence {
			tag := prefs.Tags[i]
			out.Tags = append(out.Tags, TagReading{Tag: tag, Confidence: p, Because: because(a, t, d, i)})
		}
	}
	sort.Slice(out.Tags, func(i, j int) bool { return out.Tags[i].Tag < out.Tags[j].Tag })
	return out
}

// category begins a reading with the likeliest category.
func category(logits []float32) Reading {
	ps := slices.Clone(logits)
	for i := range ps {
		ps[i] *= categoryTemper
	}
	softmax(ps)
	best := 0
	for i, p := range ps {
		if p > ps[best] {
			best = i
		}
	}
	return Reading{Category: complaints.Categories[best], Confidence: float64(ps[best])}
}
