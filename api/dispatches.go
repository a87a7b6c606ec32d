package api

import (
	"context"

	"doorstep/access"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
)

// PostScans implements POST /v1/scans.
func (s *Server) PostScans(ctx context.Context, req PostScansRequestObject) (PostScansResponseObject, error) {
	orders := make([]parcels.ScanOrder, len(req.Body.Scans))
	for i, in := range req.Body.Scans {
		orders[i] = parcels.ScanOrder{Waybill: in.Waybill, OutletID: in.OutletID, Code: in.Code, System: given(in.System), At: in.At}
		if in.Consignee != nil {
			c := consigneeFrom(*in.Consignee)
			orders[i].Consignee = &c
		}
	}
	verdicts, err := s.Scanner.Scan(ctx, actor(ctx), orders)
	if err != nil {
		return nil, err
	}
	body := ScanResults{Results: make([]ScanResult, len(verdicts))}
	for i, v := range verdicts {
		count(v.Status, &body.Accepted, &body.Duplicate, &body.Rejected)
		body.Results[i] = ScanResult{
			Index: i, Waybill: string(v.Waybill), Status: ItemStatus(v.Status), ParcelStatus: optional(string(v.Means)),
			Problem: verdictProblem(ctx, v.Err, "scans", i),
		}
	}
	return PostScans200JSONResponse(body), nil
}

// PostDispatches implements POST /v1/dispatches.
func (s *Server) PostDispatches(ctx context.Context, req PostDispatchesRequestObject) (PostDispatchesResponseObject, error) {
	orders := make([]parcels.Order, len(req.Body.Dispatches))
	for i, in := range req.Body.Dispatches {
		orders[i] = parcels.Order{
			Waybill: in.Waybill, OutletID: in.OutletID, CourierID: in.CourierID,
			Consignee: consigneeFrom(in.Consignee), DispatchedAt: given(in.DispatchedAt),
		}
	}
	verdicts, err := s.Dispatcher.Dispatch(ctx, actor(ctx), orders)
	if err != nil {
		return nil, err
	}
	body := DispatchResults{Results: make([]DispatchResult, len(verdicts))}
	for i, v := range verdicts {
		count(v.Status, &body.Accepted, &body.Duplicate, &body.Rejected)
		body.Results[i] = DispatchResult{
			Index: i, Waybill: string(v.Waybill), Status: ItemStatus(v.Status), AlertID: optional(v.AlertID),
			Tags: codes(parcels.TagsOf(v.Decisions)), Decisions: decisionBodies(v.Decisions),
			Problem: verdictProblem(ctx, v.Err, "dispatches", i),
		}
	}
	return PostDispatches200JSONResponse(body), nil
}

// CreateConsumerLink implements POST /v1/parcels/{waybill}/consumer-link.
func (s *Server) CreateConsumerLink(ctx context.Context, req CreateConsumerLinkRequestObject) (CreateConsumerLinkResponseObject, error) {
	scope := access.ScopeParcel
	if req.Body != nil && req.Body.Scope != nil {
		scope = *req.Body.Scope
	}
	secret, expires, err := s.Office.Link(ctx, actor(ctx), req.Waybill, scope)
	if err != nil {
		return nil, err
	}
	return CreateConsumerLink201JSONResponse{URL: s.PublicURL() + "/p/" + secret, Token: secret, ExpiresAt: expires}, nil
}

func consigneeFrom(in Consignee) parcels.ConsigneeOrder {
	out := parcels.ConsigneeOrder{Phone: in.Phone, Name: given(in.Name), Address: given(in.Address), AddressID: given(in.AddressID)}
	if in.Location != nil {
		out.Location = &evidence.Point{Lat: in.Location.Lat, Lng: in.Location.Lng}
	}
	return out
}

func count(s evidence.Status, accepted, duplicate, rejected *int) {
	switch s {
	case evidence.Accepted:
		*accepted++
	case evidence.Duplicate:
		*duplicate++
	case evidence.Rejected:
		*rejected++
	}
}

func codes(tags []prefs.Tag) []Tag {
	list := make([]Tag, len(tags))
	for i, t := range tags {
		list[i] = Tag(t)
	}
	return list
}

func decisionBodies(decisions []prefs.Decision) []Decision {
	list := make([]Decision, len(decisions))
	for i, d := range decisions {
		list[i] = Decision{Tag: Tag(d.Tag), Level: TagLevel(d.Level), DecidedBy: DecidedBy(d.By)}
	}
	return list
}
