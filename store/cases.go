package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/feed"
)

// complaintColumns is a complaint's row as it is added.
func (db *DB) complaintColumns(c complaints.Complaint) (map[string]any, error) {
	body, err := db.vault.Seal([]byte(c.Text), complaintPlace("complaint", c.Outlet, c.RowID))
	if err != nil {
		return nil, err
	}
	row, err := changingColumns(c)
	if err != nil {
		return nil, err
	}
	known := c.ID
	if known == c.RowID {
		known = ""
	}
	maps.Copy(row, map[string]any{
		"outlet_no": c.Outlet, "id": c.RowID, "known_as": known, "company_no": c.Company, "waybill": c.Waybill,
		"consumer_id": c.Consumer, "body": body, "channel": c.Channel, "filed_at_ms": ms(c.FiledAt), "received_at_ms": ms(c.ReceivedAt),
		"repeat_of": c.RepeatOf, "follows": c.Follows,
	})
	return row, nil
}

// changingColumns are those that a change may write anew.
func changingColumns(c complaints.Complaint) (map[string]any, error) {
	period, err := json.Marshal(c.Period)
	if err != nil {
		return nil, err
	}
	routing, err := json.Marshal(c.Routing)
	if err != nil {
		return nil, err
	}
	due := func(name complaints.ClockName) int64 { return ms(c.Period.Clock(name).Due) }
	return map[string]any{
		"courier_no": nullIf(c.CourierNo, 0), "category": c.Category, "status": c.Status, "learned": joinTags(c.Learned),
		"routing": string(routing), "rerouted": asInt(c.Rerouted), "handler": c.Handler, "period": string(period),
		"promise_due_at_ms": due(complaints.PromiseClock), "work_due_at_ms": due(complaints.WorkClock), "legal_due_at_ms": due(complaints.LegalClock),
		"handled_at_ms": msOrNull(c.HandledAt), "reopened_at_ms": msOrNull(c.ReopenedAt), "closed_at_ms": msOrNull(c.ResolvedAt),
		"paused_ms": (c.PausedFor + c.Period.PausedFor).Milliseconds(), "alarm_at_ms": msOrNull(c.AlarmAt()), "sequence": c.Sequence,
	}, nil
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func addComplaint(tx *Tx, row map[string]any) error {
	names := slices.Sorted(maps.Keys(row))
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = row[name]
	}
	return tx.insert(`insert into complaint (`+strings.Join(names, ", ")+`)`, "", [][]any{values})
}

// lockComplaint reads a row that is changed next.
func (db *DB) lockComplaint(tx *Tx, key complaintKey) (row complaintRow, err error) {
	err = tx.get(&row, selectComplaint+` where k.outlet_no = ? and k.id = ?`+db.forUpdateOf("k"), key.Outlet, key.ID)
	if err != nil {
		return row, fmt.Errorf("complaint %s: %w", key.ID, err)
	}
	return row, nil
}

// Change has change decide on a complaint and keeps what becomes of it.
func (db *DB) Change(ctx context.Context, a doorstep.Actor, id string, change func(*complaints.Complaint) (complaints.Outcome, error)) (complaints.Complaint, error) {
	err := db.inTx(ctx, func(tx *Tx) error {
		row, err := db.findComplaint(tx.get, a, id, db.forUpdateOf("k"))
		if err != nil {
			return err
		}
		c, err := row.complaint()
		if err != nil {
			return err
		}
		out, err := change(&c)
		if err != nil {
			return err
		}
		return db.keepChange(tx, &c, out)
	})
	if err != nil {
		return complaints.Complaint{}, openTwice(err)
	}
	return db.Complaint(ctx, a, id)
}

// openTwice says what the index on open complaints refused.
func openTwice(err error) error {
	var lite sqlite3.Error
	var pg *pgconn.PgError
	if errors.As(err, &lite) && lite.ExtendedCode == sqlite3.ErrConstraintUnique && strings.HasSuffix(lite.Error(), "complaint.waybill, complaint.category") ||
		errors.As(err, &pg) && pg.ConstraintName == "complaint_open" {
		return &doorstep.ConflictError{Code: "open_already", Detail: "a complaint about this parcel and category is open there already"}
	}
	return err
}

// keepChange writes a complaint that was changed, and all that the change leaves
// beside it.
func (db *DB) keepChange(tx *Tx, c *complaints.Complaint, out complaints.Outcome) error {
	c.Sequence++
	row, err := changingColumns(*c)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(row))
	values := make([]any, 0, len(names)+2)
	for _, name := range names {
		values = append(values, row[name])
	}
	values = append(values, c.Outlet, c.RowID)
	if err := tx.exec(`update complaint set `+strings.Join(names, " = ?, ")+` = ? where outlet_no = ? and id = ?`, values...); err != nil {
		return err
	}
	if out.Event != feed.ComplaintWarned && out.Event != feed.ComplaintBreached { // no figure counts those
		if err := db.markComplaint(tx, *c); err != nil {
			return err
		}
	}
	return db.keepOutcome(tx, *c, out)
}

