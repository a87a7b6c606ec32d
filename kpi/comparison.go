package kpi

import "math/bits"

// Comparison is a figure of a period beside the same of a base period.
type Comparison struct {
	Now, Base Figure
	Decline   *float64  // 1 - now / base; nil without a base
	Interval  *Interval // of the decline
	Halved    bool      // fell by more than half: strictly, in integers
}

// Compare says by how much a figure fell.
func Compare(now, base Figure) Comparison {
	c := Comparison{Now: now, Base: base}
	if now.Value == nil || base.Value == nil || base.Num == 0 {
		return c
	}
	decline := 1 - *now.Value / *base.Value
	c.Decline = &decline
	c.Halved = halved(now, base)
	if r := ratio(now, base); r != nil {
		c.Interval = &Interval{Low: 1 - r.High, High: 1 - r.Low}
	}
	return c
}

// halved is 2 * now < base, cross-multiplied; 128 bits hold any counts.
func halved(now, base Figure) bool {
	leftHigh, leftLow := bits.Mul64(uint64(2*now.Num), uint64(base.Den))
	rightHigh, rightLow := bits.Mul64(uint64(base.Num), uint64(now.Den))
	return leftHigh < rightHigh || leftHigh == rightHigh && leftLow < rightLow
}

// Printed is the decline in percent with one decimal, rounded half up in
// integers; "" if there is none or it rose.
func (c Comparison) Printed() string {
	fell := c.Base.Num*c.Now.Den - c.Now.Num*c.Base.Den
	if c.Decline == nil || fell < 0 {
		return ""
	}
	return decimal(fell*100, c.Base.Num*c.Now.Den, 1) + " %"
}
