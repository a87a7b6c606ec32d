package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/vault"
)

// openStatuses must read as in the index complaint_open, owingStatuses as in
// complaint_queue. The stub of a complaint that was rerouted has neither.
const (
	openStatuses  = `status in ('filed', 'in_progress', 'answered', 'disputed', 'reopened')`
	owingStatuses = `status in ('filed', 'in_progress', 'disputed', 'reopened')`
	movedStatus   = "moved"
)

// complaintPlace is where a sealed value that belongs to a complaint is kept.
func complaintPlace(table string, outlet doorstep.OutletNo, id string) vault.Place {
	return vault.Place{Table: table, Column: "body", Row: fmt.Sprintf("%d|%s", outlet, id)}
}

type complaintRow struct {
	Outlet     doorstep.OutletNo  `db:"outlet_no"`
	OutletID   string             `db:"outlet_id"`
	OutletName string             `db:"outlet_name"`
	Zone       string             `db:"time_zone"`
	Hours      string             `db:"hours"`
	ID         string             `db:"id"`
	KnownAs    string             `db:"known_as"`
	MovedTo    string             `db:"moved_to"`
	Company    doorstep.CompanyNo `db:"company_no"`
	Waybill    doorstep.Waybill
	Consumer   doorstep.ConsumerID `db:"consumer_id"`
	CourierNo  sql.NullInt64       `db:"courier_no"`
	CourierID  sql.NullString      `db:"courier_id"`
	Category   complaints.Category
	Status     complaints.Status
	Body       []byte
	Learned    string
	Channel    string
	FiledMS    int64  `db:"filed_at_ms"`
	ReceivedMS int64  `db:"received_at_ms"`
	RepeatOf   string `db:"repeat_of"`
	Follows    string
	Routing    string
	Rerouted   bool
	Handler    string
	Period     string
	HandledMS  sql.NullInt64 `db:"handled_at_ms"`
	ReopenedMS sql.NullInt64 `db:"reopened_at_ms"`
	ResolvedMS sql.NullInt64 `db:"closed_at_ms"`
	PausedMS   int64         `db:"paused_ms"`
	Sequence   int64
}

const selectComplaint = `select k.outlet_no, o.id as outlet_id, o.name as outlet_name, o.time_zone, o.hours, k.id, k.known_as, k.moved_to,
  k.company_no, k.waybill, k.consumer_id, k.courier_no, c.id as courier_id, k.category, k.status, k.body, k.learned, k.channel,
  k.filed_at_ms, k.received_at_ms, k.repeat_of, k.follows, k.routing, k.rerouted, k.handler, k.period, k.handled_at_ms,
  k.reopened_at_ms, k.closed_at_ms, k.paused_ms, k.sequence
from complaint k join outlet o on o.no = k.outlet_no left join courier c on c.no = k.courier_no`

func (r complaintRow) complaint() (c complaints.Complaint, err error) {
	c = complaints.Complaint{
		ID: cmp.Or(r.KnownAs, r.ID), RowID: r.ID, Company: r.Company, Outlet: r.Outlet, OutletID: r.OutletID, OutletName: r.OutletName,
		OutletZone: r.Zone, Waybill: r.Waybill, Consumer: r.Consumer, CourierNo: r.CourierNo.Int64, CourierID: r.CourierID.String,
		Category: r.Category, Status: r.Status, Learned: splitTags(r.Learned), Channel: r.Channel, FiledAt: fromMS(r.FiledMS),
		ReceivedAt: fromMS(r.ReceivedMS), RepeatOf: r.RepeatOf, Follows: r.Follows, Rerouted: r.Rerouted, Handler: r.Handler,
		HandledAt: fromNullMS(r.HandledMS), ReopenedAt: fromNullMS(r.ReopenedMS), ResolvedAt: fromNullMS(r.ResolvedMS),
		PausedFor: time.Duration(r.PausedMS) * time.Millisecond, Sequence: r.Sequence,
	}
	if err := json.Unmarshal([]byte(r.Hours), &c.Hours); err != nil {
		return c, fmt.Errorf("complaint %s: hours: %w", r.ID, err)
	}
	if r.Period == "" { // filed before periods were kept
		c.Period = complaints.FirstPeriod(c.FiledAt, c.OutletZone, c.Hours)
		return c, nil
	}
	if err := json.Unmarshal([]byte(r.Period), &c.Period); err != nil {
		return c, fmt.Errorf("complaint %s: period: %w", r.ID, err)
	}
	c.PausedFor -= c.Period.PausedFor // the column has both
	if err := json.Unmarshal([]byte(r.Routing), &c.Routing); err != nil {
		return c, fmt.Errorf("complaint %s: routing: %w", r.ID, err)
	}
	return c, nil
}

// messagesOf opens what consumer and outlet said after the filing, oldest first.
func (db *DB) messagesOf(row complaintRow, list lister) ([]complaints.Message, error) {
	var rows []struct {
		ID     string
		Author string
		Body   []byte
		AtMS   int64 `db:"at_ms"`
	}
	err := list(&rows, `select id, author, body, at_ms from complaint_message where outlet_no = ? and complaint_id = ? and body is not null order by at_ms, id`, row.Outlet, row.ID)
	if err != nil {
		return nil, fmt.Errorf("complaint's messages: %w", err)
	}
	messages := make([]complaints.Message, len(rows))
	for i, m := range rows {
		plain, err := db.vault.Open(m.Body, complaintPlace("complaint_message", row.Outlet, m.ID))
		if err != nil {
			return nil, err
		}
		author := complaints.FromConsumer
		if m.Author == string(complaints.FromOutlet) {
			author = complaints.FromOutlet
		}
		messages[i] = complaints.Message{ID: m.ID, Author: author, Text: string(plain), At: fromMS(m.AtMS)}
	}
	return messages, nil
}

