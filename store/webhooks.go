package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"doorstep"
	"doorstep/feed"
	"doorstep/vault"
	"doorstep/webhooks"
)

type webhookRow struct {
	Company    doorstep.CompanyNo `db:"outlet_no"`
	ID         string
	Types      string
	After      int64         `db:"after_seq"`
	CreatedMS  int64         `db:"created_at_ms"`
	FailingMS  sql.NullInt64 `db:"failing_since_ms"`
	DisabledMS sql.NullInt64 `db:"disabled_at_ms"`
	Because    string        `db:"disabled_because"`
	Sequence   int64
	Body       []byte
}

// webhookBody is what of a webhook is sealed.
type webhookBody struct {
	URL         string
	Description string
	Secrets     webhooks.Secrets
}

const (
	openColumns    = `outlet_no, id, types, after_seq, created_at_ms, failing_since_ms, disabled_at_ms, disabled_because, sequence`
	webhookColumns = openColumns + `, body`
)

func webhookPlace(id string) vault.Place {
	return vault.Place{Table: "webhook", Column: "body", Row: id}
}

func (db *DB) webhook(r webhookRow) (webhooks.Webhook, error) {
	w := webhooks.Webhook{
		ID: r.ID, Company: r.Company, After: r.After, CreatedAt: fromMS(r.CreatedMS), FailingSince: fromNullMS(r.FailingMS),
		DisabledAt: fromNullMS(r.DisabledMS), DisabledBecause: webhooks.Reason(r.Because), Sequence: r.Sequence,
	}
	if err := json.Unmarshal([]byte(r.Types), &w.Types); err != nil {
		return w, fmt.Errorf("webhook %s: %w", r.ID, err)
	}
	if r.Body == nil { // it was not asked for
		return w, nil
	}
	plain, err := db.vault.Open(r.Body, webhookPlace(r.ID))
	if err != nil {
		return w, err
	}
	var body webhookBody
	if err := json.Unmarshal(plain, &body); err != nil {
		return w, fmt.Errorf("webhook %s: %w", r.ID, err)
	}
	w.URL, w.Description, w.Secrets = body.URL, body.Description, body.Secrets
	return w, nil
}

