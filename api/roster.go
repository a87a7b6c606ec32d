package api

import (
	"context"

	"doorstep/parcels"
	"doorstep/push"
)

// PutOutlet implements PUT /v1/outlets/{outlet_id}.
func (s *Server) PutOutlet(ctx context.Context, req PutOutletRequestObject) (PutOutletResponseObject, error) {
	o, err := s.Roster.PutOutlet(ctx, actor(ctx), parcels.Outlet{
		ID: req.OutletID, Name: req.Body.Name, TimeZone: given(req.Body.TimeZone), Locale: given(req.Body.Locale),
		Hours: hoursFrom(req.Body.Hours), Push: pushRulesFrom(req.Body.Push),
	})
	return PutOutlet200JSONResponse(outletBody(o)), err
}

// GetOutlet implements GET /v1/outlets/{outlet_id}.
func (s *Server) GetOutlet(ctx context.Context, req GetOutletRequestObject) (GetOutletResponseObject, error) {
	o, err := s.Roster.Outlet(ctx, actor(ctx), req.OutletID)
	return GetOutlet200JSONResponse(outletBody(o)), err
}

// PutCourier implements PUT /v1/couriers/{courier_id}.
func (s *Server) PutCourier(ctx context.Context, req PutCourierRequestObject) (PutCourierResponseObject, error) {
	c, err := s.Roster.PutCourier(ctx, actor(ctx), parcels.Courier{
		ID: req.CourierID, OutletID: req.Body.OutletID, Name: req.Body.Name, Locale: given(req.Body.Locale),
	})
	return PutCourier200JSONResponse(courierBody(c)), err
}

// GetCourier implements GET /v1/couriers/{courier_id}.
func (s *Server) GetCourier(ctx context.Context, req GetCourierRequestObject) (GetCourierResponseObject, error) {
	c, err := s.Roster.Courier(ctx, actor(ctx), req.CourierID)
	return GetCourier200JSONResponse(courierBody(c)), err
}

func outletBody(o parcels.Outlet) Outlet {
	return Outlet{OutletID: o.ID, Name: o.Name, TimeZone: o.TimeZone, Locale: optional(o.Locale), Hours: hoursBody(o.Hours), Push: pushRulesBody(o.Push)}
}

func pushRulesFrom(in *PushRules) push.Rules {
	if in == nil {
		return push.Rules{}
	}
	return push.Rules{QuietFrom: given(in.QuietFrom), QuietTo: given(in.QuietTo), PerDay: given(in.PerDay)}
}

func pushRulesBody(r push.Rules) *PushRules {
	if r == (push.Rules{}) {
		return nil
	}
	return &PushRules{QuietFrom: optional(r.QuietFrom), QuietTo: optional(r.QuietTo), PerDay: optional(r.PerDay)}
}

func courierBody(c parcels.Courier) Courier {
	return Courier{CourierID: c.ID, OutletID: optional(c.OutletID), Name: c.Name, Locale: optional(c.Locale)}
}

func hoursFrom(in *Hours) (h parcels.Hours) {
	if in == nil {
		return h
	}
	for day, spans := range given(in.Weekly) {
		if h.Weekly == nil {
			h.Weekly = map[string][]parcels.Span{}
		}
		h.Weekly[day] = spansFrom(spans)
	}
	for _, e := range given(in.Exceptions) {
		h.Exceptions = append(h.Exceptions, parcels.Exception{Date: e.Date, Spans: spansFrom(e.Spans)})
	}
	return h
}

func spansFrom(in []Span) []parcels.Span {
	spans := make([]parcels.Span, len(in))
	for i, s := range in {
		spans[i] = parcels.Span{Opens: s.Opens, Closes: s.Closes}
	}
	return spans
}

func hoursBody(h parcels.Hours) *Hours {
	if h.Weekly == nil && h.Exceptions == nil {
		return nil
	}
	body := Hours{}
	if h.Weekly != nil {
		weekly := make(map[string][]Span, len(h.Weekly))
		for day, spans := range h.Weekly {
			weekly[day] = spansBody(spans)
		}
		body.Weekly = &weekly
	}
	if h.Exceptions != nil {
		exceptions := make([]HoursException, len(h.Exceptions))
		for i, e := range h.Exceptions {
			exceptions[i] = HoursException{Date: e.Date, Spans: spansBody(e.Spans)}
		}
		body.Exceptions = &exceptions
	}
	return &body
}

func spansBody(in []parcels.Span) []Span {
	spans := make([]Span, len(in))
	for i, s := range in {
		spans[i] = Span{Opens: s.Opens, Closes: s.Closes}
	}
	return spans
}
