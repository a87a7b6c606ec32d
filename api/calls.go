package api

import (
	"context"
	"time"

	"doorstep/evidence"
	"doorstep/telephony"
)

// CreateCall implements POST /v1/parcels/{waybill}/calls.
func (s *Server) CreateCall(ctx context.Context, req CreateCallRequestObject) (CreateCallResponseObject, error) {
	d, err := s.Dialler.Dial(ctx, actor(ctx), req.Waybill)
	if err != nil {
		return nil, err
	}
	return CreateCall201JSONResponse{ID: d.ID, Provider: string(d.Line.Provider), Number: string(d.Line.Number), PairedUntil: d.Paired}, nil
}

// PutMaskedNumber implements PUT /v1/parcels/{waybill}/masked-number.
func (s *Server) PutMaskedNumber(ctx context.Context, req PutMaskedNumberRequestObject) (PutMaskedNumberResponseObject, error) {
	line, until, err := s.Dialler.Assign(ctx, actor(ctx), req.Waybill, telephony.Provider(req.Body.Provider), req.Body.Number, req.Body.Until)
	if err != nil {
		return nil, err
	}
	return PutMaskedNumber200JSONResponse{Provider: string(line.Provider), Number: line.Number.Masked(), Until: until.UTC()}, nil
}

// ListParcelContacts implements GET /v1/parcels/{waybill}/contacts.
func (s *Server) ListParcelContacts(ctx context.Context, req ListParcelContactsRequestObject) (ListParcelContactsResponseObject, error) {
	history, err := s.CallBook.History(ctx, actor(ctx), req.Waybill)
	if err != nil {
		return nil, err
	}
	body := ParcelContacts{PolicyVersion: history.Policy.Version, Attempts: history.Attempts, Calls: []ProviderCall{}, Messages: []ProviderMessage{}}
	for _, c := range history.Contacts {
		if c.Kind == evidence.Call {
			body.Calls = append(body.Calls, callBody(c, history.Policy))
		} else {
			body.Messages = append(body.Messages, messageBody(c))
		}
	}
	return ListParcelContacts200JSONResponse(body), nil
}

func callBody(c telephony.ProviderContact, policy telephony.Policy) ProviderCall {
	call := telephony.FoldCall(c.Events)
	judged := policy.Judge(call)
	body := ProviderCall{
		Provider: string(c.Provider), CallID: c.ID, IntentID: optional(c.IntentID), State: string(call.State), Direction: call.Direction(),
		StartedAt: call.StartedAt, RingAt: optional(call.RingAt), AnsweredAt: optional(call.AnsweredAt), EndedAt: optional(call.EndedAt),
		EndedBy: optional(string(call.EndedBy)), Rang: call.Rang.String(),
		Grade: string(judged.Grade), Genuine: judged.Genuine.String(), Fair: judged.Fair.String(), Records: len(c.Events),
	}
	body.RingS, body.TalkS = seconds(call.Rings()), seconds(call.Talk())
	return body
}

func seconds(d time.Duration, known bool) *float64 {
	if !known {
		return nil
	}
	s := d.Seconds()
	return &s
}

func messageBody(c telephony.ProviderContact) ProviderMessage {
	m := telephony.FoldMessage(c.Events)
	return ProviderMessage{
		Provider: string(c.Provider), MessageID: c.ID, SentAt: optional(m.SentAt), DeliveredAt: optional(m.DeliveredAt),
		ReadAt: optional(m.ReadAt), FailedAt: optional(m.FailedAt), Records: len(c.Events),
	}
}