func (db *DB) webhooksOf(rows []webhookRow) ([]webhooks.Webhook, error) {
	list := make([]webhooks.Webhook, len(rows))
	for i, r := range rows {
		var err error
		if list[i], err = db.webhook(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// sealWebhook gives the columns that a change of settings writes.
func (db *DB) sealWebhook(w webhooks.Webhook) (types string, body []byte, err error) {
	plain, err := json.Marshal(webhookBody{URL: w.URL, Description: w.Description, Secrets: w.Secrets})
	if err != nil {
		return "", nil, fmt.Errorf("webhook %s: %w", w.ID, err)
	}
	if w.Types == nil {
		w.Types = []feed.Type{}
	}
	list, err := json.Marshal(w.Types)
	if err != nil {
		return "", nil, fmt.Errorf("webhook %s: %w", w.ID, err)
	}
	body, err = db.vault.Seal(plain, webhookPlace(w.ID))
	return string(list), body, err
}

// AddWebhook keeps a webhook, which begins at the end of the feed. The lock of the
// feed's head keeps its company's webhooks from being counted twice at once.
func (db *DB) AddWebhook(ctx context.Context, w webhooks.Webhook, most int) (webhooks.Webhook, error) {
	types, body, err := db.sealWebhook(w)
	if err != nil {
		return w, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.exec(`insert into event_head (outlet_no, seq) values (?, 0) on conflict (outlet_no) do nothing`, w.Company); err != nil {
			return err
		}
		if err := tx.get(&w.After, `select seq from event_head where outlet_no = ?`+db.forUpdate, w.Company); err != nil {
			return err
		}
		var there int
		if err := tx.get(&there, `select count(*) from webhook where outlet_no = ?`, w.Company); err != nil {
			return err
		}
		if there >= most {
			return &doorstep.ConflictError{Code: "too_many_webhooks", Detail: fmt.Sprintf("a company has at most %d", most)}
		}
		return tx.exec(`insert into webhook (`+webhookColumns+`) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, w.Company, w.ID, types, w.After,
			ms(w.CreatedAt), msOrNull(w.FailingSince), msOrNull(w.DisabledAt), string(w.DisabledBecause), w.Sequence, body)
	})
	if err != nil {
		return w, fmt.Errorf("add webhook: %w", err)
	}
	return w, nil
}

// Webhook shows one of a company's webhooks.
func (db *DB) Webhook(ctx context.Context, company doorstep.CompanyNo, id string) (webhooks.Webhook, error) {
	var row webhookRow
	err := db.get(ctx, &row, `select `+webhookColumns+` from webhook where outlet_no = ? and id = ?`, company, id)
	if err != nil {
		return webhooks.Webhook{}, notThere(err, "webhook", id)
	}
	return db.webhook(row)
}

// Webhooks lists a company's webhooks behind an id, the oldest first.
func (db *DB) Webhooks(ctx context.Context, company doorstep.CompanyNo, after string, limit int) ([]webhooks.Webhook, error) {
	var rows []webhookRow
	err := db.list(ctx, &rows, `select `+webhookColumns+` from webhook where outlet_no = ? and id > ? order by id limit ?`, company, after, limit)
	if err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	return db.webhooksOf(rows)
}

// lockWebhook reads a webhook that is changed next. Whatever moves its deliveries
// has this lock.
func (db *DB) lockWebhook(tx *Tx, company doorstep.CompanyNo, id string) (webhooks.Webhook, error) {
	var row webhookRow
	err := tx.get(&row, `select `+webhookColumns+` from webhook where outlet_no = ? and id = ?`+db.forUpdate, company, id)
	if err != nil {
		return webhooks.Webhook{}, notThere(err, "webhook", id)
	}
	return db.webhook(row)
}

// UpdateWebhook loads a webhook, has it changed and saves it. One that becomes
// enabled has its waiting deliveries begin anew.
func (db *DB) UpdateWebhook(ctx context.Context, company doorstep.CompanyNo, id string, now time.Time,
	change func(*webhooks.Webhook) error,
) (w webhooks.Webhook, err error) {
	err = db.inTx(ctx, func(tx *Tx) (err error) {
		if w, err = db.lockWebhook(tx, company, id); err != nil {
			return err
		}
		enabled := w.Enabled()
		if err := change(&w); err != nil {
			return err
		}
		types, body, err := db.sealWebhook(w)
		if err != nil {
			return err
		}
		err = tx.exec(`update webhook set types = ?, after_seq = ?, failing_since_ms = ?, disabled_at_ms = ?, disabled_because = ?, body = ?
where outlet_no = ? and id = ?`, types, w.After, msOrNull(w.FailingSince), msOrNull(w.DisabledAt), string(w.DisabledBecause), body, company, id)
		if err != nil || enabled || !w.Enabled() {
			return err
		}
		return tx.exec(`update webhook_delivery set attempts = 0, due_at_ms = ?, lease = '' where outlet_no = ? and webhook_id = ? and state = 'waiting'`,
			ms(now), company, id)
	})
	if err != nil {
		return webhooks.Webhook{}, fmt.Errorf("change webhook: %w", err)
	}
	return w, nil
}

// RemoveWebhook forgets a webhook. Its deliveries go with their events.
func (db *DB) RemoveWebhook(ctx context.Context, company doorstep.CompanyNo, id string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`delete from webhook where outlet_no = ? and id = ?`, company, id)
		if err == nil && n == 0 {
			return doorstep.NotFound("webhook", id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove webhook: %w", err)
	}
	return nil
}

// Behind lists enabled webhooks whose company's feed has gone on, without what is
// sealed of them.
func (db *DB) Behind(ctx context.Context) ([]webhooks.Webhook, error) {
	var rows []webhookRow
	err := db.list(ctx, &rows, `select `+openColumns+` from webhook where disabled_at_ms is null and exists (
select 1 from event_head h where h.outlet_no = webhook.outlet_no and h.seq > webhook.after_seq) order by outlet_no, id`)
	if err != nil {
		return nil, fmt.Errorf("webhooks that are behind: %w", err)
	}
	return db.webhooksOf(rows)
}

// Due lists enabled webhooks with deliveries to attempt, without what is sealed of
// them.
func (db *DB) Due(ctx context.Context, now time.Time) ([]webhooks.Webhook, error) {
	var rows []webhookRow
	err := db.list(ctx, &rows, `select `+openColumns+` from webhook where disabled_at_ms is null and exists (
select 1 from webhook_delivery d where d.outlet_no = webhook.outlet_no and d.webhook_id = webhook.id and d.state = 'waiting' and d.due_at_ms <= ?)
order by outlet_no, id`, ms(now))
	if err != nil {
		return nil, fmt.Errorf("webhooks with something due: %w", err)
	}
	return db.webhooksOf(rows)
}

var _ webhooks.Store = (*DB)(nil)
