package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
)

var deskCasePage = parseConsole("case.html")

// deskCase is what case.html draws.
type deskCase struct {
	frame
	Case    complaints.Complaint
	Base    string // the page's own address
	Clocks  []clockView
	Earlier *complaints.Complaint // that it repeats, where the reader may see it
	Notes   []complaints.Note
	File    *fileView // nil: it is too large to lay out
	Typed   url.Values
	Erred   string // the action whose form was refused
}

// clockView is one of the three deadlines.
type clockView struct {
	Name, Hint, Due string
	Badge           badge
}

// complaint answers GET /console/complaints/{id}.
func (f console) complaint(c echo.Context, who doorstep.Actor) error {
	return f.drawCase(c, who, deskCase{frame: f.frame(c, who)}, http.StatusOK)
}

// drawCase draws the page as the complaint stands, with what the reader typed
// where that was refused.
func (f console) drawCase(c echo.Context, who doorstep.Actor, v deskCase, status int) (err error) {
	ctx, id := c.Request().Context(), c.Param("id")
	if v.Case, err = f.Desks.Complaints.Complaint(ctx, who, id); err != nil {
		return err
	}
	if v.Notes, err = f.Desks.Complaints.Notes(ctx, who, id); err != nil {
		return err
	}
	if v.Case.RepeatOf != "" {
		earlier, err := f.Desks.Complaints.Complaint(ctx, who, v.Case.RepeatOf)
		switch {
		case err == nil:
			v.Earlier = &earlier
		case !errors.Is(err, doorstep.ErrNotFound): // it may be another outlet's
			return err
		}
	}
	dossier, err := f.Desks.Clerk.Open(ctx, who, id, evidence.OpenedFile, 0)
	switch {
	case err == nil:
		v.File = f.fileView(v.frame, dossier)
	case !errors.Is(err, doorstep.ErrConflict):
		return err
	}
	v.Base = "/console/complaints/" + url.PathEscape(id)
	for _, name := range complaints.ClockNames {
		clock := v.Case.Period.Clock(name)
		v.Clocks = append(v.Clocks, clockView{
			Name: v.Text("clock." + string(name)), Hint: v.Text("console.clock_hint_" + string(name)), Due: v.When(clock.Due), Badge: v.Countdown(clock),
		})
	}
	return f.show(c, who, page{Template: deskCasePage, Title: "category." + string(v.Case.Category), View: v, Status: status})
}

// Paused says since when the work clock stands, and until when at the latest.
func (v deskCase) Paused() string {
	p := v.Case.Period.Pause
	return v.Fill("console.paused", "reason", v.Text("pausing."+string(p.Reason)), "since", v.When(p.From), "until", v.When(p.Until))
}

// EarlierAnswer is what the outlet said to the complaint that this one repeats.
func (v deskCase) EarlierAnswer() (answer string) {
	for _, m := range v.Earlier.Messages {
		if m.Author == complaints.FromOutlet {
			answer = m.Text
		}
	}
	return answer
}

// Reasons are those to pause for.
func (v deskCase) Reasons() []option {
	return options(v, "reason", "pausing.", complaints.PauseReasons)
}

// Categories are those to move the complaint to.
func (v deskCase) Categories() (list []option) {
	for i, o := range options(v, "category", "category.", complaints.Categories) {
		if complaints.Categories[i] != v.Case.Category {
			list = append(list, o)
		}
	}
	return list
}

// options are the choices of a form, with what was chosen before it was refused.
func options[T ~string](v deskCase, name, texts string, values []T) (list []option) {
	for _, value := range values {
		list = append(list, option{string(value), v.Text(texts + string(value)), v.Typed.Get(name) == string(value)})
	}
	return list
}

// bundle answers GET /console/complaints/{id}/bundle.
func (f console) bundle(c echo.Context, who doorstep.Actor) error {
	zip, err := f.Desks.Packer.Bundle(c.Request().Context(), who, c.Param("id"), 0, 0)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="case-`+c.Param("id")+`.zip"`)
	return c.Blob(http.StatusOK, "application/zip", zip)
}

// photo answers GET /console/photos/{sha256}: the copy that the API shows.
func (f console) photo(c echo.Context, who doorstep.Actor) error {
	picture, err := f.Desks.Album.Picture(c.Request().Context(), who, c.Param("sha256"))
	if err != nil {
		return err
	}
	head := c.Response().Header()
	head.Set(echo.HeaderCacheControl, "private, max-age=300")
	head.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'; sandbox")
	head.Set(echo.HeaderXContentTypeOptions, "nosniff")
	return c.Blob(http.StatusOK, "image/jpeg", picture)
}

// pack answers GET /console/complaints/{id}/regulator-pack: for print.
func (f console) pack(c echo.Context, who doorstep.Actor) error {
	p, err := f.Desks.Clerk.Pack(c.Request().Context(), who, c.Param("id"))
	if err != nil {
		return err
	}
	texts := textsOf(c)
	html, policy, err := PackPage(f.Desks.Zone)(p, texts)
	if err != nil {
		return err
	}
	head := c.Response().Header()
	head.Set(echo.HeaderContentSecurityPolicy, policy)
	head.Set(echo.HeaderCacheControl, "no-store")
	head.Set("Content-Language", texts.Language.String())
	return c.HTMLBlob(http.StatusOK, html)
}
