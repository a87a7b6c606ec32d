package prefs_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/prefs"
)

// The figures of the research that the weights and thresholds come from.
func TestTheFiguresOfTheResearch(t *testing.T) {
	const tag = prefs.NoLocker
	right, wrong, agreed := marked(prefs.MarkedRight, tag, "li", 0), marked(prefs.MarkedWrong, tag, "li", 0), prefs.AgreedOnce
	text := taught(tag, 0)
	text.Weight = prefs.TextWeight(0.6)
	for _, tt := range []struct {
		name       string
		evidence   []prefs.Evidence
		confidence float64
		level      prefs.Level
	}{
		{"one complaint", []prefs.Evidence{taught(tag, 0)}, 0.625, prefs.Advise},
		{"after 90 days", []prefs.Evidence{taught(tag, 90)}, 0.561, prefs.Advise},
		{"after 180 days", []prefs.Evidence{taught(tag, 180)}, 0.500, prefs.Advise},
		{"after 360 days", []prefs.Evidence{taught(tag, 360)}, 0.400, prefs.Advise},
		{"after 361 days", []prefs.Evidence{taught(tag, 361)}, 0, ""},
		{"two incidents a month apart", []prefs.Evidence{taught(tag, 30), taught(tag, 0)}, 0.741, prefs.Avoid},
		{"three over four months", []prefs.Evidence{taught(tag, 120), taught(tag, 60), taught(tag, 0)}, 0.781, prefs.Avoid},
		{"a text read with 0.6", []prefs.Evidence{text}, 0.531, prefs.Advise},
		{"a complaint, then wrong", []prefs.Evidence{taught(tag, 0), wrong}, 0.417, prefs.Advise},
		{"two incidents, then wrong", []prefs.Evidence{taught(tag, 0), taught(tag, 0), wrong}, 0.5625, prefs.Advise},
		{"a complaint and right", []prefs.Evidence{taught(tag, 0), right}, 0.700, prefs.Advise},
		{"a complaint a month ago, one agreement", []prefs.Evidence{taught(tag, 30), marked(agreed, tag, "", 15)}, 0.483, prefs.Advise},
		{"and another", []prefs.Evidence{taught(tag, 30), marked(agreed, tag, "", 15), marked(agreed, tag, "", 0)}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := prefs.Profile{Evidence: tt.evidence}
			states := p.Overview(now)
			if tt.level == "" {
				require.Empty(t, states)
				require.Empty(t, p.Decide(prefs.Door{}, now))
				return
			}
			require.Len(t, states, 1)
			require.InDelta(t, tt.confidence, states[0].Confidence, 0.0006)
			require.Equal(t, tt.level, states[0].Level)
			require.Equal(t, []prefs.Decision{{Tag: tag, Level: tt.level, By: prefs.Learned}}, p.Decide(prefs.Door{}, now))
		})
	}
	// What ends the advice is no longer shown; the figure itself is 0.399.
	d := func(days float64) float64 { return math.Exp2(-days / 180) }
	require.InDelta(t, 0.399, (1+4*d(30))/(4+4*d(30)+2*d(15)+2), 0.0006)
}

func TestALevelThatIsOnStaysOnLongerThanItTakesToBegin(t *testing.T) {
	level := func(list ...prefs.Evidence) prefs.Level { // at a door, now
		for _, d := range (prefs.Profile{Evidence: list}).Decide(prefs.Door{}, now) {
			return d.Level
		}
		return ""
	}
	const tag = prefs.ToDoor
	wrong := func(by string, days float64) prefs.Evidence { return marked(prefs.MarkedWrong, tag, by, days) }
	require.Equal(t, prefs.Advise, level(taught(tag, 1), wrong("li", 0)), "0.42 after it was on")
	require.Empty(t, level(wrong("li", 1), taught(tag, 0)), "0.42 and never on")
	require.Empty(t, level(taught(tag, 2), wrong("li", 1), wrong("chen", 0)), "one more contrary sign ends it")

	two := []prefs.Evidence{taught(tag, 50), taught(tag, 20)}
	require.Equal(t, prefs.Avoid, level(append(two, marked(prefs.AgreedOnce, tag, "", 0))...), "0.62 after it was on")
	require.Equal(t, prefs.Advise, level(append(two, wrong("li", 0))...))
	require.Equal(t, prefs.Advise, level(append(two, wrong("li", 1), marked(prefs.MarkedRight, tag, "chen", 0))...), "0.59: below what begins it")
	require.Equal(t, prefs.Advise, level(taught(tag, 400), taught(tag, 10)), "what ended began anew, as one complaint does")
}

func TestRepetitionDoesNotCount(t *testing.T) {
	confidence := func(list ...prefs.Evidence) float64 {
		return (prefs.Profile{Evidence: list}).Overview(now)[0].Confidence
	}
	const tag = prefs.NoLocker
	of := func(waybill string, weight, days float64) prefs.Evidence {
		e := taught(tag, days)
		e.Waybill, e.Weight = waybill, weight
		return e
	}
	right := func(by string, days float64) prefs.Evidence { return marked(prefs.MarkedRight, tag, by, days) }

	require.InDelta(t, 0.625, confidence(of("SF1", 4, 0), of("SF1", 4, 0)), 1e-9, "a parcel is complained of twice")
	require.InDelta(t, 0.625, confidence(of("SF1", 4, 2), of("SF1", 4, 1), of("SF1", 4, 0)), 0.01, "and once more")
	require.InDelta(t, 0.625, confidence(of("SF1", 2.4, 0), of("SF1", 4, 0)), 1e-9, "the second time more clearly")
	require.InDelta(t, 0.75, confidence(of("SF1", 4, 0), of("SF2", 4, 0)), 1e-9)
	require.Equal(t, prefs.Advise, prefs.Profile{Evidence: []prefs.Evidence{of("SF1", 4, 0), of("SF1", 4, 0), right("li", 0), right("chen", 0)}}.Overview(now)[0].Level,
		"one parcel is one incident")

	require.InDelta(t, confidence(taught(tag, 29), right("li", 29)), confidence(taught(tag, 29), right("li", 29), right("li", 0)), 1e-9, "within 30 days")
	require.Greater(t, confidence(taught(tag, 30), right("li", 30), right("li", 0)), confidence(taught(tag, 30), right("li", 30)))
	require.Greater(t, confidence(taught(tag, 29), right("li", 29), right("chen", 0)), confidence(taught(tag, 29), right("li", 29)), "another person")

	quiet := []prefs.Evidence{taught(tag, 0), taught(tag, 0)}
	for range 20 {
		quiet = append(quiet, marked(prefs.Undisturbed, tag, "", 0))
	}
	require.InDelta(t, 9.0/14, confidence(quiet...), 1e-9, "silence counts 2 a half-life")
}

