package telephony

import (
	"context"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Intent is that a courier was about to call the consignee of a parcel.
type Intent struct {
	ID       string
	Provider Provider
	Parcel   Parcel
	Number   string // keyed hash of the masked number
	At       time.Time
}

// Line is a masked number that can be dialled.
type Line struct {
	Provider Provider
	Number   doorstep.Phone
}

// DialStore is what a Dialler needs kept.
type DialStore interface {
	// CourierParcel finds a parcel that was dispatched to the courier.
	CourierParcel(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (Parcel, error)
	// ParcelLine is the masked number that the carrier gave for a parcel, if any.
	ParcelLine(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill, now time.Time) (Line, bool, error)
	// PutParcelLine sets it.
	PutParcelLine(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill, l Line, until time.Time) error
	// Lines lists the masked numbers of the company's accounts.
	Lines(ctx context.Context, company doorstep.CompanyNo) ([]Line, error)
	// LastDialled says of the company's numbers, by their hashes, when each was given
	// out last; those that never were are left out.
	LastDialled(ctx context.Context, company doorstep.CompanyNo, hashes []string) (map[string]time.Time, error)
	// AddIntent keeps an intent and its evidence.
	AddIntent(ctx context.Context, company doorstep.CompanyNo, i Intent, f evidence.Fact) error
	// HashNumber is the keyed hash of a number.
	HashNumber(doorstep.Phone) string
}

// Dialler gives couriers masked numbers to dial. The consignee's own number
// never leaves.
type Dialler struct {
	Store  DialStore
	Policy Policy
	Now    func() time.Time
	NewID  doorstep.IDMaker
}

// Dialling is what the app gets.
type Dialling struct {
	ID     string
	Line   Line
	Paired time.Time // until when a call of this number is taken for this one
}

// Dial gives the courier the number to dial about a parcel of his, and keeps that
// he was about to.
func (d *Dialler) Dial(ctx context.Context, a doorstep.Actor, waybill string) (Dialling, error) {
	w, err := doorstep.ParseWaybill(waybill)
	if err != nil {
		return Dialling{}, doorstep.NotFound("parcel", "") // no such number can be ours
	}
	parcel, err := d.Store.CourierParcel(ctx, a, w)
	if err != nil {
		return Dialling{}, err
	}
	now := d.Now()
	line, err := d.line(ctx, a.Company, w, now)
	if err != nil {
		return Dialling{}, err
	}
	i := Intent{ID: d.NewID(a.Company), Provider: line.Provider, Parcel: parcel, Number: d.Store.HashNumber(line.Number), At: now}
	err = d.Store.AddIntent(ctx, a.Company, i, evidence.Fact{
		ID: d.NewID(parcel.Outlet), Outlet: parcel.Outlet, Kind: evidence.CallIntent, Source: evidence.Server, CourierNo: parcel.CourierNo,
		Waybill: w, OccurredAt: now, ReceivedAt: now, Fields: []evidence.Field{
			{Name: "intent_id", Value: i.ID}, {Name: "provider", Value: string(line.Provider)},
			{Name: "masked_number", Value: line.Number.Masked()}, {Name: "masked_number_hash", Value: i.Number},
		},
	})
	return Dialling{ID: i.ID, Line: line, Paired: now.Add(d.Policy.Pairing.Duration())}, err
}

// line is the parcel's own masked number, else the one of the company's that was
// given out longest ago: the fewer couriers dial the same one, the more calls say
// whose they were.
func (d *Dialler) line(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill, now time.Time) (Line, error) {
	line, ok, err := d.Store.ParcelLine(ctx, company, w, now)
	if err != nil || ok {
		return line, err
	}
	lines, err := d.Store.Lines(ctx, company)
	if err != nil {
		return Line{}, err
	}
	if len(lines) == 0 {
		return Line{}, &doorstep.ConflictError{
			Code: "no_masked_number",
			Detail: "no masked number is known for this parcel: call through the carrier's own app; " +
				"the carrier sets numbers with PUT /v1/providers/{provider} or PUT /v1/parcels/{waybill}/masked-number",
		}
	}
	hashes := make([]string, len(lines))
	for i, l := range lines {
		hashes[i] = d.Store.HashNumber(l.Number)
	}
	last, err := d.Store.LastDialled(ctx, company, hashes)
	if err != nil {
		return Line{}, err
	}
	oldest := 0
	for i, hash := range hashes {
		if last[hash].Before(last[hashes[oldest]]) {
			oldest = i
		}
	}
	return lines[oldest], nil
}

// longestLine bounds how long the carrier may give a number for a parcel.
const longestLine = 90 * 24 * time.Hour

// Assign keeps the masked number that the carrier bound to a parcel.
func (d *Dialler) Assign(ctx context.Context, a doorstep.Actor, waybill string, p Provider, number, until string) (Line, time.Time, error) {
	var checks doorstep.Checks
	now := d.Now()
	w, err := doorstep.ParseWaybill(waybill)
	checks.Under("/waybill", err)
	if _, ok := adapters[p]; !ok {
		checks.Add("/provider", "not_allowed", fmt.Sprintf("must be one of %v", Providers))
	}
	line := Line{Provider: p}
	line.Number, err = doorstep.ParsePhone(number)
	checks.Under("/number", err)
	at, err := time.Parse(time.RFC3339, until)
	if err != nil || !at.After(now) || at.After(now.Add(longestLine)) {
		checks.Add("/until", "time_out_of_range", "must be an RFC 3339 time from now to 90 days ahead")
	}
	if err := checks.Err(); err != nil {
		return line, at, err
	}
	return line, at, d.Store.PutParcelLine(ctx, a.Company, w, line, at.UTC())
}
