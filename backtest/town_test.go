package backtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/backtest"
	"doorstep/complaints"
	"doorstep/people"
	"doorstep/prefs"
	"doorstep/reading"
)

// town is a carrier's past of which the hidden truth is known. What it assumes:
//
//   - Three in ten consumers have one or two lasting wishes; nobody is told of
//     them, for it is a past without doorstep. The others have none.
//   - Consumers get between 5 and 45 parcels in 400 days, at any time; one in five
//     gets them at two addresses in turn. A wish holds at both.
//   - Each of the outlets' couriers goes against a wish of which he does not know
//     in 20 to 60 % of deliveries, by habit of the outlet.
//   - Four in ten consumers never complain. The others complain in half of the
//     cases in which a wish was gone against, within two days, in the words of a
//     real row of reading/data that teaches that wish and nothing else.
//   - In the middle of the time one in ten changes his wishes: they end, or become
//     the opposite where there is one.
//   - One delivery in a hundred brings a complaint that teaches nothing, as long as
//     the consumer is one who complains.
//
// Wishes and outlets' habits are drawn alike for all; nothing in it depends on
// what doorstep would have said.
type town struct {
	dispatches []backtest.Dispatch
	complaints []said
	held       map[doorstep.Waybill][]prefs.Tag // the truth: what was wished when the parcel went out
}

// said is a complaint with its words and what a person reads in them.
type said struct {
	waybill  doorstep.Waybill
	at       time.Time
	text     string
	category complaints.Category
	tags     []prefs.Tag
}

// phrasebook is the rows of reading/data by what they teach, "" for nothing.
func phrasebook(t *testing.T) map[prefs.Tag][]reading.Row {
	t.Helper()
	authors, err := reading.Authors(os.DirFS("../reading/data"))
	require.NoError(t, err)
	var rows []reading.Row
	for _, a := range authors {
		rows = append(rows, a.Rows...)
	}
	return people.ByWish(rows)
}

func newTown(consumers int, book map[prefs.Tag][]reading.Row, draw *rand.Rand) *town {
	w := &town{held: map[doorstep.Waybill][]prefs.Tag{}}
	habits := make([]float64, 4)
	for i := range habits {
		habits[i] = 0.2 + 0.4*float64(i)/float64(len(habits)-1)
	}
	for c := range consumers {
		wishes := people.DrawWishes(0.3, draw)
		changes, speaks, addresses := draw.Float64() < 0.1, draw.Float64() < 0.6, 1
		if draw.Float64() < 0.2 {
			addresses = 2
		}
		outlet := draw.IntN(len(habits))
		parcels := 5 + draw.IntN(41)
		times := make([]float64, parcels)
		for i := range times {
			times[i] = draw.Float64() * 400
		}
		slices.Sort(times)
		for i, day := range times {
			if changes && day > 200 {
				wishes, changes = changed(wishes, draw), false
			}
			waybill := doorstep.Waybill(fmt.Sprintf("W%d-%d", c, i))
			w.held[waybill] = wishes
			w.dispatches = append(w.dispatches, backtest.Dispatch{
				Waybill: waybill, Outlet: fmt.Sprintf("outlet-%d", outlet), Courier: fmt.Sprintf("courier-%d", outlet),
				Consumer: fmt.Sprintf("consumer-%d", c), AddressID: fmt.Sprintf("a%d-%d", c, i%addresses), At: days(day),
			})
			about, angry := prefs.Tag(""), speaks && draw.Float64() < 0.01
			if len(wishes) > 0 && draw.Float64() < habits[outlet] {
				about = wishes[draw.IntN(len(wishes))]
				angry = speaks && draw.Float64() < 0.5
			}
			if angry {
				row := book[about][draw.IntN(len(book[about]))]
				w.complaints = append(w.complaints, said{waybill, days(day + draw.Float64()*2), row.Text, row.Category, row.Tags})
			}
		}
	}
	return w
}

func changed(wishes []prefs.Tag, draw *rand.Rand) (now []prefs.Tag) {
	for _, tag := range wishes {
		for _, o := range tag.Opposites() {
			if slices.Contains(people.Wishable, o) && draw.Float64() < 0.5 {
				now = append(now, o)
			}
		}
	}
	return prefs.Resolve(now)
}

// asLabelled teaches what a person reads.
func asLabelled(s said) (complaints.Category, []prefs.Evidence) {
	var lessons []prefs.Evidence
	for _, tag := range s.tags {
		lessons = append(lessons, prefs.Evidence{Tag: tag, Weight: prefs.TextWeight(1)})
	}
	return s.category, lessons
}

