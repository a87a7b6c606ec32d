package api

import (
	"context"

	"doorstep/push"
)

// ListOutletAlerts implements GET /v1/outlets/{outlet_id}/alerts.
func (s *Server) ListOutletAlerts(ctx context.Context, req ListOutletAlertsRequestObject) (ListOutletAlertsResponseObject, error) {
	size, beforeMS, beforeID, err := pageByTime(req.Params.Limit, req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := s.Watch.Alerts(ctx, actor(ctx), req.OutletID, push.AlertQuery{
		State: push.UnreadState(given(req.Params.State)), BeforeMS: beforeMS, BeforeID: beforeID, Limit: size + 1,
	})
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(u push.Unread) *string { return cursorByTime(u.CreatedAt, u.ID) })
	page := UnreadAlertPage{Items: make([]UnreadAlert, len(list)), NextCursor: next}
	for i, u := range list {
		page.Items[i] = UnreadAlert{
			AlertID: u.ID, Waybill: string(u.Waybill), CourierID: u.CourierID, Tags: codes(u.Tags), CreatedAt: u.CreatedAt,
			ExpiresAt: u.ExpiresAt, State: UnreadAlertState(u.State), Reason: optional(UnreadAlertReason(u.Reason)),
			InformedAt: optional(u.InformedAt), EscalatedAt: optional(u.EscalatedAt),
		}
	}
	return ListOutletAlerts200JSONResponse(page), nil
}
