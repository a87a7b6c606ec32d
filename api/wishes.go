package api

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"doorstep"
	"doorstep/i18n"
	"doorstep/prefs"
)

// GetMyTags implements GET /v1/me/tags.
func (s *Server) GetMyTags(ctx context.Context, _ GetMyTagsRequestObject) (GetMyTagsResponseObject, error) {
	tags, learning, err := s.Book.Tags(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	notes, err := s.Book.Notes(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	body := MyTags{Tags: make([]MyTag, len(tags)), LearningEnabled: learning, Notes: []MyNote{}}
	for _, scope := range slices.Sorted(maps.Keys(notes)) {
		body.Notes = append(body.Notes, MyNote{
			Text: notes[scope], Waybill: optional(scope.Waybill()), AddressID: optional(scope.AddressID()),
		})
	}
	for i, t := range tags {
		body.Tags[i] = s.myTagBody(ctx, t)
	}
	return GetMyTags200JSONResponse(body), nil
}

// PutMyPreferences implements PUT /v1/me/preferences.
func (s *Server) PutMyPreferences(ctx context.Context, req PutMyPreferencesRequestObject) (PutMyPreferencesResponseObject, error) {
	in := req.Body
	if in.Tags == nil {
		return nil, &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/tags", Code: "required", Detail: "must be a list; an empty one clears the scope",
		}}}
	}
	// Left out they mean the standing scope; empty they are a mistake, which
	// must not replace it.
	var scope doorstep.Checks
	if in.Waybill != nil && *in.Waybill == "" {
		scope.Add("/waybill", "required", "must not be empty; leave it out to mean every parcel")
	}
	if in.AddressID != nil && *in.AddressID == "" {
		scope.Add("/address_id", "required", "must not be empty; leave it out to mean every address")
	}
	if err := scope.Err(); err != nil {
		return nil, err
	}
	set, err := s.Book.SetPreferences(ctx, actor(ctx), prefs.Preferences{
		Tags: in.Tags, Note: given(in.Note), AddressID: given(in.AddressID), Waybill: given(in.Waybill),
	})
	if err != nil {
		return nil, err
	}
	return PutMyPreferences200JSONResponse{
		Tags: codes(set.Tags), Note: optional(set.Note), SetAt: set.At,
		AddressID: optional(set.Scope.AddressID()), Waybill: optional(set.Scope.Waybill()),
	}, nil
}

// ConfirmMyTag implements POST /v1/me/tags/{tag}/confirmation.
func (s *Server) ConfirmMyTag(ctx context.Context, req ConfirmMyTagRequestObject) (ConfirmMyTagResponseObject, error) {
	t, err := s.Book.Confirm(ctx, actor(ctx), req.Tag)
	return ConfirmMyTag200JSONResponse(s.myTagBody(ctx, t)), err
}

// CorrectMyTag implements POST /v1/me/tags/{tag}/correction.
func (s *Server) CorrectMyTag(ctx context.Context, req CorrectMyTagRequestObject) (CorrectMyTagResponseObject, error) {
	t, err := s.Book.Correct(ctx, actor(ctx), req.Tag, req.Body.Tag)
	return CorrectMyTag200JSONResponse(s.myTagBody(ctx, t)), err
}

// DeleteMyTag implements DELETE /v1/me/tags/{tag}.
func (s *Server) DeleteMyTag(ctx context.Context, req DeleteMyTagRequestObject) (DeleteMyTagResponseObject, error) {
	return DeleteMyTag204Response{}, s.Book.Remove(ctx, actor(ctx), req.Tag)
}

// PutMyLearning implements PUT /v1/me/learning.
func (s *Server) PutMyLearning(ctx context.Context, req PutMyLearningRequestObject) (PutMyLearningResponseObject, error) {
	if req.Body.Enabled == nil {
		return nil, &doorstep.InvalidError{Fields: []doorstep.FieldError{{Pointer: "/enabled", Code: "required", Detail: "must be true or false"}}}
	}
	err := s.Book.SetLearning(ctx, actor(ctx), *req.Body.Enabled)
	return PutMyLearning200JSONResponse{Enabled: *req.Body.Enabled}, err
}

