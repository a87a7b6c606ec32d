package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
)

// OpenCase finds a complaint whose file the caller may open.
func (db *DB) OpenCase(ctx context.Context, a doorstep.Actor, complaintID string, now time.Time) (c evidence.OpenCase, err error) {
	anybody := a
	if a.Role == doorstep.RoleCourier { // whose case it is stands where it was filed
		anybody.Role = doorstep.RoleHQ
	}
	row, err := db.findComplaint(db.getter(ctx), anybody, complaintID, "")
	if err != nil {
		return c, err
	}
	if err := db.takeCourier(ctx, &row); err != nil {
		return c, err
	}
	if a.Role == doorstep.RoleCourier && !row.isSeenBy(a) {
		return c, doorstep.NotFound("complaint", complaintID)
	}
	comp, err := row.complaint()
	if err != nil {
		return c, err
	}
	c = evidence.OpenCase{
		Case: evidence.Case{
			ComplaintID: comp.ID, Waybill: comp.Waybill, Category: string(comp.Category), FiledAt: comp.FiledAt, CourierNo: comp.CourierNo,
		},
		Company: comp.Company, Log: evidence.Log{No: comp.Outlet, Outlet: comp.OutletID}, OutletName: comp.OutletName,
		CourierID: comp.CourierID, Status: string(comp.Status),
	}
	for _, name := range complaints.ClockNames {
		clock := comp.Period.Clock(name)
		c.Clocks = append(c.Clocks, evidence.Clock{Name: string(name), DueAt: clock.Due, State: string(clock.State(now))})
	}
	if c.Log.Company, err = db.CompanyName(ctx, comp.Company); err != nil {
		return c, err
	}
	var others []outletRow
	err = db.list(ctx, &others, `select `+outletColumns+` from outlet where no in (select outlet_no from parcel where company_no = ? and waybill = ?)
and no <> ? order by no`, comp.Company, comp.Waybill, comp.Outlet)
	if err != nil {
		return c, fmt.Errorf("outlets of a parcel: %w", err)
	}
	for _, o := range others {
		c.Elsewhere = append(c.Elsewhere, evidence.Log{No: o.No, Company: c.Log.Company, Outlet: o.ID})
	}
	return c, nil
}

// takeCourier gives a complaint that was rerouted the courier of whom it was filed:
// the outlet that has it now has none.
func (db *DB) takeCourier(ctx context.Context, row *complaintRow) error {
	outlet, ok := doorstep.OutletOf(row.KnownAs)
	if !ok {
		return nil
	}
	var filed complaintRow
	err := db.get(ctx, &filed, selectComplaint+` where k.outlet_no = ? and k.id = ?`, outlet, row.KnownAs)
	row.CourierNo, row.CourierID = filed.CourierNo, filed.CourierID
	return notThere(err, "complaint", row.KnownAs)
}

type caseRow struct {
	Seq         int64
	ID          string
	Kind        evidence.Kind
	ReceivedMS  int64 `db:"received_at_ms"`
	Commitments string
	Body        []byte
	ErasedBy    sql.NullString `db:"erased_by"`
}

func (r caseRow) leaf() evidence.Leaf {
	return evidence.Leaf{ID: r.ID, Kind: r.Kind, ReceivedAt: fromMS(r.ReceivedMS), Commitments: r.Commitments}
}

// CaseRecords lists the records of a parcel that are in an outlet's log below a
// size, in the log's order: those that name it, and those of the pushes that told
// of it, and the erasures that took values of these.
func (db *DB) CaseRecords(ctx context.Context, outlet doorstep.OutletNo, w doorstep.Waybill, size int64, limit int) ([]evidence.CaseRecord, error) {
	ids, err := db.pushRecords(ctx, []int64{int64(outlet)}, w)
	if err != nil {
		return nil, err
	}
	var named []string
	err = db.list(ctx, &named, `select e.id from evidence e join log_leaf l on l.outlet_no = e.outlet_no and l.record_id = e.id
where e.outlet_no = ? and e.waybill = ? and l.seq < ? limit ?`, outlet, w, size, limit)
	if err != nil {
		return nil, fmt.Errorf("records of a parcel: %w", err)
	}
	rows, err := db.caseRows(ctx, outlet, append(ids, named...), size)
	if err != nil {
		return nil, err
	}
	erasures, err := db.caseRows(ctx, outlet, missingErasures(rows), size)
	if err != nil {
		return nil, err
	}
	rows = append(rows, erasures...)
	if len(missingErasures(rows)) > 0 {
		return nil, &doorstep.ConflictError{Code: "erased_since", Detail: "values were erased after this state of the log; ask for a later one"}
	}
	// Sorted here: asked for in the log's order, SQLite reads the log from its beginning.
	slices.SortFunc(rows, func(a, b caseRow) int { return cmp.Compare(a.Seq, b.Seq) })
	list := make([]evidence.CaseRecord, len(rows))
	for i, r := range rows {
		list[i] = evidence.CaseRecord{Index: r.Seq, Leaf: r.leaf(), ErasedBy: r.ErasedBy.String}
		if r.Body == nil { // erased
			continue
		}
		if list[i].Opening, err = db.openValues(outlet, r.ID, r.Body); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// caseRows reads records by their ids, of those in the log below a size.
func (db *DB) caseRows(ctx context.Context, outlet doorstep.OutletNo, ids []string, size int64) (rows []caseRow, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = db.list(ctx, &rows, `select l.seq, e.id, e.kind, e.received_at_ms, e.commitments, v.body, v.erased_by
from evidence e
join log_leaf l on l.outlet_no = e.outlet_no and l.record_id = e.id
left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where e.outlet_no = ? and e.id`+db.inList+` and l.seq < ?`, outlet, db.asList(ids), size)
	if err != nil {
		return nil, fmt.Errorf("records of a case: %w", err)
	}
	return rows, nil
}

// missingErasures lists the erasures that took values of the rows and are not
// among them.
func missingErasures(rows []caseRow) (ids []string) {
	there := make(map[string]bool, len(rows))
	for _, r := range rows {
		there[r.ID] = true
	}
	for _, r := range rows {
		if id := r.ErasedBy.String; id != "" && !there[id] {
			there[id], ids = true, append(ids, id)
		}
	}
	return ids
}

var _ evidence.ClerkStore = (*DB)(nil)
