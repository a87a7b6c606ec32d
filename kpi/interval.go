package kpi

import "math"

// z is of 95 % on both sides.
const z = 1.959963984540054

// Interval holds the true value in 95 of 100 samples.
type Interval struct{ Low, High float64 }

// wilson is the score interval of a share: E. B. Wilson, 1927. It stays within
// the possible also where counts are small.
func wilson(num, den, scale int64) *Interval {
	n := float64(den)
	p := float64(num) / n
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	whole := 1 + z*z/n
	k := float64(scale)
	return &Interval{Low: math.Max(0, (middle-half)/whole) * k, High: math.Min(1, (middle+half)/whole) * k}
}

// ratio is the interval of one rate by another, on the logarithm's scale, as of
// counts of rare events. Nil where either count is 0.
func ratio(now, base Figure) *Interval {
	if now.Num == 0 || base.Num == 0 || now.Den == 0 || base.Den == 0 {
		return nil
	}
	r := float64(now.Num) / float64(now.Den) / (float64(base.Num) / float64(base.Den))
	spread := math.Exp(z * math.Sqrt(1/float64(now.Num)+1/float64(base.Num)))
	return &Interval{Low: r / spread, High: r * spread}
}
