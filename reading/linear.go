package reading

import (
	"math"
	"slices"

	"doorstep/complaints"
	"doorstep/prefs"
)

// The outputs of the model: one per tag, then one per category.
var (
	tagCount      = len(prefs.Tags)
	categoryCount = len(complaints.Categories)
	outputs       = tagCount + categoryCount
)

// model is a linear model over the features of a text: tags each for itself,
// categories against each other.
type model struct {
	digest  [32]byte         // of the rows it was fitted to
	ids     []uint32         // features, ascending
	rows    map[uint32]int32 // feature id to its row in weights
	weights []int8           // len(rows) x outputs
	scale   []float32        // one per output: weight = int8 * scale
	bias    []float32        // one per output
}

// index makes rows from ids.
func (m *model) index() {
	m.rows = make(map[uint32]int32, len(m.ids))
	for i, id := range m.ids {
		m.rows[id] = int32(i)
	}
}

// scores are the log-odds of every output.
func (m *model) scores(fs []feature) []float64 {
	sums := make([]float32, outputs)
	for _, f := range fs {
		row, ok := m.rows[f.id]
		if !ok {
			continue
		}
		w := m.weights[int(row)*outputs : int(row+1)*outputs]
		for o, v := range w {
			sums[o] += float32(f.value * float32(v))
		}
	}
	out := make([]float64, outputs)
	for o := range out {
		out[o] = float64(sums[o]*m.scale[o] + m.bias[o])
	}
	return out
}

// share is what a feature gives to one output.
func (m *model) share(f feature, output int) float32 {
	row, ok := m.rows[f.id]
	if !ok {
		return 0
	}
	return f.value * float32(m.weights[int(row)*outputs+output]) * m.scale[output]
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softmax turns scores into probabilities, in place.
func softmax(x []float64) {
	top := slices.Max(x)
	var sum float64
	for i := range x {
		x[i] = math.Exp(x[i] - top)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}
