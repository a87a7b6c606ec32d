package backtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/backtest"
	"doorstep/complaints"
	"doorstep/prefs"
)

var start = time.Date(2025, 1, 6, 1, 0, 0, 0, time.UTC)

func days(n float64) time.Time { return start.Add(time.Duration(n * float64(24*time.Hour))) }

// history builds a past by hand.
type history struct {
	t *testing.T
	*backtest.Past
}

func newHistory(t *testing.T) history {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return history{t, backtest.NewPast(zone)}
}

func (h history) out(day float64, waybill, consumer, outlet string) {
	h.t.Helper()
	added, err := h.AddDispatch(backtest.Dispatch{
		Waybill: doorstep.Waybill(waybill), Outlet: outlet, Courier: "c1", Consumer: consumer, At: days(day),
	})
	require.NoError(h.t, err)
	require.True(h.t, added)
}

func (h history) complain(day float64, waybill string, category complaints.Category, wishes ...prefs.Tag) {
	h.t.Helper()
	var lessons []prefs.Evidence
	for _, tag := range wishes {
		lessons = append(lessons, prefs.Evidence{Tag: tag, Weight: prefs.CategoryWeight})
	}
	require.NoError(h.t, h.AddComplaint(backtest.Complaint{
		Waybill: doorstep.Waybill(waybill), Category: category, Lessons: lessons, At: days(day),
	}))
}

func (h history) run() backtest.Report {
	h.t.Helper()
	r, err := h.Run(context.Background(), backtest.Options{})
	require.NoError(h.t, err)
	return r
}

// counts are a share's numbers.
func counts(s backtest.Share) [2]int { return [2]int{s.Part, s.Of} }

func tagFigures(t *testing.T, r backtest.Report, tag prefs.Tag) backtest.Figures {
	t.Helper()
	for _, f := range r.ByTag {
		if f.Tag == tag {
			return f.Figures
		}
	}
	require.Fail(t, "no such tag", tag)
	return backtest.Figures{}
}

const locker = complaints.LockerWithoutConsent

func TestASmallPastHasTheFiguresThatOneCountsByHand(t *testing.T) {
	h := newHistory(t)
	// Anna complains of a locker, is told of from then on, and complains again.
	h.out(0, "A1", "anna", "west")
	h.complain(0.5, "A1", locker, prefs.NoLocker)
	h.out(10, "A2", "anna", "west") // alert, needed at once
	h.complain(10.5, "A2", locker, prefs.NoLocker)
	h.out(20, "A3", "anna", "east") // alert, never needed
	// Ben complains twice of delays: a repeat before which no tag can come.
	h.out(0, "B1", "ben", "west")
	h.complain(1, "B1", complaints.Delay)
	h.out(5, "B2", "ben", "west")
	h.complain(6, "B2", complaints.Delay)
	// Carl is silent.
	for i := range 5 {
		h.out(float64(i), fmt.Sprintf("C%d", i), "carl", "east")
	}
	h.out(200, "Z1", "zoe", "east") // the past goes on long enough to judge

	r := h.run()
	require.Equal(t, 4, r.Consumers)
	require.Equal(t, 11, r.Parcels)
	require.Equal(t, 4, r.All.Complaints)
	require.Equal(t, [2]int{1, 2}, counts(r.All.RepeatsPreceded), "Anna's second of her and Ben's")
	require.Equal(t, [2]int{1, 1}, counts(r.All.WishesPreceded))
	require.Equal(t, [2]int{2, 11}, counts(r.All.Alerts))
	require.Equal(t, [2]int{1, 2}, counts(r.All.AnsweredAtOnce))
	require.Equal(t, [2]int{1, 2}, counts(r.All.NeverNeeded))
	require.Zero(t, r.All.TooRecent)

	noLocker := tagFigures(t, r, prefs.NoLocker)
	require.Equal(t, 2, noLocker.Complaints)
	require.Equal(t, [2]int{2, 11}, counts(noLocker.Alerts))
	require.Equal(t, [2]int{1, 2}, counts(noLocker.NeverNeeded))

	require.Equal(t, "east", r.ByOutlet[0].Outlet)
	require.Equal(t, [2]int{1, 7}, counts(r.ByOutlet[0].Alerts))
	require.Equal(t, [2]int{1, 1}, counts(r.ByOutlet[0].NeverNeeded))
	require.Equal(t, [2]int{1, 4}, counts(r.ByOutlet[1].Alerts))
	require.Equal(t, [2]int{1, 2}, counts(r.ByOutlet[1].RepeatsPreceded))

	right, silent, forecasts := 0, 0, 0
	for _, b := range r.Reliability {
		right, silent, forecasts = right+b.Right, silent+b.Silent, forecasts+b.Forecasts
	}
	require.Equal(t, [3]int{1, 1, 2}, [3]int{right, silent, forecasts})
}

func TestTheBrierScoreIsTheMeanOfTheSquares(t *testing.T) {
	h := newHistory(t)
	h.out(0, "A1", "anna", "west")
	h.complain(0, "A1", locker, prefs.NoLocker)
	h.out(0.001, "A2", "anna", "west") // p is 5/8, but for a minute of decay
	h.complain(1, "A2", locker, prefs.NoLocker)
	h.out(200, "Z1", "zoe", "west")
	r := h.run()
	require.Equal(t, 1, r.Brier.Of)
	require.InDelta(t, (1-0.625)*(1-0.625), r.Brier.Value, 1e-4)
	require.Zero(t, r.Brier.Low, "one consumer shows no spread")
	require.Equal(t, 1.0, r.Brier.High)
	require.Len(t, r.Reliability, 1)
	require.Equal(t, 0.6, r.Reliability[0].From)
	require.InDelta(t, 0.625, r.Reliability[0].MeanP, 1e-4)
}

