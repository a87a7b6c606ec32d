package reading

import (
	"math"
	"math/rand/v2"
	"slices"

	"doorstep/complaints"
	"doorstep/prefs"
)

// Training says how the model is fitted. The zero value of a field takes the
// default, with which the shipped weights were made.
type Training struct {
	Epochs  int     // passes over the rows, default 30
	Rate    float64 // AdaGrad step, default 1
	Decay   float64 // L2 penalty, default 1e-4
	MinRows int     // a feature seen in fewer rows is left out, default 2
}

func (t Training) withDefaults() Training {
	if t.Epochs == 0 {
		t.Epochs = 30
	}
	if t.Rate == 0 {
		t.Rate = 1
	}
	if t.Decay == 0 {
		t.Decay = 1e-4
	}
	if t.MinRows == 0 {
		t.MinRows = 2
	}
	return t
}

// seed fixes the order in which rows are visited: equal rows give equal weights.
const seed = 20250101

// kept is the share of a row's features that a step of training sees.
const kept = 0.7

// floor keeps the first steps of AdaGrad finite.
const floor = 1e-3

// example is a row made ready.
type example struct {
	rows     []int32
	values   []float32
	tags     []bool
	category int
}

// Train fits a reader to rows. The same rows give the same reader on every run.
func Train(rows []Row, t Training) *Reader {
	t = t.withDefaults()
	m, examples := prepare(rows, t)
	m.fit(examples, t)
	q := m.quantised()
	q.digest = Digest(rows)
	return &Reader{model: q}
}

// prepare numbers the features that enough rows share.
func prepare(rows []Row, t Training) (*floatModel, []example) {
	analyses := make([]*analysis, len(rows))
	seen := make(map[uint32]int)
	for i := range rows {
		analyses[i] = analyse(rows[i].Text)
		for _, f := range analyses[i].features {
			seen[f.id]++
		}
	}
	ids := make([]uint32, 0, len(seen))
	for id, n := range seen {
		if n >= t.MinRows {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	index := make(map[uint32]int32, len(ids))
	for i, id := range ids {
		index[id] = int32(i)
	}
	examples := make([]example, len(rows))
	for i, a := range analyses {
		e := example{tags: make([]bool, tagCount), category: slices.Index(complaints.Categories, rows[i].Category)}
		for _, tag := range rows[i].Tags {
			e.tags[slices.Index(prefs.Tags, tag)] = true
		}
		for _, f := range a.features {
			if row, ok := index[f.id]; ok {
				e.rows = append(e.rows, row)
				e.values = append(e.values, f.value)
			}
		}
		examples[i] = e
	}
	n := len(ids) * outputs
	return &floatModel{ids: ids, weights: make([]float32, n), squares: make([]float32, n),
		bias: make([]float32, outputs), biasSquares: make([]float32, outputs)}, examples
}

// floatModel is the model while it is fitted.
type floatModel struct {
	ids               []uint32
	weights, squares  []float32
	bias, biasSquares []float32
}

// fit runs AdaGrad: logistic loss for each tag, cross-entropy over categories.
// Products are rounded before they are added, so that no processor fuses them
// into another result.
func (m *floatModel) fit(examples []example, t Training) {
	order := make([]int, len(examples))
	for i := range order {
		order[i] = i
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	gradient := make([]float32, outputs)
	var thin example
	rate, decay := float32(t.Rate), float32(t.Decay)
	for range t.Epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, n := range order {
			e := thinned(&examples[n], &thin, rng)
			m.gradient(e, gradient)
			for k, row := range e.rows {
				w := m.weights[int(row)*outputs : int(row+1)*outputs]
				s := m.squares[int(row)*outputs : int(row+1)*outputs]
				for o, g := range gradient {
					g = float32(g*e.values[k]) + float32(decay*w[o])
					s[o] += float32(g * g)
					w[o] -= float32(rate*g) / (sqrt(s[o]) + floor)
				}
			}
			for o, g := range gradient {
				m.biasSquares[o] += float32(g * g)
				m.bias[o] -= float32(rate*g) / (sqrt(m.biasSquares[o]) + floor)
			}
		}
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// gradient fills in the derivative of the loss by each score.
func (m *floatModel) gradient(e *example, out []float32) {
	copy(out, m.bias)
	for k, row := range e.rows {
		w := m.weights[int(row)*outputs : int(row+1)*outputs]
		for o := range out {
			out[o] += float32(e.values[k] * w[o])
		}
	}
	for o := range tagCount {
		out[o] = float32(logistic(float64(out[o])))
		if e.tags[o] {
			out[o]--
		}
	}
	ps := make([]float64, categoryCount)
	for i := range ps {
		ps[i] = float64(out[tagCount+i])
	}
	softmax(ps)
	for i, p := range ps {
		out[tagCount+i] = float32(p)
	}
	out[tagCount+e.category]--
}

// quantised rounds the weights of each output to 8 bits.
func (m *floatModel) quantised() *model {
	q := &model{ids: m.ids, weights: make([]int8, len(m.weights)),
		scale: make([]float32, outputs), bias: m.bias}
	q.index()
	for o := range outputs {
		var top float32
		for i := o; i < len(m.weights); i += outputs {
			top = max(top, m.weights[i], -m.weights[i])
		}
		if top == 0 {
			continue
		}
		q.scale[o] = top / 127
		for i := o; i < len(m.weights); i += outputs {
			q.weights[i] = int8(math.Round(float64(m.weights[i] / q.scale[o])))
		}
	}
	return q
}

// thinned drops features at random, so that no single word is relied on.
func thinned(e, into *example, rng *rand.Rand) *example {
	into.rows, into.values = into.rows[:0], into.values[:0]
	into.tags, into.category = e.tags, e.category
	for i, row := range e.rows {
		if rng.Float64() < kept {
			into.rows = append(into.rows, row)
			into.values = append(into.values, e.values[i]/kept)
		}
	}
	return into
}
