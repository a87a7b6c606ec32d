package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/vault"
)

// openStatuses must read as in the index complaint_open.
const openStatuses = `status in ('filed', 'in_progress', 'answered', 'disputed', 'reopened')`

// File keeps a case: complaint, lessons and fact commit together. While a
// complaint about the same parcel and category is open, the text is added to
// it instead.
func (db *DB) File(ctx context.Context, c complaints.Case) (complaints.Complaint, error) {
	comp := c.Complaint
	body, err := db.vault.Seal([]byte(comp.Text), bodyPlace(comp.Outlet, comp.ID))
	if err != nil {
		return complaints.Complaint{}, err
	}
	message, err := db.vault.Seal([]byte(comp.Text), messagePlace(comp.Outlet, c.MessageID))
	if err != nil {
		return complaints.Complaint{}, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		comp = c.Complaint
		if err := tx.exec(touchConsumer, comp.Consumer, comp.Company, ms(comp.ReceivedAt)); err != nil {
			return err
		}
		var learning bool
		if err := tx.get(&learning, `select learning from consumer where consumer_id = ?`, comp.Consumer); err != nil {
			return err
		}
		lessons := c.Lessons
		if !learning {
			lessons = nil
		}
		lessons, err := withoutPaused(tx, comp.Company, lessons)
		if err != nil {
			return err
		}
		for _, e := range lessons {
			if e.Weight > 0 {
				comp.Learned = append(comp.Learned, e.Tag)
			}
		}
		taught := comp.Learned
		if err := findRepeat(tx, &comp); err != nil {
			return err
		}
		n, err := tx.changed(`insert into complaint (outlet_no, id, company_no, waybill, consumer_id, courier_no, category, status, body,
  learned, channel, filed_at_ms, received_at_ms, promise_due_at_ms, legal_due_at_ms, repeat_of)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (outlet_no, waybill, category) where `+openStatuses+` do nothing`,
			comp.Outlet, comp.ID, comp.Company, comp.Waybill, comp.Consumer, nullIf(comp.CourierNo, 0), comp.Category, comp.Status, body,
			joinTags(comp.Learned), comp.Channel, ms(comp.FiledAt), ms(comp.ReceivedAt), ms(comp.PromiseDue), ms(comp.LegalDue), comp.RepeatOf)
		if err != nil {
			return err
		}
		if n == 0 {
			added, err := db.merge(tx, &comp, c, message)
			if err != nil || !added {
				return err
			}
		}
		fact := c.Fact
		fact.ComplaintID = comp.ID // of the one it was merged into, if it was
		facts, err := db.sealFacts([]evidence.Fact{fact})
		if err != nil {
			return err
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		if len(lessons) == 0 {
			return nil
		}
		if err := addLessons(tx, comp, lessons); err != nil {
			return err
		}
		if c.Inquiry != nil {
			inquiry := *c.Inquiry
			inquiry.Taught = taught
			if err := db.ask(tx, inquiry); err != nil {
				return fmt.Errorf("ask: %w", err)
			}
		}
		return db.wishesChanged(tx, comp.Consumer, comp.Waybill, ms(comp.ReceivedAt))
	})
	if err != nil {
		return complaints.Complaint{}, fmt.Errorf("file complaint: %w", err)
	}
	return db.named(ctx, comp)
}

