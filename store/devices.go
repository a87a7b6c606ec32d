package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"doorstep"
	"doorstep/parcels"
	"doorstep/push"
)

type installRow struct {
	ID           string
	Provider     string
	Hash         string `db:"address_hash"`
	Locale       string
	AppVersion   string        `db:"app_version"`
	RegisteredMS int64         `db:"registered_at_ms"`
	UpdatedMS    int64         `db:"updated_at_ms"`
	RetiredMS    sql.NullInt64 `db:"retired_at_ms"`
	Latest       bool          // none of the courier's was seen later
}

const selectInstall = `select id, provider, address_hash, locale, app_version, registered_at_ms, updated_at_ms, retired_at_ms,
  not exists (select 1 from device later where later.outlet_no = device.outlet_no and later.courier_no = device.courier_no
    and later.retired_at_ms is null and later.updated_at_ms > device.updated_at_ms) as latest
from device where outlet_no = ? and courier_no = ? and install_id = ?`

// says is whether the device is known just so.
func (r installRow) says(d push.Device, hash string) bool {
	return !r.RetiredMS.Valid && r.Provider == d.Provider && r.Hash == hash && r.Locale == d.Locale && r.AppVersion == d.AppVersion
}

// seenJustNow finds a device that was seen within push.SeenAgain and is known as
// d says, so that nothing need be written: apps refresh theirs at every start.
// Two must be written all the same: a device that was not the courier's last,
// since the one seen last rings loudest; and one that a message is on its way to,
// since only a later time tells its address from the one that proved dead.
func (db *DB) seenJustNow(ctx context.Context, courier parcels.CourierPost, outlets []doorstep.OutletNo, d push.Device, hash string) (seen push.Device, ok bool, err error) {
	var was installRow
	err = db.get(ctx, &was, selectInstall, courier.Home, courier.No, d.InstallID)
	if errors.Is(err, sql.ErrNoRows) {
		return d, false, nil
	}
	since := d.UpdatedAt.Sub(fromMS(was.UpdatedMS))
	if err != nil || !was.says(d, hash) || !was.Latest || since < 0 || since >= push.SeenAgain {
		return d, false, err
	}
	var underWay []string
	err = db.list(ctx, &underWay, `select d.id from push p join delivery d on d.outlet_no = p.outlet_no and d.push_id = p.id
where p.outlet_no`+db.inList+` and p.courier_no = ? and p.opened_at_ms > ? and d.device_id = ? and d.state = 'leased' limit 1`,
		db.asList(numbers(outlets)), courier.No, ms(d.UpdatedAt.Add(-24*time.Hour)), was.ID) // a shift is shorter
	if err != nil || len(underWay) > 0 {
		return d, false, err
	}
	d.RegisteredAt, d.UpdatedAt = fromMS(was.RegisteredMS), fromMS(was.UpdatedMS)
	return d, true, nil
}

// oldest is how many devices one look for those to forget reads.
const oldest = 10_000

// UnseenOutlets lists outlets that keep devices nobody has seen for long.
func (db *DB) UnseenOutlets(ctx context.Context, before time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from (
  select outlet_no, updated_at_ms from device where updated_at_ms <= ? order by updated_at_ms limit ?) unseen
group by outlet_no order by min(updated_at_ms) limit ?`, ms(before), oldest, limit)
	return list, err
}

// ForgetDevices deletes devices that nobody has seen for long. Deliveries keep
// their ids as text: one that should still be open finds no address and ends.
func (db *DB) ForgetDevices(ctx context.Context, outlet doorstep.OutletNo, before time.Time, limit int) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		var ids []string // PostgreSQL may run a subquery that skips locked rows anew for each row, past its limit
		err := tx.list(&ids, `select id from device where outlet_no = ? and updated_at_ms <= ? order by updated_at_ms, id limit ?`+db.skipLocked,
			outlet, ms(before), limit)
		if n = len(ids); err != nil || n == 0 {
			return err
		}
		return tx.exec(`delete from device where outlet_no = ? and id`+db.inList, outlet, db.asList(ids))
	})
	return n, err
}

var _ push.DeviceStore = (*DB)(nil)
