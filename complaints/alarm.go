package complaints

import (
	"time"

	"doorstep/feed"
)

// ConfirmationTime is how long the consumer has to say whether an answer solved
// the complaint; ReopeningTime how long after its end it can be taken up again.
const (
	ConfirmationTime = 72 * time.Hour
	ReopeningTime    = 15 * 24 * time.Hour
)

// AlarmAt is when something about the complaint is due next by itself: a warning,
// the end of a pause, the closing of an answer that nobody confirmed. Zero:
// nothing is.
func (c Complaint) AlarmAt() (at time.Time) {
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	switch {
	case c.Status == Answered:
		sooner(c.Period.AnsweredAt.Add(ConfirmationTime))
	case c.Status.owesAnswer():
		if p := c.Period.Pause; p != nil {
			sooner(p.Until)
		}
		for _, name := range ClockNames {
			if level, ok := c.Period.nextLevel(name); ok {
				sooner(c.Period.tellsAt(name, level.Percent))
			}
		}
	}
	return at
}

// Ring does the first thing that is due by now. It says false when nothing is.
// Called until then, it tells each level of each clock once and in order, however
// late it is called.
func (c *Complaint) Ring(now time.Time) (Outcome, bool) {
	at := c.AlarmAt()
	if at.IsZero() || at.After(now) {
		return Outcome{}, false
	}
	if out, err := c.expire(at); err == nil {
		return out, true
	}
	if p := c.Period.Pause; p != nil && !p.Until.After(at) {
		return c.resume(at), true
	}
	for _, name := range ClockNames {
		level, ok := c.Period.nextLevel(name)
		if !ok || c.Period.tellsAt(name, level.Percent).After(at) {
			continue
		}
		c.Period.Told[name] = level.Percent
		out := Outcome{Event: feed.ComplaintWarned}
		if level.Percent == 100 {
			out.Event = feed.ComplaintBreached
		}
		for _, to := range level.To {
			out.Notices = append(out.Notices, Notice{
				To: to, Period: c.Period.No, Clock: name, Percent: level.Percent, DueAt: c.Period.levelAt(name, 100), At: now,
			})
		}
		return out, true
	}
	panic("complaints: an alarm that nothing rings")
}

func (p Period) nextLevel(name ClockName) (Level, bool) {
	for _, l := range Levels {
		if l.Percent > p.Told[name] {
			return l, true
		}
	}
	return Level{}, false
}

// tellsAt is when a level is told. The last moment of a clock is still in time, so
// its breach is told a millisecond later, the least that our times can show.
func (p Period) tellsAt(name ClockName, percent int) time.Time {
	at := p.levelAt(name, percent)
	if percent == 100 {
		at = at.Add(time.Millisecond)
	}
	return at
}
