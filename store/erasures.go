package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/privacy"
)

// wanted are the tables of what a consumer wants and of what was learned of him.
// Consents are not among them: where a parcel is held they say what was allowed.
var wanted = []string{"preference", "preference_note", "tag_evidence", "tag_verdict", "question"}

// told are the tables of what was sent to a consumer: links, messages that the
// carrier has yet to fetch or may fetch again, and answers to himself.
var told = []string{"link", "outbox", "event", "replay"}

// Forget deletes what a consumer wants and what he was told, and notes his parcels for erasure. His
// row stays as a tombstone: nothing is learned again.
func (db *DB) Forget(ctx context.Context, a doorstep.Actor, now time.Time) error {
	parcels, err := db.ParcelsOf(ctx, a)
	if err != nil {
		return err
	}
	rows := make([][]any, len(parcels))
	for i, p := range parcels {
		rows[i] = []any{a.Consumer, p.Outlet, p.Waybill, string(privacy.HeldTurn), ms(now)}
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		db.stain(tx)
		if err := tx.exec(touchConsumer, a.Consumer, a.Company, ms(now)); err != nil {
			return err
		}
		if err := tx.exec(`update consumer set learning = 0, locale = '' where consumer_id = ?`, a.Consumer); err != nil {
			return err
		}
		for _, table := range slices.Concat(wanted, told) {
			if err := tx.exec(`delete from `+table+` where consumer_id = ?`, a.Consumer); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		if _, err := db.withdrawConsents(tx, a, `1 = 1`); err != nil {
			return err
		}
		err := tx.insert(`insert into erasure_parcel (consumer_id, outlet_no, waybill, held, next_at_ms)`,
			`on conflict (consumer_id, outlet_no, waybill) do update set next_at_ms = excluded.next_at_ms`, rows)
		if err != nil {
			return err
		}
		err = tx.exec(`insert into erasure (consumer_id, company_no, asked_at_ms) values (?, ?, ?)
on conflict (consumer_id) do update set asked_at_ms = excluded.asked_at_ms, erased_at_ms = null`, a.Consumer, a.Company, ms(now))
		if err != nil {
			return err
		}
		if err := db.complete(tx, a.Consumer, now); err != nil {
			return err
		}
		// Couriers on the road are told at once, before their parcels are erased.
		if err := tx.exec(`delete from wish_change where consumer_id = ?`, a.Consumer); err != nil {
			return err
		}
		return db.wishesChanged(tx, a.Consumer, "", ms(now.Add(-longestRevision)))
	})
	if err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		// The token that asks goes on: it shows how the erasure stands.
		return tx.exec(`delete from token where consumer_id = ? and consumer_id <> '' and id <> ?`, a.Consumer, a.TokenID)
	})
}

// complete notes that an erasure has nothing left to do, if that is so.
func (db *DB) complete(tx *Tx, consumer doorstep.ConsumerID, now time.Time) error {
	n, err := tx.changed(`update erasure set erased_at_ms = ? where consumer_id = ? and erased_at_ms is null
and not exists (select 1 from erasure_parcel p where p.consumer_id = ?)`, ms(now), consumer, consumer)
	if err != nil || n == 0 {
		return err
	}
	// What was given since he asked is new.
	return tx.exec(`delete from consent where consumer_id = ? and given_at_ms <= (select asked_at_ms from erasure where consumer_id = ?)`, consumer, consumer)
}

// days lists the days of dispatches, each by one look into the index.
const days = `with recursive days (day) as (
  select min(day) from dispatch
  union all
  select (select min(d.day) from dispatch d where d.day > days.day) from days where days.day is not null)
select day from days where day is not null`