// asRead teaches what doorstep's own reader reads.
func asRead(t *testing.T) func(said) (complaints.Category, []prefs.Evidence) {
	reader, err := reading.New()
	require.NoError(t, err)
	return func(s said) (complaints.Category, []prefs.Evidence) {
		read := reader.Read(s.text)
		var tags []complaints.TagReading
		for _, r := range read.Tags {
			tags = append(tags, complaints.TagReading{Tag: r.Tag, Confidence: r.Confidence})
		}
		return read.Category, complaints.Lessons(complaints.Reading{Category: read.Category, Tags: tags}, "")
	}
}

func (w *town) past(t *testing.T, read func(said) (complaints.Category, []prefs.Evidence)) *backtest.Past {
	t.Helper()
	past := backtest.NewPast(time.UTC)
	for _, d := range w.dispatches {
		added, err := past.AddDispatch(d)
		require.NoError(t, err)
		require.True(t, added)
	}
	for _, s := range w.complaints {
		category, lessons := read(s)
		require.NoError(t, past.AddComplaint(backtest.Complaint{Waybill: s.waybill, Category: category, Lessons: lessons, At: s.at}))
	}
	return past
}

func run(t *testing.T, past *backtest.Past, options backtest.Options) backtest.Report {
	t.Helper()
	r, err := past.Run(context.Background(), options)
	require.NoError(t, err)
	return r
}

// figuresOf picks the shares that are compared across towns.
var figuresOf = map[string]func(backtest.Report) backtest.Share{
	"repeats preceded": func(r backtest.Report) backtest.Share { return r.All.RepeatsPreceded },
	"wishes preceded":  func(r backtest.Report) backtest.Share { return r.All.WishesPreceded },
	"alerts":           func(r backtest.Report) backtest.Share { return r.All.Alerts },
	"needed at once":   func(r backtest.Report) backtest.Share { return r.All.AnsweredAtOnce },
	"never needed":     func(r backtest.Report) backtest.Share { return r.All.NeverNeeded },
	"of one tag":       func(r backtest.Report) backtest.Share { return byTag(r, prefs.ToDoor).NeverNeeded },
	"of one outlet":    func(r backtest.Report) backtest.Share { return r.ByOutlet[3].NeverNeeded },
}

func byTag(r backtest.Report, tag prefs.Tag) backtest.Figures {
	for _, f := range r.ByTag {
		if f.Tag == tag {
			return f.Figures
		}
	}
	return backtest.Figures{}
}

// The truth of each figure is what it is over all towns together; each town's
// own interval must hold it nearly as often as it promises.
func TestTheIntervalsOfATownHoldWhatIsTrueOfAllTowns(t *testing.T) {
	const towns = 40
	book := phrasebook(t)
	var reports []backtest.Report
	for seed := range uint64(towns) {
		w := newTown(700, book, rand.New(rand.NewPCG(seed, 5)))
		reports = append(reports, run(t, w.past(t, asLabelled), backtest.Options{}))
	}
	for name, share := range figuresOf {
		part, of := 0, 0
		for _, r := range reports {
			s := share(r)
			part, of = part+s.Part, of+s.Of
		}
		truth, held := float64(part)/float64(of), 0
		for _, r := range reports {
			if s := share(r); s.Low <= truth && truth <= s.High {
				held++
			}
		}
		t.Logf("%s: truth %.3f, held by %d of %d", name, truth, held, towns)
		require.GreaterOrEqual(t, held, towns*85/100, "%s: truth %.3f", name, truth)
	}
}

