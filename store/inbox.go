package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/push"
)

// PutDevice registers or refreshes a device, and sends it what it missed if it
// is new or its address is.
func (db *DB) PutDevice(ctx context.Context, a doorstep.Actor, d push.Device, address string) (push.Device, error) {
	courier, err := db.courierOrNew(ctx, a)
	if err != nil {
		return push.Device{}, err
	}
	outlets, err := db.outletsOf(ctx, courier.No)
	if err != nil {
		return push.Device{}, err
	}
	now, hash := ms(d.UpdatedAt), ""
	if address != "" {
		hash = db.vault.Hash("address", d.Provider+"|"+address)
	}
	seen, ok, err := db.seenJustNow(ctx, courier, outlets, d, hash)
	if err != nil {
		return push.Device{}, fmt.Errorf("device: %w", err)
	}
	if ok {
		return seen, nil
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		var was installRow
		err := tx.get(&was, selectInstall, courier.Home, courier.No, d.InstallID)
		isNew := errors.Is(err, sql.ErrNoRows)
		if err != nil && !isNew {
			return err
		}
		if isNew {
			was = installRow{ID: db.newID(courier.Home), RegisteredMS: now}
		}
		d.RegisteredAt = fromMS(was.RegisteredMS)
		if hash != "" { // a shared phone, or the app installed anew: the address moves
			err := tx.exec(`update device set retired_at_ms = ?, retired_reason = 'moved', address = null, address_hash = ''
where address_hash = ? and provider = ? and retired_at_ms is null and id <> ?`, now, hash, d.Provider, was.ID)
			if err != nil {
				return err
			}
		}
		var sealed []byte
		if address != "" {
			if sealed, err = db.vault.Seal([]byte(address), addressPlace(courier.Home, was.ID)); err != nil {
				return err
			}
		}
		err = tx.exec(`insert into device (outlet_no, id, courier_no, install_id, provider, address, address_hash, locale, app_version,
  registered_at_ms, updated_at_ms, retired_reason) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')
on conflict (outlet_no, courier_no, install_id) do update set provider = excluded.provider, address = excluded.address,
  address_hash = excluded.address_hash, locale = excluded.locale, app_version = excluded.app_version,
  updated_at_ms = excluded.updated_at_ms, retired_at_ms = null, retired_reason = ''`,
			courier.Home, was.ID, courier.No, d.InstallID, d.Provider, sealed, hash, d.Locale, d.AppVersion, was.RegisteredMS, now)
		if err != nil {
			return err
		}
		missed := hash != "" && (isNew || was.RetiredMS.Valid || was.Hash != hash)
		if !missed {
			return nil
		}
		if err := db.addCatchUps(tx, outlets, courier.No, was.ID, d.UpdatedAt); err != nil {
			return err
		}
		return db.announce(tx, nil)
	})
	if err != nil {
		return push.Device{}, fmt.Errorf("device: %w", err)
	}
	return d, nil
}

