package bench

// Row is one line of the report: doorstep's figure, the reference's, and how
// they compare.
type Row struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	Unit      string   `json:"unit"`
	Doorstep  Spread   `json:"doorstep"`
	Reference *Spread  `json:"reference,omitempty"` // nil: the goal is a figure of its own
	Against   string   `json:"against,omitempty"`   // what the reference is
	Ratio     *Spread  `json:"ratio,omitempty"`     // of the pairs: doorstep's figure by the reference's
	Goal      *Goal    `json:"goal,omitempty"`
	Note      string   `json:"note,omitempty"`
	Runs      []Paired `json:"runs"`
}

// Paired is one run of both sides, right after each other.
type Paired struct {
	Doorstep  float64 `json:"doorstep"`
	Reference float64 `json:"reference,omitempty"`
}

// Goal is what a row should reach: of the ratio if the row has one, else of the
// figure itself.
type Goal struct {
	Must   float64 `json:"must"`
	Aim    float64 `json:"aim,omitempty"`
	AtMost bool    `json:"at_most,omitempty"` // less is better
}

// Reached says how a figure stands to the goal: "aim", "must" or "missed".
func (g Goal) Reached(figure float64) string {
	holds := func(limit float64) bool {
		if g.AtMost {
			return figure <= limit
		}
		return figure >= limit
	}
	switch {
	case g.Aim != 0 && holds(g.Aim):
		return "aim"
	case holds(g.Must):
		return "must"
	}
	return "missed"
}

// sum fills in the spreads from the runs.
func (r Row) sum() Row {
	var ours, theirs, ratios []float64
	for _, run := range r.Runs {
		ours = append(ours, run.Doorstep)
		if run.Reference > 0 {
			theirs, ratios = append(theirs, run.Reference), append(ratios, run.Doorstep/run.Reference)
		}
	}
	r.Doorstep = SpreadOf(ours)
	if len(ratios) > 0 {
		reference, ratio := SpreadOf(theirs), SpreadOf(ratios)
		r.Reference, r.Ratio = &reference, &ratio
	}
	return r
}

// figure is what the goal is about.
func (r Row) figure() float64 {
	if r.Ratio != nil {
		return r.Ratio.Median
	}
	return r.Doorstep.Median
}
