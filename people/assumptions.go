package people

import (
	"errors"
	"fmt"
)

// Assumptions are what a town is made by. docs/simulation.md says of each where
// it comes from. All but the counts are probabilities.
type Assumptions struct {
	Days      int    `default:"60" help:"Days on which parcels go out."`
	Consumers int    `default:"300" help:"Consumers."`
	Outlets   int    `default:"2" help:"Outlets; the consumers are spread over them."`
	Couriers  int    `default:"2" help:"Couriers of each outlet."`
	Seed      uint64 `default:"1" help:"All chance follows from it."`

	Parcels   float64 `default:"0.3" help:"Chance that a consumer gets a parcel on a day. About what China's 175 billion parcels of 2024 come to for each of 1.4 billion people; from memory, not checked."`
	Wishing   float64 `default:"0.3" help:"Consumers with one or two wishes that nobody was told. A guess."`
	Speaking  float64 `default:"0.6" help:"Consumers who ever complain. A guess."`
	Complains float64 `default:"0.5" help:"Of those, complaints for each parcel that was handed over against a wish or signed for falsely. A guess."`
	Mishaps   float64 `default:"0.01" help:"Of those, complaints for each other parcel, of what no wish could have prevented. A guess."`
	Consent   float64 `default:"0.4" help:"Consumers who once allowed lockers and pickup points, whatever they wish. A guess."`

	Followed float64 `default:"0.8" help:"Chance that a courier who has seen an alert does as it says. A guess, on which the result rests."`
	Reached  float64 `default:"0.97" help:"Chance that an alert reaches the courier's phone. A guess."`
	Seen     float64 `default:"0.9" help:"Chance that the courier looks at an alert that reached his phone. A guess."`
	Falsely  float64 `default:"0.4" help:"Where a locker or pickup point is refused: the courier leaves it there all the same and signs as if he had handed it over. A guess."`
	Override float64 `default:"0.1" help:"Where it is refused: a manager overrides in his name. A guess. Else the courier goes to the door."`

	AnswerHours float64 `default:"4" help:"Mean opening hours to an answer; the times are exponential. A guess."`
	Late        float64 `default:"0.04" help:"Answers that are forgotten for a day more. A guess."`
	Confirmed   float64 `default:"0.4" help:"Consumers who confirm an answer. A guess."`
	Disputed    float64 `default:"0.1" help:"Consumers who dispute it. A guess. The others stay silent."`
}

// Bounds of a town. The longest period of figures is 366 days, and ids have room
// for so many of each.
const (
	mostDays      = 366
	mostConsumers = 99_999
	mostOutlets   = 1000
	mostCouriers  = 100
)

// Check refuses what makes no town.
func (a Assumptions) Check() error {
	var failures []error
	for _, c := range []struct {
		flag        string
		given       int
		least, most int
	}{
		{"--days", a.Days, 2, mostDays}, {"--consumers", a.Consumers, 1, mostConsumers},
		{"--outlets", a.Outlets, 1, mostOutlets}, {"--couriers", a.Couriers, 1, mostCouriers},
	} {
		if c.given < c.least || c.given > c.most {
			failures = append(failures, fmt.Errorf("%s must be %d to %d", c.flag, c.least, c.most))
		}
	}
	for _, c := range []struct {
		flag   string
		chance float64
	}{
		{"--parcels", a.Parcels}, {"--wishing", a.Wishing}, {"--speaking", a.Speaking}, {"--complains", a.Complains}, {"--mishaps", a.Mishaps},
		{"--consent", a.Consent}, {"--followed", a.Followed}, {"--reached", a.Reached}, {"--seen", a.Seen},
		{"--falsely and --override", a.Falsely + a.Override}, {"--late", a.Late}, {"--confirmed and --disputed", a.Confirmed + a.Disputed},
		{"--falsely", a.Falsely}, {"--override", a.Override}, {"--confirmed", a.Confirmed}, {"--disputed", a.Disputed},
	} {
		if !(c.chance >= 0 && c.chance <= 1) {
			failures = append(failures, fmt.Errorf("%s must be 0 to 1", c.flag))
		}
	}
	if !(a.AnswerHours > 0 && a.AnswerHours <= 1000) {
		failures = append(failures, errors.New("--answer-hours must be above 0, to 1000"))
	}
	return errors.Join(failures...)
}