// findRepeat looks for an earlier complaint of the same consumer and category.
func findRepeat(tx *Tx, c *complaints.Complaint) error {
	filed := ms(c.FiledAt)
	err := tx.get(&c.RepeatOf, `select id from complaint where consumer_id = ? and filed_at_ms >= ? and filed_at_ms <= ? and category = ? and id <> ?
order by filed_at_ms desc limit 1`, c.Consumer, filed-complaints.RepeatWindow.Milliseconds(), filed, c.Category, c.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// merge turns the new complaint into an addition to the one that is open. False
// means that the same words were there already and nothing was added.
func (db *DB) merge(tx *Tx, comp *complaints.Complaint, c complaints.Case, message []byte) (added bool, err error) {
	var row complaintRow
	err = tx.get(&row, selectComplaint+` where k.outlet_no = ? and k.waybill = ? and k.category = ? and k.`+openStatuses,
		comp.Outlet, comp.Waybill, comp.Category)
	if err != nil {
		return false, fmt.Errorf("open complaint: %w", err)
	}
	said, err := db.said(row, tx.list)
	if err != nil {
		return false, err
	}
	learned := comp.Learned
	*comp = row.complaint()
	comp.Merged, comp.Text = true, strings.Join(said, "\n")
	if slices.Contains(said, c.Complaint.Text) {
		return false, nil
	}
	for _, tag := range learned {
		if !slices.Contains(comp.Learned, tag) {
			comp.Learned = append(comp.Learned, tag)
		}
	}
	comp.Text += "\n" + c.Complaint.Text
	if err := tx.exec(`update complaint set learned = ? where outlet_no = ? and id = ?`, joinTags(comp.Learned), comp.Outlet, comp.ID); err != nil {
		return false, err
	}
	return true, tx.exec(`insert into complaint_message (outlet_no, complaint_id, id, author, body, at_ms) values (?, ?, ?, ?, ?, ?)`,
		comp.Outlet, comp.ID, c.MessageID, c.Complaint.Channel, message, ms(c.Complaint.ReceivedAt))
}

// addLessons keeps what a complaint taught: each tag once, however often the
// complaint is added to.
func addLessons(tx *Tx, comp complaints.Complaint, lessons []prefs.Evidence) error {
	for i := range lessons {
		lessons[i].SourceID, lessons[i].Waybill = comp.ID, string(comp.Waybill)
	}
	return addEvidence(tx, comp.Consumer, lessons)
}

func bodyPlace(outlet doorstep.OutletNo, id string) vault.Place {
	return vault.Place{Table: "complaint", Column: "body", Row: fmt.Sprintf("%d|%s", outlet, id)}
}

func messagePlace(outlet doorstep.OutletNo, id string) vault.Place {
	return vault.Place{Table: "complaint_message", Column: "body", Row: fmt.Sprintf("%d|%s", outlet, id)}
}

type complaintRow struct {
	Outlet     doorstep.OutletNo  `db:"outlet_no"`
	OutletID   string             `db:"outlet_id"`
	OutletName string             `db:"outlet_name"`
	ID         string             `db:"id"`
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
	PromiseMS  int64  `db:"promise_due_at_ms"`
	LegalMS    int64  `db:"legal_due_at_ms"`
	RepeatOf   string `db:"repeat_of"`
}

const selectComplaint = `select k.outlet_no, o.id as outlet_id, o.name as outlet_name, k.id, k.company_no, k.waybill, k.consumer_id,
  k.courier_no, c.id as courier_id, k.category, k.status, k.body, k.learned, k.channel, k.filed_at_ms, k.received_at_ms,
  k.promise_due_at_ms, k.legal_due_at_ms, k.repeat_of
from complaint k join outlet o on o.no = k.outlet_no left join courier c on c.no = k.courier_no`

func (r complaintRow) complaint() complaints.Complaint {
	return complaints.Complaint{
		ID: r.ID, Company: r.Company, Outlet: r.Outlet, OutletID: r.OutletID, OutletName: r.OutletName, Waybill: r.Waybill,
		Consumer: r.Consumer, CourierNo: r.CourierNo.Int64, CourierID: r.CourierID.String, Category: r.Category, Status: r.Status,
		Learned: splitTags(r.Learned), Channel: r.Channel, FiledAt: fromMS(r.FiledMS), ReceivedAt: fromMS(r.ReceivedMS),
		PromiseDue: fromMS(r.PromiseMS), LegalDue: fromMS(r.LegalMS), RepeatOf: r.RepeatOf,
	}
}

// said opens everything the consumer said, oldest first.
func (db *DB) said(row complaintRow, list lister) ([]string, error) {
	if row.Body == nil { // erased
		return nil, nil
	}
	first, err := db.vault.Open(row.Body, bodyPlace(row.Outlet, row.ID))
	if err != nil {
		return nil, err
	}
	said := []string{string(first)}
	var messages []struct {
		ID   string
		Body []byte
	}
	err = list(&messages, `select id, body from complaint_message where outlet_no = ? and complaint_id = ? order by id`, row.Outlet, row.ID)
	if err != nil {
		return nil, fmt.Errorf("complaint's messages: %w", err)
	}
	for _, m := range messages {
		plain, err := db.vault.Open(m.Body, messagePlace(row.Outlet, m.ID))
		if err != nil {
			return nil, err
		}
		said = append(said, string(plain))
	}
	return said, nil
}

// named fills in the outlet's name.
func (db *DB) named(ctx context.Context, c complaints.Complaint) (complaints.Complaint, error) {
	if c.OutletID != "" {
		return c, nil
	}
	var o outletRow
	if err := db.get(ctx, &o, `select `+outletColumns+` from outlet where no = ?`, c.Outlet); err != nil {
		return c, fmt.Errorf("outlet of complaint: %w", err)
	}
	c.OutletID, c.OutletName = o.ID, o.Name
	return c, nil
}

// Complaint reads one that the caller may see.
func (db *DB) Complaint(ctx context.Context, a doorstep.Actor, id string) (complaints.Complaint, error) {
	outlet, ok := doorstep.OutletOf(id)
	if !ok {
		return complaints.Complaint{}, doorstep.NotFound("complaint", id)
	}
	where := newFilter("k.outlet_no = ? and k.id = ?", outlet, id)
	db.within(where, a)
	var row complaintRow
	if err := db.get(ctx, &row, selectComplaint+` where `+where.text, where.args...); err != nil {
		return complaints.Complaint{}, notThere(err, "complaint", id)
	}
	said, err := db.said(row, db.lister(ctx))
	if err != nil {
		return complaints.Complaint{}, err
	}
	c := row.complaint()
	c.Text = strings.Join(said, "\n")
	return c, nil
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
	where := newFilter("1 = 1")
	if a.Role == doorstep.RoleManager || a.Role == doorstep.RoleHQ {
		outlets, err := db.scope(ctx, a)
		if err != nil {
			return nil, err
		}
		where.and("k.outlet_no"+db.inList, db.asList(outlets))
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
	if !q.DueBefore.IsZero() {
		where.and("k.promise_due_at_ms < ?", ms(q.DueBefore))
	}
	if q.BeforeID != "" {
		where.and("(k.filed_at_ms, k.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []complaintRow
	err := db.list(ctx, &rows, selectComplaint+` where `+where.text+` order by k.filed_at_ms desc, k.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	list := make([]complaints.Complaint, len(rows))
	for i, r := range rows {
		list[i] = r.complaint()
		if r.Body == nil { // erased
			continue
		}
		text, err := db.vault.Open(r.Body, bodyPlace(r.Outlet, r.ID))
		if err != nil {
			return nil, err
		}
		list[i].Text = string(text)
	}
	return list, nil
}

var _ complaints.Store = (*DB)(nil)
