package complaints

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/feed"
	"doorstep/parcels"
)

// What the users of other complaint desks asked for, some of them for years, by
// the number under which they asked.

func filed(hours parcels.Hours) *Complaint {
	return &Complaint{
		ID: "1-a", OutletZone: "Asia/Shanghai", Hours: hours, Status: Filed, FiledAt: monday, Period: FirstPeriod(monday, "Asia/Shanghai", hours),
	}
}

// ringUntil rings whatever is due by a time, and gives what it told.
func ringUntil(c *Complaint, end time.Time) (told []Notice) {
	for {
		out, rang := c.Ring(end)
		if !rang {
			return told
		}
		told = append(told, out.Notices...)
	}
}

func must(t require.TestingT) func(Outcome, error) Outcome {
	return func(out Outcome, err error) Outcome {
		require.NoError(t, err)
		return out
	}
}

func TestChatwoot10178TheClockStopsWithTheAnswer(t *testing.T) {
	c := filed(parcels.Hours{})
	must(t)(c.answer("m", "Li", "found it", at(5)))
	require.Equal(t, Met, c.Period.Clock(PromiseClock).State(at(1000)))
	require.Equal(t, Met, c.Period.Clock(WorkClock).State(at(1000)))
	require.Empty(t, ringUntil(c, at(1000)), "an answered complaint warns nobody")
}

func TestChatwoot13392TheWorkClockKeepsTheOutletsHours(t *testing.T) {
	c := filed(parcels.Hours{})
	c.Period = FirstPeriod(at(8.5), "Asia/Shanghai", parcels.Hours{}) // 17:30
	require.Equal(t, at(24+7.5), c.Period.Clock(WorkClock).Due.UTC(), "16:30 the next day")
}

func TestChatwoot14009AShiftMayBeSplit(t *testing.T) {
	lunch := parcels.Hours{Weekly: map[string][]parcels.Span{
		"mon": {{Opens: "09:00", Closes: "12:00"}, {Opens: "14:00", Closes: "18:00"}},
		"tue": {{Opens: "09:00", Closes: "12:00"}},
	}}
	require.Equal(t, at(24+1), filed(lunch).Period.Clock(WorkClock).Due.UTC(), "the break is nobody's time")
}

func TestZammad188WhatWasHandledInTimeStaysSoAfterReopening(t *testing.T) {
	c := filed(parcels.Hours{})
	must(t)(c.answer("m", "Li", "found it", at(3)))
	must(t)(c.confirm(at(4)))
	out := must(t)(c.reopen("n", "it is not here", RulesOf(c.OutletZone, c.Hours, at(100)), at(100)))
	require.Equal(t, at(3), c.HandledAt, "the first answer is when it was handled")
	require.Equal(t, Met, out.Ended.Clock(PromiseClock).State(at(1000)), "of the first round")
	require.Equal(t, 2, c.Period.No)
	must(t)(c.answer("o", "Li", "here it is", at(101)))
	require.Equal(t, at(3), c.HandledAt)
}

func TestZammad1322AnyWordOfTheConsumerEndsThePause(t *testing.T) {
	for name, say := range map[string]func(c *Complaint){
		"a message":                   func(c *Complaint) { must(t)(c.add("m", "here is the photo", at(3))) },
		"the same complaint relayed":  func(c *Complaint) { c.Hear("m", "I wait", at(3)) },
		"not even a withdrawal waits": func(c *Complaint) { must(t)(c.withdraw(at(3))) },
	} {
		t.Run(name, func(t *testing.T) {
			c := filed(parcels.Hours{})
			must(t)(c.pause("p", "Li", WaitingConsumer, "which door?", at(2)))
			say(c)
			require.Nil(t, c.Period.Pause)
			require.Equal(t, time.Hour, c.Period.PausedFor)
			require.Equal(t, at(9), c.Period.Clock(WorkClock).Due.UTC())
		})
	}
}

func TestZammad3140NobodyIsWarnedOfWhatIsAnswered(t *testing.T) {
	c := filed(parcels.Hours{})
	ringUntil(c, at(11))
	must(t)(c.answer("m", "Li", "found it", at(11.5)))
	require.Empty(t, ringUntil(c, at(30)))
}

func TestZammad3551ReopeningKeepsTheEarlierBreach(t *testing.T) {
	c := filed(parcels.Hours{})
	must(t)(c.answer("m", "Li", "late, but here", at(30)))
	must(t)(c.confirm(at(31)))
	out := must(t)(c.reopen("n", "it broke", RulesOf(c.OutletZone, c.Hours, at(60)), at(60)))
	require.Equal(t, Breached, out.Ended.Clock(PromiseClock).State(at(60)))
	must(t)(c.answer("o", "Li", "here is another", at(61)))
	require.Equal(t, Breached, out.Ended.Clock(PromiseClock).State(at(1000)), "a quick second round mends no first one")
	require.Equal(t, Met, c.Period.Clock(PromiseClock).State(at(1000)))
}

func TestZammad5177NoOtherClockOverrulesTheFirstAnswer(t *testing.T) {
	c := filed(parcels.Hours{})
	must(t)(c.answer("m", "Li", "found it", at(1)))
	for _, name := range ClockNames {
		require.Equal(t, Met, c.Period.Clock(name).State(at(10_000)), name)
	}
}

