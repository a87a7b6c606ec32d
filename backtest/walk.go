package backtest

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/prefs"
)

// tags is a set of the vocabulary.
type tags uint32

func (s tags) has(i int) bool { return s&(1<<i) != 0 }

// tagNo is the place of each tag in the vocabulary.
var tagNo = func() map[prefs.Tag]int {
	numbers := map[prefs.Tag]int{}
	for i, t := range prefs.Tags {
		numbers[t] = i
	}
	return numbers
}()

// opposites are the contradictions of each tag.
var opposites = func() []tags {
	sets := make([]tags, len(prefs.Tags))
	for i, t := range prefs.Tags {
		for _, o := range t.Opposites() {
			sets[i] |= 1 << tagNo[o]
		}
	}
	return sets
}()

// Told is what a courier would have been told at one dispatch.
type Told struct {
	Waybill   doorstep.Waybill
	At        time.Time
	Decisions []prefs.Decision
	Forecasts []Forecast // of every tag that some complaint spoke for
}

// Forecast is what was believed of one tag at one dispatch.
type Forecast struct {
	Tag  prefs.Tag
	P    float64 // that the consumer minds
	Told bool
}

// Heard is what a complaint was, as of when it was filed.
type Heard struct {
	Waybill  doorstep.Waybill
	At       time.Time
	Addition bool // to an earlier one on the same parcel and category
	Repeat   bool // of the category within complaints.RepeatWindow
	Wishes   []prefs.Tag
	Again    []prefs.Tag // those of Wishes that the consumer voiced before, about another parcel
	Preceded []prefs.Tag // those of Wishes that the parcel's courier would have been told
}

// forecast is a Forecast as the judge takes it.
type forecast struct {
	at     int64
	outing int32
	tag    int
	p      float64
	told   bool
}

// word is one complaint as the judge hears it.
type word struct {
	at                     int64
	outing                 int32
	addition, repeat       bool
	wishes, again, precede tags
}

// walker goes through one consumer's events and knows what lies behind it.
type walker struct {
	past    *Past
	options Options

	profile   prefs.Profile
	believed  tags // that some evidence supports
	voiced    tags
	first     []doorstep.Waybill // by tag: the parcel about which it was first voiced
	several   tags               // voiced about more than one parcel
	open      map[matter]string  // source ids
	newest    map[complaints.Category]int64
	told      map[int32]tags // by outing, where there are any
	forecasts []forecast
	words     []word
}

// matter is what one open complaint is about. A backtest does not know when an
// outlet closed it.
type matter struct {
	waybill  doorstep.Waybill
	category complaints.Category
}

func newWalker(p *Past, options Options) *walker {
	return &walker{
		past: p, options: options, first: make([]doorstep.Waybill, len(prefs.Tags)),
		open: map[matter]string{}, newest: map[complaints.Category]int64{}, told: map[int32]tags{},
	}
}

func (w *walker) reset() {
	w.profile.Evidence = w.profile.Evidence[:0]
	w.believed, w.voiced, w.several = 0, 0, 0
	clear(w.open)
	clear(w.newest)
	clear(w.told)
	w.forecasts, w.words = w.forecasts[:0], w.words[:0]
}

// walk takes outings and grievances, each sorted by time. At the same moment a
// dispatch comes first: it cannot know yet what is just being filed.
func (w *walker) walk(outings, grievances []int32) {
	for len(outings) > 0 || len(grievances) > 0 {
		if len(grievances) == 0 || len(outings) > 0 && w.past.outings[outings[0]].at <= w.past.grievances[grievances[0]].at {
			w.dispatch(outings[0])
			outings = outings[1:]
			continue
		}
		w.complain(grievances[0])
		grievances = grievances[1:]
	}
}

func (w *walker) dispatch(n int32) {
	o := &w.past.outings[n]
	var decisions []prefs.Decision
	before := len(w.forecasts)
	at := time.UnixMilli(o.at).UTC()
	if len(w.profile.Evidence) > 0 {
		address := w.past.addresses.texts[o.address]
		decisions = w.profile.Decide(prefs.Door{Waybill: string(o.waybill), AddressID: address}, at)
		var told tags
		for _, d := range decisions {
			told |= 1 << tagNo[d.Tag]
		}
		if told != 0 {
			w.told[n] = told
		}
		ps := w.profile.Probabilities(address, at)
		for i, p := range ps {
			if w.believed.has(i) || told.has(i) {
				w.forecasts = append(w.forecasts, forecast{
					at: o.at, outing: n, tag: i, p: p, told: told.has(i),
				})
			}
		}
	}
	if w.options.Told != nil {
		told := Told{Waybill: o.waybill, At: at, Decisions: decisions}
		for _, f := range w.forecasts[before:] {
			told.Forecasts = append(told.Forecasts, Forecast{Tag: prefs.Tags[f.tag], P: f.p, Told: f.told})
		}
		w.options.Told(told)
	}
}

