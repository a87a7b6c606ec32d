package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/push"
)

// hand is a claimer that takes what it may.
type hand struct {
	h    *house
	mu   sync.Mutex
	shut bool
	took []push.Delivery
}

func (c *hand) Offer(outlet doorstep.OutletNo) (push.Claim, bool) {
	now := c.h.clock.Now()
	return push.Claim{
		Outlet: outlet, Now: now, LeaseUntil: now.Add(time.Minute), Token: "hand", Pushes: 10,
		Rooms: []push.Room{{Provider: push.FCM, Limit: 10}},
		Compose: func(kind string, alerts []push.Alert) push.Message {
			return push.Compose(kind, alerts, push.ContentTags, now)
		},
	}, !c.shut
}

func (c *hand) Take(list []push.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, list...)
}

func TestWhatDoesNotSettleIsClaimedByItsOwnDispatch(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		c := &hand{h: h}
		h.db.ClaimWith(c)
		later := &pager{}
		s := h.sender(later)

		// Given a sender with room, the commit hands it the message
		h.dispatch(order("SF1", "li", wang))
		require.Len(t, c.took, 1)
		d := c.took[0]
		require.Equal(t, "addr-1", d.Address.Value)
		require.Equal(t, push.KindDigest, d.Message.Kind)
		require.Equal(t, 1, d.Attempt)
		h.pass(s)
		require.Empty(t, later.sent, "it is leased")
		require.NoError(t, h.db.Finish(t.Context(), []push.Ended{{Delivery: d, State: push.Sent, Code: "ok", At: h.clock.Now()}}))

		// A dispatch sent again makes nothing due
		h.dispatch(order("SF1", "li", wang))
		require.Len(t, c.took, 1)

		// Given a sender without room, it waits for a pass
		c.shut = true
		h.dispatch(order("SF2", "li", wang))
		require.Len(t, c.took, 1)
		h.pass(s)
		require.Len(t, later.sent, 1)
	})
}

func TestWhatSettlesIsNotClaimedByItsDispatch(t *testing.T) {
	onEach(t, 20*time.Second, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		c := &hand{h: h}
		h.db.ClaimWith(c)
		h.dispatch(order("SF1", "li", wang))
		require.Empty(t, c.took)
	})
}

func TestAClaimThatCannotBeMadeKeepsNoParcelFromGoingOut(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.wishful()
		h.device("li", "phone", "addr-1")
		require.NoError(t, h.db.SpoilAddresses(t.Context()))
		c := &hand{h: h}
		h.db.ClaimWith(c)

		verdicts := h.dispatch(order("SF1", "li", wang))

		require.Equal(t, evidence.Accepted, verdicts[0].Status)
		require.Empty(t, c.took)
		require.Len(t, h.alerts("li"), 1)
		_, err := h.sender(&pager{}).SendDue(t.Context())
		require.Error(t, err, "it is the sender that says so")
	})
}
