package api

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"doorstep"
	"doorstep/webhooks"
)

// CreateWebhook implements POST /v1/webhooks.
func (s *Server) CreateWebhook(ctx context.Context, req CreateWebhookRequestObject) (CreateWebhookResponseObject, error) {
	w, err := s.Hooks.Create(ctx, actor(ctx), webhooks.Settings{
		URL: req.Body.URL, Types: texts(req.Body.Types), Description: req.Body.Description,
	})
	return CreateWebhook201JSONResponse(newSecretBody(w)), err
}

// ListWebhooks implements GET /v1/webhooks.
func (s *Server) ListWebhooks(ctx context.Context, req ListWebhooksRequestObject) (ListWebhooksResponseObject, error) {
	page, err := ParsePage(req.Params.Limit, req.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	after := ""
	if page.After != nil {
		after = page.After[0]
	}
	list, err := s.Hooks.Webhooks(ctx, actor(ctx), after, page.Limit+1)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, page.Limit, func(last webhooks.Webhook) *string { return NextCursor(last.ID) })
	out := WebhookPage{Items: make([]Webhook, len(list)), NextCursor: next}
	for i, w := range list {
		out.Items[i] = webhookBody(w)
	}
	return ListWebhooks200JSONResponse(out), nil
}

// GetWebhook implements GET /v1/webhooks/{id}.
func (s *Server) GetWebhook(ctx context.Context, req GetWebhookRequestObject) (GetWebhookResponseObject, error) {
	w, err := s.Hooks.Webhook(ctx, actor(ctx), req.ID)
	return GetWebhook200JSONResponse(webhookBody(w)), err
}

// PutWebhook implements PUT /v1/webhooks/{id}.
func (s *Server) PutWebhook(ctx context.Context, req PutWebhookRequestObject) (PutWebhookResponseObject, error) {
	w, err := s.Hooks.Replace(ctx, actor(ctx), req.ID, webhooks.Settings{
		URL: req.Body.URL, Types: texts(req.Body.Types), Description: req.Body.Description,
		Disabled: req.Body.Enabled != nil && !*req.Body.Enabled,
	})
	return PutWebhook200JSONResponse(webhookBody(w)), err
}

// DeleteWebhook implements DELETE /v1/webhooks/{id}.
func (s *Server) DeleteWebhook(ctx context.Context, req DeleteWebhookRequestObject) (DeleteWebhookResponseObject, error) {
	return DeleteWebhook204Response{}, s.Hooks.Remove(ctx, actor(ctx), req.ID)
}

// RotateWebhookSecret implements POST /v1/webhooks/{id}/secret.
func (s *Server) RotateWebhookSecret(ctx context.Context, req RotateWebhookSecretRequestObject) (RotateWebhookSecretResponseObject, error) {
	w, err := s.Hooks.Rotate(ctx, actor(ctx), req.ID)
	return RotateWebhookSecret200JSONResponse(newSecretBody(w)), err
}

// TestWebhook implements POST /v1/webhooks/{id}/test.
func (s *Server) TestWebhook(ctx context.Context, req TestWebhookRequestObject) (TestWebhookResponseObject, error) {
	r, err := s.Hooks.Test(ctx, actor(ctx), req.ID)
	return TestWebhook200JSONResponse(hookAttemptBody(r)), err
}

// ReplayWebhook implements POST /v1/webhooks/{id}/replay.
func (s *Server) ReplayWebhook(ctx context.Context, req ReplayWebhookRequestObject) (ReplayWebhookResponseObject, error) {
	w, err := s.Hooks.Replay(ctx, actor(ctx), req.ID, req.Body.After)
	return ReplayWebhook200JSONResponse(webhookBody(w)), err
}

// ListWebhookDeliveries implements GET /v1/webhooks/{id}/deliveries.
func (s *Server) ListWebhookDeliveries(ctx context.Context, req ListWebhookDeliveriesRequestObject) (ListWebhookDeliveriesResponseObject, error) {
	var checks doorstep.Checks
	state := webhooks.State(given(req.Params.State))
	if state != "" && !slices.Contains(webhooks.States, state) {
		checks.Add("/state", "unknown_state", "must be waiting, queued, delivered or failed")
	}
	page, err := ParsePage(req.Params.Limit, req.Params.Cursor, 1)
	checks.Under("", err)
	before := int64(math.MaxInt64)
	if page.After != nil {
		if before, err = strconv.ParseInt(page.After[0], 10, 64); err != nil {
			checks.Add("/cursor", "invalid_cursor", "must be the next_cursor of a page of this list")
		}
	}
	if err := checks.Err(); err != nil {
		return nil, err
	}
	list, err := s.Hooks.Deliveries(ctx, actor(ctx), req.ID, state, before, page.Limit+1)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, page.Limit, func(last webhooks.Delivery) *string { return NextCursor(strconv.FormatInt(last.Seq, 10)) })
	out := WebhookDeliveryPage{Items: make([]WebhookDelivery, len(list)), NextCursor: next}
	for i, d := range list {
		out.Items[i] = deliveryBody(d)
	}
	return ListWebhookDeliveries200JSONResponse(out), nil
}

// ResendWebhookDelivery implements POST /v1/webhooks/{id}/deliveries/{seq}/resend.
func (s *Server) ResendWebhookDelivery(ctx context.Context, req ResendWebhookDeliveryRequestObject) (ResendWebhookDeliveryResponseObject, error) {
	seq, err := strconv.ParseInt(req.Seq, 10, 64)
	if err != nil {
		return nil, doorstep.NotFound("delivery", req.Seq)
	}
	d, err := s.Hooks.Resend(ctx, actor(ctx), req.ID, seq)
	return ResendWebhookDelivery200JSONResponse(deliveryBody(d)), err
}

func texts(types []EventType) []string {
	list := make([]string, len(types))
	for i, t := range types {
		list[i] = string(t)
	}
	return list
}

func webhookBody(w webhooks.Webhook) Webhook {
	types := make([]EventType, len(w.Types))
	for i, t := range w.Types {
		types[i] = EventType(t)
	}
	return Webhook{
		ID: w.ID, URL: w.URL, Types: types, Description: w.Description, Enabled: w.Enabled(), DisabledAt: optional(w.DisabledAt),
		DisabledBecause: optional(WebhookReason(w.DisabledBecause)), FailingSince: optional(w.FailingSince), After: w.After, CreatedAt: w.CreatedAt,
	}
}

// newSecretBody shows the secret, which only those answers do that made it.
func newSecretBody(w webhooks.Webhook) Webhook {
	body := webhookBody(w)
	body.Secret = w.Secrets.Current
	return body
}

func deliveryBody(d webhooks.Delivery) WebhookDelivery {
	out := WebhookDelivery{
		Seq: d.Seq, ID: d.EventID, Type: EventType(d.Type), State: WebhookDeliveryState(d.State), Attempts: d.Attempts,
		AttemptedAt: optional(d.Attempted),
	}
	if d.State == webhooks.Waiting {
		out.NextAttemptAt = &d.DueAt
	}
	if !d.Attempted.IsZero() {
		last := hookAttemptBody(d.Last)
		out.Last = &last
	}
	return out
}

func hookAttemptBody(r webhooks.Result) WebhookAttempt {
	return WebhookAttempt{
		Delivered: r.Fault == "", Fault: optional(WebhookFault(r.Fault)), Status: optional(r.Status),
		LatencyMs: r.Took.Round(time.Millisecond).Milliseconds(),
	}
}
