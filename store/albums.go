package store

import (
	"context"
	"fmt"
	"time"

	"doorstep/photos"
)

// Photos lists photos after one.
func (db *DB) Photos(ctx context.Context, after photos.Held, limit int) (list []photos.Held, err error) {
	err = db.list(ctx, &list, `select outlet_no, hash, original, shown from photo where (outlet_no, hash) > (?, ?) order by outlet_no, hash limit ?`,
		after.Outlet, after.Hash, limit)
	if err != nil {
		return nil, fmt.Errorf("photos: %w", err)
	}
	return list, nil
}

// Renew has a photo hold other blobs.
func (db *DB) Renew(ctx context.Context, old, renewed photos.Held, now time.Time) (done bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`update photo set original = ?, shown = ? where outlet_no = ? and hash = ? and original = ? and shown = ?`,
			renewed.Original, renewed.Shown, old.Outlet, old.Hash, old.Original, old.Shown)
		if done = n > 0; err != nil || !done { // the new blobs are swept in their time
			return err
		}
		n, err = tx.changed(`update photo_blob set sweep_at_ms = null where outlet_no = ? and id`+db.inList+` and sweep_at_ms > ?`,
			old.Outlet, db.asList([]string{renewed.Original, renewed.Shown}), ms(now))
		if err != nil {
			return err
		}
		if n != 2 {
			return fmt.Errorf("a blob of it was swept meanwhile")
		}
		return tx.exec(`update photo_blob set sweep_at_ms = ? where outlet_no = ? and id`+db.inList,
			ms(now), old.Outlet, db.asList([]string{old.Original, old.Shown}))
	})
	if err != nil {
		return false, fmt.Errorf("renew a photo: %w", err)
	}
	return done, nil
}

// Unheld lists blobs that no photo holds.
func (db *DB) Unheld(ctx context.Context, after photos.Blob, limit int) (list []photos.Blob, err error) {
	err = db.list(ctx, &list, `select outlet_no, id from photo_blob where (outlet_no, id) > (?, ?) and sweep_at_ms is not null order by outlet_no, id limit ?`,
		after.Outlet, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("blobs that no photo holds: %w", err)
	}
	return list, nil
}

var _ photos.ResealStore = (*DB)(nil)
