package complaints

import (
	"time"

	"doorstep/parcels"
)

// Opener says what opened a period.
type Opener string

// The openers.
const (
	ByFiling    Opener = "filing"
	ByDispute   Opener = "dispute"
	ByReopening Opener = "reopening"
)

// PauseReason says why a complaint waits. The consumer sees it.
type PauseReason string

// The reasons.
const (
	WaitingConsumer PauseReason = "waiting_consumer"
	Weather         PauseReason = "weather"
	Customs         PauseReason = "customs"
)

// PauseReasons lists them.
var PauseReasons = []PauseReason{WaitingConsumer, Weather, Customs}

// LongestPause is when a pause ends by itself.
const LongestPause = 48 * time.Hour

// Pause is a stretch in which the work clock stands still.
type Pause struct {
	Reason PauseReason
	From   time.Time
	Until  time.Time // the latest end
}

// Period is one round of a complaint: from its opening to an answer. A dispute
// or a reopening opens the next one; what became of this one stays.
type Period struct {
	No       int // from 1
	OpenedBy Opener
	From     time.Time
	Rules    Rules

	AnsweredAt time.Time         // zero while an answer is owed
	Told       map[ClockName]int // the last warning of each clock, in percent

	Pause     *Pause        // nil: not paused
	PausedFor time.Duration // wall time of the pauses that have ended
	// The work clock runs from WorkFrom with WorkLeft to go; both move with pauses.
	WorkFrom time.Time
	WorkLeft time.Duration
}

func openPeriod(no int, by Opener, from time.Time, rules Rules) Period {
	return Period{
		No: no, OpenedBy: by, From: from, Rules: rules, Told: map[ClockName]int{}, WorkFrom: from, WorkLeft: rules.Work,
	}
}

// FirstPeriod is the one that a filing opens.
func FirstPeriod(filed time.Time, zone string, hours parcels.Hours) Period {
	return openPeriod(1, ByFiling, filed, RulesOf(zone, hours, filed))
}

// IsOpen says whether an answer is still owed.
func (p Period) IsOpen() bool { return p.AnsweredAt.IsZero() }

// Clock is one of the period's deadlines. While the period is paused its work
// clock is due when it would be if the pause lasted as long as it may.
func (p Period) Clock(name ClockName) Clock {
	return Clock{WarnsAt: p.levelAt(name, Levels[0].Percent), Due: p.levelAt(name, 100), MetAt: p.AnsweredAt}
}

// levelAt is when so many percent of a clock are used up.
func (p Period) levelAt(name ClockName, percent int) time.Time {
	share := func(limit time.Duration) time.Duration { return limit * time.Duration(percent) / 100 }
	switch name {
	case PromiseClock:
		return p.From.Add(share(p.Rules.Promise))
	case LegalClock:
		return p.From.Add(share(p.Rules.Legal))
	}
	used := p.Rules.Work - p.WorkLeft
	if share(p.Rules.Work) <= used && used > 0 { // before the last pause
		return p.From
	}
	return p.Rules.Hours.After(p.WorkFrom, share(p.Rules.Work)-used, p.Rules.zone())
}

// pause stops the work clock at now, unless it is over already.
func (p *Period) pause(reason PauseReason, now time.Time) {
	p.Pause = &Pause{Reason: reason, From: now, Until: now.Add(LongestPause)}
	if !now.Before(p.levelAt(WorkClock, 100)) {
		return
	}
	p.WorkLeft -= p.Rules.Hours.Between(p.WorkFrom, now, p.Rules.zone())
	p.WorkFrom = p.Pause.Until
}

// resume ends the pause at now, at the latest when it ends by itself.
func (p *Period) resume(now time.Time) {
	end := now
	if end.After(p.Pause.Until) {
		end = p.Pause.Until
	}
	p.PausedFor += end.Sub(p.Pause.From)
	if p.WorkFrom.After(end) {
		p.WorkFrom = end
	}
	p.Pause = nil
}

// PausedBy is how long the period has been paused by now, wall time.
func (p Period) PausedBy(now time.Time) time.Duration {
	if p.Pause == nil {
		return p.PausedFor
	}
	return p.PausedFor + now.Sub(p.Pause.From)
}
