package reading

import (
	"math"
	"math/rand/v2"
	"slices"
)

// What a step of training leaves out, so that no single word, token or number is
// relied on.
const (
	lostFeatures = 0.5
	lostKnown    = 0.3
	lostTokens   = 0.05
	lostFirst    = 0.05 // of the first layer
	lostSecond   = 0.05
	lostPooled   = 0.05
	lostSummary  = 0.05
)

// fitting is a network while it is fitted.
type fitting struct {
	*weights
	table []float32 // rows x embedded
	rng   *rand.Rand

	gradient      *weights
	tableGradient []float32 // of the rows in touched, in that order
	touched       []int32   // rows of the table that the batch used
	place         []int32   // of each row in touched, or -1
	moments       moments   // of weights
	tableMoments  moments

	pass     pass
	backward backward
	dropout  dropout
	kept     sample // what a step leaves of a sample
}

// moments are the running means of AdamW.
type moments struct{ mean, square []float32 }

func newMoments(n int) moments { return moments{make([]float32, n), make([]float32, n)} }

// newFitting begins a network at random.
func newFitting(rows int, rng *rand.Rand) *fitting {
	f := &fitting{weights: newWeights(), table: make([]float32, rows*embedded), rng: rng,
		gradient: newWeights(), place: make([]int32, rows)}
	f.moments, f.tableMoments = newMoments(len(f.all)), newMoments(len(f.table))
	for i := range f.place {
		f.place[i] = -1
	}
	fill := func(x []float32, deviation float64) {
		for i := range x {
			x[i] = float32(deviation * rng.NormFloat64())
		}
	}
	fill(f.table, 0.1)
	fill(f.conv1, 1.4/math.Sqrt(reach1*embedded))
	fill(f.conv2, 1/math.Sqrt(reach2*hidden))
	fill(f.context, 0.5/math.Sqrt(hidden))
	fill(f.heads, 0.5/math.Sqrt(hidden))
	fill(f.sum1, 1.4/math.Sqrt(2*hidden))
	fill(f.sum2, 0.5/math.Sqrt(summary))
	for o := range tagCount {
		f.headBias[o] = -2.5 // most tags are rare
	}
	return f
}

// fit goes over all samples in random order, epochs times.
func (f *fitting) fit(all []sample, epochs int, done func(epoch int)) {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	steps := epochs * ((len(order) + batchSize - 1) / batchSize)
	clock := &schedule{steps: steps, mean: 1, square: 1}
	for epoch := range epochs {
		f.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for batch := range slices.Chunk(order, batchSize) {
			f.backward.turn(f.weights)
			clear(f.gradient.all)
			for _, i := range batch {
				s := &all[i]
				if f.rng.Float64() < joinedShare {
					if other := &all[f.rng.IntN(len(all))]; !contradict(s, other) {
						s = joinedSample(s, other)
					}
				}
				f.learn(s, 1/float32(len(batch)))
			}
			f.update(clock)
		}
		done(epoch + 1)
	}
}

// learn adds the gradient of one sample, which counts for share.
func (f *fitting) learn(s *sample, share float32) {
	n := s.len()
	if n == 0 {
		return
	}
	p := &f.pass
	p.begin(n)
	f.thin(s)
	f.kept.each(func(token int, rows []int32, by float32) {
		x := p.rowX(token)
		for _, row := range rows {
			for j, v := range f.table[int(row)*embedded:][:embedded] {
				x[j] += float32(by * v)
			}
		}
	})
	f.mask(&f.dropout.first, n*hidden, lostFirst)
	f.mask(&f.dropout.second, n*hidden, lostSecond)
	f.mask(&f.dropout.pooled, 2*hidden, lostPooled)
	f.mask(&f.dropout.summary, summary, lostSummary)
	f.forward(p, &f.dropout)
	f.backward.run(p, &f.dropout, lossGradient(p.logits, s, share), f.gradient)
	f.kept.each(func(token int, rows []int32, by float32) {
		dx := f.backward.dx[(token+reach1/2)*embedded:][:embedded]
		for _, row := range rows {
			to := f.gradientOf(row)
			for j, v := range dx {
				to[j] += float32(by * v)
			}
		}
	})
}

// trapWeight is how much more it costs to fall into a trap than to be wrong
// elsewhere.
const trapWeight = 2

// How much the category counts beside the tags, and which share of it is given to
// all categories alike: which of two grievances is the chief one is often open.
const (
	categoryWeight = 1.7
	smoothing      = 0.05
)

