package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/kpi"
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
		CourierID: given(p.CourierID), OutletID: given(p.OutletID), DueBefore: moment("/due_before", p.DueBefore, &checks), ByDue: sort == "due",
		Counted: s.countedAs(p, &checks),
	}, &checks)
	return ListComplaints200JSONResponse(page), err
}

// countedAs reads the filters by which figures link to their complaints.
func (s *Server) countedAs(p ListComplaintsParams, checks *doorstep.Checks) complaints.CountedAs {
	yes := func(pointer string, given *string) bool {
		if given != nil && *given != "true" && *given != "false" {
			checks.Add(pointer, "invalid_boolean", "must be true or false")
		}
		return given != nil && *given == "true"
	}
	oneOf := func(pointer string, given *string, list ...string) string {
		if given == nil {
			return ""
		}
		if !slices.Contains(list, *given) {
			checks.Add(pointer, "unknown_value", "must be "+strings.Join(list, ", "))
		}
		return *given
	}
	c := complaints.CountedAs{
		Until: moment("/filed_until", p.FiledUntil, checks), Counted: yes("/counted", p.Counted), Paused: yes("/paused", p.Paused),
		Handled: oneOf("/handled", p.Handled, "same_day", "within_24h", "within_7d"),
		Repeat:  oneOf("/repeat", p.Repeat, "true", "any_category", "same_parcel", "same_outlet"),
	}
	if yes("/breached", p.Breached) {
		c.LateAt = s.Now()
	}
	if p.FiledFrom != nil || p.FiledTo != nil || c.Handled == "same_day" {
		span := kpi.ParseSpan("/filed_from", given(p.FiledFrom), "/filed_to", given(p.FiledTo), checks)
		c.FromDay, c.ToDay = span.From, span.To
	}
	return c
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
