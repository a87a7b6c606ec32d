package reading

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGradientsAreTheSlopeOfTheLoss walks a little along the gradient and
// compares how much the loss changes with what the gradient says.
func TestGradientsAreTheSlopeOfTheLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	f := newFitting(1, rng)
	s := &sample{tags: make([]bool, tagCount), traps: make([]bool, tagCount), category: 3}
	s.tags[2], s.tags[5] = true, true
	const n = 7
	x := make([]float32, n*embedded)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	var whole dropout
	for _, m := range []*[]float32{&whole.first, &whole.second, &whole.pooled, &whole.summary} {
		*m = make([]float32, n*hidden+2*hidden+summary)
		for i := range *m {
			(*m)[i] = 1
		}
	}
	run := func() *pass {
		p := &pass{}
		p.begin(n)
		copy(p.x[reach1/2*embedded:], x)
		f.forward(p, &whole)
		return p
	}
	loss := func() float64 {
		logits := run().logits
		var sum float64
		for o, taught := range s.tags {
			v := float64(logits[o])
			if taught {
				v = -v
			}
			sum += math.Log1p(math.Exp(v))
		}
		category := logits[tagCount:]
		softmax(category)
		for c, p := range category {
			wanted := smoothing / float64(categoryCount)
			if c == s.category {
				wanted += 1 - smoothing
			}
			sum -= categoryWeight * wanted * math.Log(float64(p))
		}
		return sum
	}
	f.backward.turn(f.weights)
	p := run()
	f.backward.run(p, &whole, lossGradient(p.logits, s, 1), f.gradient)
	dx := f.backward.dx[reach1/2*embedded:][:n*embedded]

	for name, part := range map[string]struct{ at, slope []float32 }{
		"weights": {f.all, f.gradient.all}, "input": {x, dx},
	} {
		var steepness float64
		for _, g := range part.slope {
			steepness += float64(g) * float64(g)
		}
		step := 1e-3 / math.Sqrt(steepness)
		move := func(by float64) {
			for i, g := range part.slope {
				part.at[i] += float32(by * float64(g))
			}
		}
		move(step)
		up := loss()
		move(-2 * step)
		down := loss()
		move(step)
		require.InEpsilon(t, steepness, (up-down)/(2*step), 0.02, name)
	}
}