func (db *DB) keepOutcome(tx *Tx, c complaints.Complaint, out complaints.Outcome) error {
	if m := out.Message; m != nil {
		if err := db.addWords(tx, "complaint_message", c, m.ID, string(m.Author), m.Text, m.At); err != nil {
			return err
		}
	}
	if n := out.Note; n != nil {
		if err := db.addWords(tx, "complaint_note", c, n.ID, n.By, n.Text, n.At); err != nil {
			return err
		}
	}
	if out.Ended != nil {
		body, err := json.Marshal(out.Ended)
		if err != nil {
			return err
		}
		err = tx.exec(`insert into complaint_period (outlet_no, complaint_id, no, body) values (?, ?, ?, ?)`, c.Outlet, c.RowID, out.Ended.No, string(body))
		if err != nil {
			return err
		}
	}
	if err := db.addNotices(tx, c, out.Notices); err != nil {
		return err
	}
	if out.Fact != nil {
		facts, err := db.sealFacts([]evidence.Fact{*out.Fact})
		if err != nil {
			return err
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
	}
	return db.report(tx, c, out.Event, out.Notices)
}

// addWords keeps what somebody wrote, sealed.
func (db *DB) addWords(tx *Tx, table string, c complaints.Complaint, id, author, text string, at time.Time) error {
	body, err := db.vault.Seal([]byte(text), complaintPlace(table, c.Outlet, id))
	if err != nil {
		return err
	}
	return tx.exec(`insert into `+table+` (outlet_no, complaint_id, id, author, body, at_ms) values (?, ?, ?, ?, ?, ?)`,
		c.Outlet, c.RowID, id, author, body, ms(at))
}

// report puts the complaint into the company's feed.
func (db *DB) report(tx *Tx, c complaints.Complaint, event feed.Type, notices []complaints.Notice) error {
	object, err := c.Snapshot(notices)
	if err != nil {
		return err
	}
	return db.publish(tx, c.Outlet, outgoing{
		id: db.newID(c.Outlet), company: c.Company, kind: event, object: object, sequence: c.Sequence, at: db.now(),
	})
}

// Reroute moves a complaint to another outlet.
func (db *DB) Reroute(ctx context.Context, a doorstep.Actor, id, outletID string,
	change func(*complaints.Complaint, doorstep.OutletNo) (complaints.Outcome, error)) (complaints.Complaint, error) {
	err := db.inTx(ctx, func(tx *Tx) error {
		row, err := db.findComplaint(tx.get, a, id, db.forUpdateOf("k"))
		if err != nil {
			return err
		}
		var to doorstep.OutletNo
		err = tx.get(&to, `select no from outlet where company_no = ? and id = ?`, a.Company, outletID)
		if errors.Is(err, sql.ErrNoRows) {
			return &doorstep.InvalidError{Fields: []doorstep.FieldError{{Pointer: "/to", Code: "unknown_outlet", Detail: "is not an outlet of the company"}}}
		}
		if err != nil {
			return err
		}
		c, err := row.complaint()
		if err != nil {
			return err
		}
		out, err := change(&c, to)
		if err != nil {
			return err
		}
		if c.Text, err = db.filedText(row); err != nil {
			return err
		}
		messages, err := db.messagesOf(row, tx.list)
		if err != nil {
			return err
		}
		err = tx.exec(`update complaint set status = ?, moved_to = ?, alarm_at_ms = null where outlet_no = ? and id = ?`, movedStatus, c.RowID, row.Outlet, row.ID)
		if err != nil {
			return err
		}
		c.Sequence++
		columns, err := db.complaintColumns(c)
		if err != nil {
			return err
		}
		if err := addComplaint(tx, columns); err != nil {
			return err
		}
		if err := db.markComplaint(tx, c); err != nil {
			return err
		}
		for _, m := range messages {
			if err := db.addWords(tx, "complaint_message", c, m.ID, string(m.Author), m.Text, m.At); err != nil {
				return err
			}
		}
		c.OutletID = outletID
		return db.keepOutcome(tx, c, out)
	})
	if err != nil {
		return complaints.Complaint{}, openTwice(err)
	}
	a.Role = doorstep.RoleHQ // the outlet that let it go sees where it went, this once
	return db.Complaint(ctx, a, id)
}

// ComplaintNotes lists the outlet's notes on a complaint.
func (db *DB) ComplaintNotes(ctx context.Context, a doorstep.Actor, id string) ([]complaints.Note, error) {
	row, err := db.findComplaint(db.getter(ctx), a, id, "")
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID     string
		Author string
		Body   []byte
		AtMS   int64 `db:"at_ms"`
	}
	err = db.list(ctx, &rows, `select id, author, body, at_ms from complaint_note where outlet_no = ? and complaint_id = ? and body is not null order by at_ms, id`, row.Outlet, row.ID)
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	notes := make([]complaints.Note, len(rows))
	for i, n := range rows {
		text, err := db.vault.Open(n.Body, complaintPlace("complaint_note", row.Outlet, n.ID))
		if err != nil {
			return nil, err
		}
		notes[i] = complaints.Note{ID: n.ID, By: n.Author, Text: string(text), At: fromMS(n.AtMS)}
	}
	return notes, nil
}

// AlarmOutlets lists outlets with a complaint whose alarm is due.
func (db *DB) AlarmOutlets(ctx context.Context, now time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from complaint where alarm_at_ms <= ?
group by outlet_no order by min(alarm_at_ms) limit ?`, ms(now), limit)
	return list, err
}

// RingAlarms has ring decide on an outlet's complaints whose alarm is due.
func (db *DB) RingAlarms(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int, ring func(*complaints.Complaint) (complaints.Outcome, bool)) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		var rows []complaintRow
		err := tx.list(&rows, selectComplaint+` where k.outlet_no = ? and k.alarm_at_ms <= ? order by k.alarm_at_ms limit ?`+db.skipLockedOf("k"), outlet, ms(now), limit)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := row.complaint()
			if err != nil {
				return err
			}
			if out, rang := ring(&c); rang {
				n++
				if err := db.keepChange(tx, &c, out); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}

var _ complaints.WatchStore = (*DB)(nil)
