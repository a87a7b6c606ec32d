package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"doorstep/evidence"
	"doorstep/i18n"
	"doorstep/parcels"
	"doorstep/push"
)

// PutDevice implements PUT /v1/me/devices/{install_id}.
func (s *Server) PutDevice(ctx context.Context, req PutDeviceRequestObject) (PutDeviceResponseObject, error) {
	d, err := s.Inbox.PutDevice(ctx, actor(ctx), push.DeviceRequest{
		InstallID: req.InstallID, Provider: req.Body.Provider, Address: given(req.Body.Address),
		Locale: req.Body.Locale, AppVersion: given(req.Body.AppVersion),
	})
	return PutDevice200JSONResponse{
		InstallID: d.InstallID, Provider: d.Provider, Locale: d.Locale, AppVersion: optional(d.AppVersion),
		RegisteredAt: d.RegisteredAt, UpdatedAt: d.UpdatedAt,
	}, err
}

// DeleteDevice implements DELETE /v1/me/devices/{install_id}.
func (s *Server) DeleteDevice(ctx context.Context, req DeleteDeviceRequestObject) (DeleteDeviceResponseObject, error) {
	return DeleteDevice204Response{}, s.Inbox.RemoveDevice(ctx, actor(ctx), req.InstallID)
}

// GetMyRun implements GET /v1/me/run.
func (s *Server) GetMyRun(ctx context.Context, req GetMyRunRequestObject) (GetMyRunResponseObject, error) {
	stops, err := s.Runner.Run(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	texts := i18n.For(requestFrom(ctx).acceptLanguage)
	body := Run{Items: make([]RunItem, len(stops))}
	for i, stop := range stops {
		body.Items[i] = runItem(stop, texts)
	}
	content, err := json.Marshal(body.Items)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	sum := sha256.Sum256(content)
	body.Version = base64.RawURLEncoding.EncodeToString(sum[:12])
	tag := `"` + body.Version + `"`
	if matches(given(req.Params.IfNoneMatch), tag) {
		return GetMyRun304Response{Headers: GetMyRun304ResponseHeaders{ETag: tag}}, nil
	}
	return GetMyRun200JSONResponse{Body: body, Headers: GetMyRun200ResponseHeaders{ETag: tag}}, nil
}

// matches compares weakly, as RFC 9110 section 13.1.2 asks.
func matches(ifNoneMatch, tag string) bool {
	for one := range strings.SplitSeq(ifNoneMatch, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

func runItem(stop parcels.Stop, texts i18n.Texts) RunItem {
	item := RunItem{
		Waybill: string(stop.Waybill), DoFirst: DoFirst(stop.DoFirst()), AlertID: optional(stop.AlertID), Acked: stop.Acked,
		Signed: optional(stop.Signed), Attempts: optional(stop.Attempts),
		Note: optional(stop.Note), Instructions: make([]Instruction, len(stop.Decisions)),
	}
	for i, d := range stop.Decisions {
		item.Instructions[i] = Instruction{Tag: Tag(d.Tag), Text: texts.Instruction(d.Tag)}
	}
	return item
}

// PostNextStop implements POST /v1/me/run/next.
func (s *Server) PostNextStop(ctx context.Context, req PostNextStopRequestObject) (PostNextStopResponseObject, error) {
	stop, rung, err := s.Runner.Next(ctx, actor(ctx), req.Body.Waybill, given(req.Body.InForeground))
	if err != nil {
		return nil, err
	}
	return PostNextStop200JSONResponse{Stop: runItem(stop, i18n.For(requestFrom(ctx).acceptLanguage)), Rung: rung}, nil
}

// ListMyAlerts implements GET /v1/me/alerts.
func (s *Server) ListMyAlerts(ctx context.Context, req ListMyAlertsRequestObject) (ListMyAlertsResponseObject, error) {
	after, limit, err := ParseFeed(req.Params.After, req.Params.Limit)
	if err != nil {
		return nil, err
	}
	list, err := s.Inbox.Alerts(ctx, actor(ctx), after, limit)
	if err != nil {
		return nil, err
	}
	page := AlertPage{Items: make([]Alert, len(list)), NextAfter: after}
	for i, a := range list {
		page.Items[i] = alertBody(a)
		page.NextAfter = a.Seq
	}
	return ListMyAlerts200JSONResponse(page), nil
}

func alertBody(a push.Alert) Alert {
	return Alert{
		Seq: a.Seq, AlertID: a.ID, Waybill: string(a.Waybill), Tags: codes(a.Tags), CreatedAt: a.CreatedAt, Acked: !a.AckedAt.IsZero(),
		Version: a.Version, Supersedes: optional(a.Supersedes), Superseded: !a.SupersededAt.IsZero(),
	}
}

// PostReceipts implements POST /v1/me/alerts/receipts.
func (s *Server) PostReceipts(ctx context.Context, req PostReceiptsRequestObject) (PostReceiptsResponseObject, error) {
	receipts := make([]push.ReceiptRequest, len(req.Body.Receipts))
	for i, r := range req.Body.Receipts {
		receipts[i] = push.ReceiptRequest{AlertID: r.AlertID, Event: r.Event, At: r.At}
	}
	verdicts, err := s.Inbox.Receipts(ctx, actor(ctx), receipts)
	if err != nil {
		return nil, err
	}
	body := ReceiptResults{Results: make([]ReceiptResult, len(verdicts))}
	for i, v := range verdicts {
		body.Results[i] = ReceiptResult{
			Index: i, AlertID: receipts[i].AlertID, Status: ItemStatus(v.Status), Problem: verdictProblem(ctx, v.Err, "receipts", i),
		}
	}
	return PostReceipts200JSONResponse(body), nil
}

// PostEvidence implements POST /v1/me/evidence.
func (s *Server) PostEvidence(ctx context.Context, req PostEvidenceRequestObject) (PostEvidenceResponseObject, error) {
	uploads := make([]evidence.Upload, len(req.Body.Records))
	for i, r := range req.Body.Records {
		uploads[i] = evidence.Upload{
			ID: r.ID, Kind: r.Kind, Waybill: r.Waybill, OccurredAt: r.OccurredAt,
			Direction: r.Direction, DurationS: r.DurationS, Outcome: r.Outcome, Channel: r.Channel, Template: r.Template,
			Reason: r.Reason, Lat: r.Lat, Lng: r.Lng, AccuracyM: r.AccuracyM, SHA256: r.Sha256, TakenAt: r.TakenAt,
		}
	}
	verdicts, err := s.Recorder.Upload(ctx, actor(ctx), uploads)
	if err != nil {
		return nil, err
	}
	body := EvidenceResults{Results: make([]EvidenceResult, len(verdicts))}
	for i, v := range verdicts {
		body.Results[i] = EvidenceResult{
			Index: i, ID: uploads[i].ID, Status: ItemStatus(v.Status), Problem: verdictProblem(ctx, v.Err, "records", i),
		}
	}
	return PostEvidence200JSONResponse(body), nil
}