// ParcelsOf lists the parcels that went to a consumer, that wait for him, or
// that he complained about.
func (db *DB) ParcelsOf(ctx context.Context, a doorstep.Actor) ([]privacy.Parcel, error) {
	on := []int64{}
	if err := db.list(ctx, &on, days); err != nil {
		return nil, fmt.Errorf("days of dispatches: %w", err)
	}
	var list []privacy.Parcel
	err := db.list(ctx, &list, `select outlet_no, waybill from dispatch where day`+db.inList+` and consumer_id = ?
union select outlet_no, waybill from parcel where consumer_id = ? and dispatched_at_ms is null and consumer_id <> ''
union select outlet_no, waybill from complaint where consumer_id = ?
union select outlet_no, waybill from link where consumer_id = ?
order by outlet_no, waybill`, db.asList(on), a.Consumer, a.Consumer, a.Consumer, a.Consumer)
	if err != nil {
		return nil, fmt.Errorf("parcels of a consumer: %w", err)
	}
	return list, nil
}

// Erasing lists parcels whose turn has come.
func (db *DB) Erasing(ctx context.Context, of doorstep.ConsumerID, now time.Time, limit int) ([]privacy.Erasing, error) {
	where := newFilter("next_at_ms <= ?", ms(now))
	if of != "" {
		where.and("consumer_id = ?", of)
	}
	var list []privacy.Erasing
	err := db.list(ctx, &list, `select consumer_id, outlet_no, waybill from erasure_parcel where `+where.text+` order by next_at_ms limit ?`,
		append(where.args, limit)...)
	return list, err
}

// EraseParcel erases what is known of the consumer in a parcel.
func (db *DB) EraseParcel(ctx context.Context, e privacy.Erasing, now time.Time) (held privacy.Held, err error) {
	err = db.inTx(ctx, func(tx *Tx) (err error) {
		if held, err = heldBecause(tx.list, e.Parcel); err != nil || held != privacy.HeldTurn {
			return err
		}
		w := wipe{Parcel: e.Parcel, consumer: e.Consumer, class: privacy.Records, reason: forConsumer, fields: evidence.AboutConsumer, now: now}
		if err := w.hadBy(tx.list); err != nil {
			return err
		}
		_, err = db.wipeParcel(tx, w)
		return err
	})
	return held, err
}

// PutOff notes why a parcel on a consumer's list waits, and until when.
func (db *DB) PutOff(ctx context.Context, e privacy.Erasing, held privacy.Held, again time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`update erasure_parcel set held = ?, next_at_ms = ? where consumer_id = ? and outlet_no = ? and waybill = ?`,
			string(held), ms(again), e.Consumer, e.Outlet, e.Waybill)
	})
}

// Settle takes a parcel off a consumer's list.
func (db *DB) Settle(ctx context.Context, e privacy.Erasing, now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.exec(`delete from erasure_parcel where consumer_id = ? and outlet_no = ? and waybill = ?`, e.Consumer, e.Outlet, e.Waybill); err != nil {
			return err
		}
		db.stain(tx)
		return db.complete(tx, e.Consumer, now)
	})
}

// Request finds a consumer's wish to be forgotten.
func (db *DB) Request(ctx context.Context, a doorstep.Actor, limit int) (r privacy.Request, err error) {
	var row struct {
		AskedMS  int64         `db:"asked_at_ms"`
		ErasedMS sql.NullInt64 `db:"erased_at_ms"`
	}
	if err := db.get(ctx, &row, `select asked_at_ms, erased_at_ms from erasure where consumer_id = ?`, a.Consumer); err != nil {
		return r, notThere(err, "erasure", "of the caller")
	}
	r.AskedAt, r.ErasedAt = fromMS(row.AskedMS), fromNullMS(row.ErasedMS)
	var waiting []struct {
		privacy.Parcel
		Held privacy.Held
	}
	err = db.list(ctx, &waiting, `select outlet_no, waybill, held from erasure_parcel where consumer_id = ? order by outlet_no, waybill limit ?`, a.Consumer, limit)
	for _, w := range waiting {
		r.Waiting = append(r.Waiting, privacy.Waiting{Parcel: w.Parcel, Because: w.Held})
	}
	return r, err
}

var _ privacy.EraseStore = (*DB)(nil)
