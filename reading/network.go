package reading

import (
	"math"

	"doorstep/complaints"
	"doorstep/prefs"
)

// The outputs of a network: one per tag, then one per category.
var (
	tagCount      = len(prefs.Tags)
	categoryCount = len(complaints.Categories)
	outputs       = tagCount + categoryCount
)

// The shape of a network.
const (
	embedded = 64 // numbers by which a feature is described
	hidden   = 64 // numbers by which a token in its context is described
	reach1   = 3  // tokens that the first layer looks at
	reach2   = 7  // and the second
	summary  = 96 // numbers by which a text is described
	columns  = 96 // of heads: scores, then values, and nothing up to what the kernels like
)

// weights are all numbers of a network but its table, as views of one slice.
type weights struct {
	all                 []float32
	conv1, bias1        []float32 // reach1*embedded x hidden
	conv2, bias2        []float32 // reach2*hidden x hidden
	context             []float32 // hidden x hidden
	heads, headBias     []float32 // hidden x columns: how much a token counts, and what it says
	sum1, sumBias, sum2 []float32 // 2*hidden x summary, summary x outputs
}

func newWeights() *weights {
	w := &weights{}
	parts := []struct {
		view *[]float32
		n    int
	}{
		{&w.conv1, reach1 * embedded * hidden}, {&w.bias1, hidden},
		{&w.conv2, reach2 * hidden * hidden}, {&w.bias2, hidden},
		{&w.context, hidden * hidden},
		{&w.heads, hidden * columns}, {&w.headBias, outputs},
		{&w.sum1, 2 * hidden * summary}, {&w.sumBias, summary}, {&w.sum2, summary * outputs},
	}
	total := 0
	for _, p := range parts {
		total += p.n
	}
	w.all = make([]float32, total)
	rest := w.all
	for _, p := range parts {
		*p.view, rest = rest[:p.n:p.n], rest[p.n:]
	}
	return w
}

// pass is the working memory of one run through a network.
type pass struct {
	n      int       // tokens
	x      []float32 // (n+reach1-1) x embedded, with empty margins
	h1     []float32 // (n+reach2-1) x hidden, with empty margins
	h2     []float32 // n x hidden
	mean1  []float32 // hidden
	ctx    []float32 // hidden
	heads  []float32 // n x columns
	share  []float32 // n x outputs: softmax over tokens
	pooled []float32 // 2*hidden
	maxAt  []int32
	sum    []float32
	top    []float32 // outputs: of the scores
	total  []float32 // outputs: what the shares are divided by, inverted
	logits []float32
}

func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n, n+n/2)
	}
	s = s[:n]
	clear(s)
	return s
}

// begin makes room for n tokens.
func (p *pass) begin(n int) {
	p.n = n
	p.x = grow(p.x, (n+reach1-1)*embedded)
	p.h1 = grow(p.h1, (n+reach2-1)*hidden)
	p.h2 = grow(p.h2, n*hidden)
	p.mean1 = grow(p.mean1, hidden)
	p.ctx = grow(p.ctx, hidden)
	p.heads = grow(p.heads, n*columns)
	p.share = grow(p.share, n*outputs)
	p.pooled = grow(p.pooled, 2*hidden)
	if p.maxAt == nil {
		p.maxAt = make([]int32, hidden)
	}
	p.sum = grow(p.sum, summary)
	p.logits = grow(p.logits, outputs)
	p.top, p.total = grow(p.top, outputs), grow(p.total, outputs)
}

// dropout says what a step of training leaves out, as factors of what it keeps.
type dropout struct{ first, second, pooled, summary []float32 }

func (p *pass) rowX(i int) []float32  { return p.x[(i+reach1/2)*embedded:][:embedded] }
func (p *pass) rowH1(i int) []float32 { return p.h1[(i+reach2/2)*hidden:][:hidden] }

