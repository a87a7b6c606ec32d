package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

func TestWhatOneNodeLearnedTheOthersNextDispatchSays(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		one := newApp(t, url)
		two := one.node(t)
		one.dispatch(parcel("SF1", "li", anne))
		two.complain(two.consumer(anne), "SF1", lockerZH)
		require.Equal(t, []api.Tag{"no_locker"}, one.dispatch(parcel("SF2", "li", anne))[0].Tags)
		two.delete(two.consumer(anne), "/v1/me/tags/no_locker").is(http.StatusNoContent)
		require.Empty(t, one.dispatch(parcel("SF3", "li", anne))[0].Tags)

		again := two.post(two.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{parcel("SF2", "li", anne)}})
		require.Equal(t, 1, read[api.DispatchResults](again, http.StatusOK).Duplicate)
		require.Equal(t, one.inbox("li"), two.inbox("li"))
		require.Equal(t, one.evidence("west", ""), two.evidence("west", ""))

		// A token that one revoked the other refuses within a second.
		two.get(two.courier("li"), "/v1/me/alerts").is(http.StatusOK)
		list, err := one.db.Tokens(t.Context())
		require.NoError(t, err)
		for _, token := range list {
			if token.CourierID == "li" {
				require.NoError(t, one.office().Revoke(t.Context(), token.ID))
			}
		}
		one.clock.Add(time.Second)
		two.get(two.courier("li"), "/v1/me/alerts").is(http.StatusUnauthorized)
	})
}

func TestSendersThatShareADatabaseSendEachPushOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		// Given pushes for many couriers of several outlets
		one := newApp(t, url)
		nodes := []*app{one, one.node(t), one.node(t)}
		one.dispatch(parcel("SEED", "c0", anne))
		one.complain(one.consumer(anne), "SEED", lockerZH)
		var batch []api.DispatchInput
		for i := range 40 {
			courier := fmt.Sprintf("c%d", i)
			one.register(courier, "phone", "token-of-"+courier)
			p := parcel(fmt.Sprintf("SF-%04d", i), courier, anne)
			p.OutletID = fmt.Sprintf("outlet-%d", i%4)
			batch = append(batch, p)
		}
		var alerts []string
		for _, r := range one.dispatch(batch...) {
			alerts = append(alerts, *r.AlertID)
		}

		// When all nodes send at once, until nothing is due
		var sending sync.WaitGroup
		for _, node := range nodes {
			sending.Go(func() {
				for {
					n, err := node.sender.SendDue(t.Context())
					if err != nil {
						t.Errorf("send: %v", err)
					}
					if n == 0 || err != nil {
						return
					}
				}
			})
		}
		sending.Wait()

		// Then each phone has heard of its alert once
		var pushed []string
		for _, p := range one.pushes() {
			require.Len(t, p.Alerts, 1)
			pushed = append(pushed, p.Alerts[0].ID)
		}
		require.ElementsMatch(t, alerts, pushed)
	})
}

func TestBatchesThatCrossNeitherDeadlockNorLeaveGapsInAnInbox(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		const rounds, couriers, outlets = 4, 6, 3
		one := newApp(t, url)
		nodes := []*app{one, one.node(t)}
		one.dispatch(parcel("SEED", "c0", anne))
		one.complain(one.consumer(anne), "SEED", lockerZH)
		one.integrator()

		var posting sync.WaitGroup
		for n, node := range nodes {
			for round := range rounds {
				var batch []api.DispatchInput
				for c := range couriers {
					for o := range outlets {
						p := parcel(fmt.Sprintf("N%d-R%d-C%d-O%d", n, round, c, o), fmt.Sprintf("c%d", c), anne)
						p.OutletID = fmt.Sprintf("outlet-%d", o)
						batch = append(batch, p)
					}
				}
				// One half of all batches names couriers and outlets the other way round.
				if (n+round)%2 == 0 {
					slices.Reverse(batch)
				}
				token := node.integrator()
				posting.Go(func() {
					r := node.post(token, "/v1/dispatches", api.DispatchBatch{Dispatches: batch})
					if r.status != http.StatusOK {
						t.Errorf("node %d, round %d: %d %s", n, round, r.status, r.body)
					}
				})
			}
		}
		posting.Wait()

		for c := range couriers {
			inbox := one.inbox(fmt.Sprintf("c%d", c))
			require.Len(t, inbox, len(nodes)*rounds*outlets)
			seen := map[string]bool{}
			for i, alert := range inbox {
				require.Equal(t, int64(i+1), alert.Seq)
				require.False(t, seen[alert.Waybill], "%s stands twice", alert.Waybill)
				seen[alert.Waybill] = true
			}
		}
	})
}

func TestTheSameBatchSentTwiceAtOnceIsKeptOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		one := newApp(t, url)
		two := one.node(t)
		one.dispatch(parcel("SEED", "li", anne))
		one.complain(one.consumer(anne), "SEED", lockerZH)
		var batch []api.DispatchInput
		for i := range 50 {
			batch = append(batch, parcel(fmt.Sprintf("SF%d", i), "li", anne))
		}
		token := one.integrator()
		answers := make([]api.DispatchResults, 4)
		var posting sync.WaitGroup
		for i := range answers {
			node := []*app{one, two}[i%2]
			posting.Go(func() {
				r := node.post(token, "/v1/dispatches", api.DispatchBatch{Dispatches: batch})
				if r.status == http.StatusOK {
					answers[i] = read[api.DispatchResults](r, http.StatusOK)
				} else {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		posting.Wait()
		accepted := 0
		for _, got := range answers {
			accepted += got.Accepted
			require.Equal(t, len(batch), got.Accepted+got.Duplicate)
			for i, r := range got.Results {
				require.Equal(t, answers[0].Results[i].AlertID, r.AlertID, "the first alert's id")
			}
		}
		require.Equal(t, len(batch), accepted)
		require.Len(t, one.inbox("li"), len(batch))
	})
}
