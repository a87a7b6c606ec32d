package backtest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"doorstep/prefs"
)

// Figures of everything, of one tag or of one outlet. docs/backtest.md defines
// them.
type Figures struct {
	Complaints      int   `json:"complaints"`
	RepeatsPreceded Share `json:"repeat_complaints_preceded"`
	WishesPreceded  Share `json:"repeated_wishes_preceded"`
	Alerts          Share `json:"alerts_of_parcels"`
	AnsweredAtOnce  Share `json:"alerts_needed_at_once"`
	NeverNeeded     Share `json:"alerts_never_needed"`
	TooRecent       int   `json:"alerts_too_recent_to_judge"`
}

// TagFigures are the figures of one tag.
type TagFigures struct {
	Tag prefs.Tag `json:"tag"`
	Figures
}

// OutletFigures are the figures of one outlet.
type OutletFigures struct {
	Outlet string `json:"outlet_id"`
	Figures
}

// Reliability is how often forecasts of one bucket of p came true.
type Reliability struct {
	From       float64 `json:"p_from"`
	To         float64 `json:"p_to"`
	Forecasts  int     `json:"forecasts"`
	MeanP      float64 `json:"mean_p"`
	Right      int     `json:"right"`
	Wrong      int     `json:"wrong"`
	Silent     int     `json:"silent"`
	ShareRight Share   `json:"share_right_of_spoken"`
	Least      Share   `json:"share_right_at_least"` // silence taken for wrong
	Most       Share   `json:"share_right_at_most"`  // silence taken for right
}

// Report is what a replay found.
type Report struct {
	From        time.Time       `json:"from"`
	To          time.Time       `json:"to"`
	HorizonDays float64         `json:"horizon_days"`
	Consumers   int             `json:"consumers"`
	Parcels     int             `json:"parcels"` // dispatches
	Additions   int             `json:"additions"`
	All         Figures         `json:"all"`
	ByTag       []TagFigures    `json:"by_tag"`    // the vocabulary's order; none that never occurred
	ByOutlet    []OutletFigures `json:"by_outlet"` // by id
	Reliability []Reliability   `json:"reliability"`
	TooRecent   int             `json:"forecasts_too_recent_to_judge"`
	Brier       Mean            `json:"brier_of_spoken"`
	BrierSilent Mean            `json:"brier_with_silence_wrong"`
}

// Run replays the past. It ends early only when ctx does.
func (p *Past) Run(ctx context.Context, options Options) (Report, error) {
	horizon := cmp.Or(options.Horizon, DefaultHorizon)
	from, to := p.span()
	j := judge{
		past: p, horizon: horizon.Milliseconds(), end: to,
		tags: make([]cell, len(prefs.Tags)), outlets: make([]cell, len(p.outlets.texts)),
	}
	w := newWalker(p, options)
	outings, grievances := p.byConsumer()
	consumers := 0
	for len(outings) > 0 {
		if ctx.Err() != nil {
			return Report{}, ctx.Err()
		}
		consumer := p.outings[outings[0]].consumer
		own := headOf(outings, func(n int32) bool { return p.outings[n].consumer == consumer })
		said := headOf(grievances, func(n int32) bool { return p.complainant(&p.grievances[n]) == consumer })
		w.reset()
		w.walk(outings[:own], grievances[:said])
		j.consumer(w, outings[:own])
		outings, grievances = outings[own:], grievances[said:]
		consumers++
	}
	r := j.report()
	r.Consumers, r.Parcels, r.HorizonDays = consumers, len(p.outings), horizon.Hours()/24
	if len(p.outings) > 0 {
		r.From, r.To = time.UnixMilli(from).UTC(), time.UnixMilli(to).UTC()
	}
	return r, nil
}

// headOf is how many of a list's first are of one kind.
func headOf(list []int32, is func(int32) bool) int {
	n := slices.IndexFunc(list, func(x int32) bool { return !is(x) })
	if n < 0 {
		return len(list)
	}
	return n
}

// span is from the first event to the last, in ms.
func (p *Past) span() (from, to int64) {
	for i, o := range p.outings {
		if i == 0 {
			from, to = o.at, o.at
		}
		from, to = min(from, o.at), max(to, o.at)
	}
	for _, g := range p.grievances {
		to = max(to, g.at)
	}
	return from, to
}

func (j *judge) report() Report {
	r := Report{
		Additions: j.additions, TooRecent: j.recent, All: j.all.figures(),
		ByTag: []TagFigures{}, ByOutlet: []OutletFigures{}, Reliability: []Reliability{},
		Brier: j.brier.mean(), BrierSilent: j.silence.mean(),
	}
	for i := range j.tags {
		if c := &j.tags[i]; c.filed > 0 {
			r.ByTag = append(r.ByTag, TagFigures{prefs.Tags[i], c.figures()})
		}
	}
	numbers := j.past.outlets.numbers
	for _, id := range slices.Sorted(maps.Keys(numbers)) {
		r.ByOutlet = append(r.ByOutlet, OutletFigures{id, j.outlets[numbers[id]].figures()})
	}
	for i := range j.buckets {
		b := &j.buckets[i]
		if b.forecasts == 0 {
			continue
		}
		r.Reliability = append(r.Reliability, Reliability{
			From: float64(i) / buckets, To: float64(i+1) / buckets, Forecasts: b.forecasts, MeanP: b.ps / float64(b.forecasts),
			Right: b.right, Wrong: b.wrong, Silent: b.silent,
			ShareRight: b.spoken.share(), Least: b.least.share(), Most: b.most.share(),
		})
	}
	return r
}

func (c *cell) figures() Figures {
	return Figures{
		Complaints: c.filed, RepeatsPreceded: c.repeats.share(), WishesPreceded: c.wishes.share(), Alerts: c.alerts.share(),
		AnsweredAtOnce: c.at.share(), NeverNeeded: c.never.share(), TooRecent: c.recent,
	}
}
