package store

import (
	"context"
	"fmt"
	"time"

	"doorstep"
	"doorstep/privacy"
)

// SweepUndispatched forgets whose the parcels of an outlet were that never went
// out.
func (db *DB) SweepUndispatched(ctx context.Context, outlet doorstep.OutletNo, before time.Time, b privacy.Batch) (swept privacy.Swept, err error) {
	mark := privacy.Mark{Outlet: outlet, Class: privacy.Parcels, Due: b.Now.Add(quietDay)}
	const still = `outlet_no = ? and updated_at_ms <= ? and dispatched_at_ms is null and consumer_id <> ''
and not exists (select 1 from complaint k where k.company_no = parcel.company_no and k.waybill = parcel.waybill)
and not exists (select 1 from hold h where h.company_no = parcel.company_no and h.waybill = parcel.waybill and h.released_at_ms is null)`
	const old = `select waybill from parcel where ` + still + ` order by updated_at_ms limit ?`
	if b.Dry {
		var n int
		err := db.get(ctx, &n, `select count(*) from (`+old+`) gone`, outlet, ms(before), mostCounted)
		return privacy.Swept{Next: mark, Gone: n}, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		swept = privacy.Swept{Next: mark}
		var waybills []string
		if err := tx.list(&waybills, old, outlet, ms(before), b.Limit); err != nil {
			return err
		}
		swept.More = len(waybills) == b.Limit
		if swept.More {
			swept.Next.Due = b.Now
		}
		if len(waybills) > 0 {
			db.stain(tx)
		}
		// On PostgreSQL one may have gone out, or been complained about, since it was listed.
		n, err := tx.changed(`update parcel set consignee = null, consumer_id = '', address_id = '' where `+still+` and waybill`+db.inList,
			outlet, ms(before), db.asList(nonNil(waybills)))
		if err != nil {
			return err
		}
		swept.Gone = int(n)
		return moveMark(tx, swept.Next)
	})
	return swept, err
}

// mostCounted bounds what a dry run counts in one statement.
const mostCounted = 1 << 20

// SweepLessons deletes what was learned long ago.
func (db *DB) SweepLessons(ctx context.Context, before time.Time, b privacy.Batch) (swept privacy.Swept, err error) {
	for _, table := range []string{"tag_evidence", "tag_verdict"} {
		n, more, err := db.sweepOf(ctx, table, before, b)
		swept.Gone, swept.More = swept.Gone+n, swept.More || more
		if err != nil {
			return swept, fmt.Errorf("%s: %w", table, err)
		}
	}
	return swept, nil
}

// sweepOf deletes the oldest rows of a table of consumers, consumer by consumer.
func (db *DB) sweepOf(ctx context.Context, table string, before time.Time, b privacy.Batch) (n int, more bool, err error) {
	if b.Dry {
		err := db.get(ctx, &n, `select count(*) from `+table+` where at_ms <= ?`, ms(before))
		return n, false, err
	}
	var old []doorstep.ConsumerID
	err = db.list(ctx, &old, `select consumer_id from `+table+` where at_ms <= ? order by at_ms limit ?`, ms(before), b.Limit)
	if err != nil || len(old) == 0 {
		return 0, false, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		db.stain(tx)
		for _, c := range old {
			gone, err := tx.changed(`delete from `+table+` where consumer_id = ? and at_ms <= ?`, c, ms(before))
			if err != nil {
				return err
			}
			n += int(gone)
		}
		return nil
	})
	return n, len(old) == b.Limit, err
}

// SweepTokens deletes tokens that expired long ago.
func (db *DB) SweepTokens(ctx context.Context, before time.Time, b privacy.Batch) (swept privacy.Swept, err error) {
	if b.Dry {
		err := db.get(ctx, &swept.Gone, `select count(*) from token where expires_at_ms <= ?`, ms(before))
		return swept, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`delete from token where hash in (select hash from token where expires_at_ms <= ? order by expires_at_ms limit ?)`,
			ms(before), b.Limit)
		swept = privacy.Swept{Gone: int(n), More: int(n) == b.Limit}
		return err
	})
	return swept, err
}