func TestOsTicket5160ABreachIsNoFlagThatStays(t *testing.T) {
	c := filed(parcels.Hours{})
	ringUntil(c, at(30))
	require.Equal(t, Breached, c.Period.Clock(PromiseClock).State(at(30)))
	must(t)(c.answer("m", "Li", "sorry", at(30)))
	must(t)(c.dispute("n", "no", RulesOf(c.OutletZone, c.Hours, at(31)), at(31)))
	require.Equal(t, Running, c.Period.Clock(PromiseClock).State(at(31)), "computed from the new due time")
}

func TestOsTicket5955ReopeningWarnsNobodyAtOnce(t *testing.T) {
	c := filed(parcels.Hours{})
	ringUntil(c, at(30)) // breached, and told
	must(t)(c.answer("m", "Li", "sorry", at(31)))
	must(t)(c.confirm(at(32)))
	must(t)(c.reopen("n", "not solved", RulesOf(c.OutletZone, c.Hours, at(48)), at(48)))
	require.Empty(t, ringUntil(c, at(48)), "the new round has all its time")
	told := ringUntil(c, at(48+4))
	require.Equal(t, WorkClock, told[0].Clock)
	require.Equal(t, 50, told[0].Percent)
	require.Equal(t, 2, told[0].Period)
}

func TestEachStepTellsOthersOnceAndInOrderHoweverLate(t *testing.T) {
	c := filed(parcels.Hours{})
	told := ringUntil(c, at(200)) // nobody looked for more than a week
	type step struct {
		clock   ClockName
		percent int
		to      Audience
	}
	var got []step
	for _, n := range told {
		got = append(got, step{n.Clock, n.Percent, n.To})
	}
	require.Len(t, got, 15)
	require.Equal(t, []step{
		{WorkClock, 50, ToCourier}, {WorkClock, 50, ToHandler}, {WorkClock, 75, ToManager}, {WorkClock, 90, ToOwner}, {WorkClock, 100, ToHQ},
		{PromiseClock, 50, ToCourier}, {PromiseClock, 50, ToHandler}, {PromiseClock, 75, ToManager},
	}, got[:8])
	require.Empty(t, ringUntil(c, at(2000)))
	require.True(t, c.AlarmAt().IsZero())
}

func TestAnAnswerThatNobodyConfirmsIsClosedAfterThreeDays(t *testing.T) {
	c := filed(parcels.Hours{})
	must(t)(c.answer("m", "Li", "found it", at(1)))
	_, rang := c.Ring(at(1 + 72).Add(-time.Millisecond))
	require.False(t, rang)
	out, rang := c.Ring(at(500))
	require.True(t, rang)
	require.Equal(t, feed.ComplaintClosed, out.Event)
	require.Equal(t, ClosedUnconfirmed, c.Status, "which is not confirmed")
	require.Equal(t, at(1+72), c.ResolvedAt, "when it was due, not when it was noticed")
	_, err := c.reopen("n", "no", RulesOf("", c.Hours, at(500)), at(1+72+15*24).Add(time.Second))
	require.ErrorContains(t, err, "too_late")
	must(t)(c.reopen("n", "no", RulesOf("", c.Hours, at(500)), at(1+72+15*24)))
}

// Whatever is done in whatever order: no state outside the machine, an alarm never
// tells twice, and a pause never moves the promise.
func TestAnyHistoryKeepsTheClocksTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := filed(parcels.Hours{})
		now := monday
		told := map[[3]any]int{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20*3600).Draw(t, "wait")) * time.Second)
			for _, n := range ringUntil(c, now) {
				told[[3]any{n.Period, n.Clock, [2]any{n.Percent, n.To}}]++
			}
			rules := RulesOf(c.OutletZone, c.Hours, now)
			before := *c
			var err error
			var out Outcome
			switch rapid.IntRange(0, 8).Draw(t, "action") {
			case 0:
				out, err = c.answer("m", "Li", "text", now)
			case 1:
				out, err = c.pause("m", "Li", Weather, "", now)
			case 2:
				out, err = c.add("m", "text", now)
			case 3:
				out, err = c.confirm(now)
			case 4:
				out, err = c.dispute("m", "", rules, now)
			case 5:
				out, err = c.reopen("m", "text", rules, now)
			case 6:
				out, err = c.withdraw(now)
			case 7:
				out = c.note("n", "Li", "text", now)
			case 8:
				out, err = c.recategorise("Li", Delay, "text", "n", now)
			}
			if err != nil {
				require.Equal(t, before.Status, c.Status, "a refusal changes nothing")
				continue
			}
			require.NotEmpty(t, out.Event)
			require.Contains(t, Statuses, c.Status)
			require.Equal(t, c.Period.From.Add(Promise), c.Period.Clock(PromiseClock).Due, "nothing moves a promise")
			require.False(t, c.Period.Clock(WorkClock).Due.Before(c.Period.From.Add(Work)))
			if c.Status == Filed || c.Status == Disputed || c.Status == Reopened || c.Status == InProgress {
				require.True(t, c.Period.IsOpen())
			}
			if !c.HandledAt.IsZero() && !before.HandledAt.IsZero() {
				require.Equal(t, before.HandledAt, c.HandledAt, "handled once")
			}
			if out.Ended != nil {
				require.Equal(t, before.Period.No+1, c.Period.No)
			}
		}
		for step, times := range told {
			require.Equal(t, 1, times, step)
		}
	})
}