// What a backtest cannot see, whether the consumer wished it when he was silent,
// lies between its two bounds.
func TestTheHiddenTruthLiesBetweenTheBoundsOfEachBucket(t *testing.T) {
	w := newTown(4000, phrasebook(t), rand.New(rand.NewPCG(7, 7)))
	type count struct{ true, all int }
	var truth [10]count
	last := days(0)
	for _, d := range w.dispatches {
		last = later(last, d.At)
	}
	for _, s := range w.complaints {
		last = later(last, s.at)
	}
	r := run(t, w.past(t, asLabelled), backtest.Options{Told: func(told backtest.Told) {
		if told.At.Add(backtest.DefaultHorizon).After(last) {
			return
		}
		for _, f := range told.Forecasts {
			c := &truth[int(f.P*10)]
			c.all++
			if slices.Contains(w.held[told.Waybill], f.Tag) {
				c.true++
			}
		}
	}})
	checked := 0
	for _, b := range r.Reliability {
		c := truth[int(b.From*10+0.5)]
		require.Equal(t, c.all, b.Forecasts)
		require.Equal(t, b.Forecasts, b.Right+b.Wrong+b.Silent)
		if b.Forecasts < 50 {
			continue
		}
		checked++
		share := float64(c.true) / float64(c.all)
		require.LessOrEqual(t, b.Least.Low, share, "p from %.1f", b.From)
		require.GreaterOrEqual(t, b.Most.High, share, "p from %.1f", b.From)
	}
	require.Greater(t, checked, 2)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// The reader's own mistakes move the figures, and not by much: what it reads in
// real words against what a person read in them.
func TestRealWordsGiveNearlyWhatTheirLabelsGive(t *testing.T) {
	w := newTown(3000, phrasebook(t), rand.New(rand.NewPCG(3, 3)))
	labelled := run(t, w.past(t, asLabelled), backtest.Options{})
	read := run(t, w.past(t, asRead(t)), backtest.Options{})
	for name, share := range figuresOf {
		want, got := share(labelled), share(read)
		t.Logf("%s: labelled %.3f, read %.3f [%.3f, %.3f]", name, want.Value(), got.Value(), got.Low, got.High)
		require.InDelta(t, want.Value(), got.Value(), 0.10, name)
	}
}

func TestNothingThatComesLaterChangesWhatWasSaidBefore(t *testing.T) {
	w := newTown(300, phrasebook(t), rand.New(rand.NewPCG(9, 9)))
	cut := days(250)
	before := func(w *town) (told []backtest.Told, heard []backtest.Heard) {
		run(t, w.past(t, asLabelled), backtest.Options{
			Told: func(x backtest.Told) {
				if !x.At.After(cut) {
					told = append(told, x)
				}
			},
			Heard: func(x backtest.Heard) {
				if !x.At.After(cut) {
					heard = append(heard, x)
				}
			},
		})
		return told, heard
	}
	told, heard := before(w)
	require.NotEmpty(t, told)
	require.NotEmpty(t, heard)
	for seed := range uint64(5) {
		draw := rand.New(rand.NewPCG(seed, 1))
		other := &town{}
		var future []said
		for _, d := range w.dispatches {
			if d.At.After(cut) { // other times, outlets and addresses
				d.At = cut.Add(time.Duration(1 + draw.Int64N(int64(300*24*time.Hour))))
				d.Outlet, d.AddressID = fmt.Sprint(draw.IntN(9)), fmt.Sprint(draw.IntN(3))
			}
			other.dispatches = append(other.dispatches, d)
		}
		for _, s := range w.complaints {
			if s.at.After(cut) {
				future = append(future, s)
			} else {
				other.complaints = append(other.complaints, s)
			}
		}
		for _, s := range future { // other words, twice as many, at other times
			for range draw.IntN(4) {
				words := future[draw.IntN(len(future))]
				s.text, s.category, s.tags = words.text, words.category, words.tags
				s.at = cut.Add(time.Duration(301+draw.IntN(99)) * 24 * time.Hour)
				other.complaints = append(other.complaints, s)
			}
		}
		toldNow, heardNow := before(other)
		require.Equal(t, told, toldNow)
		require.Equal(t, heard, heardNow)
	}
}

func TestTheOrderOfTheRowsDoesNotMatter(t *testing.T) {
	w := newTown(200, phrasebook(t), rand.New(rand.NewPCG(4, 4)))
	want := run(t, w.past(t, asLabelled), backtest.Options{})
	draw := rand.New(rand.NewPCG(1, 1))
	draw.Shuffle(len(w.dispatches), func(i, j int) { w.dispatches[i], w.dispatches[j] = w.dispatches[j], w.dispatches[i] })
	draw.Shuffle(len(w.complaints), func(i, j int) { w.complaints[i], w.complaints[j] = w.complaints[j], w.complaints[i] })
	got := run(t, w.past(t, asLabelled), backtest.Options{})
	require.InDelta(t, want.Brier.Value, got.Brier.Value, 1e-9, "sums of other orders")
	for name, share := range figuresOf {
		require.Equal(t, counts(share(want)), counts(share(got)), name)
	}
	require.Equal(t, len(want.Reliability), len(got.Reliability))
}
