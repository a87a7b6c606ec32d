package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/feed"
	"doorstep/vault"
)

// outgoing is an event before the relay has numbered it.
type outgoing struct {
	id       string
	company  doorstep.CompanyNo
	kind     feed.Type
	object   []byte // JSON
	sequence int64
	at       time.Time
}

// publish puts an event of the outlet's into the transaction that causes it.
func (db *DB) publish(tx *Tx, outlet doorstep.OutletNo, e outgoing) error {
	body, err := db.vault.Seal(e.object, eventPlace(e.id))
	if err != nil {
		return err
	}
	err = tx.insert(`insert into outbox (outlet_no, id, company_no, type, sequence, at_ms, body)`, "",
		[][]any{{outlet, e.id, e.company, string(e.kind), e.sequence, ms(e.at), body}})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	tx.afterCommit(func() { db.tell(News{Events: true}) })
	return nil
}

// eventPlace is the same in the outbox and in the feed: a body moves as it is.
func eventPlace(id string) vault.Place { return vault.Place{Table: "event", Column: "body", Row: id} }

// WaitingEvents lists outlets whose events have no number yet, those that have
// waited longest first.
func (db *DB) WaitingEvents(ctx context.Context, limit int) (list []feed.Source, err error) {
	err = db.list(ctx, &list, `select outlet_no, company_no from outbox
group by outlet_no, company_no order by min(at_ms), outlet_no limit ?`, limit)
	return list, err
}

type outboxRow struct {
	ID       string
	Type     string
	Sequence int64
	AtMS     int64 `db:"at_ms"`
	Body     []byte
}

// NumberEvents moves an outlet's events to the end of its company's feed. On
// PostgreSQL the lock of the head's row is the lease: no second transaction
// numbers before this one has committed or is gone, so that no number becomes
// visible before one that is lower.
func (db *DB) NumberEvents(ctx context.Context, s feed.Source, now time.Time, limit int) (n int, held bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n, held = 0, false
		err := tx.exec(`insert into event_head (outlet_no, seq) values (?, 0) on conflict (outlet_no) do nothing`, s.Company)
		if err != nil {
			return err
		}
		var seq int64
		err = tx.get(&seq, `select seq from event_head where outlet_no = ?`+db.skipLocked, s.Company)
		if errors.Is(err, sql.ErrNoRows) {
			held = true
			return nil
		}
		if err != nil {
			return err
		}
		var rows []outboxRow
		err = tx.list(&rows, `select id, type, sequence, at_ms, body from outbox where outlet_no = ? order by id limit ?`, s.Outlet, limit)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids, numbered := make([]string, len(rows)), make([][]any, len(rows))
		for i, r := range rows {
			seq++
			ids[i] = r.ID
			numbered[i] = []any{s.Company, seq, r.ID, r.Type, r.Sequence, r.AtMS, ms(now), r.Body}
		}
		err = tx.insert(`insert into event (outlet_no, seq, id, type, sequence, at_ms, numbered_at_ms, body)`, "", numbered)
		if err != nil {
			return err
		}
		if err := tx.exec(`delete from outbox where outlet_no = ? and id`+db.inList, s.Outlet, db.asList(ids)); err != nil {
			return err
		}
		n = len(rows)
		tx.afterCommit(func() { db.tell(News{Numbered: true}) })
		return tx.exec(`update event_head set seq = ? where outlet_no = ?`, seq, s.Company)
	})
	if err != nil {
		return 0, false, fmt.Errorf("number events: %w", err)
	}
	return n, held, nil
}

type eventRow struct {
	outboxRow
	Seq int64
}

const selectEvents = `select seq, id, type, sequence, at_ms, body from event where outlet_no = ?`

// Events lists a company's events after a number, in order.
func (db *DB) Events(ctx context.Context, company doorstep.CompanyNo, after int64, limit int) ([]feed.Event, error) {
	var rows []eventRow
	if err := db.list(ctx, &rows, selectEvents+` and seq > ? order by seq limit ?`, company, after, limit); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return db.openEvents(rows)
}

func (db *DB) openEvents(rows []eventRow) ([]feed.Event, error) {
	list := make([]feed.Event, len(rows))
	for i, r := range rows {
		object, err := db.vault.Open(r.Body, eventPlace(r.ID))
		if err != nil {
			return nil, err
		}
		list[i] = feed.Event{ID: r.ID, Seq: r.Seq, Type: feed.Type(r.Type), Object: object, Sequence: r.Sequence, At: fromMS(r.AtMS)}
	}
	return list, nil
}

// FeedCompanies lists the companies that have a feed.
func (db *DB) FeedCompanies(ctx context.Context) (list []doorstep.CompanyNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from event_head order by outlet_no`)
	return list, err
}

// ForgetEvents deletes the oldest events of a feed up to the first that is
// younger: a clock that was set back leaves no gap.
func (db *DB) ForgetEvents(ctx context.Context, company doorstep.CompanyNo, before time.Time, limit int) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		var oldest []struct {
			Seq        int64
			NumberedMS int64 `db:"numbered_at_ms"`
		}
		err := tx.list(&oldest, `select seq, numbered_at_ms from event where outlet_no = ? order by seq limit ?`, company, limit)
		if err != nil {
			return err
		}
		var last int64
		for _, e := range oldest {
			if e.NumberedMS > ms(before) {
				break
			}
			last = e.Seq
		}
		if last == 0 {
			return nil
		}
		if err := db.forgetDeliveries(tx, company, last); err != nil {
			return err
		}
		gone, err := tx.changed(`delete from event where outlet_no = ? and seq <= ?`, company, last)
		n = int(gone)
		return err
	})
	return n, err
}

var (
	_ feed.Store      = (*DB)(nil)
	_ feed.RelayStore = (*DB)(nil)
	_ feed.SweepStore = (*DB)(nil)
)
