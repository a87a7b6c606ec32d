package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/push"
)

// UnreadOutlets lists outlets with alerts that expired unread, or steps of an
// escalation that are due.
func (db *DB) UnreadOutlets(ctx context.Context, now time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from (
  select outlet_no, expires_at_ms as at_ms from alert where informed_at_ms is null and not_informed_reason = '' and expires_at_ms <= ?
  union all
  select outlet_no, due_at_ms from escalation where state = 'due' and due_at_ms <= ?) due
group by outlet_no order by min(at_ms) limit ?`, ms(now), ms(now), limit)
	return list, err
}

// CloseAlerts gives alerts that expired unread the reason why.
func (db *DB) CloseAlerts(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		var unread []alertRow
		err := tx.list(&unread, selectAlert+` where outlet_no = ? and informed_at_ms is null and not_informed_reason = '' and expires_at_ms <= ?
order by expires_at_ms limit ?`+db.skipLocked, outlet, ms(now), limit)
		if n = len(unread); err != nil || n == 0 {
			return err
		}
		reasons, err := db.reasons(tx.list, outlet, unread, true)
		if err != nil {
			return err
		}
		byReason := map[push.Reason][]string{}
		for _, a := range unread {
			byReason[reasons[a.ID]] = append(byReason[reasons[a.ID]], a.ID)
		}
		for reason, ids := range byReason {
			// A receipt that came first keeps its word.
			ended, err := tx.changed(`update alert set not_informed_reason = ? where outlet_no = ? and informed_at_ms is null and id`+db.inList,
				reason, outlet, db.asList(ids))
			if err != nil {
				return err
			}
			tx.afterCommit(func() { db.observer.NotInformed(reason, int(ended)) })
		}
		return nil
	})
	return n, err
}

// reasons says of each alert why it has not informed its courier, from all the
// pushes that carried it.
func (db *DB) reasons(list lister, outlet doorstep.OutletNo, alerts []alertRow, ended bool) (map[string]push.Reason, error) {
	pushes := map[string][]string{} // by alert
	ids := make([]string, len(alerts))
	for i, a := range alerts {
		ids[i] = a.ID
		pushes[a.ID] = []string{a.PushID}
	}
	var again []struct {
		AlertID string `db:"alert_id"`
		PushID  string `db:"push_id"`
	}
	if err := list(&again, `select alert_id, push_id from push_alert where outlet_no = ? and alert_id`+db.inList, outlet, db.asList(ids)); err != nil {
		return nil, fmt.Errorf("later pushes: %w", err)
	}
	all := make([]string, 0, len(alerts))
	for _, a := range again {
		pushes[a.AlertID] = append(pushes[a.AlertID], a.PushID)
	}
	for _, own := range pushes {
		all = append(all, own...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var found []struct {
		ID       string
		Composed bool
		Held     string
	}
	if err := list(&found, `select id, state = 'composed' as composed, held from push where outlet_no = ? and id`+db.inList, outlet, db.asList(all)); err != nil {
		return nil, fmt.Errorf("pushes: %w", err)
	}
	composed, held := map[string]bool{}, map[string]string{}
	for _, p := range found {
		composed[p.ID], held[p.ID] = p.Composed, p.Held
	}
	var rows []struct {
		PushID  string `db:"push_id"`
		State   push.State
		Attempt int
		Code    string
	}
	if err := list(&rows, `select push_id, state, attempt, code from delivery where outlet_no = ? and push_id`+db.inList, outlet, db.asList(all)); err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	tried := map[string][]push.Tried{}
	for _, r := range rows {
		tried[r.PushID] = append(tried[r.PushID], push.Tried{State: r.State, Attempt: r.Attempt, Code: r.Code})
	}
	reasons := make(map[string]push.Reason, len(alerts))
	for alert, own := range pushes {
		var deliveries []push.Tried
		isComposed := false
		for _, p := range own {
			deliveries = append(deliveries, tried[p]...)
			isComposed = isComposed || composed[p]
		}
		reasons[alert] = push.WhyNot(isComposed, held[own[0]], deliveries, ended)
	}
	return reasons, nil
}

type stepRow struct {
	PushID    string `db:"push_id"`
	Step      string
	CourierNo int64 `db:"courier_no"`
}

// Escalate takes the steps that are due. What was acknowledged meanwhile needs
// none.
func (db *DB) Escalate(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		rung := false
		var due []stepRow
		err := tx.list(&due, `select e.push_id, e.step, p.courier_no from escalation e
join push p on p.outlet_no = e.outlet_no and p.id = e.push_id
where e.outlet_no = ? and e.state = 'due' and e.due_at_ms <= ? order by e.due_at_ms, e.push_id, e.step limit ?`+db.skipLockedOf("e"), outlet, ms(now), limit)
		if n = len(due); err != nil || n == 0 {
			return err
		}
		for _, s := range due {
			state, err := db.takeStep(tx, outlet, s, now)
			if err != nil {
				return fmt.Errorf("step %s: %w", s.Step, err)
			}
			rung = rung || state == "done" && s.Step == push.SecondDevice
			err = tx.exec(`update escalation set state = ? where outlet_no = ? and push_id = ? and step = ?`, state, outlet, s.PushID, s.Step)
			if err != nil {
				return err
			}
		}
		if !rung {
			return nil
		}
		return db.announce(tx, nil)
	})
	return n, err
}

// takeStep takes one step and says what became of it: done, or void.
func (db *DB) takeStep(tx *Tx, outlet doorstep.OutletNo, s stepRow, now time.Time) (state string, err error) {
	var unread []string
	err = tx.list(&unread, `select id from alert where outlet_no = ? and push_id = ? and acked_at_ms is null and expires_at_ms > ? order by seq`,
		outlet, s.PushID, ms(now))
	if err != nil || len(unread) == 0 {
		return "void", err
	}
	if s.Step == push.ToManager {
		return "done", tx.exec(`update alert set escalated_at_ms = coalesce(escalated_at_ms, ?) where outlet_no = ? and id`+db.inList,
			ms(now), outlet, db.asList(unread))
	}
	devices, err := db.devicesOf(tx, now, s.CourierNo)
	if err != nil || len(devices[s.CourierNo]) < 2 {
		return "void", err
	}
	reminder := pushRow{ID: db.newID(outlet), CourierNo: s.CourierNo, Kind: push.KindRemind, DeviceID: devices[s.CourierNo][1].ID}
	return "done", db.carryAgain(tx, outlet, reminder, unread, now)
}

type outletAlertRow struct {
	alertRow
	CourierID   string        `db:"courier_id"`
	Reason      push.Reason   `db:"not_informed_reason"`
	InformedMS  sql.NullInt64 `db:"informed_at_ms"`
	EscalatedMS sql.NullInt64 `db:"escalated_at_ms"`
}

// OutletAlerts lists an outlet's alerts that nobody acknowledged, the newest
// first: those still running, those that ended without informing the courier,
// or both.
func (db *DB) OutletAlerts(ctx context.Context, a doorstep.Actor, outletID string, q push.AlertQuery) ([]push.Unread, error) {
	outlet, err := db.Outlet(ctx, a.Company, outletID)
	if err != nil {
		return nil, err
	}
	if a.Role == doorstep.RoleManager && a.Outlet != outletID {
		return nil, doorstep.NotFound("outlet", outletID)
	}
	where := newFilter("a.outlet_no = ? and a.acked_at_ms is null", outlet.No)
	now := ms(db.now())
	running := `a.not_informed_reason = '' and a.expires_at_ms > ?
  and exists (select 1 from parcel p where p.outlet_no = a.outlet_no and p.waybill = a.waybill and p.courier_no = a.courier_no)`
	switch q.State {
	case push.Unacknowledged:
		where.and(running, now)
	case push.NotInformed:
		where.and("a.not_informed_reason <> ''")
	default:
		where.and("(a.not_informed_reason <> '' or "+running+")", now)
	}
	if q.BeforeID != "" {
		where.and("(a.created_at_ms, a.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []outletAlertRow
	err = db.list(ctx, &rows, `select `+alertColumns+`, a.not_informed_reason, a.informed_at_ms, a.escalated_at_ms, c.id as courier_id
from alert a join courier c on c.no = a.courier_no where `+where.text+` order by a.created_at_ms desc, a.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("outlet's alerts: %w", err)
	}
	var open []alertRow
	for _, r := range rows {
		if r.Reason == "" && !r.InformedMS.Valid {
			open = append(open, r.alertRow)
		}
	}
	reasons := map[string]push.Reason{}
	if len(open) > 0 {
		if reasons, err = db.reasons(db.lister(ctx), outlet.No, open, false); err != nil {
			return nil, err
		}
	}
	unread := make([]push.Unread, len(rows))
	for i, r := range rows {
		u := push.Unread{
			Alert: r.alert(), CourierID: r.CourierID, State: push.NotInformed, Reason: r.Reason,
			InformedAt: fromNullMS(r.InformedMS), EscalatedAt: fromNullMS(r.EscalatedMS),
		}
		if r.Reason == "" {
			u.State, u.Reason = push.Unacknowledged, reasons[r.ID]
		}
		unread[i] = u
	}
	return unread, nil
}

var _ push.Ledger = (*DB)(nil)
