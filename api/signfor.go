package api

import (
	"context"

	"doorstep"
	"doorstep/i18n"
	"doorstep/parcels"
)

// SignFor implements POST /v1/parcels/{waybill}/sign-for.
func (s *Server) SignFor(ctx context.Context, req SignForRequestObject) (SignForResponseObject, error) {
	in := req.Body
	got, err := s.Signer.Sign(ctx, actor(ctx), req.Waybill, parcels.SignOrder{
		Method: in.Method, At: in.At, Location: in.Location.order(), PhotoSHA256: given(in.PhotoSha256), Facility: given(in.Facility),
		PickupCodeIssued: given(in.PickupCodeIssued), ClientID: in.ClientID,
	})
	return SignFor200JSONResponse(signForBody(got)), err
}

// OverrideSignFor implements POST /v1/parcels/{waybill}/sign-for/override.
func (s *Server) OverrideSignFor(ctx context.Context, req OverrideSignForRequestObject) (OverrideSignForResponseObject, error) {
	in := req.Body
	got, err := s.Signer.Override(ctx, actor(ctx), req.Waybill, parcels.SignOrder{
		Method: in.Method, At: given(in.At), Location: in.Location.order(), PhotoSHA256: given(in.PhotoSha256), Facility: given(in.Facility),
		PickupCodeIssued: given(in.PickupCodeIssued), ClientID: given(in.ClientID),
	}, in.Reason)
	return OverrideSignFor200JSONResponse(signForBody(got)), err
}

// CorrectSignFor implements POST /v1/parcels/{waybill}/sign-for/correction.
func (s *Server) CorrectSignFor(ctx context.Context, req CorrectSignForRequestObject) (CorrectSignForResponseObject, error) {
	in := req.Body
	got, err := s.Signer.Correct(ctx, actor(ctx), req.Waybill, parcels.SignOrder{
		Method: given(in.Method), At: given(in.At), Location: in.Location.order(), PhotoSHA256: given(in.PhotoSha256), Facility: given(in.Facility),
		PickupCodeIssued: given(in.PickupCodeIssued), ClientID: given(in.ClientID),
	}, in.Reason, given(in.Withdraw))
	return CorrectSignFor200JSONResponse(signForBody(got)), err
}

// CreateAttempt implements POST /v1/parcels/{waybill}/attempts.
func (s *Server) CreateAttempt(ctx context.Context, req CreateAttemptRequestObject) (CreateAttemptResponseObject, error) {
	in := req.Body
	got, h, isNew, err := s.Signer.Attempt(ctx, actor(ctx), req.Waybill, parcels.AttemptOrder{
		Outcome: in.Outcome, Reason: in.Reason, At: in.At, EvidenceIDs: given(in.EvidenceIds), Location: in.Location.order(),
		PhotoSHA256: given(in.PhotoSha256), ClientID: in.ClientID,
	})
	if err != nil {
		return nil, err
	}
	body := AttemptResult{Attempt: attemptBody(got, i18n.For(requestFrom(ctx).acceptLanguage)), Attempts: tallyBody(h.Tally())}
	if isNew {
		return CreateAttempt201JSONResponse(body), nil
	}
	return CreateAttempt200JSONResponse(body), nil
}

// GetParcel implements GET /v1/parcels/{waybill}.
func (s *Server) GetParcel(ctx context.Context, req GetParcelRequestObject) (GetParcelResponseObject, error) {
	reader := actor(ctx)
	c, h, err := s.Signer.Parcel(ctx, reader, req.Waybill)
	if err != nil {
		return nil, err
	}
	texts := i18n.For(requestFrom(ctx).acceptLanguage)
	body := Parcel{
		Waybill: string(c.Waybill), OutletID: c.OutletID, Status: ParcelStatusOut, Attempts: tallyBody(h.Tally()), History: make([]Attempt, len(h.Attempts)),
		Scans: each(h.Sightings, func(s parcels.Sighting) Sighting {
			return Sighting{
				OutletID: s.OutletID, OutletName: optional(s.OutletName), Status: string(s.Status), At: s.At, Text: texts.Text("parcel_status." + string(s.Status)),
			}
		}),
	}
	for i, a := range h.Attempts {
		body.History[i] = attemptBody(a, texts)
	}
	standing, signed := h.Standing()
	switch {
	case signed:
		body.Status = ParcelStatusSigned
		shown := signForBody(standing)
		if reader.Role == doorstep.RoleConsumer {
			shown = toConsumer(shown, standing, texts)
		}
		body.SignFor = &shown
	case h.DispatchedAt.IsZero():
		body.Status = ParcelStatusAnnounced
	case len(h.Attempts) > 0:
		body.Status = ParcelStatusAttempted
	}
	return GetParcel200JSONResponse(body), nil
}

