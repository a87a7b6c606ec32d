package store

import (
	"encoding/json"
	"fmt"
	"time"

	"doorstep"
	"doorstep/push"
)

type pushRow struct {
	ID        string
	CourierNo int64 `db:"courier_no"`
	Kind      string
	DeviceID  string `db:"device_id"`
	OpenedMS  int64  `db:"opened_at_ms"`
	DueMS     int64  `db:"due_at_ms"`
}

func couriersOf(pushes []pushRow) []int64 {
	couriers := make([]int64, len(pushes))
	for i, p := range pushes {
		couriers[i] = p.CourierNo
	}
	return couriers
}

type deviceRow struct {
	Home      doorstep.OutletNo `db:"outlet_no"`
	ID        string
	CourierNo int64 `db:"courier_no"`
	Provider  string
}

// composeDue turns due pushes into deliveries. It returns how many it looked at
// and what it composed, by the pushes' ids.
func (db *DB) composeDue(tx *Tx, outlet doorstep.OutletNo, now time.Time, limit int, compose func(string, []push.Alert) push.Message) (n int, composed map[string]push.Message, err error) {
	var due []pushRow
	err = tx.list(&due, `select id, courier_no, kind, device_id, opened_at_ms, due_at_ms from push
where outlet_no = ? and state in ('open', 'due') and due_at_ms <= ? order by due_at_ms limit ?`+db.skipLocked, outlet, ms(now), limit)
	if n = len(due); err != nil || n == 0 {
		return n, nil, err
	}
	due, held, err := db.hold(tx, outlet, due, now)
	if err != nil {
		return 0, nil, fmt.Errorf("push rules: %w", err)
	}
	if len(due) == 0 {
		return n, nil, nil
	}
	alerts, err := db.alertsOfPushes(tx, outlet, due, now)
	if err != nil {
		return 0, nil, fmt.Errorf("alerts: %w", err)
	}
	devices, err := db.devicesOf(tx, now, couriersOf(due)...)
	if err != nil {
		return 0, nil, fmt.Errorf("devices: %w", err)
	}
	var c composition
	composed = make(map[string]push.Message, len(due))
	for _, p := range due {
		message := push.Message{} // of a push whose alerts were all read, replaced or too late
		if len(alerts[p.ID]) > 0 {
			message = compose(p.Kind, alerts[p.ID])
		}
		composed[p.ID] = message
		content, err := json.Marshal(message)
		if err != nil {
			return 0, nil, err
		}
		c.pushes = append(c.pushes, []any{outlet, p.ID, p.CourierNo, p.Kind, p.DeviceID, "composed", p.OpenedMS, p.DueMS, string(content), held[p.ID]})
		if len(alerts[p.ID]) == 0 {
			continue
		}
		c.follow(outlet, p, alerts[p.ID], now)
		if held[p.ID] == "" {
			c.deliver(db.newID, outlet, p, expiryOf(p, alerts[p.ID]), devices[p.CourierNo], now)
		}
	}
	return n, composed, c.write(tx)
}

// composition is the rows that composed pushes leave.
type composition struct{ pushes, deliveries, carried, steps [][]any }

// follow notes what comes of a push besides its deliveries.
func (c *composition) follow(outlet doorstep.OutletNo, p pushRow, alerts []push.Alert, now time.Time) {
	switch p.Kind {
	case push.KindCatchUp:
		for _, a := range alerts {
			c.carried = append(c.carried, []any{outlet, a.ID, p.ID})
		}
	case push.KindDigest:
		for _, step := range push.Escalation {
			c.steps = append(c.steps, []any{outlet, p.ID, step.Name, ms(now.Add(step.After)), "due"})
		}
	}
}

// deliver queues a push for the devices that it is for; they are sorted, the one
// seen last first.
func (c *composition) deliver(newID doorstep.IDMaker, outlet doorstep.OutletNo, p pushRow, expires time.Time, devices []deviceRow, now time.Time) {
	for i, d := range devices {
		switch {
		case p.DeviceID != "" && p.DeviceID != d.ID:
			continue
		case p.Kind == push.KindRecall && d.Provider == push.WebPush:
			continue // a browser must show whatever arrives
		}
		silent := 0
		if i > 0 && p.DeviceID == "" { // the one seen last rings for all
			silent = 1
		}
		c.deliveries = append(c.deliveries, []any{
			outlet, newID(outlet), p.ID, p.CourierNo, d.Home, d.ID, d.Provider, string(push.Queued), 0,
			ms(now), "", ms(expires), "", ms(now), ms(now), silent,
		})
	}
}

