package push_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
)

// shelf keeps one courier's inbox in memory.
type shelf struct {
	push.InboxStore
	mu     sync.Mutex
	alerts []push.Alert
	reads  int
	err    error
}

const shelfCourier = 7

func (s *shelf) EnsureCourier(context.Context, doorstep.Actor) (int64, error) {
	return shelfCourier, nil
}

func (s *shelf) Alerts(ctx context.Context, _ doorstep.Actor, after int64, limit int) ([]push.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var list []push.Alert
	for _, a := range s.alerts {
		if a.Seq > after && len(list) < limit {
			list = append(list, a)
		}
	}
	return list, s.err
}

// add puts n more alerts on the shelf, and rings for nobody.
func (s *shelf) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.alerts = append(s.alerts, alert(len(s.alerts)+1))
	}
}

func (s *shelf) looks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// delivery is what was handed over in one go.
type delivery struct {
	at   time.Duration // since the stream was opened
	seqs []int64
}

// phone follows the inbox on a device.
type phone struct {
	stop  context.CancelFunc
	ended chan error

	mu   sync.Mutex
	list []delivery
}

// got is what the phone has been handed so far.
func (p *phone) got() []delivery {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list)
}

func (p *phone) seqs() (all []int64) {
	for _, d := range p.got() {
		all = append(all, d.seqs...)
	}
	return all
}

// hasEnded says whether the stream is over, and how it ended.
func (p *phone) hasEnded() (over bool, err error) {
	synctest.Wait()
	select {
	case err = <-p.ended:
		return true, err
	default:
		return false, nil
	}
}

// follow opens a stream, in a bubble of synctest whose time it reads.
func follow(t *testing.T, inbox *push.Inbox, device string, after int64) *phone {
	ctx, stop := context.WithCancel(t.Context())
	p, opened := &phone{stop: stop, ended: make(chan error, 1)}, time.Now()
	go func() {
		p.ended <- inbox.Follow(ctx, doorstep.Actor{TokenID: "token-1"}, device, after, func(list []push.Alert) error {
			d := delivery{at: time.Since(opened)}
			for _, a := range list {
				d.seqs = append(d.seqs, a.Seq)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.list = append(p.list, d)
			return nil
		})
	}()
	synctest.Wait()
	return p
}

// inBubble gives a test an empty inbox. All streams must end with the test.
func inBubble(t *testing.T, test func(t *testing.T, inbox *push.Inbox, s *shelf)) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		bell := &push.Bell{}
		test(t, &push.Inbox{Store: s, Bell: bell}, s)
		synctest.Wait()
		require.Zero(t, bell.Listening(), "a stream that ended still listens")
	})
}

func upTo(n int64) (seqs []int64) {
	for i := range n {
		seqs = append(seqs, i+1)
	}
	return seqs
}

func TestAStreamBeginsWithWhatIsThereInOrderAndInPages(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		s.add(450)
		p := follow(t, inbox, "phone", 0)
		require.Equal(t, upTo(450), p.seqs())
		require.Len(t, p.got(), 3, "200, 200 and 50")
		require.Zero(t, p.got()[2].at, "all at once")
		p.stop()
		over, err := p.hasEnded()
		require.True(t, over)
		require.NoError(t, err)
	})
}

func TestAnInboxOfExactlyOnePageIsNotFollowedByAnEmptyList(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		s.add(200)
		p := follow(t, inbox, "phone", 0)
		require.Len(t, p.got(), 1)
		require.Len(t, p.got()[0].seqs, 200)
		p.stop()
	})
}

func TestAStreamResumesBehindWhatThePhoneHas(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		s.add(5)
		p := follow(t, inbox, "phone", 3)
		require.Equal(t, []int64{4, 5}, p.seqs())
		p.stop()
	})
}

func TestAStreamOfAnEmptyInboxSaysAtOnceThatItStands(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, _ *shelf) {
		p := follow(t, inbox, "phone", 0)
		require.Equal(t, []delivery{{at: 0}}, p.got())
		p.stop()
	})
}

func TestARingBringsNewAlertsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		p := follow(t, inbox, "phone", 0)
		time.Sleep(time.Second)
		s.add(2)
		inbox.Bell.Ring(shelfCourier)
		require.Equal(t, []delivery{{at: 0}, {at: time.Second, seqs: []int64{1, 2}}}, p.got())
		p.stop()
	})
}

func TestARingForNothingSaysNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		p := follow(t, inbox, "phone", 0)
		inbox.Bell.RingAll()
		require.Len(t, p.got(), 1)
		require.Equal(t, 2, s.looks(), "it looked")
		time.Sleep(push.Heartbeat)
		synctest.Wait()
		require.Equal(t, push.Heartbeat, p.got()[1].at, "and did not put the heartbeat off")
		p.stop()
	})
}

func TestAHeartbeatComesOnlyAfterSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		p := follow(t, inbox, "phone", 0)
		time.Sleep(push.Heartbeat - time.Nanosecond)
		require.Len(t, p.got(), 1)
		s.add(1)
		inbox.Bell.Ring(shelfCourier)
		time.Sleep(push.Heartbeat - time.Nanosecond)
		require.Len(t, p.got(), 2, "the alert broke the silence")
		time.Sleep(push.Heartbeat + time.Nanosecond)
		require.Equal(t, []delivery{
			{at: 0},
			{at: push.Heartbeat - time.Nanosecond, seqs: []int64{1}},
			{at: 2*push.Heartbeat - time.Nanosecond},
			{at: 3*push.Heartbeat - time.Nanosecond},
		}, p.got())
		p.stop()
	})
}

func TestAMissedRingDelaysAnAlertUntilTheNextHeartbeat(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		p := follow(t, inbox, "phone", 0)
		time.Sleep(time.Second)
		s.add(1) // and nobody rings
		time.Sleep(push.Heartbeat)
		require.Equal(t, []delivery{{at: 0}, {at: push.Heartbeat, seqs: []int64{1}}}, p.got())
		p.stop()
	})
}

func TestASecondStreamOfTheSamePhoneEndsTheFirst(t *testing.T) {
	for name, device := range map[string]string{"by its install id": "phone", "by its token": ""} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
				first, tablet := follow(t, inbox, device, 0), follow(t, inbox, "tablet", 0)
				second := follow(t, inbox, device, 0)
				over, err := first.hasEnded()
				require.True(t, over)
				require.ErrorIs(t, err, push.Replaced)
				over, _ = tablet.hasEnded()
				require.False(t, over)
				s.add(1)
				inbox.Bell.Ring(shelfCourier)
				synctest.Wait()
				require.Empty(t, first.seqs())
				require.Equal(t, []int64{1}, second.seqs())
				require.Equal(t, []int64{1}, tablet.seqs())
				second.stop()
				tablet.stop()
			})
		})
	}
}

func TestATokenThatInventsPhonesHasNoMoreStreamsThanACourierMayHave(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		phones := make([]*phone, 3*push.MaxStreams)
		for i := range phones {
			phones[i] = follow(t, inbox, fmt.Sprint("phone-", i), 0)
			require.LessOrEqual(t, inbox.Bell.Listening(), push.MaxStreams)
		}
		s.add(1)
		inbox.Bell.Ring(shelfCourier)
		for i, p := range phones {
			over, err := p.hasEnded()
			if i < 2*push.MaxStreams {
				require.True(t, over)
				require.ErrorIs(t, err, push.TooMany)
				require.Empty(t, p.seqs())
				continue
			}
			require.False(t, over)
			require.Equal(t, []int64{1}, p.seqs())
			p.stop()
		}
	})
}

func TestStreamsEndWithTheBell(t *testing.T) {
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		s.add(1)
		early := follow(t, inbox, "phone", 0)
		inbox.Bell.Close()
		synctest.Wait()
		late := follow(t, inbox, "phone", 0)
		for _, p := range []*phone{early, late} {
			over, err := p.hasEnded()
			require.True(t, over)
			require.NoError(t, err)
			require.Equal(t, []int64{1}, p.seqs(), "the first list came")
		}
	})
}

// A phone that has long been away gets many pages, slowly. The end of its
// stream must not wait for all of them.
func TestALongBacklogDoesNotOutlastTheBell(t *testing.T) {
	s := &shelf{}
	s.add(100 * 200)
	inbox := &push.Inbox{Store: s, Bell: &push.Bell{}}
	pages := 0
	err := inbox.Follow(t.Context(), doorstep.Actor{}, "phone", 0, func([]push.Alert) error {
		pages++
		inbox.Bell.Close()
		return nil
	})
	require.NoError(t, err)
	require.Less(t, pages, 50) // each page more is as likely as heads
}

func TestAStreamEndsWithWhatWentWrong(t *testing.T) {
	broken := errors.New("broken")
	inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
		err := inbox.Follow(t.Context(), doorstep.Actor{}, "phone", 0, func([]push.Alert) error { return broken })
		require.ErrorIs(t, err, broken)
		p := follow(t, inbox, "phone", 0)
		s.mu.Lock()
		s.err = broken
		s.mu.Unlock()
		inbox.Bell.RingAll()
		over, err := p.hasEnded()
		require.True(t, over)
		require.ErrorIs(t, err, broken)
	})
}

func TestAPhoneWithABadInstallIDIsToldSo(t *testing.T) {
	for _, device := range []string{strings.Repeat("x", 129), "a\x01b"} {
		inBubble(t, func(t *testing.T, inbox *push.Inbox, s *shelf) {
			p := follow(t, inbox, device, 0)
			var invalid *doorstep.InvalidError
			_, err := p.hasEnded()
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, "/install_id", invalid.Fields[0].Pointer)
			require.Zero(t, s.looks())
		})
	}
}
