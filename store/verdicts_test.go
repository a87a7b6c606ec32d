package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
)

func (h *house) panel() *prefs.Panel {
	return &prefs.Panel{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
}

func (h *house) judge(a doorstep.Actor, waybill string, tag prefs.Tag, v prefs.Verdict) {
	h.t.Helper()
	_, err := h.panel().Judge(context.Background(), a, waybill, string(tag), string(v))
	require.NoError(h.t, err)
}

// learning is how one tag does.
func (h *house) learning(tag prefs.Tag) prefs.Learning {
	h.t.Helper()
	list, err := h.panel().Learning(context.Background(), h.manager("west"))
	require.NoError(h.t, err)
	for _, l := range list {
		if l.Tag == tag {
			return l
		}
	}
	return prefs.Learning{}
}

// known is what phone's owner is told of one tag.
func (h *house) known(phone string, tag prefs.Tag) (found prefs.TagState) {
	h.t.Helper()
	tags, _, err := h.book().Tags(context.Background(), h.consumer(phone))
	require.NoError(h.t, err)
	for _, t := range tags {
		if t.Tag == tag {
			found = t
		}
	}
	return found
}

func TestAVerdictFlowsBackIntoWhatIsLearned(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful() // wang has complained of lockers
		before := h.known(wang, prefs.NoLocker)
		require.Equal(t, prefs.On, before.State)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "li", wang), order("SF4", "chen", wang))
		li := h.courier("li")

		h.judge(li, "SF1", prefs.NoLocker, prefs.Right)
		sure := h.known(wang, prefs.NoLocker)
		require.Greater(t, sure.Confidence, before.Confidence)
		require.Equal(t, []int{1, 0}, []int{sure.Right, sure.Wrong})

		// The same person within 30 days, and the same verdict again, add nothing
		h.judge(li, "SF1", prefs.NoLocker, prefs.Right)
		h.judge(li, "SF2", prefs.NoLocker, prefs.Right)
		require.Equal(t, sure.Confidence, h.known(wang, prefs.NoLocker).Confidence)
		require.Equal(t, prefs.Learning{Tag: prefs.NoLocker, Verdicts: 2}, h.learning(prefs.NoLocker))

		// The manager is another person
		h.judge(h.manager("west"), "SF1", prefs.NoLocker, prefs.Right)
		require.Greater(t, h.known(wang, prefs.NoLocker).Confidence, sure.Confidence)

		// Who changes his mind takes back what he said
		h.judge(li, "SF1", prefs.NoLocker, prefs.Wrong)
		require.Equal(t, []int{1, 1}, []int{h.known(wang, prefs.NoLocker).Right, h.known(wang, prefs.NoLocker).Wrong})
		require.Equal(t, prefs.Learning{Tag: prefs.NoLocker, Verdicts: 3, Wrong: 1}, h.learning(prefs.NoLocker))

		// Wrong ends it in the end
		h.judge(li, "SF3", prefs.NoLocker, prefs.Wrong)
		h.judge(h.courier("chen"), "SF4", prefs.NoLocker, prefs.Wrong)
		require.Empty(t, h.tags(wang))
	})
}

func TestAVerdictIsAFactThatSaysNothingOfWhoComplained(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.dispatch(order("SF1", "li", wang))
		h.judge(h.courier("li"), "SF1", prefs.NoLocker, prefs.Wrong)
		h.judge(h.courier("li"), "SF1", prefs.NoLocker, prefs.Wrong)
		var facts []evidence.Item
		for _, item := range h.evidence("west") {
			if item.Kind == evidence.TagVerdict {
				facts = append(facts, item)
			}
		}
		require.Len(t, facts, 1)
		require.Equal(t, "li", facts[0].CourierID)
		require.Equal(t, doorstep.Waybill("SF1"), facts[0].Waybill)
		require.Empty(t, facts[0].ComplaintID)
		require.JSONEq(t, `"wrong"`, string(facts[0].Opening.Values["verdict"]))
		require.JSONEq(t, `["no_locker"]`, string(facts[0].Opening.Values["tags"]))
	})
}

