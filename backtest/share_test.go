package backtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func tallyOf(pairs ...[2]float64) *tally {
	var t tally
	for _, p := range pairs {
		t.add(p[0], p[1])
	}
	return &t
}

func TestAShareOfIndependentThingsHasWilsonsInterval(t *testing.T) {
	// 15 of 20, each another consumer: 0.5313 to 0.8881 by the formula. The
	// variance between n clusters of one is n/(n-1) that of independent ones, so
	// the effective number is 19, and 16.7 with only 20 clusters to tell it from.
	var c tally
	for i := range 20 {
		c.count(i < 15)
		c.next()
	}
	s := c.share()
	require.Equal(t, [2]int{15, 20}, [2]int{s.Part, s.Of})
	require.InDelta(t, 0.509, s.Low, 0.002)
	require.InDelta(t, 0.898, s.High, 0.002)
}

func TestWhatOneConsumerDoesOftenCountsLittleMore(t *testing.T) {
	alone := tallyOf([2]float64{1, 1}, [2]float64{0, 1}, [2]float64{1, 1}, [2]float64{0, 1}).share()
	often := tallyOf([2]float64{50, 50}, [2]float64{0, 50}, [2]float64{50, 50}, [2]float64{0, 50}).share()
	require.InDelta(t, alone.Low, often.Low, 1e-9)
	require.InDelta(t, alone.High, often.High, 1e-9)
}

func TestAllOrNoneIsAsSureAsThereAreConsumers(t *testing.T) {
	one := tallyOf([2]float64{100, 100}).share()
	require.InDelta(t, 1/(1+z*z), one.Low, 1e-9, "Wilson's of 1 of 1")
	require.InDelta(t, 1, one.High, 1e-9)
	none := tallyOf([2]float64{0, 9}, [2]float64{0, 9}).share()
	require.InDelta(t, 0, none.Low, 1e-9)
	require.InDelta(t, z*z/2/(1+z*z/2), none.High, 1e-9)
	require.Equal(t, Share{High: 1}, (&tally{}).share())
	alike := tallyOf([2]float64{30, 90}, [2]float64{10, 30}, [2]float64{7, 21}).share()
	require.Less(t, alike.Low, 0.1, "so are consumers who are all alike by chance")
}

func TestAnIntervalHoldsItsValueWithinZeroAndOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c tally
		for range rapid.IntRange(1, 40).Draw(t, "consumers") {
			of := rapid.IntRange(1, 1000).Draw(t, "of")
			c.add(float64(rapid.IntRange(0, of).Draw(t, "part")), float64(of))
		}
		s, m := c.share(), c.mean()
		require.False(t, math.IsNaN(s.Low) || math.IsNaN(s.High) || math.IsNaN(m.Low))
		require.LessOrEqual(t, 0.0, s.Low)
		require.LessOrEqual(t, s.Low, s.Value()+1e-9)
		require.LessOrEqual(t, s.Value(), s.High+1e-9)
		require.LessOrEqual(t, s.High, 1.0)
		require.LessOrEqual(t, m.Low, m.Value)
		require.LessOrEqual(t, m.Value, m.High)
	})
}

// The interval is worth its name where consumers differ and each counts many
// times; one that took parcels for independent would hold the truth in about
// every third.
func TestIntervalsHoldTheTruthOfConsumersWhoDiffer(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	held := 0
	const times = 400
	for range times {
		var c tally
		for range 80 {
			inclined := 0.1
			if draw.Float64() < 0.25 {
				inclined = 0.9
			}
			for range 1 + draw.IntN(40) {
				c.count(draw.Float64() < inclined)
			}
			c.next()
		}
		if s := c.share(); s.Low <= 0.3 && 0.3 <= s.High {
			held++
		}
	}
	require.Greater(t, held, times*92/100)
	require.Less(t, held, times*99/100)
}

func TestStudentsPointIsThatOfTheTables(t *testing.T) {
	for free, want := range map[float64]float64{1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 1e6: z} {
		require.InEpsilon(t, want, student(free), 0.01, free)
	}
}

func TestOneConsumerWhoIsMostOfTheWholeMakesNothingSure(t *testing.T) {
	c := tallyOf([2]float64{5000, 10_000})
	for range 100 {
		c.add(1, 2)
		c.add(0, 1)
	}
	s := c.share()
	require.Less(t, s.Consumers, 2.0)
	require.Less(t, s.Low, 0.1)
	require.Greater(t, s.High, 0.9)
	m := c.mean()
	require.Equal(t, [2]float64{0, 1}, [2]float64{m.Low, m.High})
}
