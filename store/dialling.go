package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/telephony"
	"doorstep/vault"
)

// CourierParcel finds a parcel that was dispatched to the courier.
func (db *DB) CourierParcel(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (telephony.Parcel, error) {
	mine, err := db.CourierParcels(ctx, a, []doorstep.Waybill{w}, nil)
	if err != nil {
		return telephony.Parcel{}, err
	}
	outlet, ok := mine.Outlets[w]
	if !ok {
		return telephony.Parcel{}, doorstep.NotFound("parcel", string(w))
	}
	return telephony.Parcel{Outlet: outlet, Waybill: w, CourierNo: mine.CourierNo}, nil
}

func linePlace(company doorstep.CompanyNo, w doorstep.Waybill) vault.Place {
	return vault.Place{Table: "parcel_line", Column: "number", Row: strconv.FormatInt(int64(company), 10) + "|" + string(w)}
}

// ParcelLine is the masked number that the carrier bound to a parcel.
func (db *DB) ParcelLine(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill, now time.Time) (telephony.Line, bool, error) {
	var row struct {
		Provider telephony.Provider
		Number   []byte
	}
	err := db.get(ctx, &row, `select provider, number from parcel_line where outlet_no = ? and waybill = ? and until_ms > ?`, company, w, ms(now))
	if errors.Is(err, sql.ErrNoRows) {
		return telephony.Line{}, false, nil
	}
	if err != nil {
		return telephony.Line{}, false, fmt.Errorf("masked number of %s: %w", w, err)
	}
	plain, err := db.vault.Open(row.Number, linePlace(company, w))
	return telephony.Line{Provider: row.Provider, Number: doorstep.Phone(plain)}, err == nil, err
}

// PutParcelLine binds a masked number to a parcel; the newer word counts.
func (db *DB) PutParcelLine(ctx context.Context, company doorstep.CompanyNo, w doorstep.Waybill, l telephony.Line, until time.Time) error {
	sealed, err := db.vault.Seal([]byte(l.Number), linePlace(company, w))
	if err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`insert into parcel_line (outlet_no, waybill, provider, number, until_ms) values (?, ?, ?, ?, ?)
on conflict (outlet_no, waybill) do update set provider = excluded.provider, number = excluded.number, until_ms = excluded.until_ms`,
			company, w, l.Provider, sealed, ms(until))
	})
}

type intentRow struct {
	ID        string
	Provider  telephony.Provider
	Outlet    doorstep.OutletNo `db:"parcel_outlet_no"`
	Waybill   doorstep.Waybill
	CourierNo int64  `db:"courier_no"`
	Number    string `db:"number_hash"`
	AtMS      int64  `db:"at_ms"`
}

const selectIntent = `select id, provider, parcel_outlet_no, waybill, courier_no, number_hash, at_ms from call_intent`

func (r intentRow) intent() telephony.Intent {
	return telephony.Intent{
		ID: r.ID, Provider: r.Provider, Number: r.Number, At: fromMS(r.AtMS),
		Parcel: telephony.Parcel{Outlet: r.Outlet, Waybill: r.Waybill, CourierNo: r.CourierNo},
	}
}

// LastDialled says when numbers were last given to a company's couriers, one look
// into the index for each.
func (db *DB) LastDialled(ctx context.Context, company doorstep.CompanyNo, hashes []string) (map[string]time.Time, error) {
	var rows []struct {
		Number string
		AtMS   sql.NullInt64 `db:"at_ms"`
	}
	err := db.list(ctx, &rows, `select listed.value as number,
  (select max(at_ms) from call_intent where outlet_no = ? and number_hash = listed.value) as at_ms from `+db.listed, company, db.asList(hashes))
	if err != nil {
		return nil, fmt.Errorf("intents: %w", err)
	}
	last := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		if r.AtMS.Valid {
			last[r.Number] = fromMS(r.AtMS.Int64)
		}
	}
	return last, nil
}

// AddIntent keeps that a courier was about to dial, and its evidence.
func (db *DB) AddIntent(ctx context.Context, company doorstep.CompanyNo, i telephony.Intent, f evidence.Fact) error {
	facts, err := db.sealFacts([]evidence.Fact{f})
	if err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		err := tx.exec(`insert into call_intent (outlet_no, id, provider, parcel_outlet_no, waybill, courier_no, number_hash, at_ms) values (?, ?, ?, ?, ?, ?, ?, ?)`,
			company, i.ID, i.Provider, i.Parcel.Outlet, i.Parcel.Waybill, i.Parcel.CourierNo, i.Number, ms(i.At))
		if err != nil {
			return fmt.Errorf("intent: %w", err)
		}
		return addFacts(tx, facts)
	})
}

var _ telephony.DialStore = (*DB)(nil)
