package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/privacy"
)

// GetMyExport implements GET /v1/me/export.
func (s *Server) GetMyExport(ctx context.Context, _ GetMyExportRequestObject) (GetMyExportResponseObject, error) {
	c, err := s.Exporter.Export(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	return export{server: s, ctx: ctx, copy: c}, nil
}

// SendExport writes what GET /v1/me/export answers to a consumer who asks on a page.
func (s *Server) SendExport(ctx context.Context, w http.ResponseWriter, who doorstep.Actor, language string) error {
	known := requestFrom(ctx)
	known.acceptLanguage = language
	ctx = context.WithValue(context.WithValue(ctx, requestKey{}, known), actorKey{}, who)
	c, err := s.Exporter.Export(ctx, who)
	if err != nil {
		return err
	}
	return export{server: s, ctx: ctx, copy: c}.VisitGetMyExportResponse(w)
}

// export writes a ConsumerExport as it is read, so that no more than a parcel of
// it is in memory.
type export struct {
	server *Server
	ctx    context.Context
	copy   *privacy.Copy
}

// VisitGetMyExportResponse implements GetMyExportResponseObject.
func (e export) VisitGetMyExportResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	w.Header().Set(echo.HeaderContentDisposition, `attachment; filename="doorstep-export.json"`)
	w.WriteHeader(http.StatusOK)
	own, out := e.copy.Own, &document{to: w}
	out.field("at", e.copy.At)
	out.field("learning_enabled", own.Learning)
	out.field("tags", each(own.Tags, func(t prefs.TagState) MyTag { return e.server.myTagBody(e.ctx, t) }))
	out.field("preferences", each(own.Said, exportedPreference))
	out.field("notes", each(own.Notes, exportedNote))
	out.field("lessons", each(own.Lessons, exportedLesson))
	out.field("questions", each(own.Asked, exportedQuestion))
	out.field("links", each(own.Links, exportedLink))
	out.field("sign_ins", each(own.SignIns, exportedSignIn))
	out.list("consents", func() error {
		return e.copy.Consents(e.ctx, func(c prefs.Consent) error { return out.item(consentBody(c)) })
	})
	out.list("complaints", func() error {
		return e.copy.Complaints(e.ctx, func(c complaints.Complaint) error {
			return out.item(complaintBody(c, actor(e.ctx), e.server.Now()))
		})
	})
	out.field("complaint_periods", each(own.Periods, exportedPeriod))
	out.list("parcels", func() error {
		return e.copy.Parcels(e.ctx, func(p privacy.Owned) error {
			body, err := exportedParcel(p)
			if err != nil {
				return err
			}
			return out.item(body)
		})
	})
	return out.close()
}

// document writes a JSON object field by field. After the first fault it writes
// nothing more: what is cut short cannot be taken for whole.
type document struct {
	to     http.ResponseWriter
	begun  bool // the object has a field
	filled bool // the list has an item
	err    error
}

func (d *document) write(text string) {
	if d.err == nil {
		_, d.err = d.to.Write([]byte(text))
	}
}

func (d *document) value(v any) {
	if d.err == nil {
		d.err = json.NewEncoder(d.to).Encode(v)
	}
}

func (d *document) name(name string) {
	before := ","
	if !d.begun {
		before = "{"
	}
	d.begun = true
	d.write(before + `"` + name + `":`)
}

func (d *document) field(name string, v any) {
	d.name(name)
	d.value(v)
}

// list has each call item for every item of a list.
func (d *document) list(name string, each func() error) {
	d.name(name)
	d.write("[")
	d.filled = false
	if d.err == nil {
		d.err = each()
	}
	d.write("]")
}

func (d *document) item(v any) error {
	if d.filled {
		d.write(",")
	}
	d.filled = true
	d.value(v)
	return d.err
}

func (d *document) close() error {
	d.write("}\n")
	if d.err != nil {
		return fmt.Errorf("export: %w", d.err)
	}
	return nil
}

func exportedPreference(p privacy.Said) ExportedPreference {
	return ExportedPreference{
		Tag: Tag(p.Tag), State: p.State, Waybill: optional(p.Scope.Waybill()), AddressID: optional(p.Scope.AddressID()), At: p.At,
	}
}

func exportedNote(n privacy.Note) ExportedNote {
	return ExportedNote{Text: n.Text, Waybill: optional(n.Scope.Waybill()), AddressID: optional(n.Scope.AddressID()), At: n.At}
}

func exportedLesson(e prefs.Evidence) ExportedLesson {
	return ExportedLesson{
		Tag: Tag(e.Tag), Sign: string(e.Sign), Category: optional(e.Category), Waybill: optional(e.Waybill),
		AddressID: optional(e.AddressID), Weight: e.Weight, At: e.At,
	}
}

func exportedQuestion(q privacy.Asked) ExportedQuestion {
	return ExportedQuestion{
		Tag: Tag(q.Tag), AskedAt: q.AskedAt, ExpiresAt: q.ExpiresAt, Answer: optional(q.Answer), AnsweredAt: optional(q.AnsweredAt),
	}
}

func exportedLink(l privacy.Link) ExportedLink {
	return ExportedLink{
		Kind: l.Kind, Waybill: string(l.Waybill), SentAt: l.SentAt, ExpiresAt: l.ExpiresAt, Answer: optional(l.Answer), AnsweredAt: optional(l.AnsweredAt),
	}
}

func exportedPeriod(r privacy.Round) ExportedPeriod {
	return ExportedPeriod{
		ComplaintID: r.ComplaintID, No: r.No, OpenedBy: string(r.OpenedBy), Since: r.From, AnsweredAt: optional(r.AnsweredAt),
		PausedSeconds: int64(r.PausedFor.Seconds()),
	}
}

func exportedSignIn(s privacy.SignIn) ExportedSignIn {
	return ExportedSignIn{Waybill: optional(string(s.Waybill)), CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}
}

func exportedParcel(p privacy.Owned) (ExportedParcel, error) {
	records := make([]EvidenceRecord, len(p.Records))
	for i, item := range p.Records {
		var err error
		if records[i], err = evidenceBody(forConsumer(item)); err != nil {
			return ExportedParcel{}, err
		}
	}
	return ExportedParcel{
		Waybill: string(p.Waybill), OutletID: p.OutletID, Phone: optional(string(p.Phone)), Name: optional(p.Name), Address: optional(p.Address),
		AddressID: optional(p.AddressID), DispatchedAt: optional(p.DispatchedAt), Records: records,
		Opened: each(p.Opened, accessBody), Holds: each(p.Held, holdBody),
	}, nil
}

// aboutOthers are the fields of records that are about somebody else than the
// consumer: the courier, a manager, whoever called for him.
var aboutOthers = []string{"lat", "lng", "accuracy_m", "by", "reporter"}

// forConsumer is a record as its consumer gets it.
func forConsumer(item evidence.Item) evidence.Item {
	item.CourierID, item.ClientID = "", ""
	if item.Opening.Values != nil {
		item.Opening = item.Opening.Without(aboutOthers...)
	}
	return item
}