// CreateConsent implements POST /v1/me/consents.
func (s *Server) CreateConsent(ctx context.Context, req CreateConsentRequestObject) (CreateConsentResponseObject, error) {
	in := req.Body
	c, err := s.Book.GiveConsent(ctx, actor(ctx), prefs.ConsentRequest{
		Kind: in.Kind, Scope: in.Scope, Waybill: given(in.Waybill), AddressID: given(in.AddressID), Facility: given(in.Facility),
		ReceiptMethod: in.ReceiptMethod, ValidUntil: given(in.ValidUntil), FreeUntil: given(in.FreeUntil), FeeFen: given(in.FeeFen),
	})
	return CreateConsent201JSONResponse(consentBody(c)), err
}

// ListMyConsents implements GET /v1/me/consents.
func (s *Server) ListMyConsents(ctx context.Context, req ListMyConsentsRequestObject) (ListMyConsentsResponseObject, error) {
	page, err := ParsePage(req.Params.Limit, req.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	ask := prefs.ConsentPage{Limit: page.Limit + 1}
	if page.After != nil {
		ask.Before = page.After[0]
	}
	list, err := s.Book.Consents(ctx, actor(ctx), ask)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, page.Limit, func(c prefs.Consent) *string { return NextCursor(c.ID) })
	body := ConsentPage{Items: make([]Consent, len(list)), NextCursor: next}
	for i, c := range list {
		body.Items[i] = consentBody(c)
	}
	return ListMyConsents200JSONResponse(body), nil
}

// RevokeConsent implements DELETE /v1/me/consents/{id}.
func (s *Server) RevokeConsent(ctx context.Context, req RevokeConsentRequestObject) (RevokeConsentResponseObject, error) {
	return RevokeConsent204Response{}, s.Book.RevokeConsent(ctx, actor(ctx), req.ID)
}

// myTagBody tells a consumer of a tag, also in words.
func (s *Server) myTagBody(ctx context.Context, t prefs.TagState) MyTag {
	texts := i18n.For(requestFrom(ctx).acceptLanguage)
	body := MyTag{
		Tag: Tag(t.Tag), State: TagState(t.State), Level: optional(TagLevel(t.Level)), Source: TagSourceLearned,
		Because: make([]TagReason, len(t.Because)), Since: t.Since, FadesAt: optional(t.FadesAt), AskAgainAt: optional(t.AskAgainAt),
		Waybill: optional(t.Scope.Waybill()), AddressID: optional(t.Scope.AddressID()),
		Text: optional(texts.Wish(t.Tag)), ConfidenceText: optional(texts.Text("confidence." + string(t.Certainty()))),
		SeenBy: optional(texts.Text("seen_by.nobody")),
	}
	if t.State == prefs.On {
		body.SeenBy = optional(texts.Text("seen_by.courier"))
	}
	if t.Explicit {
		body.Source = TagSourceExplicit
	} else {
		body.Confidence = &t.Confidence
	}
	for i, r := range t.Because {
		body.Because[i] = TagReason{On: r.On.Format(time.DateOnly), Category: r.Category, Text: optional(s.reason(texts, r))}
	}
	if t.Right+t.Wrong > 0 {
		body.Feedback = &TagFeedback{
			Right: t.Right, Wrong: t.Wrong,
			Text: texts.Fill("feedback.count", "right", strconv.Itoa(t.Right), "wrong", strconv.Itoa(t.Wrong)),
		}
	}
	return body
}

// reason says why a tag was learned. It names the day that the consumer lived
// through, not that of UTC.
func (s *Server) reason(texts i18n.Texts, r prefs.Reason) string {
	day := texts.Day(r.On.In(s.Zone), s.Now().In(s.Zone))
	if r.Waybill == "" {
		return texts.Fill("because.told", "date", day)
	}
	return texts.Fill("because.parcel", "date", day, "end", doorstep.Waybill(r.Waybill).LastFour())
}

func consentBody(c prefs.Consent) Consent {
	return Consent{
		ID: c.ID, Kind: string(c.Kind), Scope: c.Scope.Name(), Facility: optional(c.Facility), ReceiptMethod: c.ReceiptMethod,
		GivenAt: c.GivenAt, ValidUntil: optional(c.ValidUntil), RevokedAt: optional(c.RevokedAt),
		FreeUntil: optional(c.FreeUntil), FeeFen: optional(c.FeeFen),
		Waybill: optional(c.Scope.Waybill()), AddressID: optional(c.Scope.AddressID()),
	}
}