func TestNobodyJudgesAnothersParcelOrWhatNobodyKnows(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", zhao))
		for _, a := range []doorstep.Actor{h.courier("chen"), h.courier("nobody"), h.manager("east"), h.manager("")} {
			_, err := h.panel().Judge(context.Background(), a, "SF1", "no_locker", "right")
			require.ErrorIs(t, err, doorstep.ErrNotFound)
		}
		li := h.courier("li")
		for _, tt := range []struct{ waybill, tag string }{{"SF2", "no_locker"}, {"SF1", "call_first"}, {"SF1", "nonsense"}, {"SF 1", "no_locker"}, {"SF9", "no_locker"}} {
			_, err := h.panel().Judge(context.Background(), li, tt.waybill, tt.tag, "right")
			require.ErrorIs(t, err, doorstep.ErrNotFound, tt)
		}
		_, err := h.panel().Judge(context.Background(), li, "SF1", "no_locker", "perhaps")
		require.ErrorIs(t, err, doorstep.ErrInvalid)
	})
}

func TestAVerdictOnWhatTheConsumerSaidTeachesNothing(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, me := context.Background(), h.consumer(wang)
		h.dispatch(order("SF0", "li", wang))
		_, err := h.book().SetPreferences(ctx, me, prefs.Preferences{Tags: []string{"call_first"}})
		require.NoError(t, err)
		h.dispatch(order("SF1", "li", wang))
		h.judge(h.courier("li"), "SF1", prefs.CallFirst, prefs.Right)
		h.judge(h.courier("li"), "SF1", prefs.CallFirst, prefs.Wrong)
		require.Equal(t, []prefs.Tag{prefs.CallFirst}, h.tags(wang))
		require.Zero(t, h.learning(prefs.CallFirst), "nor does it say how learning does")
		_, err = h.book().SetPreferences(ctx, me, prefs.Preferences{Tags: []string{}})
		require.NoError(t, err)
		require.Empty(t, h.tags(wang), "a click alone is no wish")
	})
}

func TestATagThatIsOftenWrongPausesItselfUntilItIsResumed(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, panel := context.Background(), h.panel()
		var paused []prefs.Tag
		panel.Paused = func(tag prefs.Tag) { paused = append(paused, tag) }
		h.wishful()
		said := h.consumer(zhao)
		h.dispatch(order("SAID", "li", zhao))
		_, err := h.book().SetPreferences(ctx, said, prefs.Preferences{Tags: []string{"no_locker"}})
		require.NoError(t, err)
		for i := range 50 {
			h.dispatch(order(fmt.Sprintf("SF%d", i), fmt.Sprintf("c%d", i), wang))
		}
		judge := func(i int, v prefs.Verdict) {
			h.clock.Add(time.Second) // of many signs the newest count: none may be as new as another
			_, err := panel.Judge(ctx, h.courier(fmt.Sprintf("c%d", i)), fmt.Sprintf("SF%d", i), "no_locker", string(v))
			require.NoError(t, err)
		}
		for i := range 49 {
			v := prefs.Right
			if i < 16 {
				v = prefs.Wrong
			}
			judge(i, v)
		}
		require.Empty(t, paused, "a third is wrong, of 49")
		require.NotEmpty(t, h.tags(wang))
		judge(49, prefs.Right)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, paused)
		require.Equal(t, prefs.Learning{Tag: prefs.NoLocker, Verdicts: 50, Wrong: 16, PausedAt: h.clock.Now()}, h.learning(prefs.NoLocker))

		// What was learned no longer decides, what was said does
		require.Empty(t, h.tags(wang))
		require.Equal(t, prefs.Asked, h.known(wang, prefs.NoLocker).State)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.tags(zhao))

		// Nothing is learned, but a permission is still suspended
		h.dispatch(order("P1", "li", "13800000009"))
		permits := h.consumer("13800000009")
		_, err = h.book().SetPreferences(ctx, permits, prefs.Preferences{Tags: []string{"locker_ok"}})
		require.NoError(t, err)
		h.clock.Add(time.Hour)
		require.Empty(t, h.complain("P1", "again a locker", prefs.NoLocker).Learned)
		require.Empty(t, h.tags("13800000009"))
		require.Empty(t, h.permitted("13800000009", "P1"))

		// Another verdict does not pause it twice
		h.dispatch(order("SF50", "li", wang))
		h.judge(h.courier("li"), "SF50", prefs.NoLocker, prefs.Wrong)
		require.Len(t, paused, 1)

		// Resumed, it counts anew
		_, err = panel.Resume(ctx, h.integrator, "no_locker")
		require.NoError(t, err)
		require.Equal(t, prefs.Learning{Tag: prefs.NoLocker}, h.learning(prefs.NoLocker))
		require.Empty(t, h.tags("13800000009"), "what was said meanwhile was not learned")
		h.clock.Add(time.Hour)
		h.judge(h.courier("c1"), "SF1", prefs.NoLocker, prefs.Right) // was wrong, before
		require.Equal(t, prefs.Learning{Tag: prefs.NoLocker, Verdicts: 1}, h.learning(prefs.NoLocker))
		same, err := panel.Resume(ctx, h.integrator, "no_locker")
		require.NoError(t, err)
		require.Equal(t, prefs.Learning{Tag: prefs.NoLocker, Verdicts: 1}, same, "it was not paused")
		_, err = panel.Resume(ctx, h.integrator, "nonsense")
		require.ErrorIs(t, err, doorstep.ErrNotFound)
	})
}