// forward fills p from p.x. d is nil but in training.
func (w *weights) forward(p *pass, d *dropout) {
	n := p.n
	for i := range n {
		copy(p.rowH1(i), w.bias1)
	}
	(&product{rows: n, columns: hidden, n: reach1 * embedded, a: p.x, nextA: embedded, strideA: 1,
		b: w.conv1, strideB: hidden, nextTo: hidden}).add(p.h1[reach2/2*hidden:])
	for i := range n {
		h := p.rowH1(i)
		rectify(h)
		if d != nil {
			scale(h, d.first[i*hidden:])
		}
		for j, v := range h {
			p.mean1[j] += v
		}
	}
	for j := range p.mean1 {
		p.mean1[j] /= float32(n)
	}
	copy(p.ctx, w.bias2)
	addRow(p.ctx, p.mean1, w.context)
	mean2, max2 := p.pooled[:hidden], p.pooled[hidden:]
	for j := range max2 {
		max2[j] = -math.MaxFloat32
	}
	for i := range n {
		copy(p.h2[i*hidden:], p.ctx)
	}
	(&product{rows: n, columns: hidden, n: reach2 * hidden, a: p.h1, nextA: hidden, strideA: 1,
		b: w.conv2, strideB: hidden, nextTo: hidden}).add(p.h2)
	for i := range n {
		h := p.h2[i*hidden:][:hidden]
		rectify(h)
		if d != nil {
			scale(h, d.second[i*hidden:])
		}
		below, at := (*[hidden]float32)(p.rowH1(i)), (*[hidden]int32)(p.maxAt)
		it, mean, most := (*[hidden]float32)(h), (*[hidden]float32)(mean2), (*[hidden]float32)(max2)
		if d == nil { // who only reads need not know where the greatest stood
			for j, v := range it {
				v += below[j]
				it[j] = v
				mean[j] += v
				most[j] = max(most[j], v)
			}
			continue
		}
		for j, v := range it {
			v += below[j]
			it[j] = v
			mean[j] += v
			if v > most[j] {
				most[j] = v
				at[j] = int32(i)
			}
		}
	}
	(&product{rows: n, columns: columns, n: hidden, a: p.h2, nextA: hidden, strideA: 1,
		b: w.heads, strideB: columns, nextTo: columns}).add(p.heads)
	for j := range mean2 {
		mean2[j] /= float32(n)
	}
	if d != nil {
		scale(p.pooled, d.pooled)
	}
	copy(p.sum, w.sumBias)
	addRow(p.sum, p.pooled, w.sum1)
	rectify(p.sum)
	if d != nil {
		scale(p.sum, d.summary)
	}
	copy(p.logits, w.headBias)
	addRow(p.logits, p.sum, w.sum2)
	p.attend()
}

// attend weighs, for each output, what the tokens say by how much they count.
func (p *pass) attend() {
	top, sum, said := p.top[:outputs], p.total[:outputs], p.logits[:outputs]
	copy(top, p.heads)
	for i := 1; i < p.n; i++ {
		for o, score := range p.heads[i*columns:][:outputs] {
			top[o] = max(top[o], score)
		}
	}
	for i := range p.n {
		scores, share := p.heads[i*columns:][:outputs], p.share[i*outputs:][:outputs]
		for o, score := range scores {
			e := exp(score - top[o])
			share[o] = e
			sum[o] += e
		}
	}
	for o, total := range sum {
		sum[o] = 1 / total
	}
	for i := range p.n {
		values, share := p.heads[i*columns+outputs:][:outputs], p.share[i*outputs:][:outputs]
		for o, by := range sum {
			share[o] *= by
			said[o] += float32(share[o] * values[o])
		}
	}
}

// said is what token i, in its place, said for an output.
func (p *pass) said(i, output int) float32 {
	return p.share[i*outputs+output] * p.heads[i*columns+outputs+output]
}

func rectify(x []float32) {
	for i, v := range x { // max(v, 0) without a branch
		b := math.Float32bits(v)
		x[i] = math.Float32frombits(b &^ uint32(int32(b)>>31))
	}
}

func scale(x, by []float32) {
	for i := range x {
		x[i] *= by[i]
	}
}
