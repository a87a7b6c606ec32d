package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"doorstep"
	"doorstep/privacy"
	"doorstep/telephony"
)

// emptied is what is left of a body that is past its time: the row goes on
// telling repeats, and counts for its day.
var emptied = []byte{}

// wipeReports empties what providers reported of a parcel's calls and messages,
// which names the consumer's number, and deletes the masked number. What the
// reports come to stays: it holds no number.
func wipeReports(tx *Tx, w wipe) error {
	company, err := companyOf(tx.list, w.Outlet)
	if err != nil {
		return err
	}
	var contacts []struct {
		Provider telephony.Provider
		Events   string
	}
	err = tx.list(&contacts, `select provider, events from provider_contact where outlet_no = ? and waybill = ? and waybill <> '' and parcel_outlet_no = ?`,
		company, w.Waybill, w.Outlet)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		var events []telephony.Event
		if err := json.Unmarshal([]byte(c.Events), &events); err != nil {
			return err
		}
		for _, e := range events {
			if at := ms(e.Received); at < w.from || at >= w.until {
				continue
			}
			err := tx.exec(`update provider_record set body = ? where outlet_no = ? and provider = ? and event_key = ? and state <> 'waiting'`,
				emptied, company, c.Provider, e.Key)
			if err != nil {
				return err
			}
		}
	}
	return tx.exec(`delete from parcel_line where outlet_no = ? and waybill = ? and until_ms >= ? and until_ms < ?`, company, w.Waybill, w.from, w.until)
}

// SweepReports empties raw reports of providers that were received at or before a
// time, deletes masked numbers that were good until then, and forgets when
// providers were heard at or before another time.
func (db *DB) SweepReports(ctx context.Context, before, heardBefore time.Time, b privacy.Batch) (swept privacy.Swept, err error) {
	var accounts []struct {
		Company  doorstep.CompanyNo `db:"outlet_no"`
		Provider telephony.Provider
	}
	if err := db.list(ctx, &accounts, `select outlet_no, provider from provider_account order by outlet_no, provider`); err != nil {
		return swept, fmt.Errorf("accounts of providers: %w", err)
	}
	var companies []doorstep.CompanyNo
	for i, a := range accounts {
		if i == 0 || a.Company != accounts[i-1].Company {
			companies = append(companies, a.Company)
		}
	}
	for _, company := range companies {
		one, err := db.sweepReports(ctx, company, before, b)
		if err != nil {
			return swept, fmt.Errorf("reports: %w", err)
		}
		swept.Gone, swept.More = swept.Gone+one.Gone, swept.More || one.More
	}
	if b.Dry {
		return swept, nil
	}
	for _, a := range accounts {
		err := db.inTx(ctx, func(tx *Tx) error {
			n, err := tx.changed(`delete from provider_sighting where (outlet_no, provider, at_ms) in (
  select outlet_no, provider, at_ms from provider_sighting where outlet_no = ? and provider = ? and at_ms <= ? order by at_ms limit ?)`,
				a.Company, a.Provider, ms(heardBefore), b.Limit)
			swept.More = swept.More || int(n) == b.Limit
			return err
		})
		if err != nil {
			return swept, fmt.Errorf("sightings: %w", err)
		}
	}
	return swept, nil
}

// Reports and masked numbers of a company that are past their time.
const (
	oldReports = ` from provider_record where outlet_no = ? and received_at_ms <= ? and state <> 'waiting' and length(body) > 0`
	oldLines   = ` from parcel_line where outlet_no = ? and until_ms <= ?`
)

func (db *DB) sweepReports(ctx context.Context, company doorstep.CompanyNo, before time.Time, b privacy.Batch) (swept privacy.Swept, err error) {
	if b.Dry {
		err := db.get(ctx, &swept.Gone, `select (select count(*)`+oldReports+`) + (select count(*)`+oldLines+`)`, company, ms(before), company, ms(before))
		return swept, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		emptiedNow, err := tx.changed(`update provider_record set body = ? where (outlet_no, provider, event_key, variant) in (
  select outlet_no, provider, event_key, variant`+oldReports+` order by received_at_ms limit ?)`, emptied, company, ms(before), b.Limit)
		if err != nil {
			return err
		}
		lines, err := tx.changed(`delete from parcel_line where (outlet_no, waybill) in (select outlet_no, waybill`+oldLines+` order by until_ms limit ?)`,
			company, ms(before), b.Limit)
		if emptiedNow+lines > 0 {
			db.stain(tx)
		}
		swept = privacy.Swept{Gone: int(emptiedNow + lines), More: int(max(emptiedNow, lines)) == b.Limit}
		return err
	})
	return swept, err
}
