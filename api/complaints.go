package api

import (
	"context"
	"time"

	"doorstep"
	"doorstep/complaints"
)

// FileComplaint implements POST /v1/complaints.
func (s *Server) FileComplaint(ctx context.Context, req FileComplaintRequestObject) (FileComplaintResponseObject, error) {
	filing := complaints.Filing{
		Waybill: req.Body.Waybill, Text: req.Body.Text, Category: given(req.Body.Category), Channel: given(req.Body.Channel),
	}
	if r := req.Body.Reporter; r != nil {
		filing.Reporter = &complaints.Reporter{Name: given(r.Name), Phone: given(r.Phone)}
	}
	c, err := s.Desk.File(ctx, actor(ctx), filing)
	if err != nil {
		return nil, err
	}
	body := complaintBody(c, actor(ctx), s.Now())
	if c.Merged {
		return FileComplaint200JSONResponse(body), nil
	}
	return FileComplaint201JSONResponse{Body: body, Headers: FileComplaint201ResponseHeaders{Location: "/v1/complaints/" + c.ID}}, nil
}

// GetComplaint implements GET /v1/complaints/{id}.
func (s *Server) GetComplaint(ctx context.Context, req GetComplaintRequestObject) (GetComplaintResponseObject, error) {
	c, err := s.Desk.Complaint(ctx, actor(ctx), req.ID)
	return GetComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// ListComplaints implements GET /v1/complaints.
func (s *Server) ListComplaints(ctx context.Context, req ListComplaintsRequestObject) (ListComplaintsResponseObject, error) {
	var checks doorstep.Checks
	p := req.Params
	page, err := s.complaintPage(ctx, p.Limit, p.Cursor, complaints.Query{
		Status: complaints.Status(given(p.Status)), Category: complaints.Category(given(p.Category)),
		CourierID: given(p.CourierID), DueBefore: moment("/due_before", p.DueBefore, &checks),
	}, &checks)
	return ListComplaints200JSONResponse(page), err
}

// ListMyComplaints implements GET /v1/me/complaints.
func (s *Server) ListMyComplaints(ctx context.Context, req ListMyComplaintsRequestObject) (ListMyComplaintsResponseObject, error) {
	page, err := s.complaintPage(ctx, req.Params.Limit, req.Params.Cursor, complaints.Query{}, &doorstep.Checks{})
	return ListMyComplaints200JSONResponse(page), err
}

func (s *Server) complaintPage(ctx context.Context, limit, cursor *string, q complaints.Query, checks *doorstep.Checks) (ComplaintPage, error) {
	size, beforeMS, beforeID, err := pageByTime(limit, cursor)
	checks.Under("", err)
	if err := checks.Err(); err != nil {
		return ComplaintPage{}, err
	}
	q.Limit, q.BeforeMS, q.BeforeID = size+1, beforeMS, beforeID
	list, err := s.Desk.Complaints(ctx, actor(ctx), q)
	if err != nil {
		return ComplaintPage{}, err
	}
	list, next := cut(list, size, func(c complaints.Complaint) *string { return cursorByTime(c.FiledAt, c.ID) })
	page := ComplaintPage{Items: make([]Complaint, len(list)), NextCursor: next}
	for i, c := range list {
		page.Items[i] = complaintBody(c, actor(ctx), s.Now())
	}
	return page, nil
}

// complaintBody shows a complaint to a reader. A courier learns what the case
// is about, not the consumer's words.
func complaintBody(c complaints.Complaint, reader doorstep.Actor, now time.Time) Complaint {
	body := Complaint{
		ID: c.ID, Waybill: string(c.Waybill), Outlet: ComplaintOutlet{ID: c.OutletID, Name: c.OutletName},
		Category: Category(c.Category), Status: ComplaintStatus(c.Status), FiledAt: c.FiledAt,
		Clocks:   Clocks{Promise: clockBody(c.PromiseClock(), now), Legal: clockBody(c.LegalClock(), now)},
		RepeatOf: optional(c.RepeatOf), Learned: codes(c.Learned), Text: optional(c.Text), Merged: optional(c.Merged),
	}
	if reader.Role == doorstep.RoleCourier {
		body.Text, body.RepeatOf, body.Learned = nil, nil, []Tag{}
	}
	return body
}

func clockBody(c complaints.Clock, now time.Time) Clock {
	return Clock{DueAt: c.Due, State: ClockState(c.State(now))}
}