func TestTheNextWordDecidesWhatWasRight(t *testing.T) {
	h := newHistory(t)
	h.out(0, "A1", "anna", "west")
	h.complain(0, "A1", complaints.NoCallBeforeDelivery, prefs.CallFirst)
	h.out(5, "A2", "anna", "west") // call_first is told; wrong, she says the opposite next
	h.complain(6, "A2", complaints.Attitude, prefs.NoCall)
	h.out(300, "Z1", "zoe", "west")
	r := h.run()
	require.Len(t, r.Reliability, 1)
	require.Equal(t, 1, r.Reliability[0].Wrong)
	require.Equal(t, [2]int{0, 1}, counts(r.Reliability[0].ShareRight))
	require.Equal(t, [2]int{1, 1}, counts(r.All.NeverNeeded))
}

func TestARepeatIsOfTheSameCategoryWithinThirtyDays(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after float64
		about string
		want  [2]int
	}{
		{"exactly thirty days", 30, "A2", [2]int{1, 1}},
		{"a moment later", 30 + 1.0/(24*3600), "A2", [2]int{0, 0}},
		{"the same moment", 0, "A2", [2]int{0, 0}},
		{"an addition about the same parcel", 10, "A1", [2]int{0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			h.out(-1, "A1", "anna", "west")
			h.complain(0, "A1", complaints.Delay)
			h.out(-1, "A2", "anna", "west")
			h.complain(tt.after, tt.about, complaints.Delay)
			require.Equal(t, tt.want[1], h.run().All.RepeatsPreceded.Of)
		})
	}
}

func TestAComplaintThatIsAddedToTeachesEachTagOnce(t *testing.T) {
	h := newHistory(t)
	h.out(0, "A1", "anna", "west")
	for i := range 5 {
		h.complain(float64(i)/10, "A1", locker, prefs.NoLocker)
	}
	h.out(1, "A2", "anna", "west")
	h.out(300, "Z1", "zoe", "west")
	r := h.run()
	require.Equal(t, 1, r.All.Complaints)
	require.Equal(t, 4, r.Additions)
	require.Zero(t, r.All.WishesPreceded.Of, "nor is it a wish voiced again")
	require.InDelta(t, 0.625, r.Reliability[0].MeanP, 0.01, "as one complaint")
}

func TestWhatIsAskedFirstIsForecastButTellsNobody(t *testing.T) {
	h := newHistory(t)
	h.out(0, "A1", "anna", "west")
	h.complain(0, "A1", complaints.Other, prefs.LockerOK, prefs.EveningOnly)
	h.out(1, "A2", "anna", "west")
	h.out(300, "Z1", "zoe", "west")
	r := h.run()
	require.Zero(t, r.All.Alerts.Part)
	require.Equal(t, 2, r.Reliability[0].Forecasts)
}

func TestAnAlertOnTheLastDayOfItsHorizonIsJudgedAndALaterOneIsNot(t *testing.T) {
	for _, tt := range []struct {
		end             float64
		judged, waiting int
	}{{91, 1, 0}, {90.9, 0, 1}} {
		h := newHistory(t)
		h.out(0, "A1", "anna", "west")
		h.complain(0.5, "A1", locker, prefs.NoLocker)
		h.out(1, "A2", "anna", "west")
		h.out(tt.end, "Z1", "zoe", "west")
		r := h.run()
		require.Equal(t, tt.judged, r.All.NeverNeeded.Of)
		require.Equal(t, tt.waiting, r.All.TooRecent)
		require.Equal(t, tt.waiting, r.TooRecent)
	}
}

func TestAComplaintIsAboutTheLastDispatchBeforeIt(t *testing.T) {
	h := newHistory(t)
	h.out(9, "A1", "anna", "east") // a second attempt, in a file that is not in order
	h.out(0, "A1", "anna", "west")
	h.out(8, "A2", "anna", "west")
	h.complain(8.1, "A2", locker, prefs.NoLocker)
	h.complain(9.5, "A1", locker, prefs.NoLocker)
	h.out(300, "Z1", "zoe", "west")
	r := h.run()
	require.Equal(t, "east", r.ByOutlet[0].Outlet)
	require.Equal(t, [2]int{1, 1}, counts(r.ByOutlet[0].RepeatsPreceded))
	require.Equal(t, 1, r.ByOutlet[1].Complaints)
}

func TestRowsThatCannotBeAreRefused(t *testing.T) {
	h := newHistory(t)
	h.out(1, "A1", "anna", "west")
	d := backtest.Dispatch{Waybill: "A1", Outlet: "west", Courier: "c1", Consumer: "anna", At: days(1.1)}
	added, err := h.AddDispatch(d)
	require.NoError(t, err)
	require.False(t, added, "the same day, courier and outlet: a duplicate")
	d.Consumer = "ben"
	_, err = h.AddDispatch(d)
	require.ErrorIs(t, err, doorstep.ErrConflict)
	require.ErrorIs(t, h.AddComplaint(backtest.Complaint{Waybill: "A2", At: days(1)}), doorstep.ErrNotFound)
	require.ErrorIs(t, h.AddComplaint(backtest.Complaint{Waybill: "A1", At: days(0.9)}), doorstep.ErrConflict)
	require.NoError(t, h.AddComplaint(backtest.Complaint{Waybill: "A1", At: days(1)}), "the same moment is not before")
}

func TestAnEmptyPastHasNoFigures(t *testing.T) {
	r := newHistory(t).run()
	var out bytes.Buffer
	require.NoError(t, r.Write(&out))
	require.Contains(t, out.String(), "0 parcels")
	_, err := json.Marshal(r)
	require.NoError(t, err)
}
