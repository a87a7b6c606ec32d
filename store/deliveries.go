package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/feed"
	"doorstep/webhooks"
)

type deliveryRow struct {
	Seq         int64
	EventID     string `db:"event_id"`
	Type        string
	Object      string `db:"object_id"`
	State       string
	Attempts    int
	DueMS       int64 `db:"due_at_ms"`
	Status      int
	Fault       string
	TookMS      int64         `db:"took_ms"`
	AttemptedMS sql.NullInt64 `db:"attempted_at_ms"`
}

func (r deliveryRow) delivery() webhooks.Delivery {
	return webhooks.Delivery{
		Seq: r.Seq, EventID: r.EventID, Type: feed.Type(r.Type), State: webhooks.State(r.State), Attempts: r.Attempts, DueAt: fromMS(r.DueMS),
		Last:      webhooks.Result{Fault: webhooks.Fault(r.Fault), Status: r.Status, Took: time.Duration(r.TookMS) * time.Millisecond},
		Attempted: fromNullMS(r.AttemptedMS),
	}
}

const selectDelivery = `select d.seq, e.id as event_id, e.type, d.object_id, d.state, d.attempts, d.due_at_ms, d.status, d.fault, d.took_ms, d.attempted_at_ms
from webhook_delivery d join event e on e.outlet_no = d.outlet_no and e.seq = d.seq where d.outlet_no = ? and d.webhook_id = ?`

// Deliveries lists those of a webhook before a number, the newest first.
func (db *DB) Deliveries(ctx context.Context, company doorstep.CompanyNo, id string, state webhooks.State, before int64, limit int) (
	[]webhooks.Delivery, error,
) {
	query, args := selectDelivery+` and d.seq < ?`, []any{company, id, before}
	if state != "" {
		query, args = query+` and d.state = ?`, append(args, string(state))
	}
	var rows []deliveryRow
	if err := db.list(ctx, &rows, query+` order by d.seq desc limit ?`, append(args, limit)...); err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	list := make([]webhooks.Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, nil
}

// saveDelivery ends the lease and keeps what became of a delivery.
func saveDelivery(tx *Tx, company doorstep.CompanyNo, id string, d webhooks.Delivery) error {
	return tx.exec(`update webhook_delivery set state = ?, attempts = ?, due_at_ms = ?, lease = '', status = ?, fault = ?, took_ms = ?, attempted_at_ms = ?
where outlet_no = ? and webhook_id = ? and seq = ?`, string(d.State), d.Attempts, ms(d.DueAt), d.Last.Status, string(d.Last.Fault),
		d.Last.Took.Milliseconds(), msOrNull(d.Attempted), company, id, d.Seq)
}

// UpdateDelivery loads a delivery, has it changed and saves it.
func (db *DB) UpdateDelivery(ctx context.Context, company doorstep.CompanyNo, id string, seq int64,
	change func(webhooks.Webhook, *webhooks.Delivery) error,
) (d webhooks.Delivery, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		w, err := db.lockWebhook(tx, company, id)
		if err != nil {
			return err
		}
		var row deliveryRow
		if err := tx.get(&row, selectDelivery+` and d.seq = ?`, company, id, seq); err != nil {
			return notThere(err, "delivery", fmt.Sprint(seq))
		}
		d = row.delivery()
		if err := change(w, &d); err != nil {
			return err
		}
		return saveDelivery(tx, company, id, d)
	})
	if err != nil {
		return webhooks.Delivery{}, fmt.Errorf("change delivery: %w", err)
	}
	return d, nil
}

// Plan makes deliveries of events, in order, and moves the webhook on. Of those
// about one object the lowest that has not ended waits; the others are queued.
func (db *DB) Plan(ctx context.Context, w webhooks.Webhook, through int64, list []webhooks.Planned, now time.Time) (moved bool, err error) {
	objects := make([]string, len(list))
	for i, p := range list {
		objects[i] = p.Object
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		moved = false
		n, err := tx.changed(`update webhook set after_seq = ? where outlet_no = ? and id = ? and after_seq = ? and disabled_at_ms is null`,
			through, w.Company, w.ID, w.After)
		if err != nil || n == 0 {
			return err
		}
		var live []struct {
			Object string `db:"object_id"`
			Seq    int64
		}
		err = tx.list(&live, `select object_id, min(seq) as seq from webhook_delivery where outlet_no = ? and webhook_id = ?
and state in ('waiting', 'queued') and object_id`+db.inList+` group by object_id`, w.Company, w.ID, db.asList(objects))
		if err != nil {
			return err
		}
		lowest := make(map[string]int64, len(live))
		for _, l := range live {
			lowest[l.Object] = l.Seq
		}
		rows := make([][]any, len(list))
		for i, p := range list {
			state := webhooks.Queued
			if first, ok := lowest[p.Object]; !ok || p.Seq <= first {
				state, lowest[p.Object] = webhooks.Waiting, p.Seq
			}
			rows[i] = []any{w.Company, w.ID, p.Seq, p.Object, string(state), 0, ms(now), "", 0, "", 0}
		}
		moved = true
		return tx.insert(`insert into webhook_delivery (outlet_no, webhook_id, seq, object_id, state, attempts, due_at_ms, lease, status, fault, took_ms)`,
			`on conflict (outlet_no, webhook_id, seq) do update set state = excluded.state, attempts = 0, due_at_ms = excluded.due_at_ms, lease = ''`, rows)
	})
	if err != nil {
		return false, fmt.Errorf("plan deliveries: %w", err)
	}
	return moved, nil
}

