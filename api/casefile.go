package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/i18n"
)

// GetComplaintEvidence implements GET /v1/complaints/{id}/evidence.
func (s *Server) GetComplaintEvidence(ctx context.Context, req GetComplaintEvidenceRequestObject) (GetComplaintEvidenceResponseObject, error) {
	d, err := s.Clerk.Open(ctx, actor(ctx), req.ID, evidence.OpenedFile, 0)
	if err != nil {
		return nil, err
	}
	return GetComplaintEvidence200JSONResponse(caseFileBody(d)), nil
}

// GetComplaintBundle implements GET /v1/complaints/{id}/bundle.
func (s *Server) GetComplaintBundle(ctx context.Context, req GetComplaintBundleRequestObject) (GetComplaintBundleResponseObject, error) {
	var checks doorstep.Checks
	size, since := treeSize("/size", req.Params.Size, &checks), treeSize("/since", req.Params.Since, &checks)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	zip, err := s.Packer.Bundle(ctx, actor(ctx), req.ID, size, since)
	if err != nil {
		return nil, err
	}
	return GetComplaintBundle200ApplicationZipResponse{
		Body: bytes.NewReader(zip), ContentLength: int64(len(zip)),
		Headers: GetComplaintBundle200ResponseHeaders{ContentDisposition: fmt.Sprintf(`attachment; filename="case-%s.zip"`, req.ID)},
	}, nil
}

// GetRegulatorPack implements GET /v1/complaints/{id}/regulator-pack.
func (s *Server) GetRegulatorPack(ctx context.Context, req GetRegulatorPackRequestObject) (GetRegulatorPackResponseObject, error) {
	p, err := s.Clerk.Pack(ctx, actor(ctx), req.ID)
	if err != nil {
		return nil, err
	}
	if r := requestFrom(ctx); strings.Contains(r.accept, echo.MIMETextHTML) {
		texts := i18n.For(given(req.Params.Lang), r.acceptLanguage)
		page, policy, err := s.PackPage(p, texts)
		return sheet{page, policy, texts.Language.String()}, err
	}
	return GetRegulatorPack200JSONResponse(packBody(p)), nil
}

// sheet is a page for print, with the policy that its browser is to follow.
type sheet struct {
	html     []byte
	policy   string // Content-Security-Policy
	language string
}

// VisitGetRegulatorPackResponse implements GetRegulatorPackResponseObject.
func (p sheet) VisitGetRegulatorPackResponse(w http.ResponseWriter) error {
	h := w.Header()
	h.Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	h.Set(echo.HeaderContentSecurityPolicy, p.policy)
	h.Set("Content-Language", p.language)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(p.html)
	return err
}

func caseFileBody(d evidence.Dossier) CaseFile {
	f := d.File
	others := make([]LogCheckpoint, len(d.Others))
	for i, other := range d.Others {
		others[i] = checkpointBody(other.Checkpoint)
	}
	return CaseFile{
		Rules: f.Rules, Case: caseBody(d), Feeds: feedBodies(f.Feeds), Timeline: entryBodies(f.Timeline), Facts: factBodies(f.Facts),
		Supports: CaseSupports{Courier: factBodies(f.Supports.Courier), Consumer: factBodies(f.Supports.Consumer)},
		Missing:  missingBodies(f.Missing), Completeness: f.Completeness, Checkpoint: checkpointBody(d.Checkpoint),
		OtherCheckpoints: others,
	}
}

