package api

import (
	"context"

	"doorstep/feed"
	"doorstep/outreach"
)

// ListEvents implements GET /v1/events.
func (s *Server) ListEvents(ctx context.Context, req ListEventsRequestObject) (ListEventsResponseObject, error) {
	after, limit, err := ParseFeed(req.Params.After, req.Params.Limit)
	if err != nil {
		return nil, err
	}
	list, err := s.Feed.Events(ctx, actor(ctx), after, limit)
	if err != nil {
		return nil, err
	}
	page := EventPage{Items: make([]Event, len(list)), NextAfter: after}
	for i, e := range list {
		page.Items[i] = eventBody(e)
		page.NextAfter = e.Seq
	}
	return ListEvents200JSONResponse(page), nil
}

func eventBody(e feed.Event) Event {
	return Event{Seq: e.Seq, Type: EventType(e.Type), Object: e.Object, Sequence: e.Sequence, At: e.At}
}

// CreatePreContact implements POST /v1/parcels/{waybill}/pre-contact.
func (s *Server) CreatePreContact(ctx context.Context, req CreatePreContactRequestObject) (CreatePreContactResponseObject, error) {
	c, err := s.Outreach.PreContact(ctx, actor(ctx), req.Waybill)
	if err != nil {
		return nil, err
	}
	if c.New {
		return CreatePreContact201JSONResponse(preContactBody(c)), nil
	}
	return CreatePreContact200JSONResponse(preContactBody(c)), nil
}

func preContactBody(c outreach.Contact) PreContact {
	return PreContact{Waybill: string(c.Waybill), SentAt: c.SentAt, ExpiresAt: c.ExpiresAt}
}
