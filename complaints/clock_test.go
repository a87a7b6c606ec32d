package complaints

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"doorstep/parcels"
)

// monday is 09:00 in Shanghai, when an outlet without hours opens.
var monday = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

func fresh() Period { return FirstPeriod(monday, "Asia/Shanghai", parcels.Hours{}) }

// at is so many hours after Monday's opening.
func at(hours float64) time.Time {
	return monday.Add(time.Duration(hours * float64(time.Hour))).Round(time.Second)
}

func TestClocksToTheSecond(t *testing.T) {
	for _, tt := range []struct {
		name    string
		clock   ClockName
		percent int
		do      func(p *Period)
		want    float64 // hours after the opening
	}{
		{"promise", PromiseClock, 100, nil, 24},
		{"half of the promise", PromiseClock, 50, nil, 12},
		{"three quarters", PromiseClock, 75, nil, 18},
		{"nine tenths", PromiseClock, 90, nil, 21.6},
		{"legal", LegalClock, 100, nil, 168},
		{"half of legal", LegalClock, 50, nil, 84},
		{"work", WorkClock, 100, nil, 8},
		{"half of work", WorkClock, 50, nil, 4},
		{"nine tenths of work", WorkClock, 90, nil, 7.2},
		{"a pause within the day", WorkClock, 100, func(p *Period) { p.pause(Weather, at(2)); p.resume(at(3)) }, 9},
		{"its nine tenths", WorkClock, 90, func(p *Period) { p.pause(Weather, at(2)); p.resume(at(3)) }, 8.2},
		{"a pause into the evening", WorkClock, 100, func(p *Period) { p.pause(Weather, at(2)); p.resume(at(11)) }, 24 + 6},
		{"a pause that lasts", WorkClock, 100, func(p *Period) { p.pause(WaitingConsumer, at(2)) }, 48 + 2 + 6},
		{"a pause that ended by itself, noticed late", WorkClock, 100, func(p *Period) { p.pause(WaitingConsumer, at(2)); p.resume(at(90)) }, 48 + 2 + 6},
		{"two pauses", WorkClock, 100, func(p *Period) {
			p.pause(Weather, at(2))
			p.resume(at(3))
			p.pause(Customs, at(4))
			p.resume(at(5))
		}, 24 + 1},
		{"a pause at night moves nothing", WorkClock, 100, func(p *Period) {
			*p = FirstPeriod(at(9), "Asia/Shanghai", parcels.Hours{})
			p.pause(Weather, at(10))
			p.resume(at(20))
		}, 24 + 8},
		{"a pause moves no promise", PromiseClock, 100, func(p *Period) { p.pause(Weather, at(2)); p.resume(at(30)) }, 24},
		{"nor the legal clock", LegalClock, 100, func(p *Period) { p.pause(Weather, at(2)); p.resume(at(30)) }, 168},
		{"a pause at the last moment is too late", WorkClock, 100, func(p *Period) { p.pause(Weather, at(8)); p.resume(at(9)) }, 8},
		{"and after it", WorkClock, 100, func(p *Period) { p.pause(Weather, at(8.5)) }, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := fresh()
			if tt.do != nil {
				tt.do(&p)
			}
			require.Equal(t, at(tt.want), p.levelAt(tt.clock, tt.percent).UTC())
		})
	}
}

func TestAClockWarnsAtHalfAndBreachesAfterItsLastMoment(t *testing.T) {
	p := fresh()
	for _, tt := range []struct {
		after time.Duration
		want  ClockState
	}{
		{0, Running},
		{12*time.Hour - 1, Running},
		{12 * time.Hour, Warned},
		{24 * time.Hour, Warned},
		{24*time.Hour + 1, Breached},
		{-time.Hour, Running},
	} {
		require.Equal(t, tt.want, p.Clock(PromiseClock).State(monday.Add(tt.after)), tt.after)
	}
	p.AnsweredAt = at(24)
	require.Equal(t, Met, p.Clock(PromiseClock).State(at(48)), "answered at the last moment")
	p.AnsweredAt = at(24).Add(1)
	require.Equal(t, Breached, p.Clock(PromiseClock).State(at(48)), "and after it")
	p = fresh()
	p.pause(Weather, at(5))
	require.Equal(t, Warned, p.Clock(WorkClock).State(at(6)), "a warning is not taken back by a pause")
}

func TestRulesAreFrozenWithTheirPeriod(t *testing.T) {
	far := parcels.Exception{Date: "2027-01-01"}
	near := parcels.Exception{Date: "2026-03-03"}
	r := RulesOf("Asia/Shanghai", parcels.Hours{Exceptions: []parcels.Exception{{Date: "2026-02-28"}, near, far}}, monday)
	require.Equal(t, []parcels.Exception{near}, r.Hours.Exceptions, "only those that a deadline can meet are kept")
	require.Equal(t, time.UTC, RulesOf("Nowhere/Land", parcels.Hours{}, monday).zone())
}
