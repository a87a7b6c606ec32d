package reading

import (
	"math"
	"slices"
)

// exp is e^x to about six digits. Unlike that of package math it has the same
// bits on every processor, which training must have.
func exp(x float32) float32 {
	if x < -80 {
		return 0
	}
	const log2e, ln2 = 1.4426950408889634, 0.6931471805599453
	y := float64(min(x, 80))
	n := int64(float64(y*log2e) + 1024.5) // rounds, being positive
	r := y - float64(float64(n-1024)*ln2)
	p := float64(r*(1.0/120)) + 1.0/24
	p = float64(p*r) + 1.0/6
	p = float64(p*r) + 0.5
	p = float64(p*r) + 1
	p = float64(p*r) + 1
	return float32(p * math.Float64frombits(uint64(n-1)<<52))
}

func logistic(x float32) float32 { return 1 / (1 + exp(-x)) }

// softmax turns scores into probabilities, in place.
func softmax(x []float32) {
	top := slices.Max(x)
	var sum float32
	for i := range x {
		x[i] = exp(x[i] - top)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}
