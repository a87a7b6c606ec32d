package evidence

import (
	"encoding/json"
	"time"
)

// When the two clocks of a record are worth a word.
const (
	lateAfter = 15 * time.Minute // received so long after it happened: a late upload
	skewAfter = 5 * time.Minute  // the clocks differ by more than a phone's usual error
)

// Entry is one line of a timeline.
type Entry struct {
	ID         string    `json:"id"` // the record's
	Kind       Kind      `json:"kind"`
	Source     Source    `json:"source,omitempty"` // missing: nobody can say any more
	OccurredAt time.Time `json:"occurred_at"`      // as the source claims
	ReceivedAt time.Time `json:"received_at"`      // by our clock
	SkewMS     int64     `json:"skew_ms"`          // received less occurred
	Late       bool      `json:"late"`
	ClockSkew  bool      `json:"clock_skew"`
	Courier    string    `json:"courier,omitempty"` // "own": of the case's; "other"
	Outcome    string    `json:"outcome,omitempty"` // a word of the kind's vocabulary
	Seconds    *float64  `json:"seconds,omitempty"`
	By         string    `json:"by,omitempty"` // who opened the file or decided
	Erased     bool      `json:"erased,omitempty"`
}

// outcomes are where the kinds keep the word that says how it went.
var outcomes = []string{"outcome", "state", "event", "status", "method", "opened", "category", "kind", "verdict", "class"}

func outcome(values map[string]json.RawMessage) (word string) {
	for _, name := range outcomes {
		if json.Unmarshal(values[name], &word) == nil && word != "" {
			break
		}
	}
	return word
}

// entry is the line of a record in the case's timeline.
func (c Case) entry(r Record) Entry {
	skew := r.ReceivedAt.Sub(r.OccurredAt)
	e := Entry{
		ID: r.ID, Kind: r.Kind, Source: r.About.Source, OccurredAt: r.OccurredAt, ReceivedAt: r.ReceivedAt,
		SkewMS: skew.Milliseconds(), Late: skew > lateAfter, ClockSkew: skew.Abs() > skewAfter, By: r.text("by"), Erased: r.Erased,
	}
	switch no := r.About.CourierNo; {
	case no == 0:
	case no == c.CourierNo:
		e.Courier = "own"
	default:
		e.Courier = "other"
	}
	e.Outcome = outcome(r.Values)
	if s, ok := r.number("duration_s"); ok {
		e.Seconds = &s
	}
	return e
}
