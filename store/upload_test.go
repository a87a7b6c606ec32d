package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/store"
	"doorstep/store/storetest"
)

// call is a record of a telephone call about a parcel, under a new id.
func (h *house) call(waybill string, seconds float64) evidence.Upload {
	direction, outcome := "outgoing", "answered"
	return evidence.Upload{
		ID: uuid.NewString(), Kind: "call", Waybill: waybill, OccurredAt: h.clock.Now().Format(time.RFC3339),
		Direction: &direction, DurationS: &seconds, Outcome: &outcome,
	}
}

func (h *house) upload(courier string, list ...evidence.Upload) []evidence.Verdict {
	h.t.Helper()
	verdicts, err := h.recorder().Upload(context.Background(), h.courier(courier), list)
	require.NoError(h.t, err)
	return verdicts
}

func (h *house) recorder() *evidence.Recorder {
	return &evidence.Recorder{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
}

// calls counts the telephone calls that an outlet has on record, each of which
// must open.
func (h *house) calls(outlet string) (n int) {
	h.t.Helper()
	for _, item := range h.evidence(outlet) {
		if item.Kind == evidence.Call {
			require.JSONEq(h.t, `"answered"`, string(item.Opening.Values["outcome"]))
			n++
		}
	}
	return n
}

func statuses(verdicts []evidence.Verdict) (list []evidence.Status) {
	for _, v := range verdicts {
		list = append(list, v.Status)
	}
	return list
}

func TestUploadsThatWaitTogetherAreAnsweredEachByItself(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		couriers := []string{"li", "chen", "sun"}
		batches := make([][]evidence.Upload, 9)
		for i := range batches {
			waybill := fmt.Sprint("SF", i)
			o := order(waybill, couriers[i%3], wang)
			o.OutletID = []string{"west", "east"}[i%2]
			h.dispatch(o)
			batches[i] = []evidence.Upload{h.call(waybill, 1), h.call(waybill, 2), h.call("UNKNOWN", 3)}
		}
		batches = append(batches, batches...) // sent twice at the same moment
		verdicts, failures := make([][]evidence.Verdict, len(batches)), make([]error, len(batches))
		letGo := h.hold()
		var phones sync.WaitGroup
		for i, list := range batches {
			phones.Go(func() {
				verdicts[i], failures[i] = h.recorder().Upload(context.Background(), h.courier(couriers[i%9%3]), list)
			})
		}
		letGo()
		phones.Wait()

		for i := range 9 {
			require.NoError(t, failures[i])
			require.NoError(t, failures[i+9])
			once := [][]evidence.Status{statuses(verdicts[i]), statuses(verdicts[i+9])}
			require.ElementsMatch(t, [][]evidence.Status{
				{evidence.Accepted, evidence.Accepted, evidence.Rejected},
				{evidence.Duplicate, evidence.Duplicate, evidence.Rejected},
			}, once)
		}
		require.Equal(t, 10, h.calls("west"))
		require.Equal(t, 8, h.calls("east"))
	})
}

// A courier's upload that fails is answered so; those that waited with it are
// not harmed.
func TestAnUploadThatFailsHarmsNoneThatWaitWithIt(t *testing.T) {
	clock := storetest.NewClock()
	h := newHouse(t, storetest.Open(t, storetest.SQLite(t), storetest.Vault(t), clock, 0), clock)
	const phones, bad = 12, 7
	failures := make([]error, phones)
	for i := range phones {
		o := order(fmt.Sprint("SF", i), fmt.Sprint("courier-", i), wang)
		o.OutletID = []string{"west", "east"}[i%2]
		h.dispatch(o)
	}
	require.NoError(t, h.db.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.Exec(fmt.Sprintf(`create trigger refuse before insert on evidence when new.kind = 'call' and new.waybill = 'SF%d'
begin select raise(abort, 'refused'); end`, bad))
	}))
	letGo := h.hold()
	var calls sync.WaitGroup
	for i := range failures {
		calls.Go(func() {
			_, failures[i] = h.recorder().Upload(context.Background(), h.courier(fmt.Sprint("courier-", i)), []evidence.Upload{h.call(fmt.Sprint("SF", i), 1)})
		})
	}
	letGo()
	calls.Wait()
	for i, err := range failures {
		if i == bad {
			require.ErrorIs(t, err, doorstep.ErrUnavailable)
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, 6, h.calls("west"))
	require.Equal(t, 5, h.calls("east"))
}

func TestOfTwoRecordsWithOneIDInACallTheFirstIsKept(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		first, other := h.call("SF1", 1), h.call("SF1", 2)
		forged := h.call("SF1", 3)
		forged.ID = first.ID
		got := h.upload("li", first, other, first, forged)
		require.Equal(t, []evidence.Status{evidence.Accepted, evidence.Accepted, evidence.Duplicate, evidence.Rejected}, statuses(got))
		require.ErrorIs(t, got[3].Err, doorstep.ErrConflict)

		next := h.call("SF1", 4) // beside what is known
		got = h.upload("li", next, forged, other)
		require.Equal(t, []evidence.Status{evidence.Accepted, evidence.Rejected, evidence.Duplicate}, statuses(got))
		require.Equal(t, 3, h.calls("west"))
	})
}

// A courier who is new to the database uploads before anybody dispatches to him;
// what is remembered of that must not outlast his first parcel.
func TestACouriersFirstParcelIsHisAtOnce(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		call := h.call("SF1", 1)
		require.ErrorIs(t, h.upload("li", call)[0].Err, doorstep.ErrNotFound)
		h.dispatch(order("SF1", "li", wang))
		require.Equal(t, evidence.Accepted, h.upload("li", call)[0].Status)
	})
}

// The cost of an upload must not grow with what its outlet has on record.
func TestUploadsAreLookedUpByTheirOwnIDs(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t), storetest.Vault(t), storetest.NewClock(), 0)
	steps, err := db.KeptPlan(context.Background())
	require.NoError(t, err)
	require.True(t, slices.Contains(steps, "SEARCH evidence USING INDEX evidence_by_client (outlet_no=? AND courier_no=? AND client_id=?)"), steps)
}