func (c *composition) write(tx *Tx) error {
	// A portable update of many rows: every one of them exists.
	err := tx.insert(insertPush,
		`on conflict (outlet_no, id) do update set state = excluded.state, content = excluded.content, held = excluded.held`, c.pushes)
	if err != nil {
		return fmt.Errorf("pushes: %w", err)
	}
	if err := tx.insert(insertDelivery, `on conflict (outlet_no, push_id, device_id) do nothing`, c.deliveries); err != nil {
		return fmt.Errorf("deliveries: %w", err)
	}
	if err := tx.insert(`insert into push_alert (outlet_no, alert_id, push_id)`, `on conflict do nothing`, c.carried); err != nil {
		return fmt.Errorf("alerts carried again: %w", err)
	}
	if err := tx.insert(`insert into escalation (outlet_no, push_id, step, due_at_ms, state)`, `on conflict do nothing`, c.steps); err != nil {
		return fmt.Errorf("escalation: %w", err)
	}
	return nil
}

const insertDelivery = `insert into delivery (outlet_no, id, push_id, courier_no, home_no, device_id, provider, state, attempt,
  next_at_ms, lease_token, expires_at_ms, code, created_at_ms, updated_at_ms, silent)`

// alertsOfPushes reads what each push is about: its own alerts, or, for a
// device that joined late, whatever the courier was sent and has not
// acknowledged. What has expired or was acknowledged meanwhile rings nobody.
func (db *DB) alertsOfPushes(tx *Tx, outlet doorstep.OutletNo, due []pushRow, now time.Time) (map[string][]push.Alert, error) {
	const carried = ` where outlet_no = ? and id in (select alert_id from push_alert where outlet_no = ? and push_id = ?)`
	const live = ` and acked_at_ms is null and expires_at_ms > ? order by seq`
	alerts := map[string][]push.Alert{}
	ids := make([]string, len(due))
	for i, p := range due {
		ids[i] = p.ID
		var rows []alertRow
		var err error
		switch p.Kind {
		case push.KindCatchUp:
			err = tx.list(&rows, selectAlert+` where outlet_no = ? and courier_no = ?
and exists (select 1 from push p where p.outlet_no = a.outlet_no and p.id = a.push_id and p.state = 'composed')`+live, outlet, p.CourierNo, ms(now))
		case push.KindStop:
			if now.Before(fromMS(p.OpenedMS).Add(push.StopTime)) {
				err = tx.list(&rows, selectAlert+carried+` and expires_at_ms > ?`, outlet, outlet, p.ID, ms(now))
			}
		case push.KindRemind:
			err = tx.list(&rows, selectAlert+carried+live, outlet, outlet, p.ID, ms(now))
		case push.KindRecall:
			err = tx.list(&rows, selectAlert+carried+` order by seq`, outlet, outlet, p.ID)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			alerts[p.ID] = append(alerts[p.ID], r.alert())
		}
	}
	var rows []alertRow
	if err := tx.list(&rows, selectAlert+` where outlet_no = ? and push_id`+db.inList+live, outlet, db.asList(ids), ms(now)); err != nil {
		return nil, err
	}
	for _, r := range rows {
		alerts[r.PushID] = append(alerts[r.PushID], r.alert())
	}
	return alerts, nil
}

// devicesOf reads the couriers' reachable devices, the one seen last first.
func (db *DB) devicesOf(tx *Tx, now time.Time, couriers ...int64) (map[int64][]deviceRow, error) {
	var rows []deviceRow
	err := tx.list(&rows, `select d.outlet_no, d.id, d.courier_no, d.provider from device d
join courier c on c.no = d.courier_no and c.home_no = d.outlet_no
where c.no`+db.inList+` and d.retired_at_ms is null and d.provider <> ? and d.updated_at_ms > ? order by d.updated_at_ms desc, d.id`,
		db.asList(couriers), push.None, ms(now.Add(-push.UnseenAfter)))
	devices := map[int64][]deviceRow{}
	for _, r := range rows {
		if len(devices[r.CourierNo]) < push.MaxDevices {
			devices[r.CourierNo] = append(devices[r.CourierNo], r)
		}
	}
	return devices, err
}

// expiryOf is when a push is no longer worth sending: with the last of its
// alerts, unless its kind has a time of its own.
func expiryOf(p pushRow, alerts []push.Alert) time.Time {
	opened := fromMS(p.OpenedMS)
	if p.Kind == push.KindRecall {
		return opened.Add(push.RecallTime)
	}
	var latest time.Time
	for _, a := range alerts {
		if a.ExpiresAt.After(latest) {
			latest = a.ExpiresAt
		}
	}
	if passed := opened.Add(push.StopTime); p.Kind == push.KindStop && passed.Before(latest) {
		return passed
	}
	return latest
}
