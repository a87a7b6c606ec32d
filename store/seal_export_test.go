package store

import (
	"context"

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
