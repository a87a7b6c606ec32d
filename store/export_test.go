package store

import (
	"context"
	"time"

	"doorstep"
	"doorstep/feed"
	"doorstep/push"
)

// InTx lets tests write what no method does.
func (db *DB) InTx(ctx context.Context, do func(*Tx) error) error { return db.inTx(ctx, do) }

// Exec runs a statement of a test's own.
func (t *Tx) Exec(query string, args ...any) error { return t.exec(query, args...) }

// AfterCommit is afterCommit.
func (t *Tx) AfterCommit(do func()) { t.afterCommit(do) }

// ErasePhotos takes from records the photos that they name.
func (db *DB) ErasePhotos(ctx context.Context, outlet doorstep.OutletNo, records []string, now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error { return db.erasePhotos(tx, outlet, records, now) })
}

// Settings lists the names of what is set.
func (db *DB) Settings(ctx context.Context) (names []string, err error) {
	err = db.list(ctx, &names, `select name from setting`)
	return names, err
}

// Ending is how an alert stands.
type Ending struct {
	ID       string
	Informed bool
	Reason   push.Reason
}

// Endings lists how all alerts stand.
func (db *DB) Endings(ctx context.Context) (list []Ending, err error) {
	err = db.list(ctx, &list, `select id, informed_at_ms is not null as informed, not_informed_reason as reason from alert`)
	return list, err
}

// DeviceIDs lists the devices of all couriers.
func (db *DB) DeviceIDs(ctx context.Context) (ids []string, err error) {
	err = db.list(ctx, &ids, `select install_id from device order by install_id`)
	return ids, err
}

// ComposeDue composes an outlet's due pushes and claims nothing.
func (db *DB) ComposeDue(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int, compose func(string, []push.Alert) push.Message) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n, _, err = db.composeDue(tx, outlet, now, limit, compose)
		return err
	})
	return n, err
}

// SpoilAddresses makes devices' addresses such that no key opens them.
func (db *DB) SpoilAddresses(ctx context.Context) error {
	return db.inTx(ctx, func(tx *Tx) error { return tx.exec(`update device set address = ?`, []byte("?")) })
}

// Publish puts an event of a test's own into a transaction.
func (db *DB) Publish(tx *Tx, outlet doorstep.OutletNo, company doorstep.CompanyNo, object string) error {
	return db.publish(tx, outlet, outgoing{
		id: db.newID(outlet), company: company, kind: feed.ConsumerMessage, object: []byte(object), sequence: 1, at: db.now(),
	})
}

// SealedColumns names the columns that Reseal goes through.
func SealedColumns() (list []string) {
	for _, c := range sealedColumns {
		list = append(list, c.table+"."+c.column)
	}
	return list
}
