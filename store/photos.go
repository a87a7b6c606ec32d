package store

import (
	"context"
	"database/sql"
	"errors"

	"fmt"
	"slices"

	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/photos"
)

// photoHash is what a photo is found by. The hash that the phone declared is
// sealed with the record's values.
func (db *DB) photoHash(sha256 string) string { return db.vault.Hash("photo", sha256) }

// photoState says what has become of the photo of photo_record r, whose photo is
// p.
const photoState = `case when r.record_id is null then '' when r.erased_at_ms is not null then 'erased'
  when p.hash is null then 'declared' else 'arrived' end`

// addPhotoRecords notes which photos the facts declare.
func addPhotoRecords(tx *Tx, facts []sealedFact) error {
	var rows [][]any
	for _, f := range facts {
		if f.photo != "" {
			rows = append(rows, []any{int64(f.Outlet), f.ID, f.photo})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := tx.insert(`insert into photo_record (outlet_no, record_id, hash)`, "", rows); err != nil {
		return fmt.Errorf("photo records: %w", err)
	}
	return nil
}

// Claims finds what the courier has declared under a hash, at each of his
// outlets.
func (db *DB) Claims(ctx context.Context, a doorstep.Actor, sha256 string) ([]photos.Claim, error) {
	courierNo, err := db.courierNo(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("courier: %w", err)
	}
	outlets, err := db.outletsOf(ctx, courierNo)
	if err != nil {
		return nil, fmt.Errorf("courier's outlets: %w", err)
	}
	hash := db.photoHash(sha256)
	var claims []photos.Claim
	for _, outlet := range outlets {
		c := photos.Claim{Outlet: outlet, CourierNo: courierNo}
		err := db.get(ctx, &c.Waybill, `select coalesce(e.waybill, '') from photo_record r
join evidence e on e.outlet_no = r.outlet_no and e.id = r.record_id
where r.outlet_no = ? and r.hash = ? and e.courier_no = ? order by r.record_id limit 1`, outlet, hash, courierNo)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("declared photos: %w", err)
		}
		if c.ArrivedAt, err = db.photoArrived(ctx, outlet, hash); err != nil {
			return nil, fmt.Errorf("declared photos: %w", err)
		}
		claims = append(claims, c)
	}
	return claims, nil
}

// photoArrived says when an outlet's photo came; zero: it has not. It waits for
// an erasure under way, which may not know yet that another record names it.
func (db *DB) photoArrived(ctx context.Context, outlet doorstep.OutletNo, hash string) (at time.Time, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		var arrived []int64
		if err := tx.list(&arrived, `select arrived_at_ms from photo where outlet_no = ? and hash = ?`+db.forUpdate, outlet, hash); err != nil {
			return err
		}
		at = time.Time{}
		if len(arrived) > 0 {
			at = fromMS(arrived[0])
		}
		return nil
	})
	return at, err
}

// BeginPhoto notes blobs that are about to be written.
func (db *DB) BeginPhoto(ctx context.Context, outlet doorstep.OutletNo, blobs []string, sweepAt time.Time) error {
	rows := make([][]any, len(blobs))
	for i, id := range blobs {
		rows[i] = []any{int64(outlet), id, ms(sweepAt)}
	}
	err := db.inTx(ctx, func(tx *Tx) error {
		return tx.insert(`insert into photo_blob (outlet_no, id, sweep_at_ms)`, "", rows)
	})
	if err != nil {
		return fmt.Errorf("begin photo: %w", err)
	}
	return nil
}

// KeepPhoto keeps a photo, which then holds its blobs. The records that declare
// it are locked, so that no erasure passes it by.
func (db *DB) KeepPhoto(ctx context.Context, p photos.Photo, notSweptBy time.Time, fact evidence.Fact) error {
	sealed, err := db.sealFacts([]evidence.Fact{fact})
	if err != nil {
		return err
	}
	hash, blobs := db.photoHash(p.SHA256), []string{p.Original, p.Shown}
	return db.inTx(ctx, func(tx *Tx) error {
		declared, err := db.lockRecords(tx, p.Outlet, []string{hash})
		if err != nil {
			return err
		}
		if len(declared) == 0 {
			return doorstep.NotFound("photo", p.SHA256)
		}
		n, err := tx.changed(`insert into photo (outlet_no, hash, original, shown, arrived_at_ms) values (?, ?, ?, ?, ?)
on conflict (outlet_no, hash) do nothing`, p.Outlet, hash, p.Original, p.Shown, ms(p.ArrivedAt))
		if err != nil || n == 0 { // it came twice at once: the other's blobs are shown, ours are swept
			return err
		}
		n, err = tx.changed(`update photo_blob set sweep_at_ms = null where outlet_no = ? and id`+db.inList+` and sweep_at_ms > ?`,
			p.Outlet, db.asList(blobs), ms(notSweptBy))
		if err != nil {
			return fmt.Errorf("photo: %w", err)
		}
		if n != int64(len(blobs)) {
			return fmt.Errorf("%w: photo: the upload took too long", doorstep.ErrUnavailable)
		}
		return addFacts(tx, sealed)
	})
}

// photoRecord is a record that declares a photo.
type photoRecord struct {
	ID   string `db:"record_id"`
	Hash string
}

// lockRecords lists, and locks in one order, the records of an outlet that
// declare one of the photos.
func (db *DB) lockRecords(tx *Tx, outlet doorstep.OutletNo, hashes []string) (list []photoRecord, err error) {
	err = tx.list(&list, `select record_id, hash from photo_record where outlet_no = ? and hash`+db.inList+` order by record_id`+db.forUpdate,
		outlet, db.asList(hashes))
	if err != nil {
		return nil, fmt.Errorf("photo records: %w", err)
	}
	return list, nil
}

