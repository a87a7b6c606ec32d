package prefs

import "time"

// State is what became of a tag.
type State string

// The states of a tag.
const (
	On    State = "on"    // couriers are told
	Asked State = "asked" // waits for the consumer's answer; nobody is told
	Off   State = "off"   // the consumer took it away
)

// TagState is one tag as its consumer sees it.
type TagState struct {
	Tag        Tag
	State      State
	Level      Level // only where State is On
	Explicit   bool  // said by the consumer, not learned
	Scope      Scope
	Confidence float64  // 0..1, of what was learned
	Because    []Reason // oldest first
	Since      time.Time
	FadesAt    time.Time // when what was learned stops to count; zero if never
}

// Reason is one complaint that taught a tag.
type Reason struct {
	On       time.Time
	Category string
}

// Overview lists everything that is known of the consumer's wishes, in the
// vocabulary's order: what was said first, then what was learned.
func (p Profile) Overview(now time.Time) []TagState {
	var all []TagState
	for _, tag := range Tags {
		learned, isLearned := p.learned(tag, now)
		for _, pref := range p.Preferences {
			if pref.Tag != tag {
				continue
			}
			state := TagState{Tag: tag, State: On, Level: Avoid, Explicit: true, Scope: pref.Scope, Since: pref.SetAt}
			switch {
			case !pref.On && (isLearned || now.Sub(pref.SetAt) >= tombstoneLife):
				continue // what was complained of since is asked about below
			case !pref.On:
				state.State, state.Level = Off, ""
			case p.suspended(pref):
				state.State, state.Level = Asked, ""
			}
			isLearned = isLearned && !(pref.On && pref.Scope == Standing)
			all = append(all, state)
		}
		if isLearned {
			all = append(all, learned)
		}
	}
	return all
}

// learned is what the evidence alone says about tag, wherever it happened.
func (p Profile) learned(tag Tag, now time.Time) (TagState, bool) {
	b := p.belief(tag, "", now)
	level := b.level()
	if level == "" {
		return TagState{}, false
	}
	state := TagState{
		Tag: tag, State: On, Level: level, Scope: Standing, Confidence: b.probability(),
		Since: b.because[0].At, FadesAt: b.fadesAt(now),
	}
	if tag.needsAnswer() || p.tombstoned(tag, now) {
		state.State, state.Level = Asked, ""
	}
	for _, e := range b.because {
		state.Because = append(state.Because, Reason{On: e.At, Category: e.Category})
	}
	return state, true
}
