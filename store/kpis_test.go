package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/complaints"
	"doorstep/kpi"
	"doorstep/parcels"
	"doorstep/store"
)

// settleDays counts everything that has changed.
func (h *house) settleDays() {
	h.t.Helper()
	ctx := context.Background()
	for {
		outlets, err := h.db.ChangedOutlets(ctx, h.clock.Now().Add(time.Hour), 100)
		require.NoError(h.t, err)
		if len(outlets) == 0 {
			return
		}
		for _, o := range outlets {
			_, err := h.db.Recount(ctx, o)
			require.NoError(h.t, err)
		}
	}
}

func (h *house) days() []store.KpiDay {
	h.t.Helper()
	list, err := h.db.KpiDays(context.Background())
	require.NoError(h.t, err)
	return list
}

func (h *house) hq() doorstep.Actor {
	return doorstep.Actor{Role: doorstep.RoleHQ, Company: h.integrator.Company, Subject: "Qian"}
}

// Whatever happens, and whenever it is counted in between: the days as they were
// kept are those that the records give.
func TestDaysKeptUpAreTheDaysRebuilt(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		draw := rand.New(rand.NewPCG(seed, 2))
		desk := complaints.Desk{
			Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID,
			Read: func(string) complaints.Reading { return complaints.Reading{Category: complaints.Other} },
		}
		scanner := parcels.Scanner{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
		roster := parcels.Roster{Store: h.db, Now: h.clock.Now, TimeZone: "Asia/Shanghai"}
		categories := []complaints.Category{complaints.FalseSignFor, complaints.Delay, complaints.Lost}
		outlets, couriers, phones := []string{"west", "east"}, []string{"li", "chen"}, []string{wang, zhao}
		hq := h.hq()
		h.wish(wang, "no_locker", "to_door")
		var parcelsOut, filed []string
		place := map[string]string{}
		phone := map[string]string{}
		owner := map[string]string{} // of complaints
		conflicts := 0
		allow := func(err error) { // what the rules refuse changes nothing
			if err == nil {
				return
			}
			require.True(t, errors.Is(err, doorstep.ErrConflict) || errors.Is(err, doorstep.ErrNotFound) || errors.Is(err, doorstep.ErrInvalid) ||
				errors.Is(err, doorstep.ErrForbidden), "%v", err)
			conflicts++
		}
		for step := range 260 {
			h.clock.Add(time.Duration(1+draw.IntN(400)) * time.Minute)
			now := h.clock.Now()
			pick := func(list []string) string { return list[draw.IntN(len(list))] }
			if draw.IntN(4) == 0 || step < 6 {
				w := fmt.Sprint("SF", step)
				o := order(w, pick(couriers), pick(phones))
				o.OutletID = pick(outlets)
				h.dispatch(o)
				parcelsOut, place[w], phone[w] = append(parcelsOut, w), o.OutletID, o.Consignee.Phone
				continue
			}
			w := pick(parcelsOut)
			boss := h.manager(place[w])
			boss.Subject = "Sun Yan"
			switch what := draw.IntN(15); {
			case what < 4 || len(filed) == 0:
				in := complaints.Filing{Waybill: w, Text: fmt.Sprint("again ", step), Category: string(categories[draw.IntN(3)])}
				if draw.IntN(4) == 0 { // of the past, as an import brings it
					in.FiledAt = now.Add(-time.Duration(draw.IntN(40*24)) * time.Hour).Format(time.RFC3339)
				}
				c, err := desk.File(ctx, h.integrator, in)
				require.NoError(t, err)
				if !c.Merged {
					filed, owner[c.ID] = append(filed, c.ID), phone[w]
				}
			case what < 6:
				_, err := desk.Answer(ctx, hq, pick(filed), "here it is")
				allow(err)
			case what == 6:
				_, err := desk.Recategorise(ctx, hq, pick(filed), string(categories[draw.IntN(3)]), "read again")
				allow(err)
			case what == 7:
				_, err := desk.Reroute(ctx, hq, pick(filed), pick(outlets), "not ours")
				allow(err)
			case what < 10:
				id := pick(filed)
				me := h.consumer(owner[id])
				var err error
				switch draw.IntN(4) {
				case 0:
					_, err = desk.Confirm(ctx, me, id)
				case 1:
					_, err = desk.Dispute(ctx, me, id, "no")
				case 2:
					_, err = desk.Reopen(ctx, me, id, "again")
				default:
					_, err = desk.Withdraw(ctx, me, id)
				}
				allow(err)
			case what == 10:
				_, err := desk.Pause(ctx, hq, pick(filed), "weather", "")
				allow(err)
			case what == 11:
				at := now.Add(-time.Duration(draw.IntN(72)) * time.Hour) // late
				_, err := scanner.Scan(ctx, h.integrator, []parcels.ScanOrder{{Waybill: w, OutletID: place[w], Code: "signed_self", At: at.Format(time.RFC3339)}})
				require.NoError(t, err)
			case what == 12:
				_, err := h.signer().Correct(ctx, boss, w, parcels.SignOrder{}, "wrong parcel", true)
				allow(err)
			default:
				_, err := h.signer().Override(ctx, boss, w, signOrder(parcels.Methods[draw.IntN(len(parcels.Methods))], now.Add(-time.Duration(draw.IntN(30))*time.Hour)), "flood")
				allow(err)
			}
			switch draw.IntN(12) {
			case 0:
				h.settleDays()
			case 1:
				_, err := (&kpi.Keeper{Store: h.db, Now: h.clock.Now}).Pass(ctx)
				require.NoError(t, err)
			case 2:
				if draw.IntN(5) == 0 {
					_, err := roster.PutOutlet(ctx, h.integrator, parcels.Outlet{ID: "east", Name: "East", TimeZone: []string{"Asia/Shanghai", "Europe/Berlin"}[draw.IntN(2)]})
					require.NoError(t, err)
				}
			}
		}
		require.Less(t, conflicts, 120)
		h.settleDays()
		kept := h.days()
		require.NotEmpty(t, kept)
		n, err := (&kpi.Keeper{Store: h.db, Now: h.clock.Now}).Rebuild(ctx)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, h.days(), kept)

		// And they are what the lists of complaints and parcels say.
		var sum kpi.Counts
		var parts kpi.Counts
		for _, d := range kept {
			if d.CourierNo < 0 {
				sum = sum.Plus(d.Counts)
			} else {
				parts = parts.Plus(d.Counts)
			}
		}
		require.Equal(t, parts, sum)
		list, err := desk.Complaints(ctx, hq, complaints.Query{Limit: 1000})
		require.NoError(t, err)
		var counted, handled24 int64
		for _, c := range list {
			if c.Status == complaints.Withdrawn && c.HandledAt.IsZero() {
				continue
			}
			counted++
			if !c.HandledAt.IsZero() && c.HandledAt.Sub(c.FiledAt) <= 24*time.Hour {
				handled24++
			}
		}
		require.Equal(t, counted, sum[kpi.Filed])
		require.Equal(t, handled24, sum[kpi.Within24h])
		require.Positive(t, sum[kpi.Repeats])
		require.Positive(t, sum[kpi.Parcels])
		require.Equal(t, sum[kpi.Parcels], sum[kpi.Alerted]+sum[kpi.Unalerted])
	})
}

// A change that commits while its day is being counted is counted after all.
func TestNoChangeIsLostToACountThatDidNotSeeIt(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		desk := complaints.Desk{
			Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID,
			Read: func(string) complaints.Reading { return complaints.Reading{Category: complaints.Other} },
		}
		const each = 20
		for i := range each {
			h.dispatch(order(fmt.Sprint("SF", i), "li", wang))
		}
		h.settleDays()
		filed := make(chan error)
		go func() {
			for i := range each {
				_, err := desk.File(ctx, h.integrator, complaints.Filing{Waybill: fmt.Sprint("SF", i), Text: "late", Category: "delay"})
				filed <- err
			}
			close(filed)
		}()
		hq := h.hq()
		for err := range filed {
			require.NoError(t, err)
			_, err = h.db.Freshen(ctx, hq, 10)
			require.NoError(t, err)
		}
		h.settleDays()
		var sum kpi.Counts
		for _, d := range h.days() {
			if d.CourierNo < 0 {
				sum = sum.Plus(d.Counts)
			}
		}
		require.Equal(t, int64(each), sum[kpi.Filed])
	})
}
