package api

import (
	"context"

	"doorstep"
	"doorstep/telephony"
)

// PutProvider implements PUT /v1/providers/{provider}.
func (s *Server) PutProvider(ctx context.Context, req PutProviderRequestObject) (PutProviderResponseObject, error) {
	account, err := s.Accounts.Put(ctx, actor(ctx), telephony.Provider(req.Provider), telephony.AccountInput{
		Keys: req.Body.SigningKeys, Sources: given(req.Body.Sources), Numbers: given(req.Body.MaskedNumbers),
	})
	if err != nil {
		return nil, err
	}
	return PutProvider200JSONResponse(accountBody(account)), nil
}

// GetProvider implements GET /v1/providers/{provider}.
func (s *Server) GetProvider(ctx context.Context, req GetProviderRequestObject) (GetProviderResponseObject, error) {
	account, err := s.Accounts.Account(ctx, actor(ctx), telephony.Provider(req.Provider))
	if err != nil {
		return nil, err
	}
	return GetProvider200JSONResponse(accountBody(account)), nil
}

func accountBody(a telephony.Account) ProviderAccount {
	body := ProviderAccount{
		Provider: string(a.Provider), SigningKeys: len(a.Settings.Keys), Sources: []string{}, MaskedNumbers: []string{},
		Callbacks: []ProviderCallback{}, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
	for _, source := range a.Settings.Sources {
		body.Sources = append(body.Sources, source.String())
	}
	for _, number := range a.Settings.Numbers {
		body.MaskedNumbers = append(body.MaskedNumbers, number.Masked())
	}
	for _, c := range a.Callbacks {
		body.Callbacks = append(body.Callbacks, ProviderCallback{ID: c.ID, CreatedAt: c.CreatedAt})
	}
	return body
}

// CreateProviderCallback implements POST /v1/providers/{provider}/callbacks.
func (s *Server) CreateProviderCallback(ctx context.Context, req CreateProviderCallbackRequestObject) (CreateProviderCallbackResponseObject, error) {
	p := telephony.Provider(req.Provider)
	c, secret, err := s.Accounts.AddCallback(ctx, actor(ctx), p)
	if err != nil {
		return nil, err
	}
	url := callbackURL(s.PublicURL(), p, secret)
	return CreateProviderCallback201JSONResponse{ID: c.ID, URL: &url, CreatedAt: c.CreatedAt}, nil
}

// DeleteProviderCallback implements DELETE /v1/providers/{provider}/callbacks/{id}.
func (s *Server) DeleteProviderCallback(ctx context.Context, req DeleteProviderCallbackRequestObject) (DeleteProviderCallbackResponseObject, error) {
	if err := s.Accounts.RemoveCallback(ctx, actor(ctx), telephony.Provider(req.Provider), req.ID); err != nil {
		return nil, err
	}
	return DeleteProviderCallback204Response{}, nil
}

// PostProviderHeartbeat implements POST /v1/providers/{provider}/heartbeats.
func (s *Server) PostProviderHeartbeat(ctx context.Context, req PostProviderHeartbeatRequestObject) (PostProviderHeartbeatResponseObject, error) {
	at, err := s.Exchange.Heartbeat(ctx, actor(ctx), telephony.Provider(req.Provider))
	if err != nil {
		return nil, err
	}
	return PostProviderHeartbeat200JSONResponse{Provider: req.Provider, At: at}, nil
}

// PutProviderTotal implements PUT /v1/providers/{provider}/totals/{day}.
func (s *Server) PutProviderTotal(ctx context.Context, req PutProviderTotalRequestObject) (PutProviderTotalResponseObject, error) {
	if err := s.Exchange.Declare(ctx, actor(ctx), telephony.Provider(req.Provider), req.Day, req.Body.Records); err != nil {
		return nil, err
	}
	return PutProviderTotal200JSONResponse{Provider: req.Provider, Day: req.Day, Records: req.Body.Records}, nil
}

// GetProviderHealth implements GET /v1/providers/health.
func (s *Server) GetProviderHealth(ctx context.Context, req GetProviderHealthRequestObject) (GetProviderHealthResponseObject, error) {
	var checks doorstep.Checks
	from, to := moment("/from", req.Params.From, &checks), moment("/to", req.Params.To, &checks)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	feeds, from, to, err := s.CallBook.Health(ctx, actor(ctx), from, to)
	if err != nil {
		return nil, err
	}
	body := ProviderHealth{From: from, To: to, PolicyVersion: s.CallBook.Policy.Version, Items: make([]ProviderFeed, len(feeds))}
	for i, f := range feeds {
		feed := ProviderFeed{
			Provider: string(f.Provider), Healthy: f.Healthy.String(), FirstHeardAt: f.Since, LastHeardAt: f.LastHeard,
			Gaps: make([]ProviderGap, len(f.Gaps)), Days: make([]ProviderDay, len(f.Days)),
			Waiting: f.Waiting, Unassigned: f.Unassigned, Quarantined: f.Quarantined, Conflicts: f.Conflicts,
		}
		for j, g := range f.Gaps {
			feed.Gaps[j] = ProviderGap{From: g.From, To: g.To}
		}
		for j, d := range f.Days {
			feed.Days[j] = ProviderDay{Day: d.Day, Declared: d.Declared, Received: d.Received}
		}
		body.Items[i] = feed
	}
	return GetProviderHealth200JSONResponse(body), nil
}

// ListProviderFaults implements GET /v1/providers/faults.
func (s *Server) ListProviderFaults(ctx context.Context, req ListProviderFaultsRequestObject) (ListProviderFaultsResponseObject, error) {
	size, beforeMS, beforeID, err := pageByTime(req.Params.Limit, req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := s.CallBook.Faults(ctx, actor(ctx), telephony.FaultPage{Limit: size + 1, BeforeMS: beforeMS, BeforeID: beforeID})
	if err != nil {
		return nil, err
	}
	list, next := cut(list, size, func(f telephony.Fault) *string { return cursorByTime(f.ReceivedAt, f.ID) })
	page := ProviderFaultPage{Items: make([]ProviderFault, len(list)), NextCursor: next}
	for i, f := range list {
		page.Items[i] = ProviderFault{
			Provider: string(f.Provider), EventID: f.EventID, State: f.State, Reason: optional(f.Reason),
			Sha256: f.Digest, KeptSha256: optional(f.Kept), ReceivedAt: f.ReceivedAt,
		}
	}
	return ListProviderFaults200JSONResponse(page), nil
}
