package evidence

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Reason says why something is missing.
type Reason string

// The reasons.
const (
	NeverRecorded  Reason = "never_recorded"   // whoever would have recorded it was there, or is not obliged to
	FeedNotHealthy Reason = "feed_not_healthy" // the provider's feed had gaps, or there is none
	WasErased      Reason = "erased"
)

// Missing is what a complaint of this category needs and its file has not.
type Missing struct {
	Fact   string `json:"fact"`
	Reason Reason `json:"reason"`
	Weight int    `json:"weight"` // in percent of completeness; counted if the fact is unknown
	Known  bool   `json:"known"`  // known not to be: nothing will come any more
}

// needs are, by category, the facts that a judgement needs and how much of it
// hangs on each, in percent. A category that is not there needs what "other"
// does.
var needs = readNeeds()

//go:embed needs.json
var needsJSON []byte

func readNeeds() (n map[string]map[string]int) {
	if err := json.Unmarshal(needsJSON, &n); err != nil {
		panic(fmt.Sprintf("needs.json: %v", err)) // it is part of the program
	}
	return n
}

// weigh finds what is missing, and how complete the file is: the weights of the
// needed facts that are true or false. One that is known to be false, since no
// record shows it, is missing and yet known.
func (v *view) weigh(facts []Finding) (missing []Missing, completeness int) {
	weights, ok := needs[v.c.Category]
	if !ok {
		weights = needs["other"]
	}
	missing = []Missing{}
	for _, f := range facts {
		weight := weights[f.Fact]
		if weight == 0 {
			continue
		}
		if f.Truth != Unknown {
			completeness += weight
		}
		if f.Truth == Unknown || f.Truth == False && len(f.Records) == 0 {
			missing = append(missing, Missing{Fact: f.Fact, Reason: v.why(f), Weight: weight, Known: f.Truth == False})
		}
	}
	return missing, completeness
}

// why says why a fact is missing.
func (v *view) why(f Finding) Reason {
	switch {
	case f.Truth == Unknown && v.erased(f.carried):
		return WasErased
	case f.Truth == Unknown && f.feed && v.healthy != True:
		return FeedNotHealthy
	}
	return NeverRecorded
}
