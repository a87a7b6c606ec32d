package store

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// LeaseTime and ErrLeaseLost are leaseTime and errLeaseLost.
const LeaseTime = leaseTime

var ErrLeaseLost = errLeaseLost

// AddFacts writes facts of a test's own in one transaction, which ends with fail.
func (db *DB) AddFacts(ctx context.Context, facts []evidence.Fact, fail error) error {
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		if err := addFacts(tx, sealed); err != nil {
			return err
		}
		return fail
	})
}

// HoldLog takes a log's lease, has do run and commits.
func (db *DB) HoldLog(ctx context.Context, no doorstep.OutletNo, do func()) error {
	return db.tryTx(ctx, func(tx *Tx) error {
		_, err := db.holdLog(tx, no)
		do()
		return err
	})
}

// AppendAfterAnother adds a leaf to a log that has grown since its lease was taken.
func (db *DB) AppendAfterAnother(ctx context.Context, no doorstep.OutletNo) error {
	return db.inTx(ctx, func(tx *Tx) error {
		head, err := db.holdLog(tx, no)
		if err != nil {
			return err
		}
		if err := tx.exec(`update log_head set size = size + 1 where outlet_no = ?`, no); err != nil {
			return err
		}
		return head.append(tx, []leaf{{record: "r"}})
	})
}

// AddFactsLogged is AddFacts, or the same rows without what the log costs them.
func (db *DB) AddFactsLogged(ctx context.Context, facts []evidence.Fact, logged bool) error {
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		if logged {
			return addFacts(tx, sealed)
		}
		headers, values := make([][]any, len(sealed)), make([][]any, len(sealed))
		for i, f := range sealed {
			headers[i], values[i] = f.row(), []any{int64(f.Outlet), f.ID, f.body}
		}
		if err := tx.insert(insertEvidence, "", headers); err != nil {
			return err
		}
		return tx.insert(`insert into evidence_value (outlet_no, record_id, body)`, "", values)
	})
}

// FillLog grows a log by leaves that no record is behind.
func (db *DB) FillLog(ctx context.Context, no doorstep.OutletNo, leaves int) error {
	const batch = 10_000
	for from := 0; from < leaves; from += batch {
		err := db.inTx(ctx, func(tx *Tx) error {
			head, err := db.holdLog(tx, no)
			if err != nil {
				return err
			}
			list := make([]leaf, min(batch, leaves-from))
			for i := range list {
				id := fmt.Sprintf("filler-%012d", from+i)
				list[i] = leaf{record: id, hash: tlog.RecordHash([]byte(id))}
			}
			return head.append(tx, list)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