func (w *walker) complain(n int32) {
	g := &w.past.grievances[n]
	o := &w.past.outings[g.outing]
	said := word{at: g.at, outing: g.outing}
	for _, e := range g.lessons {
		said.wishes |= 1 << tagNo[e.Tag]
	}
	said.again = w.voice(said.wishes, o.waybill)
	said.precede = said.wishes & w.told[g.outing]
	about := matter{o.waybill, g.category}
	source, open := w.open[about]
	said.addition = open
	if !open {
		source = strconv.Itoa(int(n))
		w.open[about] = source
		before, ok := w.newest[g.category]
		said.repeat = ok && g.at > before && g.at-before <= complaints.RepeatWindow.Milliseconds()
		w.newest[g.category] = g.at
	}
	w.words = append(w.words, said)
	w.learn(g, source, o)
	if w.options.Heard != nil {
		w.options.Heard(Heard{
			Waybill: o.waybill, At: time.UnixMilli(g.at).UTC(), Addition: said.addition, Repeat: said.repeat,
			Wishes: said.wishes.list(), Again: said.again.list(), Preceded: said.precede.list(),
		})
	}
}

// voice notes what is wished and says which of it was before, about another
// parcel.
func (w *walker) voice(wishes tags, about doorstep.Waybill) (again tags) {
	for i := range prefs.Tags {
		switch {
		case !wishes.has(i):
		case !w.voiced.has(i):
			w.first[i] = about
		case w.several.has(i):
			again |= 1 << i
		case w.first[i] != about:
			again |= 1 << i
			w.several |= 1 << i
		}
	}
	w.voiced |= wishes
	return again
}

// learn takes a complaint's lessons, each tag once however often the complaint
// is added to.
func (w *walker) learn(g *grievance, source string, o *outing) {
	for _, e := range g.lessons {
		e.SourceID, e.Category, e.AddressID = source, string(g.category), w.past.addresses.texts[o.address]
		e.At = time.UnixMilli(g.at).UTC()
		known := slices.ContainsFunc(w.profile.Evidence, func(k prefs.Evidence) bool { return k.SourceID == source && k.Tag == e.Tag })
		if known {
			continue
		}
		w.profile.Evidence = append(w.profile.Evidence, e)
		w.believed |= 1 << tagNo[e.Tag]
		w.forget(e.Tag)
	}
}

// forget drops the oldest lesson of a tag that has more than the server keeps.
func (w *walker) forget(tag prefs.Tag) {
	oldest, n := -1, 0
	for i := range w.profile.Evidence {
		if w.profile.Evidence[i].Tag != tag {
			continue
		}
		if n++; oldest < 0 {
			oldest = i
		}
	}
	if n > prefs.MostKept {
		w.profile.Evidence = slices.Delete(w.profile.Evidence, oldest, oldest+1)
	}
}

func (s tags) list() (list []prefs.Tag) {
	for i, t := range prefs.Tags {
		if s.has(i) {
			list = append(list, t)
		}
	}
	return list
}

// byConsumer sorts outings and grievances by their consumer and time; where both
// are equal the order of arrival holds.
func (p *Past) byConsumer() (outings, grievances []int32) {
	outings, grievances = count(len(p.outings)), count(len(p.grievances))
	slices.SortFunc(outings, func(a, b int32) int {
		x, y := &p.outings[a], &p.outings[b]
		return cmp.Or(cmp.Compare(x.consumer, y.consumer), cmp.Compare(x.at, y.at), cmp.Compare(a, b))
	})
	slices.SortFunc(grievances, func(a, b int32) int {
		x, y := &p.grievances[a], &p.grievances[b]
		return cmp.Or(cmp.Compare(p.complainant(x), p.complainant(y)), cmp.Compare(x.at, y.at), cmp.Compare(a, b))
	})
	return outings, grievances
}

func (p *Past) complainant(g *grievance) int32 { return p.outings[g.outing].consumer }

func count(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}