// Copy finds the copy to show for a hash.
func (db *DB) Copy(ctx context.Context, a doorstep.Actor, sha256 string) (shown photos.Copy, err error) {
	outlets, err := db.scope(ctx, a)
	if err != nil {
		return shown, err
	}
	where := newFilter("r.outlet_no"+db.inList+" and r.hash = ?", db.asList(outlets), db.photoHash(sha256))
	if a.Role == doorstep.RoleCourier {
		where.and("e.courier_no = (select no from courier where company_no = ? and id = ?)", a.Company, a.Courier)
	}
	err = db.get(ctx, &shown, `select p.outlet_no as outlet, coalesce(e.waybill, '') as waybill, p.shown as blob from photo_record r
join evidence e on e.outlet_no = r.outlet_no and e.id = r.record_id
join photo p on p.outlet_no = r.outlet_no and p.hash = r.hash
where `+where.text+` limit 1`, where.args...)
	return shown, notThere(err, "photo", sha256)
}

// Original finds the blob of the bytes of the photo that a record declares.
func (db *DB) Original(ctx context.Context, outlet doorstep.OutletNo, record string) (string, error) {
	var row struct {
		State    string
		Original sql.NullString
	}
	err := db.get(ctx, &row, `select `+photoState+` as state, p.original from photo_record r
left join photo p on p.outlet_no = r.outlet_no and p.hash = r.hash
where r.outlet_no = ? and r.record_id = ?`, outlet, record)
	switch {
	case err != nil:
		return "", notThere(err, "photo of record", record)
	case row.State == "erased": // since its record was read
		return "", fmt.Errorf("%w: photo of record %s: it was just erased", doorstep.ErrUnavailable, record)
	case !row.Original.Valid:
		return "", doorstep.NotFound("photo of record", record)
	}
	return row.Original.String, nil
}

// erasePhotos takes from records the photos that they name. A photo that no
// record names any more goes, and its blobs are to be swept.
func (db *DB) erasePhotos(tx *Tx, outlet doorstep.OutletNo, records []string, now time.Time) error {
	var hashes []string
	err := tx.list(&hashes, `select distinct hash from photo_record where outlet_no = ? and record_id`+db.inList+` and erased_at_ms is null`,
		outlet, db.asList(nonNil(records)))
	if err != nil || len(hashes) == 0 {
		return err
	}
	var locked []string // before the records are: see photoArrived
	err = tx.list(&locked, `select hash from photo where outlet_no = ? and hash`+db.inList+` order by hash`+db.forUpdate, outlet, db.asList(hashes))
	if err != nil {
		return err
	}
	declared, err := db.lockRecords(tx, outlet, hashes)
	if err != nil {
		return err
	}
	gone := slices.Clone(hashes)
	for _, r := range declared {
		if !slices.Contains(records, r.ID) { // it still needs the photo
			gone = slices.DeleteFunc(gone, func(hash string) bool { return hash == r.Hash })
		}
	}
	err = tx.exec(`update photo_record set hash = '', erased_at_ms = ? where outlet_no = ? and record_id`+db.inList+` and erased_at_ms is null`,
		ms(now), outlet, db.asList(records))
	if err != nil || len(gone) == 0 {
		return err
	}
	return db.dropPhotos(tx, outlet, gone, now)
}

// dropPhotos deletes photos and has their blobs swept.
func (db *DB) dropPhotos(tx *Tx, outlet doorstep.OutletNo, hashes []string, now time.Time) error {
	var rows []struct{ Original, Shown string }
	err := tx.list(&rows, `select original, shown from photo where outlet_no = ? and hash`+db.inList+` order by hash`+db.forUpdate, outlet, db.asList(hashes))
	if err != nil || len(rows) == 0 {
		return err
	}
	var blobs []string
	for _, r := range rows {
		blobs = append(blobs, r.Original, r.Shown)
	}
	if err := tx.exec(`update photo_blob set sweep_at_ms = ? where outlet_no = ? and id`+db.inList, ms(now), outlet, db.asList(blobs)); err != nil {
		return err
	}
	return tx.exec(`delete from photo where outlet_no = ? and hash`+db.inList, outlet, db.asList(hashes))
}

// SweepOutlets lists outlets with blobs to be swept.
func (db *DB) SweepOutlets(ctx context.Context, now time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from (
  select outlet_no, sweep_at_ms from photo_blob where sweep_at_ms <= ? order by sweep_at_ms limit ?) due
group by outlet_no order by min(sweep_at_ms) limit ?`, ms(now), oldest, limit)
	if err != nil {
		return nil, fmt.Errorf("outlets with blobs to sweep: %w", err)
	}
	return list, nil
}

// BlobsToSweep lists an outlet's blobs that no photo holds and whose time has
// come.
func (db *DB) BlobsToSweep(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int) (list []string, err error) {
	err = db.list(ctx, &list, `select id from photo_blob where outlet_no = ? and sweep_at_ms <= ? order by sweep_at_ms, id limit ?`, outlet, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("blobs to sweep: %w", err)
	}
	return list, nil
}

// ForgetBlobs forgets blobs that are gone. None that a photo holds is.
func (db *DB) ForgetBlobs(ctx context.Context, outlet doorstep.OutletNo, blobs []string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`delete from photo_blob where outlet_no = ? and id`+db.inList+` and sweep_at_ms is not null`, outlet, db.asList(blobs))
	})
	if err != nil {
		return fmt.Errorf("forget blobs: %w", err)
	}
	return nil
}

var _ photos.Store = (*DB)(nil)
