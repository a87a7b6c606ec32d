package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"doorstep"
	"doorstep/complaints"
)

// addNotices tells people of a complaint's clock.
func (db *DB) addNotices(tx *Tx, c complaints.Complaint, notices []complaints.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	rows := make([][]any, len(notices))
	for i, n := range notices {
		rows[i] = []any{
			c.Outlet, c.ID, n.Period, string(n.Clock), n.Percent, string(n.To), db.newID(c.Outlet), c.Company, nullIf(c.CourierNo, 0), ms(n.DueAt), ms(n.At),
		}
	}
	return tx.insert(`insert into notice (outlet_no, complaint_id, period_no, clock, percent, audience, id, company_no, courier_no, due_at_ms, at_ms)`, "", rows)
}

// outletAudiences are those who read at the outlet.
var outletAudiences = []complaints.Audience{complaints.ToHandler, complaints.ToManager, complaints.ToOwner}

// Notices lists what the caller is told: a courier of his own cases, a manager
// what is for the outlet, headquarters what is for it.
func (db *DB) Notices(ctx context.Context, a doorstep.Actor, q complaints.NoticeQuery) ([]complaints.NoticeItem, error) {
	where := newFilter("n.company_no = ?", a.Company)
	audiences := outletAudiences
	switch a.Role {
	case doorstep.RoleCourier:
		courier, err := db.courierNo(ctx, a)
		if err != nil {
			return nil, err
		}
		outlets, err := db.outletsOf(ctx, courier)
		if err != nil {
			return nil, fmt.Errorf("notices: outlets: %w", err)
		}
		audiences = []complaints.Audience{complaints.ToCourier}
		where.and("n.outlet_no"+db.inList+" and n.courier_no = ?", db.asList(outlets), courier)
	case doorstep.RoleHQ: // of any outlet of the company, by the index notice_of_company
		audiences = append([]complaints.Audience{complaints.ToHQ}, outletAudiences...)
		q.Audience = cmp.Or(q.Audience, complaints.ToHQ)
	default:
		outlets, err := db.scope(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("notices: outlets: %w", err)
		}
		in := db.ofOutlets("n.outlet_no", outlets)
		where.and(in.text, in.args...)
	}
	switch {
	case q.Audience == "":
		where.and("n.audience"+db.inList, db.asList(audiences))
	case slices.Contains(audiences, q.Audience):
		where.and("n.audience = ?", string(q.Audience))
	default: // not for the caller
		return nil, nil
	}
	if q.BeforeID != "" {
		where.and("(n.at_ms, n.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []struct {
		ID          string
		ComplaintID string         `db:"complaint_id"`
		OutletID    sql.NullString `db:"outlet_id"`
		Period      int            `db:"period_no"`
		Clock       complaints.ClockName
		Percent     int
		Audience    complaints.Audience
		DueMS       int64 `db:"due_at_ms"`
		AtMS        int64 `db:"at_ms"`
	}
	err := db.list(ctx, &rows, `select n.id, n.complaint_id, o.id as outlet_id, n.period_no, n.clock, n.percent, n.audience, n.due_at_ms, n.at_ms
from notice n join outlet o on o.no = n.outlet_no where `+where.text+` order by n.at_ms desc, n.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	items := make([]complaints.NoticeItem, len(rows))
	for i, r := range rows {
		items[i] = complaints.NoticeItem{
			ID: r.ID, ComplaintID: r.ComplaintID, OutletID: r.OutletID.String,
			Notice: complaints.Notice{To: r.Audience, Period: r.Period, Clock: r.Clock, Percent: r.Percent, DueAt: fromMS(r.DueMS), At: fromMS(r.AtMS)},
		}
	}
	return items, nil
}