// ClaimDeliveries leases due deliveries of a webhook, those that have waited
// longest first.
func (db *DB) ClaimDeliveries(ctx context.Context, company doorstep.CompanyNo, id string, now, until time.Time, limit int) (
	w webhooks.Webhook, list []webhooks.Claimed, err error,
) {
	lease := db.newID(company)
	var (
		hook   webhookRow
		events []eventRow
	)
	err = db.inTx(ctx, func(tx *Tx) error {
		events = nil
		err := tx.get(&hook, `select `+webhookColumns+` from webhook where outlet_no = ? and id = ? and disabled_at_ms is null`, company, id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var seqs []int64
		err = tx.list(&seqs, `select seq from webhook_delivery where outlet_no = ? and webhook_id = ? and state = 'waiting' and due_at_ms <= ?
order by due_at_ms, seq limit ?`+db.skipLocked, company, id, ms(now), limit)
		if err != nil || len(seqs) == 0 {
			return err
		}
		err = tx.exec(`update webhook_delivery set lease = ?, due_at_ms = ? where outlet_no = ? and webhook_id = ? and seq`+db.inList,
			lease, ms(until), company, id, db.asList(seqs))
		if err != nil {
			return err
		}
		return tx.list(&events, selectEvents+` and seq`+db.inList+` order by seq`, company, db.asList(seqs))
	})
	if err != nil {
		return w, nil, fmt.Errorf("claim deliveries: %w", err)
	}
	if len(events) == 0 {
		return w, nil, nil
	}
	if w, err = db.webhook(hook); err != nil {
		return w, nil, err
	}
	opened, err := db.openEvents(events)
	if err != nil {
		return w, nil, err
	}
	for _, e := range opened {
		list = append(list, webhooks.Claimed{Event: e, Lease: lease})
	}
	return w, list, nil
}

// FinishDelivery keeps the result of an attempt.
func (db *DB) FinishDelivery(ctx context.Context, w webhooks.Webhook, c webhooks.Claimed, record func(*webhooks.Webhook, *webhooks.Delivery)) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		now, err := db.lockWebhook(tx, w.Company, w.ID)
		if errors.Is(err, doorstep.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var row deliveryRow
		err = tx.get(&row, selectDelivery+` and d.seq = ? and d.lease = ?`, w.Company, w.ID, c.Event.Seq, c.Lease)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		d, enabled := row.delivery(), now.Enabled()
		record(&now, &d)
		if err := saveDelivery(tx, w.Company, w.ID, d); err != nil {
			return err
		}
		if enabled && !now.Enabled() {
			now.Sequence++
			if err := db.tellDisabled(tx, now); err != nil {
				return err
			}
		}
		err = tx.exec(`update webhook set failing_since_ms = ?, disabled_at_ms = ?, disabled_because = ?, sequence = ? where outlet_no = ? and id = ?`,
			msOrNull(now.FailingSince), msOrNull(now.DisabledAt), string(now.DisabledBecause), now.Sequence, w.Company, w.ID)
		if err != nil || d.State == webhooks.Waiting {
			return err
		}
		return tx.exec(`update webhook_delivery set state = 'waiting' where outlet_no = ? and webhook_id = ? and object_id = ? and state = 'queued'
and seq = (select min(seq) from webhook_delivery where outlet_no = ? and webhook_id = ? and object_id = ? and state in ('waiting', 'queued'))`,
			w.Company, w.ID, row.Object, w.Company, w.ID, row.Object)
	})
	if err != nil {
		return fmt.Errorf("finish delivery: %w", err)
	}
	return nil
}

// tellDisabled puts the end of a webhook into its company's feed: other webhooks,
// and whoever reads the feed, hear of it.
func (db *DB) tellDisabled(tx *Tx, w webhooks.Webhook) error {
	object, err := w.Snapshot()
	if err != nil {
		return err
	}
	return db.publish(tx, w.Company, outgoing{
		id: db.newID(w.Company), company: w.Company, kind: feed.WebhookDisabled, object: object, sequence: w.Sequence, at: w.DisabledAt,
	})
}

// forgetDeliveries deletes those of events that are forgotten. If any had not
// ended, what was queued behind it goes on.
func (db *DB) forgetDeliveries(tx *Tx, company doorstep.CompanyNo, last int64) error {
	var ids []string
	if err := tx.list(&ids, `select id from webhook where outlet_no = ? order by id`+db.forUpdate, company); err != nil {
		return err
	}
	live, err := tx.changed(`delete from webhook_delivery where outlet_no = ? and seq <= ? and state in ('waiting', 'queued')`, company, last)
	if err != nil {
		return err
	}
	if err := tx.exec(`delete from webhook_delivery where outlet_no = ? and seq <= ?`, company, last); err != nil || live == 0 {
		return err
	}
	return tx.exec(`update webhook_delivery set state = 'waiting' where outlet_no = ? and state = 'queued' and not exists (
select 1 from webhook_delivery d where d.outlet_no = webhook_delivery.outlet_no and d.webhook_id = webhook_delivery.webhook_id
and d.object_id = webhook_delivery.object_id and d.state in ('waiting', 'queued') and d.seq < webhook_delivery.seq)`, company)
}

var _ webhooks.Queue = (*DB)(nil)
