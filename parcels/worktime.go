package parcels

import "time"

// usualDay is when an outlet that gave no hours is taken to work, every day.
var usualDay = []Span{{Opens: "09:00", Closes: "18:00"}}

// furthestWork bounds the search for working time: an outlet that is closed for
// longer has its deadlines there.
const furthestWork = 60 // days

// After is the moment at which so much working time has passed since from. What
// ends with a span ends at its close, not at the next opening. A time is real
// time: the hour that a clock change skips is not worked, the one that it repeats
// is worked twice.
func (h Hours) After(from time.Time, work time.Duration, zone *time.Location) time.Time {
	if work <= 0 {
		return from
	}
	for day := range furthestWork {
		for _, s := range h.spansOf(from, day, zone) {
			opens := later(s.opens, from)
			if worked := s.closes.Sub(opens); worked >= work {
				return opens.Add(work)
			} else if worked > 0 {
				work -= worked
			}
		}
	}
	return from.AddDate(0, 0, furthestWork)
}

// Between is the working time from one moment to another; nothing if they stand
// the other way round, or beyond the furthest day.
func (h Hours) Between(from, to time.Time, zone *time.Location) (work time.Duration) {
	for day := range furthestWork {
		for _, s := range h.spansOf(from, day, zone) {
			if !s.opens.Before(to) {
				return work
			}
			opens, closes := later(s.opens, from), s.closes
			if closes.After(to) {
				closes = to
			}
			work += max(0, closes.Sub(opens))
		}
	}
	return work
}

// Since keeps what hours decide from a date on: exceptions before it, and those
// further ahead than any deadline, are left out.
func (h Hours) Since(from time.Time, zone *time.Location) Hours {
	kept := Hours{Weekly: h.Weekly}
	first := from.In(zone).Format(time.DateOnly)
	last := from.In(zone).AddDate(0, 0, furthestWork).Format(time.DateOnly)
	for _, e := range h.Exceptions {
		if e.Date >= first && e.Date <= last {
			kept.Exceptions = append(kept.Exceptions, e)
		}
	}
	return kept
}

// stretch is a span of one day as moments.
type stretch struct{ opens, closes time.Time }

// spansOf is when the outlet works on the day that many days after from's.
func (h Hours) spansOf(from time.Time, day int, zone *time.Location) []stretch {
	year, month, first := from.In(zone).Date()
	date := time.Date(year, month, first+day, 12, 0, 0, 0, zone) // noon: no clock change moves it to another day
	spans := h.on(date)
	list := make([]stretch, len(spans))
	for i, s := range spans {
		list[i] = stretch{clockOn(date, s.Opens), clockOn(date, s.Closes)}
	}
	return list
}

// on gives the spans of a date: those of an exception, else of its weekday, else
// the usual ones if no hours were given at all.
func (h Hours) on(date time.Time) []Span {
	text := date.Format(time.DateOnly)
	for _, e := range h.Exceptions {
		if e.Date == text {
			return e.Spans
		}
	}
	if len(h.Weekly) == 0 {
		return usualDay
	}
	return h.Weekly[weekdays[(int(date.Weekday())+6)%7]]
}

// clockOn is the moment at which clocks show text on a date; 24:00 is the next
// day's beginning. That it is HH:MM is checked when hours are given.
func clockOn(date time.Time, text string) time.Time {
	two := func(at int) int { return int(text[at]-'0')*10 + int(text[at+1]-'0') }
	year, month, day := date.Date()
	return time.Date(year, month, day, two(0), two(3), 0, 0, date.Location())
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
