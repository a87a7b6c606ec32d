package prefs

import (
	"slices"
	"time"
)

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
	Because    []Reason // oldest first; the newest mostReasons
	Right      int      // how often couriers and outlets said that what was learned is right
	Wrong      int      // or wrong
	Since      time.Time
	FadesAt    time.Time // when what was learned stops to count; zero if never
	AskAgainAt time.Time // when the consumer is asked whether what he said still holds; zero if never
}

// Reason is one complaint that taught a tag.
type Reason struct {
	On       time.Time
	Category string
	Waybill  string // of the parcel; "" when unknown
}

// mostReasons bounds what is told of one tag.
const mostReasons = 10

// Certainty is how sure what was learned is, in one of three words.
type Certainty string

// The certainties. What holds on from earlier, below the probability at which it
// began, may be so.
const (
	Sure    Certainty = "sure"
	Likely  Certainty = "likely"
	Perhaps Certainty = "perhaps"
)

// Certainties lists them.
var Certainties = []Certainty{Sure, Likely, Perhaps}

// Certainty is Confidence in a word. What the consumer said is sure.
func (t TagState) Certainty() Certainty {
	switch {
	case t.Explicit || t.Confidence >= avoidOn-rounding:
		return Sure
	case t.Confidence >= adviseOn-rounding:
		return Likely
	}
	return Perhaps
}

// Overview lists everything that is known of the consumer's wishes, in the
// vocabulary's order: what was said first, then what was learned.
func (p Profile) Overview(now time.Time) []TagState {
	var all []TagState
	said, deciding := p.weigh("", now, false), p.weigh("", now, true)
	for i, tag := range Tags {
		learned, isLearned := p.learned(tag, &said[i], &deciding[i])
		isLearned = isLearned && !p.stands(tag)
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
			if pref.On && pref.Scope.Waybill() == "" {
				state.AskAgainAt = pref.SetAt.Add(askAgain)
			}
			all = append(all, state)
		}
		if isLearned {
			all = append(all, learned)
		}
	}
	return all
}

// stands says whether tag is the consumer's standing word.
func (p Profile) stands(tag Tag) bool {
	return slices.ContainsFunc(p.Preferences, func(pref Preference) bool { return pref.Tag == tag && pref.On && pref.Scope == Standing })
}

// learned is what the evidence says about tag, wherever it happened: what is
// said of it, and what of that may decide.
func (p Profile) learned(tag Tag, said, deciding *belief) (TagState, bool) {
	state := TagState{Tag: tag, State: On, Level: deciding.level(), Scope: Standing}
	b := deciding
	if state.Level == "" || !p.mayDecide(tag) {
		state.State, state.Level = Asked, ""
		b = said
	}
	if b.level() == "" {
		return TagState{}, false
	}
	state.Confidence, state.Since, state.FadesAt = b.probability(), b.since, b.fadesAt()
	p.explain(&state)
	return state, true
}

// explain lists what supports a tag: where of two wishes the newer counts, what
// was said since the other.
func (p Profile) explain(state *TagState) {
	evidence := slices.Clone(p.Evidence)
	SortEvidence(evidence)
	for _, e := range evidence {
		switch {
		case e.Tag != state.Tag:
			if state.Tag.newerWins() && e.said() && e.Weight > 0 && slices.Contains(state.Tag.Opposites(), e.Tag) {
				state.Because, state.Right, state.Wrong = nil, 0, 0
			}
		case e.Sign == MarkedRight:
			state.Right++
		case e.Sign == MarkedWrong:
			state.Wrong++
		case e.sign() == Complained && e.Weight > 0:
			state.Because = append(state.Because, Reason{On: e.At, Category: e.Category, Waybill: e.Waybill})
		}
	}
	state.Because = state.Because[max(0, len(state.Because)-mostReasons):]
}
