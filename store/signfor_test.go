package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/store"
	"doorstep/store/storetest"
)

func (h *house) signer() *parcels.Signer {
	return &parcels.Signer{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
}

func signOrder(method parcels.Method, at time.Time) parcels.SignOrder {
	return parcels.SignOrder{Method: string(method), At: at.Format(time.RFC3339Nano), ClientID: uuid.NewString()}
}

// What the rules promise holds through the store: whatever was said, signed,
// overridden and corrected, on time or late, every record without consent is an
// override that the list shows.
func TestRandomStepsLeaveNoSignForWithoutConsent(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, book, signer := context.Background(), h.book(), h.signer()
		me, li, boss := h.consumer(wang), h.courier("li"), h.manager("west")
		boss.Subject = "Sun Yan"
		waybills := []string{"SF1", "SF2", "SF3", "SF4"}
		for _, w := range waybills {
			h.dispatch(order(w, "li", wang))
		}
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		draw := rand.New(rand.NewPCG(seed, 1))
		var complained []time.Time
		given := map[string]prefs.Consent{}
		allowed := func(w string, kind prefs.ConsentKind, t time.Time) bool {
			for _, c := range given {
				suspended := false
				for _, at := range complained {
					suspended = suspended || c.Kind == prefs.Locker && at.After(c.GivenAt) && !at.After(t)
				}
				open := c.RevokedAt.IsZero() || t.Before(c.RevokedAt)
				here := c.Scope == prefs.Standing || c.Scope == prefs.ForParcel(w)
				if c.Kind == kind && here && open && !t.Before(c.GivenAt) && !suspended {
					return true
				}
			}
			return false
		}
		counts := map[parcels.Ground]int{}
		for step := range 250 {
			h.clock.Add(time.Duration(1+draw.IntN(600)) * time.Second)
			now := h.clock.Now()
			w, method := waybills[draw.IntN(len(waybills))], parcels.Methods[draw.IntN(len(parcels.Methods))]
			at := now.Add(time.Duration(draw.IntN(130)-120) * time.Minute)
			var got parcels.SignFor
			var err error
			switch draw.IntN(10) {
			case 0, 1:
				in := prefs.ConsentRequest{Kind: string(prefs.ConsentKinds[draw.IntN(4)]), Scope: "all", ReceiptMethod: prefs.Unspecified}
				if draw.IntN(2) == 0 {
					in.Scope, in.Waybill = "parcel", w
				}
				c, err := book.GiveConsent(ctx, me, in)
				require.NoError(t, err)
				given[c.ID] = c
				continue
			case 2:
				for id, c := range given {
					if c.RevokedAt.IsZero() {
						require.NoError(t, book.RevokeConsent(ctx, me, id))
						c.RevokedAt = now
						given[id] = c
						break
					}
				}
				continue
			case 3:
				other := fmt.Sprint("OTHER", step)
				h.dispatch(order(other, "li", wang))
				h.complain(other, "a locker again", prefs.NoLocker)
				complained = append(complained, now)
				continue
			case 4:
				got, err = signer.Override(ctx, boss, w, signOrder(method, at), "flood")
			case 5:
				o := signOrder(method, at)
				got, err = signer.Correct(ctx, li, w, o, "slip", false)
			case 6:
				got, err = signer.Correct(ctx, boss, w, parcels.SignOrder{}, "wrong parcel", true)
			default:
				got, err = signer.Sign(ctx, li, w, signOrder(method, at))
			}
			if at.After(now) {
				at = now
			}
			kind, needed := method.Needs()
			var refused *parcels.ConsentRequiredError
			switch {
			case errors.As(err, &refused):
				require.False(t, allowed(w, kind, at), "step %d: refused although it was allowed", step)
				continue
			case err != nil:
				require.ErrorIs(t, err, doorstep.ErrConflict, "step %d", step)
				continue
			case got.Ground == parcels.ByConsent:
				require.True(t, allowed(w, kind, at), "step %d: signed for without consent", step)
			case got.Ground == parcels.ToConsignee:
				require.False(t, needed)
			}
			counts[got.Ground]++
		}
		list, err := signer.Overrides(ctx, boss, parcels.OverrideQuery{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, list, counts[parcels.ByOverride])
		kept := 0
		for _, w := range waybills {
			c, history, err := signer.Parcel(ctx, li, w)
			require.NoError(t, err)
			require.Equal(t, doorstep.Waybill(w), c.Waybill)
			for i, s := range history.SignFors {
				require.Equal(t, i+1, s.Version)
			}
			kept += len(history.SignFors)
		}
		total := 0
		for _, n := range counts {
			total += n
		}
		require.Equal(t, total, kept)
		t.Logf("%v", counts)
	})
}

// A withdrawal and a sign-for at once: whichever comes first, no sign-for is of a
// moment at which the consent was withdrawn.
func TestAWithdrawalAndASignForAtOnce(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx := context.Background()
		var tick atomic.Int64
		start := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
		now := func() time.Time { return start.Add(time.Duration(tick.Add(1)) * time.Millisecond) } // no two moments are the same
		db, err := store.Open(ctx, store.Config{URL: url, Vault: storetest.Vault(t), NewID: doorstep.MakeID, Now: now, TimeZone: "Asia/Shanghai"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		h := newHouse(t, db, storetest.NewClock())
		book := prefs.Book{Store: db, Now: now, NewID: doorstep.MakeID}
		signer := parcels.Signer{Store: db, Now: now, NewID: doorstep.MakeID}
		me, li := h.consumer(wang), h.courier("li")
		var signed, refused int
		for round := range 40 {
			w := fmt.Sprintf("SF%d", round)
			h.dispatch(order(w, "li", wang))
			consent, err := book.GiveConsent(ctx, me, prefs.ConsentRequest{Kind: "locker", Scope: "parcel", Waybill: w, ReceiptMethod: prefs.Unspecified})
			require.NoError(t, err)
			var both sync.WaitGroup
			var got parcels.SignFor
			var failed, revoked error
			ready := make(chan struct{})
			both.Go(func() {
				<-ready
				got, failed = signer.Sign(ctx, li, w, signOrder(parcels.InLocker, now()))
			})
			both.Go(func() {
				<-ready
				revoked = book.RevokeConsent(ctx, me, consent.ID)
			})
			close(ready)
			both.Wait()
			require.NoError(t, revoked)
			list, err := db.Consents(ctx, me.Consumer, prefs.ConsentPage{Only: prefs.ForParcel(w), Limit: 1})
			require.NoError(t, err)
			if failed == nil {
				signed++
				require.True(t, got.At.Before(list[0].RevokedAt), "signed at %s, withdrawn at %s", got.At, list[0].RevokedAt)
			} else {
				refused++
				var missing *parcels.ConsentRequiredError
				require.ErrorAs(t, failed, &missing)
			}
		}
		t.Logf("%d signed, %d refused", signed, refused)
	})
}
