package api

import (
	"context"
	"encoding/json"
	"fmt"

	"doorstep"
	"doorstep/evidence"
)

// ListEvidence implements GET /v1/evidence.
func (s *Server) ListEvidence(ctx context.Context, req ListEvidenceRequestObject) (ListEvidenceResponseObject, error) {
	p := req.Params
	var checks doorstep.Checks
	q := evidence.Query{
		CourierID: given(p.CourierID), ComplaintID: given(p.ComplaintID), Kind: evidence.Kind(given(p.Kind)),
		From: moment("/from", p.From, &checks), To: moment("/to", p.To, &checks),
	}
	q.Waybill = waybillFilter(p.Waybill, &checks)
	size, beforeMS, beforeID, err := pageByTime(p.Limit, p.Cursor)
	checks.Under("", err)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	q.Limit, q.BeforeMS, q.BeforeID = size+1, beforeMS, beforeID
	list, err := s.Recorder.List(ctx, actor(ctx), q)
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(i evidence.Item) *string { return cursorByTime(i.OccurredAt, i.ID) })
	page := EvidencePage{Items: make([]EvidenceRecord, len(list)), NextCursor: next}
	for i, item := range list {
		if page.Items[i], err = evidenceBody(item); err != nil {
			return nil, err
		}
	}
	return ListEvidence200JSONResponse(page), nil
}

// evidenceBody lays a record's own fields beside those that all have.
func evidenceBody(item evidence.Item) (r EvidenceRecord, err error) {
	values, err := json.Marshal(item.Opening.Values)
	if err == nil {
		err = json.Unmarshal(values, &r)
	}
	if err != nil {
		return r, fmt.Errorf("evidence %s: %w", item.ID, err)
	}
	if who := r.Reporter; who != nil {
		who.Name = optional(doorstep.MaskName(given(who.Name)))
		if who.Phone != nil {
			who.Phone = optional(doorstep.Phone(*who.Phone).Masked())
		}
	}
	skew := item.ReceivedAt.Sub(item.OccurredAt).Milliseconds()
	r.ID, r.Kind, r.Source = item.ID, EvidenceKind(item.Kind), EvidenceSource(item.Source)
	r.Waybill, r.CourierID, r.ComplaintID = optional(string(item.Waybill)), optional(item.CourierID), optional(item.ComplaintID)
	r.OccurredAt, r.ReceivedAt, r.SkewMs = item.OccurredAt, item.ReceivedAt, &skew
	r.ClientID, r.Erased = optional(item.ClientID), optional(item.Opening.Values == nil)
	r.PhotoState = optional(EvidenceRecordPhotoState(item.Photo))
	return r, nil
}