// ListOverrides implements GET /v1/overrides.
func (s *Server) ListOverrides(ctx context.Context, req ListOverridesRequestObject) (ListOverridesResponseObject, error) {
	p := req.Params
	var checks doorstep.Checks
	q := parcels.OverrideQuery{From: moment("/from", p.From, &checks), To: moment("/to", p.To, &checks)}
	size, beforeMS, beforeID, err := pageByTime(p.Limit, p.Cursor)
	checks.Under("", err)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	q.Limit, q.BeforeMS, q.BeforeID = size+1, beforeMS, beforeID
	list, err := s.Signer.Overrides(ctx, actor(ctx), q)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(o parcels.Override) *string { return cursorByTime(o.ReceivedAt, o.ID) })
	page := OverridePage{Items: make([]Override, len(list)), NextCursor: next}
	for i, o := range list {
		page.Items[i] = Override{OutletID: o.OutletID, CourierID: optional(o.CourierID), SignFor: signForBody(o.SignFor)}
	}
	return ListOverrides200JSONResponse(page), nil
}

func (p *PlaceInput) order() *parcels.LocationOrder {
	if p == nil {
		return nil
	}
	return &parcels.LocationOrder{Lat: p.Lat, Lng: p.Lng, AccuracyM: p.AccuracyM}
}

func signForBody(s parcels.SignFor) SignFor {
	body := SignFor{
		ID: s.ID, Waybill: string(s.Waybill), Version: s.Version, Act: SignForAct(s.Act), Method: optional(string(s.Method)), Ground: SignGround(s.Ground),
		ConsentID: optional(s.ConsentID), At: s.At, ReceivedAt: s.ReceivedAt, SkewMs: s.ReceivedAt.Sub(s.At).Milliseconds(), Late: s.Late(),
		Facility: optional(s.Facility), PhotoSha256: optional(s.PhotoSHA256), PickupCodeIssued: optional(s.PickupCodeIssued),
		By: optional(s.By), Reason: optional(s.Reason),
	}
	if l := s.Location; l != nil {
		body.Location = &Place{Lat: l.Lat, Lng: l.Lng, AccuracyM: l.AccuracyM}
	}
	return body
}

// toConsumer leaves out where the courier stood and what a manager wrote, and
// says plainly if nobody had asked.
func toConsumer(body SignFor, s parcels.SignFor, texts i18n.Texts) SignFor {
	body.Location, body.By, body.Reason = nil, nil, nil
	text := texts.Text("signed." + string(s.Method))
	if s.Ground == parcels.ByOverride {
		body.WithoutConsent = optional(true)
		text += " " + texts.Text("signed.without_consent")
	}
	body.Text = &text
	return body
}

func attemptBody(a parcels.Attempt, texts i18n.Texts) Attempt {
	body := Attempt{
		ID: a.ID, No: a.No, Outcome: optional(a.Outcome), Reason: optional(a.Reason), At: a.At, ReceivedAt: a.ReceivedAt, Counts: a.Counts(),
	}
	if a.Reason != "" {
		body.Text = optional(texts.Text("attempt." + a.Reason))
	}
	return body
}

func tallyBody(t parcels.Tally) AttemptTally {
	body := AttemptTally{
		Made: t.Made, Counted: t.Counted, FreeLeft: t.FreeLeft, Chargeable: t.Chargeable(), AllowedNext: make([]AttemptTallyAllowedNext, len(t.Next)),
	}
	for i, way := range t.Next {
		body.AllowedNext[i] = AttemptTallyAllowedNext(way)
	}
	return body
}
