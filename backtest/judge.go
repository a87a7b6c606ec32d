package backtest

import (
	"slices"
	"time"

	"doorstep/prefs"
)

// DefaultHorizon is for how long after a dispatch the consumer's words say
// whether its tags were needed and right: half of the half-life of evidence, so
// that a file of one year has three quarters that can be judged.
const DefaultHorizon = 90 * 24 * time.Hour

// Options of a replay.
type Options struct {
	Horizon time.Duration // 0: DefaultHorizon
	Told    func(Told)    // told of each dispatch, consumer by consumer; may be nil
	Heard   func(Heard)   // the same of each complaint
}

// buckets of the reliability table, each a tenth wide.
const buckets = 10

// cell holds the tallies of everything, of one tag or of one outlet.
type cell struct {
	repeats tally // repeat complaints that a correct tag precedes
	wishes  tally // wishes voiced again that their tag precedes
	alerts  tally // of dispatches
	at      tally // of alerts: those answered by a complaint about that very parcel
	never   tally // of alerts old enough: those never needed
	recent  int   // alerts too recent to be judged
	filed   int   // complaints
}

func (c *cell) next() {
	for _, t := range []*tally{&c.repeats, &c.wishes, &c.alerts, &c.at, &c.never} {
		t.next()
	}
}

// bucket is one line of the reliability table.
type bucket struct {
	forecasts, right, wrong, silent int
	ps                              float64
	spoken, least, most             tally
}

// judge holds what a walk said against what the consumer said later.
type judge struct {
	past    *Past
	horizon int64 // ms
	end     int64 // of the past

	all       cell
	tags      []cell
	outlets   []cell
	touched   []int32 // outlets of the consumer at hand
	buckets   [buckets]bucket
	brier     tally // of those who spoke
	silence   tally // silence taken for wrong
	additions int
	recent    int // forecasts too recent to be judged
}

// consumer takes over one finished walk.
func (j *judge) consumer(w *walker, outings []int32) {
	j.words(w)
	j.alerts(w, outings)
	for i := range w.forecasts {
		j.forecast(w, &w.forecasts[i])
	}
	j.next()
}

func (j *judge) next() {
	j.all.next()
	for i := range j.tags {
		j.tags[i].next()
	}
	for _, n := range j.touched {
		j.outlets[n].next()
	}
	j.touched = j.touched[:0]
	for i := range j.buckets {
		b := &j.buckets[i]
		b.spoken.next()
		b.least.next()
		b.most.next()
	}
	j.brier.next()
	j.silence.next()
}

// at is the cell of the outlet that dispatched.
func (j *judge) at(outing int32) *cell {
	n := j.past.outings[outing].outlet
	if !slices.Contains(j.touched, n) {
		j.touched = append(j.touched, n)
	}
	return &j.outlets[n]
}

func (j *judge) words(w *walker) {
	for _, s := range w.words {
		if s.addition {
			j.additions++
			continue
		}
		outlet := j.at(s.outing)
		j.all.filed++
		outlet.filed++
		if s.repeat {
			j.all.repeats.count(s.precede != 0)
			outlet.repeats.count(s.precede != 0)
		}
		for i := range prefs.Tags {
			tag := &j.tags[i]
			if s.wishes.has(i) {
				tag.filed++
				if s.repeat {
					tag.repeats.count(s.precede.has(i))
				}
			}
			if s.again.has(i) {
				tag.wishes.count(s.precede.has(i))
				j.all.wishes.count(s.precede.has(i))
				outlet.wishes.count(s.precede.has(i))
			}
		}
	}
}

// alerts counts dispatches, those with tags, and which of these were needed.
func (j *judge) alerts(w *walker, outings []int32) {
	about := map[int32]tags{} // by outing
	for _, s := range w.words {
		about[s.outing] |= s.wishes
	}
	for _, n := range outings {
		told := w.told[n]
		outlet := j.at(n)
		j.all.alerts.count(told != 0)
		outlet.alerts.count(told != 0)
		for i := range j.tags {
			j.tags[i].alerts.count(told.has(i))
		}
		if told == 0 {
			continue
		}
		at := j.past.outings[n].at
		if at+j.horizon > j.end {
			j.all.recent++
			outlet.recent++
			for i := range j.tags {
				if told.has(i) {
					j.tags[i].recent++
				}
			}
			continue
		}
		later := w.said(at, at+j.horizon)
		for _, c := range []*cell{&j.all, outlet} {
			c.at.count(told&about[n] != 0)
			c.never.count(told&later == 0)
		}
		for i := range j.tags {
			if told.has(i) {
				j.tags[i].at.count(about[n].has(i))
				j.tags[i].never.count(!later.has(i))
			}
		}
	}
}

// said is what the consumer voiced from one time to another, both included.
func (w *walker) said(from, to int64) (all tags) {
	for _, s := range w.since(from) {
		if s.at > to {
			break
		}
		all |= s.wishes
	}
	return all
}

// since are the words from a time on.
func (w *walker) since(from int64) []word {
	i, _ := slices.BinarySearchFunc(w.words, from, func(s word, t int64) int {
		if s.at < t {
			return -1
		}
		return 1
	})
	return w.words[i:]
}

// forecast looks for the consumer's next word on the tag or its opposites.
func (j *judge) forecast(w *walker, f *forecast) {
	if f.at+j.horizon > j.end {
		j.recent++
		return
	}
	b := &j.buckets[min(int(f.p*buckets), buckets-1)]
	b.forecasts++
	b.ps += f.p
	right, spoken := false, false
	for _, s := range w.since(f.at) {
		if s.at > f.at+j.horizon {
			break
		}
		if right = s.wishes.has(f.tag); right || s.wishes&opposites[f.tag] != 0 {
			spoken = true
			break
		}
	}
	b.least.count(right)
	b.most.count(right || !spoken)
	outcome := 0.0
	switch {
	case right:
		b.right++
		outcome = 1
	case spoken:
		b.wrong++
	default:
		b.silent++
	}
	squared := (f.p - outcome) * (f.p - outcome)
	j.silence.measure(squared)
	if spoken {
		b.spoken.count(right)
		j.brier.measure(squared)
	}
}