func TestAWrongTagIsReplacedByAnother(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, me, book := context.Background(), h.consumer(wang), h.book()
		h.dispatch(order("SF1", "li", wang))
		h.complain("SF1", "call me", prefs.CallFirst)
		require.Equal(t, []prefs.Tag{prefs.CallFirst}, h.tags(wang))

		got, err := book.Correct(ctx, me, "call_first", "no_call")
		require.NoError(t, err)
		require.Equal(t, prefs.NoCall, got.Tag)
		require.Equal(t, []prefs.Tag{prefs.NoCall}, h.tags(wang))
		require.Equal(t, prefs.Off, h.known(wang, prefs.CallFirst).State)

		_, err = book.Correct(ctx, me, "no_call", "no_call")
		require.ErrorIs(t, err, doorstep.ErrInvalid)
		_, err = book.Correct(ctx, me, "no_call", "nonsense")
		require.ErrorIs(t, err, doorstep.ErrInvalid)
		_, err = book.Correct(ctx, me, "nonsense", "no_call")
		require.ErrorIs(t, err, doorstep.ErrNotFound)
		me.Waybill = "SF1"
		_, err = book.Correct(ctx, me, "no_call", "call_first")
		require.ErrorIs(t, err, doorstep.ErrForbidden)
	})
}

func TestAgreeingForOneParcelSaysLittleAboutTheNext(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, me, book := context.Background(), h.consumer(wang), h.book()
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "li", wang))
		agree := func(waybill string) {
			_, err := book.GiveConsent(ctx, me, prefs.ConsentRequest{Kind: "locker", Scope: "parcel", Waybill: waybill, ReceiptMethod: "photo"})
			require.NoError(t, err)
		}
		agree("SF1")
		h.clock.Add(time.Hour)
		h.complain("SF1", "no more lockers", prefs.NoLocker)
		before := h.known(wang, prefs.NoLocker).Confidence
		require.InDelta(t, 4.6/7.6, before, 1e-9, "what was agreed to before the first complaint does not count")

		h.clock.Add(time.Hour)
		agree("SF2")
		agree("SF2")
		h.clock.Add(time.Hour)
		once := h.known(wang, prefs.NoLocker)
		require.Less(t, once.Confidence, before)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.tags(wang))
		agree("SF3")
		require.Empty(t, h.tags(wang))
	})
}

func TestWhatIsKeptOfOneConsumerIsBounded(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		for i := range prefs.MostKept + 3 {
			waybill := fmt.Sprintf("SF%d", i)
			h.dispatch(order(waybill, "li", wang))
			h.complain(waybill, "locker", prefs.NoLocker)
			h.clock.Add(24 * time.Hour)
		}
		me := h.consumer(wang).Consumer
		profiles, err := h.db.Profiles(context.Background(), []doorstep.ConsumerID{me})
		require.NoError(t, err)
		kept := profiles[me].Evidence
		require.Len(t, kept, prefs.MostKept)
		require.Equal(t, "SF3", kept[0].Waybill, "the oldest went")
	})
}
