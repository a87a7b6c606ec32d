package backtest

import (
	"encoding/json"
	"math"
)

// z is the 97.5 % point of the normal distribution: intervals hold 95 %.
const z = 1.959964

// fewConsumers is below how many effective ones an interval is not to be trusted: the variance
// between consumers is itself a guess, mostly too low a one.
const fewConsumers = 30

// rounding is a variance, as a part of that of one observation, that sums of
// floating point may show where there is none.
const rounding = 1e-12

// Share is a part of a whole with its 95 % interval.
type Share struct {
	Part, Of  int
	Consumers float64 // who had anything to count, as many as would count alike
	Low, High float64 // 0 and 1 where Of is 0
}

// Value is 0 where there is nothing to have a share of.
func (s Share) Value() float64 {
	if s.Of == 0 {
		return 0
	}
	return float64(s.Part) / float64(s.Of)
}

// MarshalJSON adds the value, null where there is none.
func (s Share) MarshalJSON() ([]byte, error) {
	var value *float64
	if v := s.Value(); s.Of > 0 {
		value = &v
	}
	return json.Marshal(struct {
		Part      int      `json:"part"`
		Of        int      `json:"of"`
		Consumers float64  `json:"effective_consumers"`
		Value     *float64 `json:"value"`
		Low       float64  `json:"low"`
		High      float64  `json:"high"`
	}{s.Part, s.Of, s.Consumers, value, s.Low, s.High})
}

// Mean is a mean of squares between 0 and 1, with its 95 % interval.
type Mean struct {
	Of    int     `json:"of"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// tally gathers a ratio of sums over consumers. What one consumer does is alike,
// so not his parcels but the consumers are independent: the sums that give the
// variance between them are kept, and nothing else.
type tally struct {
	part, of      float64
	consumers     float64 // with anything to count
	pp, po, oo    float64 // sums over consumers of part*part, part*of, of*of
	nowPart, nowO float64 // of the consumer whom the replay is at
}

// count adds to what is known of the consumer at hand.
func (t *tally) count(hit bool) {
	t.nowO++
	if hit {
		t.nowPart++
	}
}

// measure adds a number between 0 and 1.
func (t *tally) measure(x float64) {
	t.nowO++
	t.nowPart += x
}

// next closes the consumer at hand.
func (t *tally) next() {
	if t.nowO == 0 {
		return
	}
	t.add(t.nowPart, t.nowO)
	t.nowPart, t.nowO = 0, 0
}

func (t *tally) add(part, of float64) {
	t.part, t.of, t.consumers = t.part+part, t.of+of, t.consumers+1
	t.pp, t.po, t.oo = t.pp+part*part, t.po+part*of, t.oo+of*of
}

// variance of the ratio, by linearisation over consumers as clusters (Cochran,
// Sampling Techniques, 1977, 6.3 and 9A).
func (t *tally) variance() float64 {
	if t.consumers < 2 {
		return 0
	}
	r := t.part / t.of
	squares := max(t.pp-2*r*t.po+r*r*t.oo, 0)
	return t.consumers / (t.consumers - 1) * squares / (t.of * t.of)
}

// clusters is the effective number of consumers: how many of one size would
// weigh as evenly. Where one of them is most of the whole, the variance between
// them is his own, and tells as little as few would (Carter, Schnepel and
// Steigerwald, Review of Economics and Statistics 99, 2017, 698).
func (t *tally) clusters() float64 { return t.of * t.of / t.oo }

// share is the ratio with Wilson's score interval (JASA 22, 1927, 209) over the
// effective number of observations: the number that independent ones would need
// for the same variance (Kish, Survey Sampling, 1965; put into an interval as
// Korn and Graubard do, Survey Methodology 24, 1998, 193, with their correction
// for few clusters). Where all or none hit, or one consumer is most of the whole,
// the variance says nothing and every effective consumer is one observation.
func (t *tally) share() Share {
	s := Share{Part: int(t.part), Of: int(t.of), High: 1}
	if t.of == 0 {
		return s
	}
	r := t.part / t.of
	s.Consumers = t.clusters()
	n := s.Consumers
	if v := t.variance(); v > r*(1-r)*rounding && s.Consumers >= 2 {
		few := z / student(s.Consumers-1)
		n = min(r*(1-r)/v*few*few, t.of)
	}
	n = max(n, 1)
	middle := (r + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(r*(1-r)/n+z*z/(4*n*n))
	s.Low, s.High = max(middle-half, 0), min(middle+half, 1)
	return s
}

// student is the 97.5 % point of the t distribution: tables for less than three
// degrees of freedom, rounded down, then the expansion around the normal one (Abramowitz and
// Stegun, 26.7.5), which is right to 1 % from three on.
func student(free float64) float64 {
	switch {
	case free < 2:
		return 12.7062
	case free < 3:
		return 4.3027
	}
	z2 := z * z
	return z * (1 + (z2+1)/(4*free) + ((5*z2+16)*z2+3)/(96*free*free) + (((3*z2+19)*z2+17)*z2-15)/(384*free*free*free))
}

// mean is the ratio with Student's interval of its linearised variance; 0 to 1
// where fewer than two effective consumers were measured.
func (t *tally) mean() Mean {
	m := Mean{Of: int(t.of), High: 1}
	if t.of == 0 {
		return m
	}
	m.Value = t.part / t.of
	if t.clusters() >= 2 {
		half := student(t.clusters()-1) * math.Sqrt(t.variance())
		m.Low, m.High = max(m.Value-half, 0), min(m.Value+half, 1)
	}
	return m
}
