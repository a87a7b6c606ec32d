package api

import (
	"context"

	"doorstep/complaints"
	"doorstep/i18n"
	"doorstep/parcels"
)

// AddComplaintMessage implements POST /v1/complaints/{id}/messages.
func (s *Server) AddComplaintMessage(ctx context.Context, req AddComplaintMessageRequestObject) (AddComplaintMessageResponseObject, error) {
	c, err := s.Desk.Add(ctx, actor(ctx), req.ID, req.Body.Text)
	return AddComplaintMessage200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// ConfirmComplaint implements POST /v1/complaints/{id}/confirmation.
func (s *Server) ConfirmComplaint(ctx context.Context, req ConfirmComplaintRequestObject) (ConfirmComplaintResponseObject, error) {
	c, err := s.Desk.Confirm(ctx, actor(ctx), req.ID)
	return ConfirmComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// DisputeComplaint implements POST /v1/complaints/{id}/dispute.
func (s *Server) DisputeComplaint(ctx context.Context, req DisputeComplaintRequestObject) (DisputeComplaintResponseObject, error) {
	c, err := s.Desk.Dispute(ctx, actor(ctx), req.ID, given(req.Body.Text))
	return DisputeComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// ReopenComplaint implements POST /v1/complaints/{id}/reopening.
func (s *Server) ReopenComplaint(ctx context.Context, req ReopenComplaintRequestObject) (ReopenComplaintResponseObject, error) {
	c, err := s.Desk.Reopen(ctx, actor(ctx), req.ID, req.Body.Text)
	return ReopenComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// WithdrawComplaint implements POST /v1/complaints/{id}/withdrawal.
func (s *Server) WithdrawComplaint(ctx context.Context, req WithdrawComplaintRequestObject) (WithdrawComplaintResponseObject, error) {
	c, err := s.Desk.Withdraw(ctx, actor(ctx), req.ID)
	return WithdrawComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// AnswerComplaint implements POST /v1/complaints/{id}/answer.
func (s *Server) AnswerComplaint(ctx context.Context, req AnswerComplaintRequestObject) (AnswerComplaintResponseObject, error) {
	c, err := s.Desk.Answer(ctx, actor(ctx), req.ID, req.Body.Text)
	return AnswerComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// PauseComplaint implements POST /v1/complaints/{id}/pause.
func (s *Server) PauseComplaint(ctx context.Context, req PauseComplaintRequestObject) (PauseComplaintResponseObject, error) {
	c, err := s.Desk.Pause(ctx, actor(ctx), req.ID, string(req.Body.Reason), given(req.Body.Note))
	return PauseComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// RerouteComplaint implements POST /v1/complaints/{id}/reroute.
func (s *Server) RerouteComplaint(ctx context.Context, req RerouteComplaintRequestObject) (RerouteComplaintResponseObject, error) {
	c, err := s.Desk.Reroute(ctx, actor(ctx), req.ID, req.Body.To, req.Body.Reason)
	return RerouteComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// RecategoriseComplaint implements POST /v1/complaints/{id}/recategorise.
func (s *Server) RecategoriseComplaint(ctx context.Context, req RecategoriseComplaintRequestObject) (RecategoriseComplaintResponseObject, error) {
	c, err := s.Desk.Recategorise(ctx, actor(ctx), req.ID, string(req.Body.Category), req.Body.Reason)
	return RecategoriseComplaint200JSONResponse(complaintBody(c, actor(ctx), s.Now())), err
}

// AddComplaintNote implements POST /v1/complaints/{id}/notes.
func (s *Server) AddComplaintNote(ctx context.Context, req AddComplaintNoteRequestObject) (AddComplaintNoteResponseObject, error) {
	n, err := s.Desk.AddNote(ctx, actor(ctx), req.ID, req.Body.Text)
	return AddComplaintNote201JSONResponse(noteBody(n)), err
}

// ListComplaintNotes implements GET /v1/complaints/{id}/notes.
func (s *Server) ListComplaintNotes(ctx context.Context, req ListComplaintNotesRequestObject) (ListComplaintNotesResponseObject, error) {
	notes, err := s.Desk.Notes(ctx, actor(ctx), req.ID)
	body := ComplaintNotes{Items: make([]ComplaintNote, len(notes))}
	for i, n := range notes {
		body.Items[i] = noteBody(n)
	}
	return ListComplaintNotes200JSONResponse(body), err
}

func noteBody(n complaints.Note) ComplaintNote {
	return ComplaintNote{ID: n.ID, By: n.By, Text: n.Text, At: n.At}
}

// ListNotices implements GET /v1/notices.
func (s *Server) ListNotices(ctx context.Context, req ListNoticesRequestObject) (ListNoticesResponseObject, error) {
	p := req.Params
	size, beforeMS, beforeID, err := pageByTime(p.Limit, p.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := s.Desk.Notices(ctx, actor(ctx), complaints.NoticeQuery{
		Audience: complaints.Audience(given(p.Audience)), Limit: size + 1, BeforeMS: beforeMS, BeforeID: beforeID,
	})
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(n complaints.NoticeItem) *string { return cursorByTime(n.At, n.ID) })
	page := NoticePage{Items: make([]Notice, len(list)), NextCursor: next}
	for i, n := range list {
		page.Items[i] = Notice{
			ID: n.ID, ComplaintID: n.ComplaintID, OutletID: n.OutletID, Audience: NoticeAudience(n.To), Clock: ClockName(n.Clock),
			Percent: n.Percent, Period: n.Period, DueAt: n.DueAt, At: n.At,
		}
	}
	return ListNotices200JSONResponse(page), nil
}

// ListStatusCodes implements GET /v1/status-codes.
func (s *Server) ListStatusCodes(ctx context.Context, _ ListStatusCodesRequestObject) (ListStatusCodesResponseObject, error) {
	body := StatusCodes{Items: make([]StatusCode, len(parcels.StatusCodes))}
	texts := i18n.For(requestFrom(ctx).acceptLanguage)
	for i, c := range parcels.StatusCodes {
		codes := make(map[string][]string, len(c.Codes))
		for system, list := range c.Codes {
			codes[string(system)] = list
		}
		body.Items[i] = StatusCode{Status: string(c.Status), Name: texts.Text("parcel_status." + string(c.Status)), Codes: codes}
	}
	return ListStatusCodes200JSONResponse(body), nil
}