func packBody(p evidence.Pack) RegulatorPack {
	c := caseFileBody(p.Dossier)
	body := RegulatorPack{
		Rules: c.Rules, Case: c.Case, Feeds: c.Feeds, Timeline: c.Timeline, Facts: c.Facts, Supports: c.Supports, Missing: c.Missing,
		Completeness: c.Completeness, Checkpoint: c.Checkpoint, OtherCheckpoints: c.OtherCheckpoints, Status: ComplaintStatus(p.Status),
		Contacts: entryBodies(p.File.Contacts()), Consents: entryBodies(p.File.Consents()), Gaps: feedBodies(p.File.Gaps()),
		Proofs: make([]ProofReference, len(p.Records)), LogKey: p.Key,
		HowToVerify: inBoth(func(t i18n.Texts) string { return t.Text("pack.how") }),
	}
	for _, clock := range p.Clocks {
		c := Clock{DueAt: clock.DueAt, State: ClockState(clock.State)}
		switch complaints.ClockName(clock.Name) {
		case complaints.PromiseClock:
			body.Clocks.Promise = c
		case complaints.WorkClock:
			body.Clocks.Work = c
		case complaints.LegalClock:
			body.Clocks.Legal = c
		}
	}
	for i, r := range p.Records {
		body.Proofs[i] = ProofReference{Record: r.Leaf.ID, Origin: r.In.Checkpoint.Origin, Index: r.Index, LeafHash: p.Hashes[i].String()}
	}
	return body
}

func caseBody(d evidence.Dossier) CaseSummary {
	return CaseSummary{
		ComplaintID: d.ComplaintID, Waybill: string(d.Waybill), Category: Category(d.Category), FiledAt: d.FiledAt,
		Outlet: ComplaintOutlet{ID: d.Log.Outlet, Name: d.OutletName}, CourierID: optional(d.CourierID),
	}
}

func checkpointBody(c evidence.Checkpoint) LogCheckpoint {
	return LogCheckpoint{Origin: c.Origin, Checkpoint: c.Note, Size: c.Size, Root: c.Root.String(), CreatedAt: c.CreatedAt}
}

func feedBodies(feeds []evidence.Feed) []CaseFeed {
	list := make([]CaseFeed, len(feeds))
	for i, f := range feeds {
		list[i] = CaseFeed{Provider: f.Provider, From: f.From, To: f.To, Healthy: Truth(f.Healthy.String())}
	}
	return list
}

func entryBodies(entries []evidence.Entry) []TimelineEntry {
	list := make([]TimelineEntry, len(entries))
	for i, e := range entries {
		list[i] = TimelineEntry{
			ID: e.ID, Kind: EvidenceKind(e.Kind), Source: optional(EvidenceSource(e.Source)), OccurredAt: e.OccurredAt, ReceivedAt: e.ReceivedAt,
			SkewMs: e.SkewMS, Late: e.Late, ClockSkew: e.ClockSkew, Courier: optional(TimelineEntryCourier(e.Courier)),
			Outcome: optional(e.Outcome), Seconds: e.Seconds, By: optional(e.By), Erased: optional(e.Erased),
			Text: inBoth(func(t i18n.Texts) string { return t.Event(string(e.Kind), e.Outcome) }),
		}
	}
	return list
}

func factBodies(findings []evidence.Finding) []CaseFact {
	list := make([]CaseFact, len(findings))
	for i, f := range findings {
		list[i] = CaseFact{
			Fact: f.Fact, Truth: Truth(f.Truth.String()), Source: optional(EvidenceSource(f.Source)), Records: f.Records,
			Text: inBoth(func(t i18n.Texts) string { return t.Text("fact." + f.Fact) }),
		}
		if f.Value != nil {
			list[i].Value = &f.Value
		}
	}
	return list
}

func missingBodies(missing []evidence.Missing) []MissingFact {
	list := make([]MissingFact, len(missing))
	for i, m := range missing {
		list[i] = MissingFact{
			Fact: m.Fact, Reason: MissingFactReason(m.Reason), Weight: m.Weight, Known: m.Known,
			Text: inBoth(func(t i18n.Texts) string { return t.Text("fact."+m.Fact) + ": " + t.Text("missing."+string(m.Reason)) }),
		}
	}
	return list
}

var zhCN, english = i18n.For("zh-CN"), i18n.For("en")

// inBoth gives a text in both languages.
func inBoth(say func(i18n.Texts) string) BothTexts {
	return BothTexts{ZhCN: say(zhCN), En: say(english)}
}
