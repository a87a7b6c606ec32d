package reading

import (
	"math"
	"slices"
)

// exp is e^x to about seven digits. Unlike that of package math it has the same
// bits on every processor, which training must have.
func exp(x float32) float32 {
	if x < -80 {
		return 0
	}
	x = min(x, 80)
	const log2e, ln2 = 1.4426950408889634, 0.6931471805599453
	n := math.Floor(float64(float64(x)*log2e) + 0.5)
	r := float64(x) - float64(n*ln2)
	p := 1.0 / 5040
	for _, c := range [...]float64{1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1} {
		p = float64(p*r) + c
	}
	return float32(p * math.Float64frombits(uint64(int64(n)+1023)<<52))
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