// filedText opens what was said when the complaint was filed.
func (db *DB) filedText(row complaintRow) (string, error) {
	text, err := db.vault.Open(row.Body, complaintPlace("complaint", row.Outlet, row.ID))
	return string(text), err
}

// said opens everything the consumer said, and what both sides wrote after the
// filing, oldest first.
func (db *DB) said(row complaintRow, list lister) (words []string, messages []complaints.Message, err error) {
	if row.Body == nil { // erased
		return nil, nil, nil
	}
	first, err := db.filedText(row)
	if err != nil {
		return nil, nil, err
	}
	if messages, err = db.messagesOf(row, list); err != nil {
		return nil, nil, err
	}
	words = []string{first}
	for _, m := range messages {
		if m.Author == complaints.FromConsumer {
			words = append(words, m.Text)
		}
	}
	return words, messages, nil
}

// Complaint reads one that the caller may see.
func (db *DB) Complaint(ctx context.Context, a doorstep.Actor, id string) (complaints.Complaint, error) {
	row, err := db.findComplaint(db.getter(ctx), a, id, "")
	if err != nil {
		return complaints.Complaint{}, err
	}
	c, err := row.complaint()
	if err != nil {
		return c, err
	}
	said, messages, err := db.said(row, db.lister(ctx))
	c.Text, c.Messages = strings.Join(said, "\n"), messages
	return c, err
}

// findComplaint reads the row of a complaint that the caller may see, also where
// the id is of the stub that a rerouted one left behind.
func (db *DB) findComplaint(get getter, a doorstep.Actor, id, lock string) (row complaintRow, err error) {
	at := id
	for range 2 {
		outlet, ok := doorstep.OutletOf(at)
		if !ok {
			break
		}
		where := newFilter("k.outlet_no = ? and k.id = ? and k.company_no = ?", outlet, at, a.Company)
		if err := get(&row, selectComplaint+` where `+where.text+lock, where.args...); err != nil {
			return row, notThere(err, "complaint", id)
		}
		if row.MovedTo == "" {
			if !row.isSeenBy(a) {
				break
			}
			return row, nil
		}
		at = row.MovedTo
	}
	return row, doorstep.NotFound("complaint", id)
}

// isSeenBy says of a complaint of the caller's company whether the caller may see it; within says
// the same to the database.
func (r complaintRow) isSeenBy(a doorstep.Actor) bool {
	switch a.Role {
	case doorstep.RoleConsumer:
		return r.Consumer == a.Consumer && (a.Waybill == "" || r.Waybill == a.Waybill)
	case doorstep.RoleManager:
		return r.OutletID == a.Outlet
	case doorstep.RoleCourier:
		return r.CourierID.String == a.Courier && a.Courier != ""
	}
	return true
}

// within narrows a query on complaints to what the caller may see.
func (db *DB) within(where *filter, a doorstep.Actor) {
	where.and("k.company_no = ?", a.Company)
	switch a.Role {
	case doorstep.RoleConsumer:
		where.and("k.consumer_id = ?", a.Consumer)
		if a.Waybill != "" {
			where.and("k.waybill = ?", a.Waybill)
		}
	case doorstep.RoleManager:
		where.and("o.id = ?", a.Outlet)
	case doorstep.RoleCourier:
		where.and("c.id = ?", a.Courier)
	}
}

// Complaints lists those that the caller may see, the newest first, each with
// what was said when it was filed.
func (db *DB) Complaints(ctx context.Context, a doorstep.Actor, q complaints.Query) ([]complaints.Complaint, error) {
	where := newFilter("k.status <> '" + movedStatus + "'")
	if a.Role == doorstep.RoleManager || a.Role == doorstep.RoleHQ {
		seen := a
		if a.Role == doorstep.RoleHQ && q.OutletID != "" {
			seen.Role, seen.Outlet = doorstep.RoleManager, q.OutletID
		}
		outlets, err := db.scope(ctx, seen)
		if err != nil {
			return nil, err
		}
		in := db.ofOutlets("k.outlet_no", outlets)
		where.and(in.text, in.args...)
	}
	if err := db.countedAs(ctx, where, a, q.Counted); err != nil {
		return nil, err
	}
	db.within(where, a)
	if q.Status != "" {
		where.and("k.status = ?", q.Status)
	}
	if q.Category != "" {
		where.and("k.category = ?", q.Category)
	}
	if q.CourierID != "" {
		where.and("c.id = ?", q.CourierID)
	}
	if q.OutletID != "" {
		where.and("o.id = ?", q.OutletID)
	}
	if !q.DueBefore.IsZero() {
		where.and("k."+owingStatuses+" and k.promise_due_at_ms < ?", ms(q.DueBefore))
	}
	order := "k.filed_at_ms desc, k.id desc"
	if q.ByDue {
		order = "k.promise_due_at_ms, k.id"
		where.and("k." + owingStatuses)
	}
	if q.AfterID != "" && q.ByDue {
		where.and("(k.promise_due_at_ms, k.id) > (?, ?)", q.AfterMS, q.AfterID)
	} else if q.AfterID != "" {
		where.and("(k.filed_at_ms, k.id) < (?, ?)", q.AfterMS, q.AfterID)
	}
	var rows []complaintRow
	err := db.list(ctx, &rows, selectComplaint+` where `+where.text+` order by `+order+` limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	list := make([]complaints.Complaint, len(rows))
	for i, r := range rows {
		if list[i], err = r.complaint(); err != nil {
			return nil, err
		}
		if r.Body == nil { // erased
			continue
		}
		if list[i].Text, err = db.filedText(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var _ complaints.Store = (*DB)(nil)
