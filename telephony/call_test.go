package telephony_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/evidence"
	"doorstep/telephony"
)

var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func at(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }

// anEvent draws a report with a key of its own, by clocks and sequences that may
// contradict each other.
func anEvent(t *rapid.T, key string, states []telephony.State) telephony.Event {
	maybe := func(name string) time.Time {
		if rapid.Bool().Draw(t, "has "+name) {
			return at(rapid.IntRange(0, 90).Draw(t, name))
		}
		return time.Time{}
	}
	return telephony.Event{
		Key: key, Kind: evidence.Call, State: rapid.SampledFrom(states).Draw(t, "state"),
		Sequence: int64(rapid.IntRange(0, 3).Draw(t, "sequence")), At: at(rapid.IntRange(0, 90).Draw(t, "at")),
		Received: at(rapid.IntRange(0, 100_000).Draw(t, "received")), Incoming: rapid.Bool().Draw(t, "incoming"),
		StartedAt: maybe("started"), RingAt: maybe("ring"), AnsweredAt: maybe("answered"), EndedAt: maybe("ended"),
		EndedBy: rapid.SampledFrom([]telephony.Party{"", telephony.Courier, telephony.Consumer}).Draw(t, "ended by"),
		Rang:    rapid.SampledFrom([]evidence.Truth{evidence.Unknown, evidence.False, evidence.True}).Draw(t, "rang"),
	}
}

// inAnyOrder draws the events in another order, some more than once, received at
// other times.
func inAnyOrder(t *rapid.T, events []telephony.Event) []telephony.Event {
	list := rapid.Permutation(events).Draw(t, "order")
	for range rapid.IntRange(0, 2*len(events)).Draw(t, "repeats") {
		again := rapid.SampledFrom(events).Draw(t, "again")
		again.Received = at(rapid.IntRange(0, 100_000).Draw(t, "received again"))
		where := rapid.IntRange(0, len(list)).Draw(t, "where")
		list = append(list[:where:where], append([]telephony.Event{again}, list[where:]...)...)
	}
	return list
}

func TestAnyOrderAndAnyRepeatsGiveTheSameCall(t *testing.T) {
	states := []telephony.State{
		telephony.Placed, telephony.Ringing, telephony.Answered, telephony.Ended, telephony.NoAnswer, telephony.Busy, telephony.Rejected, telephony.Failed,
	}
	rapid.Check(t, func(t *rapid.T) {
		var events []telephony.Event
		for i := range rapid.IntRange(1, 8).Draw(t, "events") {
			events = append(events, anEvent(t, string(rune('a'+i)), states))
		}
		require.Equal(t, telephony.FoldCall(events), telephony.FoldCall(inAnyOrder(t, events)))
	})
}

func TestAnyOrderAndAnyRepeatsGiveTheSameMessage(t *testing.T) {
	states := []telephony.State{telephony.Sent, telephony.Delivered, telephony.Read, telephony.Failed}
	rapid.Check(t, func(t *rapid.T) {
		var events []telephony.Event
		for i := range rapid.IntRange(1, 8).Draw(t, "events") {
			events = append(events, anEvent(t, string(rune('a'+i)), states))
		}
		require.Equal(t, telephony.FoldMessage(events), telephony.FoldMessage(inAnyOrder(t, events)))
	})
}

func TestATerminalStateStays(t *testing.T) {
	end := telephony.Event{Key: "end", State: telephony.NoAnswer, At: at(30), EndedAt: at(30)}
	for _, late := range []telephony.Event{
		{Key: "ring", State: telephony.Ringing, At: at(40), RingAt: at(10)},
		{Key: "end again", State: telephony.Failed, At: at(50), EndedAt: at(50)},
	} {
		c := telephony.FoldCall([]telephony.Event{late, end})
		require.Equal(t, telephony.NoAnswer, c.State)
		require.Equal(t, at(30), c.EndedAt)
	}
}

func TestAttemptsCloseTogetherAreOne(t *testing.T) {
	calls := func(seconds ...int) (list []telephony.Call) {
		for _, s := range seconds {
			list = append(list, telephony.Call{StartedAt: at(s)})
		}
		return list
	}
	for _, c := range []struct {
		calls []telephony.Call
		want  int
	}{
		{nil, 0}, {calls(0), 1}, {calls(0, 59), 1}, {calls(60, 0), 2}, {calls(0, 6, 12, 18, 24, 30, 36, 42, 48, 54), 1},
		{calls(0, 40, 80), 2}, {append(calls(0), telephony.Call{StartedAt: at(300), Incoming: true}), 1},
	} {
		require.Equal(t, c.want, telephony.Distinct(c.calls, time.Minute))
	}
}