// oracle tells what holds by looking at every step of a fine clock, as somebody
// would who reads all the time: each time it weighs everything anew.
type oracle struct{ evidence []prefs.Evidence }

func (o oracle) probability(tag prefs.Tag, t time.Time) (p float64, incidents int) {
	a, b := 1.0, 3.0
	for _, e := range o.evidence {
		if e.At.After(t) {
			continue
		}
		w := e.Weight * math.Exp2(-t.Sub(e.At).Hours()/24/180)
		switch {
		case e.Tag == tag && (e.Sign == "" || e.Sign == prefs.MarkedRight):
			a += w
			if e.Sign == "" {
				incidents++
			}
		case e.Tag == tag:
			b += w
		}
	}
	return a / (a + b), incidents
}

func (o oracle) level(tag prefs.Tag, now time.Time) prefs.Level {
	const step = 6 * time.Hour
	var advise, avoid bool
	look := func(t time.Time) {
		p, incidents := o.probability(tag, t)
		avoid = (avoid || p >= 0.7-1e-9 && incidents >= 2) && p >= 0.6-1e-9
		advise = (advise || p >= 0.5-1e-9) && p >= 0.4-1e-9
	}
	next := 0
	for t := o.evidence[0].At; !t.After(now); t = t.Add(step) {
		for ; next < len(o.evidence) && !o.evidence[next].At.After(t); next++ {
			look(o.evidence[next].At)
		}
		look(t)
	}
	look(now)
	switch {
	case avoid:
		return prefs.Avoid
	case advise:
		return prefs.Advise
	}
	return ""
}

// Invariant: what holds does not depend on when and how often somebody looked.
func TestWhoeverReadsAllTheTimeSeesWhatIsSeenAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const tag = prefs.ToDoor
		var list []prefs.Evidence
		age := 900
		for i := range rapid.IntRange(1, 8).Draw(t, "signs") {
			// Apart from each other by more than any limit, so that the oracle needs none.
			age -= rapid.IntRange(31, 120).Draw(t, "gap")
			e := marked(rapid.SampledFrom([]prefs.Sign{"", "", prefs.MarkedRight, prefs.MarkedWrong, prefs.AgreedOnce}).Draw(t, "sign"), tag, "li", float64(age))
			if e.Sign == "" {
				e.Weight = prefs.TextWeight(rapid.Float64Range(0.6, 1).Draw(t, "confidence"))
			}
			e.SourceID = string(rune('a' + i))
			list = append(list, e)
		}
		at := ago(float64(age)).Add(time.Duration(rapid.IntRange(0, 500*24).Draw(t, "hours")) * time.Hour)
		p := prefs.Profile{Evidence: list}
		var got prefs.Level
		for _, d := range p.Decide(prefs.Door{}, at) {
			got = d.Level
		}
		require.Equal(t, oracle{list}.level(tag, at), got)

		// Read before or after, in any order: the same.
		for range 3 {
			p.Overview(at.AddDate(0, 0, rapid.IntRange(-400, 400).Draw(t, "other time")))
		}
		again := prefs.Profile{Evidence: rapid.Permutation(slices.Clone(list)).Draw(t, "rows")}
		require.Equal(t, p.Decide(prefs.Door{}, at), again.Decide(prefs.Door{}, at))
	})
}

// Invariant: nothing begins without a word: while nobody says anything a level
// only ends, and it has ended by the time that was foretold.
func TestWithoutAWordALevelOnlyEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProfile(t)
		p.Preferences = nil
		rank := map[prefs.Level]int{"": 0, prefs.Advise: 1, prefs.Avoid: 2}
		before := map[prefs.Tag]prefs.TagState{}
		for _, s := range p.Overview(now) {
			before[s.Tag] = s
		}
		later := now.Add(time.Duration(rapid.IntRange(1, 2000).Draw(t, "days")) * 24 * time.Hour)
		for _, s := range p.Overview(later) {
			was, ok := before[s.Tag]
			require.True(t, ok, s.Tag)
			require.LessOrEqual(t, rank[s.Level], rank[was.Level])
			require.Equal(t, was.Since, s.Since)
			require.False(t, later.After(was.FadesAt.Add(time.Second)), "it was to fade")
		}
	})
}

func TestAHugeHistoryIsToldInShort(t *testing.T) {
	var p prefs.Profile
	for i := range 640 {
		e := taught(prefs.Tags[i%len(prefs.Tags)], float64(640-i))
		e.At = e.At.Add(time.Duration(i))
		p.Evidence = append(p.Evidence, e)
	}
	for _, s := range p.Overview(now) {
		require.LessOrEqual(t, len(s.Because), 10)
	}
}
