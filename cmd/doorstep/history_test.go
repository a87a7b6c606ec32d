package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/kpi"
	"doorstep/parcels"
	"doorstep/store"
)

// What the outlets lived through before the day of the demo, so that pages and
// pictures are those of an outlet at work.
const (
	historyDays   = 60
	historyADay   = 120 // parcels of an outlet
	historyOpen   = 9   // complaints that still wait, of the demo's first outlet
	troublesFirst = 2.6 // complaints a day and outlet, at the beginning
	troublesLast  = 1.1 // and at the end
)

// live gives the town its history, by the use cases that the server has too.
func (w *town) live(ctx context.Context) error {
	return w.where.with(ctx, func(db *store.DB) error {
		company, err := db.Company(ctx, "default")
		if err != nil {
			return err
		}
		h, err := newHistory(db, company)
		if err != nil {
			return err
		}
		for day := historyDays; day > 0; day-- {
			for _, outlet := range demoOutlets {
				if err := h.day(ctx, outlet, day); err != nil {
					return err
				}
			}
		}
		if err := h.waiting(ctx, demoOutlets[0]); err != nil {
			return err
		}
		keeper := kpi.Keeper{Store: db, Now: now, Log: slog.New(slog.DiscardHandler)}
		_, err = keeper.Rebuild(ctx)
		return err
	})
}

// history tells the past, with a clock that stands where it is told.
type history struct {
	dispatcher parcels.Dispatcher
	scanner    parcels.Scanner
	desk       complaints.Desk
	carrier    doorstep.Actor
	chance     *rand.Rand
	now, at    time.Time
	parcels    int
	words      []demoComplaint
}

func newHistory(db *store.DB, company doorstep.CompanyNo) (*history, error) {
	h := &history{carrier: doorstep.Actor{Role: doorstep.RoleIntegrator, Company: company}, chance: rand.New(rand.NewPCG(demoSeed, 1)), now: now()}
	town, err := newDemoTown(h.now)
	if err != nil {
		return nil, err
	}
	h.words = town.complaints
	clock := func() time.Time { return h.at }
	none := func(string) complaints.Reading { return complaints.Reading{} }
	h.dispatcher = parcels.Dispatcher{Store: db, Now: clock, NewID: doorstep.MakeID, Quiet: true}
	h.scanner = parcels.Scanner{Store: db, Now: clock, NewID: doorstep.MakeID}
	h.desk = complaints.Desk{Store: db, Read: none, Now: clock, NewID: doorstep.MakeID}
	return h, nil
}

// bring has an outlet's parcels brought from an hour of the day on, and gives
// their waybills.
func (h *history) bring(ctx context.Context, outlet string, from time.Time, n int) ([]string, error) {
	var orders []parcels.Order
	var scans []parcels.ScanOrder
	var waybills []string
	for range n {
		h.parcels++
		courier := demoCouriers[h.chance.IntN(len(demoCouriers))]
		for courier.outlet != outlet {
			courier = demoCouriers[h.chance.IntN(len(demoCouriers))]
		}
		waybill, who := fmt.Sprintf("SF2025%08d", h.parcels), parcels.ConsigneeOrder{Phone: fmt.Sprintf("+8619901%06d", h.chance.IntN(2000))}
		waybills = append(waybills, waybill)
		orders = append(orders, parcels.Order{Waybill: waybill, OutletID: outlet, CourierID: courier.id, Consignee: who, DispatchedAt: from.Format(time.RFC3339)})
		handed := from.Add(time.Duration(30+h.chance.IntN(300)) * time.Minute)
		scans = append(scans, parcels.ScanOrder{Waybill: waybill, OutletID: outlet, Code: string(parcels.SignedSelf), At: handed.Format(time.RFC3339)})
	}
	h.at = from
	if _, err := h.dispatcher.Dispatch(ctx, h.carrier, orders); err != nil {
		return nil, err
	}
	h.at = from.Add(6 * time.Hour)
	_, err := h.scanner.Scan(ctx, h.carrier, scans)
	return waybills, err
}

// day is one that ended so many days ago: most of its complaints were answered
// in time.
func (h *history) day(ctx context.Context, outlet demoOutlet, ago int) error {
	morning := h.now.Add(-time.Duration(ago)*24*time.Hour - 14*time.Hour)
	waybills, err := h.bring(ctx, outlet.id, morning, historyADay)
	if err != nil {
		return err
	}
	mean := troublesLast + (troublesFirst-troublesLast)*float64(ago)/historyDays
	for _, waybill := range waybills[:int(mean+2*h.chance.Float64())] {
		filed := morning.Add(6*time.Hour + time.Duration(h.chance.IntN(240))*time.Minute)
		answered := filed.Add(time.Duration(40+h.chance.ExpFloat64()*420) * time.Minute)
		if err := h.complain(ctx, outlet, waybill, filed, answered); err != nil {
			return err
		}
	}
	return nil
}

// complain files a complaint and answers it, if that is past by now.
func (h *history) complain(ctx context.Context, outlet demoOutlet, waybill string, filed, answered time.Time) error {
	row := h.words[h.chance.IntN(len(h.words))].row
	h.at = filed
	c, err := h.desk.File(ctx, h.carrier, complaints.Filing{Waybill: waybill, Text: row.Text, Category: string(row.Category), Channel: "hotline"})
	if err != nil || answered.After(h.now) {
		return err
	}
	h.at = answered
	manager := doorstep.Actor{Role: doorstep.RoleManager, Company: h.carrier.Company, Outlet: outlet.id, Subject: outlet.manager}
	_, err = h.desk.Answer(ctx, manager, c.ID, "抱歉给您添麻烦了。我们已与快递员核实，今天重新派送，请留意电话。")
	return err
}

// waiting files what an outlet has not answered yet, over the last 27 hours.
func (h *history) waiting(ctx context.Context, outlet demoOutlet) error {
	waybills, err := h.bring(ctx, outlet.id, h.now.Add(-34*time.Hour), historyOpen)
	if err != nil {
		return err
	}
	for i, waybill := range waybills {
		filed := h.now.Add(-27*time.Hour + time.Duration(i*i)*23*time.Minute)
		if err := h.complain(ctx, outlet, waybill, filed, h.now.Add(time.Hour)); err != nil {
			return err
		}
	}
	return nil
}
