package api

import (
	"context"
	"strconv"

	"doorstep"
	"doorstep/i18n"
	"doorstep/privacy"
)

// GetPrivacyNotice implements GET /v1/privacy/notice.
func (s *Server) GetPrivacyNotice(ctx context.Context, req GetPrivacyNoticeRequestObject) (GetPrivacyNoticeResponseObject, error) {
	texts := i18n.For(given(req.Params.Lang), requestFrom(ctx).acceptLanguage)
	notice := PrivacyNotice{Language: texts.Language.String(), Classes: make([]PrivacyClass, len(privacy.Rules))}
	for i, r := range privacy.Rules {
		notice.Classes[i] = PrivacyClass{
			Class: string(r.Class), Data: texts.Text("privacy." + string(r.Class) + ".data"), Purpose: texts.Text("privacy." + string(r.Class) + ".purpose"),
			Ground: string(r.Ground), GroundText: texts.Text("privacy.ground." + string(r.Ground)),
			KeepDays: optional(r.Days()), KeepText: texts.Fill("privacy.keep."+string(r.From), "days", strconv.Itoa(r.Days())),
		}
	}
	for _, right := range privacy.Rights {
		notice.Rights = append(notice.Rights, texts.Text("privacy.right."+right))
	}
	return GetPrivacyNotice200JSONResponse(notice), nil
}

// DeleteMe implements DELETE /v1/me.
func (s *Server) DeleteMe(ctx context.Context, _ DeleteMeRequestObject) (DeleteMeResponseObject, error) {
	return DeleteMe204Response{}, s.Eraser.Erase(ctx, actor(ctx))
}

// GetMyErasure implements GET /v1/me/erasure.
func (s *Server) GetMyErasure(ctx context.Context, _ GetMyErasureRequestObject) (GetMyErasureResponseObject, error) {
	r, err := s.Eraser.Request(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	body := ErasureState{State: "waiting", AskedAt: r.AskedAt, ErasedAt: optional(r.ErasedAt), Waiting: make([]WaitingParcel, len(r.Waiting))}
	if !r.ErasedAt.IsZero() {
		body.State = "erased"
	}
	for i, w := range r.Waiting {
		body.Waiting[i] = WaitingParcel{Waybill: string(w.Waybill), Because: string(w.Because)}
		if w.Because == privacy.HeldTurn {
			body.Waiting[i].Because = "turn"
		}
	}
	return GetMyErasure200JSONResponse(body), nil
}

// CreateHold implements POST /v1/holds.
func (s *Server) CreateHold(ctx context.Context, req CreateHoldRequestObject) (CreateHoldResponseObject, error) {
	h, err := s.Keeper.Hold(ctx, actor(ctx), req.Body.Waybill, req.Body.Reason)
	return CreateHold201JSONResponse(holdBody(h)), err
}

// ListHolds implements GET /v1/holds.
func (s *Server) ListHolds(ctx context.Context, req ListHoldsRequestObject) (ListHoldsResponseObject, error) {
	var checks doorstep.Checks
	q := privacy.HoldQuery{Waybill: waybillFilter(req.Params.Waybill, &checks)}
	size, beforeMS, beforeID, err := pageByTime(req.Params.Limit, req.Params.Cursor)
	checks.Under("", err)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	q.Limit, q.BeforeMS, q.BeforeID = size+1, beforeMS, beforeID
	list, err := s.Keeper.Holds(ctx, actor(ctx), q)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(h privacy.Hold) *string { return cursorByTime(h.SetAt, h.ID) })
	return ListHolds200JSONResponse{Items: each(list, holdBody), NextCursor: next}, nil
}

// ReleaseHold implements DELETE /v1/holds/{id}.
func (s *Server) ReleaseHold(ctx context.Context, req ReleaseHoldRequestObject) (ReleaseHoldResponseObject, error) {
	return ReleaseHold204Response{}, s.Keeper.Release(ctx, actor(ctx), req.ID)
}

func holdBody(h privacy.Hold) Hold {
	return Hold{
		ID: h.ID, OutletID: h.OutletID, Waybill: string(h.Waybill), Reason: h.Reason, SetBy: h.SetBy, SetAt: h.SetAt,
		ReleasedBy: optional(h.ReleasedBy), ReleasedAt: optional(h.ReleasedAt),
	}
}

// ListAccesses implements GET /v1/access-log.
func (s *Server) ListAccesses(ctx context.Context, req ListAccessesRequestObject) (ListAccessesResponseObject, error) {
	var checks doorstep.Checks
	p := req.Params
	q := privacy.AccessQuery{
		Waybill: waybillFilter(p.Waybill, &checks), ComplaintID: given(p.ComplaintID),
		From: moment("/from", p.From, &checks), To: moment("/to", p.To, &checks),
	}
	size, beforeMS, beforeID, err := pageByTime(p.Limit, p.Cursor)
	checks.Under("", err)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	q.Limit, q.BeforeMS, q.BeforeID = size+1, beforeMS, beforeID
	list, err := s.Accesses.List(ctx, actor(ctx), q)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(a privacy.Access) *string { return cursorByTime(a.At, a.ID) })
	return ListAccesses200JSONResponse{Items: each(list, accessBody), NextCursor: next}, nil
}

func accessBody(a privacy.Access) Access {
	body := Access{
		ID: a.ID, OutletID: a.OutletID, Opened: optional(string(a.Opened)), Role: optional(string(a.Role)), By: optional(a.By),
		ComplaintID: optional(a.ComplaintID), Waybill: optional(string(a.Waybill)), At: a.At, Erased: a.Erased,
	}
	if len(a.Waybills) > 0 {
		waybills := each(a.Waybills, func(w doorstep.Waybill) string { return string(w) })
		body.Waybills = &waybills
	}
	return body
}

// waybillFilter reads a waybill from the query.
func waybillFilter(text *string, checks *doorstep.Checks) doorstep.Waybill {
	if text == nil {
		return ""
	}
	w, err := doorstep.ParseWaybill(*text)
	checks.Under("/waybill", err)
	return w
}

// each turns a list into bodies.
func each[T, B any](list []T, body func(T) B) []B {
	bodies := make([]B, len(list))
	for i, one := range list {
		bodies[i] = body(one)
	}
	return bodies
}