// lossGradient turns log-odds into the derivative of the loss: logistic for each
// tag, cross-entropy over categories.
func lossGradient(logits []float32, s *sample, share float32) []float32 {
	for o, taught := range s.tags {
		logits[o] = logistic(logits[o])
		if taught {
			logits[o]--
		}
		if s.traps[o] {
			logits[o] *= trapWeight
		}
	}
	category := logits[tagCount:]
	if s.category < 0 {
		clear(category)
	} else {
		softmax(category)
		category[s.category] -= 1 - smoothing
		for c, v := range category {
			category[c] = float32(categoryWeight * (v - smoothing/float32(categoryCount)))
		}
	}
	for o := range logits {
		logits[o] *= share
	}
	return logits
}

// gradientOf makes room for the gradient of a row of the table.
func (f *fitting) gradientOf(row int32) []float32 {
	at := f.place[row]
	if at < 0 {
		at = int32(len(f.touched))
		f.place[row] = at
		f.touched = append(f.touched, row)
		n := len(f.tableGradient)
		f.tableGradient = slices.Grow(f.tableGradient, embedded)[:n+embedded]
		clear(f.tableGradient[n:])
	}
	return f.tableGradient[int(at)*embedded:][:embedded]
}

// thin leaves features and whole tokens of s out.
func (f *fitting) thin(s *sample) {
	k := &f.kept
	k.features, k.ends = k.features[:0], k.ends[:0]
	from := int32(0)
	lost := false
	for i, end := range s.ends {
		share := lostFeatures
		if i%2 == 0 {
			lost = f.chance(lostTokens)
		} else {
			share = lostKnown
		}
		if !lost {
			for _, row := range s.features[from:end] {
				if !f.chance(share) {
					k.features = append(k.features, row)
				}
			}
		}
		k.ends = append(k.ends, int32(len(k.features)))
		from = end
	}
}

func (f *fitting) chance(p float64) bool { return float64(f.rng.Uint32()) < p*(1<<32) }

// mask fills m with n factors: 0 for the share that is lost, else what makes up
// for the loss.
func (f *fitting) mask(m *[]float32, n int, lost float64) {
	*m = grow(*m, n)
	limit, factor := uint64(lost*(1<<16)), float32(1/(1-lost))
	var bits uint64
	for i := range *m {
		if i%4 == 0 {
			bits = f.rng.Uint64()
		}
		if bits&0xffff >= limit {
			(*m)[i] = factor
		}
		bits >>= 16
	}
}

// schedule counts the steps of AdamW.
type schedule struct {
	steps, done  int
	mean, square float64 // what the running means still lack
}

const (
	keepMean   = 0.9
	keepSquare = 0.999
)

// next gives the rate of the next step and the corrections of its means.
func (s *schedule) next() (rate, mean, square float32) {
	r := fullRate * (1 - float64(s.done)/float64(s.steps)) * min(1, float64(s.done+1)/warmUp)
	s.done++
	s.mean *= keepMean
	s.square *= keepSquare
	return float32(r), float32(1 / (1 - s.mean)), float32(1 / (1 - s.square))
}

// update takes a step of AdamW. Rows of the table that the batch did not use
// stay as they are.
func (f *fitting) update(s *schedule) {
	rate, mean, square := s.next()
	adamW(f.all, f.gradient.all, f.moments.mean, f.moments.square, rate, mean, square)
	for k, row := range f.touched {
		from, to := int(row)*embedded, int(row+1)*embedded
		adamW(f.table[from:to], f.tableGradient[k*embedded:][:embedded],
			f.tableMoments.mean[from:to], f.tableMoments.square[from:to], rate, mean, square)
		f.place[row] = -1
	}
	f.touched, f.tableGradient = f.touched[:0], f.tableGradient[:0]
}

// adamW moves x against the gradient g. Products are rounded before they are
// added, so that no processor fuses them into another result.
func adamW(x, g, mean, square []float32, rate, meanBy, squareBy float32) {
	decay := 1 - float32(rate*weightDecay)
	g, mean, square = g[:len(x)], mean[:len(x)], square[:len(x)]
	for i, d := range g {
		m := float32(keepMean*mean[i]) + float32((1-keepMean)*d)
		q := float32(keepSquare*square[i]) + float32((1-keepSquare)*float32(d*d))
		mean[i], square[i] = m, q
		x[i] = float32(x[i]*decay) - float32(rate*float32(m*meanBy))/(sqrt(float32(q*squareBy))+1e-8)
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