// addCatchUps opens a push for one device at each outlet where the courier has
// alerts that were sent without it.
func (db *DB) addCatchUps(tx *Tx, outlets []doorstep.OutletNo, courierNo int64, deviceID string, now time.Time) error {
	for _, outlet := range outlets {
		var open int
		err := tx.get(&open, `select count(*) from (select 1 from alert where outlet_no = ? and courier_no = ?
and acked_at_ms is null and expires_at_ms > ? limit 1) missed`, outlet, courierNo, ms(now))
		if err != nil {
			return err
		}
		if open == 0 {
			continue
		}
		err = tx.insert(insertPush, "", [][]any{{
			outlet, db.newID(outlet), courierNo, push.KindCatchUp, deviceID, "due", ms(now), ms(now), "", "",
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// RemoveDevice retires a device and forgets its address.
func (db *DB) RemoveDevice(ctx context.Context, a doorstep.Actor, installID string, at time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`update device set retired_at_ms = ?, retired_reason = 'logout', address = null, address_hash = ''
where retired_at_ms is null and install_id = ? and courier_no = (select no from courier where company_no = ? and id = ?)`,
			ms(at), installID, a.Company, a.Courier)
		if err == nil && n == 0 {
			err = doorstep.NotFound("device", installID)
		}
		return err
	})
}

// Alerts lists the courier's inbox after seq.
func (db *DB) Alerts(ctx context.Context, a doorstep.Actor, after int64, limit int) ([]push.Alert, error) {
	courierNo, err := db.courierNo(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("courier: %w", err)
	}
	outlets, err := db.outletsOf(ctx, courierNo)
	if err != nil {
		return nil, fmt.Errorf("courier's outlets: %w", err)
	}
	var rows []alertRow
	err = db.list(ctx, &rows, selectAlert+` where outlet_no`+db.inList+` and courier_no = ? and seq > ? order by seq limit ?`,
		db.asList(numbers(outlets)), courierNo, after, limit)
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	list := make([]push.Alert, len(rows))
	for i, r := range rows {
		list[i] = r.alert()
	}
	return list, nil
}

// AddReceipts keeps receipts about the courier's own alerts.
func (db *DB) AddReceipts(ctx context.Context, a doorstep.Actor, list []push.Receipt) ([]push.ReceiptVerdict, error) {
	courierNo, err := db.courierNo(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("courier: %w", err)
	}
	verdicts := make([]push.ReceiptVerdict, len(list))
	byOutlet := map[doorstep.OutletNo][]int{}
	for i, r := range list {
		byOutlet[r.Outlet] = append(byOutlet[r.Outlet], i)
	}
	for outlet, places := range byOutlet {
		if err := db.addReceipts(ctx, outlet, courierNo, list, places, verdicts); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

type receiptKey struct {
	AlertID string `db:"alert_id"`
	Event   push.Event
}

func (db *DB) addReceipts(ctx context.Context, outlet doorstep.OutletNo, courierNo int64, list []push.Receipt, places []int, verdicts []push.ReceiptVerdict) error {
	ids := make([]string, len(places))
	for i, at := range places {
		ids[i] = list[at].AlertID
	}
	var found []alertRow
	err := db.list(ctx, &found, selectAlert+` where outlet_no = ? and courier_no = ? and id`+db.inList, outlet, courierNo, db.asList(ids))
	if err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	alerts := make(map[string]alertRow, len(found))
	for _, f := range found {
		alerts[f.ID] = f
	}
	first := map[receiptKey]int{}
	for _, at := range places {
		r := list[at]
		alert, ok := alerts[r.AlertID]
		if !ok {
			verdicts[at] = push.ReceiptVerdict{Status: evidence.Rejected, Err: doorstep.NotFound("alert", r.AlertID)}
			continue
		}
		verdicts[at] = push.ReceiptVerdict{Status: evidence.Duplicate, AlertedAt: fromMS(alert.CreatedMS)}
		k := receiptKey{r.AlertID, r.Event}
		if _, ok := first[k]; !ok {
			first[k] = at
		}
	}
	if len(first) == 0 {
		return nil
	}
	facts := map[receiptKey]sealedFact{}
	var rows [][]any
	keys := slices.SortedFunc(maps.Keys(first), func(a, b receiptKey) int {
		return cmp.Or(strings.Compare(a.AlertID, b.AlertID), strings.Compare(string(a.Event), string(b.Event)))
	})
	for _, k := range keys {
		r := list[first[k]]
		sealed, err := db.sealFacts([]evidence.Fact{{
			ID: db.newID(outlet), Outlet: outlet, Kind: evidence.Receipt, Source: evidence.Device, CourierNo: courierNo,
			Waybill: alerts[r.AlertID].Waybill, OccurredAt: r.At, ReceivedAt: r.ReceivedAt,
			Fields: []evidence.Field{{Name: "alert_id", Value: r.AlertID}, {Name: "event", Value: string(r.Event)}},
		}})
		if err != nil {
			return err
		}
		facts[k] = sealed[0]
		rows = append(rows, []any{outlet, r.AlertID, r.Event, ms(r.At), ms(r.ReceivedAt)})
	}
	var fresh []receiptKey
	err = db.inTx(ctx, func(tx *Tx) (err error) {
		fresh, err = insertReturning[receiptKey](tx, `insert into receipt (outlet_no, alert_id, event, device_at_ms, received_at_ms)`,
			`on conflict (outlet_no, alert_id, event) do nothing returning alert_id, event`, rows)
		if err != nil {
			return err
		}
		var written []sealedFact
		var informed, acked []string
		for _, k := range fresh {
			written = append(written, facts[k])
			if k.Event.Informs() {
				informed = append(informed, k.AlertID)
			}
			if k.Event == push.Acknowledged {
				acked = append(acked, k.AlertID)
			}
		}
		if err := addFacts(tx, written); err != nil {
			return err
		}
		at := list[places[0]].ReceivedAt
		if err := db.markRead(tx, outlet, ms(at), informed, acked); err != nil {
			return err
		}
		return db.recall(tx, outlet, courierNo, acked, at)
	})
	if err != nil {
		return fmt.Errorf("%w: receipts: %w", doorstep.ErrUnavailable, err)
	}
	for _, k := range fresh {
		verdicts[first[k]].Status = evidence.Accepted
	}
	return nil
}

// markRead notes what receipts show. An alert that has ended as not informed
// stays so: its reason was true while it mattered.
func (db *DB) markRead(tx *Tx, outlet doorstep.OutletNo, at int64, informed, acked []string) error {
	if len(informed) > 0 {
		n, err := tx.changed(`update alert set informed_at_ms = ? where outlet_no = ? and informed_at_ms is null and not_informed_reason = '' and id`+db.inList,
			at, outlet, db.asList(informed))
		if err != nil {
			return err
		}
		tx.afterCommit(func() { db.observer.Informed(int(n)) })
	}
	if len(acked) > 0 {
		return tx.exec(`update alert set acked_at_ms = ? where outlet_no = ? and acked_at_ms is null and id`+db.inList, at, outlet, db.asList(acked))
	}
	return nil
}

// recall takes acknowledged alerts off the courier's other screens. With one
// phone there is none.
func (db *DB) recall(tx *Tx, outlet doorstep.OutletNo, courierNo int64, acked []string, now time.Time) error {
	if len(acked) == 0 {
		return nil
	}
	devices, err := db.devicesOf(tx, now, courierNo)
	if err != nil || len(devices[courierNo]) < 2 {
		return err
	}
	if err := db.withdraw(tx, outlet, courierNo, acked, now); err != nil {
		return err
	}
	return db.announce(tx, nil)
}

// withdraw opens a push that takes alerts off the courier's screens.
func (db *DB) withdraw(tx *Tx, outlet doorstep.OutletNo, courierNo int64, alerts []string, now time.Time) error {
	return db.carryAgain(tx, outlet, pushRow{ID: db.newID(outlet), CourierNo: courierNo, Kind: push.KindRecall}, alerts, now)
}

// carryAgain opens a push, due at once, that carries alerts of earlier ones.
func (db *DB) carryAgain(tx *Tx, outlet doorstep.OutletNo, p pushRow, alerts []string, now time.Time) error {
	err := tx.insert(insertPush, "", [][]any{{outlet, p.ID, p.CourierNo, p.Kind, p.DeviceID, "due", ms(now), ms(now), "", ""}})
	if err != nil {
		return err
	}
	rows := make([][]any, len(alerts))
	for i, id := range alerts {
		rows[i] = []any{outlet, id, p.ID}
	}
	return tx.insert(`insert into push_alert (outlet_no, alert_id, push_id)`, "", rows)
}

func numbers(outlets []doorstep.OutletNo) []int64 {
	list := make([]int64, len(outlets))
	for i, o := range outlets {
		list[i] = int64(o)
	}
	return list
}

var _ push.InboxStore = (*DB)(nil)
