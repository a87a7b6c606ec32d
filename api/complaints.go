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
	sort := given(p.Sort)
	if sort != "" && sort != "filed" && sort != "due" {
		checks.Add("/sort", "unknown_order", "must be filed or due")
	}
	page, err := s.complaintPage(ctx, p.Limit, p.Cursor, complaints.Query{
		Status: complaints.Status(given(p.Status)), Category: complaints.Category(given(p.Category)),
		CourierID: given(p.CourierID), DueBefore: moment("/due_before", p.DueBefore, &checks), ByDue: sort == "due",
	}, &checks)
	return ListComplaints200JSONResponse(page), err
}

// ListMyComplaints implements GET /v1/me/complaints.
func (s *Server) ListMyComplaints(ctx context.Context, req ListMyComplaintsRequestObject) (ListMyComplaintsResponseObject, error) {
	page, err := s.complaintPage(ctx, req.Params.Limit, req.Params.Cursor, complaints.Query{}, &doorstep.Checks{})
	return ListMyComplaints200JSONResponse(page), err
}

func (s *Server) complaintPage(ctx context.Context, limit, cursor *string, q complaints.Query, checks *doorstep.Checks) (ComplaintPage, error) {
	size, afterMS, afterID, err := pageByTime(limit, cursor)
	checks.Under("", err)
	if err := checks.Err(); err != nil {
		return ComplaintPage{}, err
	}
	q.Limit, q.AfterMS, q.AfterID = size+1, afterMS, afterID
	list, err := s.Desk.Complaints(ctx, actor(ctx), q)
	if err != nil {
		return ComplaintPage{}, err
	}
	list, next := cut(list, size, func(c complaints.Complaint) *string {
		if q.ByDue {
			return cursorByTime(c.Period.Clock(complaints.PromiseClock).Due, c.RowID)
		}
		return cursorByTime(c.FiledAt, c.RowID)
	})
	page := ComplaintPage{Items: make([]Complaint, len(list)), NextCursor: next}
	for i, c := range list {
		page.Items[i] = complaintBody(c, actor(ctx), s.Now())
	}
	return page, nil
}

// complaintBody shows a complaint to a reader. A courier learns what the case is
// about, not the consumer's words nor what else they complained of; what the
// outlet says to itself is for the outlet and headquarters.
func complaintBody(c complaints.Complaint, reader doorstep.Actor, now time.Time) Complaint {
	body := Complaint{
		ID: c.ID, Waybill: string(c.Waybill), Outlet: ComplaintOutlet{ID: c.OutletID, Name: c.OutletName},
		Category: Category(c.Category), Status: ComplaintStatus(c.Status), FiledAt: c.FiledAt, Clocks: clocksBody(c.Period, now),
		RepeatOf: optional(c.RepeatOf), Learned: codes(c.Learned), Text: optional(c.Text), Merged: optional(c.Merged),
		Period: optional(c.Period.No), HandledAt: optional(c.HandledAt), ResolvedAt: optional(c.ResolvedAt),
		PausedSeconds: optional(int64((c.PausedFor + c.Period.PausedBy(now)).Seconds())), Rerouted: optional(c.Rerouted),
	}
	if p := c.Period.Pause; p != nil {
		body.Paused = &ComplaintPause{Reason: PauseReason(p.Reason), Since: p.From, Until: p.Until}
	}
	if c.Routing.Rule != "" {
		body.Routing = &ComplaintRouting{Rule: string(c.Routing.Rule), Events: []RoutingEvent{}}
		for _, e := range c.Routing.Events {
			body.Routing.Events = append(body.Routing.Events, RoutingEvent{Kind: e.Kind, Status: optional(e.Code), At: e.At})
		}
	}
	if len(c.Messages) > 0 {
		list := make([]ComplaintMessage, len(c.Messages))
		for i, m := range c.Messages {
			list[i] = ComplaintMessage{Author: string(m.Author), Text: m.Text, At: m.At}
		}
		body.Messages = &list
	}
	switch reader.Role {
	case doorstep.RoleCourier:
		body.Text, body.RepeatOf, body.Learned, body.Messages = nil, nil, []Tag{}, nil
	case doorstep.RoleManager, doorstep.RoleHQ:
		body.Handler, body.Follows = optional(c.Handler), optional(c.Follows)
		if body.Routing != nil {
			body.Routing.Reason = optional(c.Routing.Reason)
		}
	}
	return body
}

func clocksBody(p complaints.Period, now time.Time) Clocks {
	clock := func(name complaints.ClockName) Clock {
		c := p.Clock(name)
		return Clock{DueAt: c.Due, State: ClockState(c.State(now))}
	}
	return Clocks{Promise: clock(complaints.PromiseClock), Work: clock(complaints.WorkClock), Legal: clock(complaints.LegalClock)}
}
