package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/i18n"
	"doorstep/outreach"
	"doorstep/prefs"
)

// Forms knows what a link asks and takes the answer. A link that does not hold
// gives doorstep.ErrNotFound.
type Forms interface {
	Open(ctx context.Context, secret string) (outreach.Form, error)
	AnswerQuestion(ctx context.Context, secret string, tag prefs.Tag, yes bool, locale string) error
	AnswerContact(ctx context.Context, secret string, choice outreach.Choice, words, locale string, say func(outletLocale string) string) error
}

var formPage = template.Must(template.ParseFS(files, "form.html"))

// formPolicy lets a form be sent to its own server. There is no script.
const formPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// maxForm bounds what a form sends, in bytes.
const maxForm = 8 << 10

// form draws what a link asks and takes the answer. Its secret is the only
// credential, and no other site knows it: there are no cookies, so nothing is
// sent on anybody's behalf.
type form struct{ forms Forms }

// formView is what form.html draws.
type formView struct {
	i18n.Texts
	Lang, Other string
	Open        bool // the link holds
	Form        outreach.Form
	MaxWords    int
	Trouble     string
}

// WaybillEnd is how the page names the parcel.
func (v formView) WaybillEnd() string { return v.Form.Waybill.LastFour() }

// Hint says what a yes to a question means.
func (v formView) Hint(tag prefs.Tag) string {
	switch {
	case tag.IsPermission():
		return v.Text("form.hint_permission")
	case tag.TellsAbsence():
		return v.Text("form.hint_time")
	}
	return v.Text("form.hint_wish")
}

// Quick are the choices that need no words.
func (formView) Quick() []outreach.Choice {
	return []outreach.Choice{outreach.Door, outreach.Locker, outreach.PickupPoint, outreach.Neighbour}
}

// show answers GET /p/{token}. It changes nothing: a link is opened by previews
// and scanners before its owner sees it.
func (f form) show(c echo.Context) error { return f.draw(c, http.StatusOK, "") }

// take answers POST /p/{token} and leads back to the form, so that reloading it
// sends nothing again.
func (f form) take(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return f.draw(c, http.StatusUnprocessableEntity, "form.unreadable")
	}
	ctx, secret, in := r.Context(), c.Param("token"), r.PostForm
	texts := textsOf(c)
	lang := texts.Language.String()
	var err error
	switch tag, choice := in.Get("tag"), in.Get("choice"); {
	case tag != "" && (in.Get("answer") == outreach.Yes || in.Get("answer") == outreach.No):
		err = f.forms.AnswerQuestion(ctx, secret, prefs.Tag(tag), in.Get("answer") == outreach.Yes, lang)
	case choice != "":
		err = f.forms.AnswerContact(ctx, secret, outreach.Choice(choice), in.Get("words"), lang, func(locale string) string {
			return i18n.For(locale).Text("form.note_" + choice)
		})
	default:
		return f.draw(c, http.StatusUnprocessableEntity, "form.unreadable")
	}
	switch {
	case errors.Is(err, doorstep.ErrInvalid):
		return f.draw(c, http.StatusUnprocessableEntity, "form.words_needed")
	case errors.Is(err, doorstep.ErrTooMany):
		return f.draw(c, http.StatusTooManyRequests, "form.enough")
	case errors.Is(err, doorstep.ErrNotFound):
		return f.draw(c, http.StatusNotFound, "")
	case err != nil:
		return fmt.Errorf("form: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, "/p/"+url.PathEscape(secret)+"?lang="+lang)
}

// draw draws the form as it stands, with what went wrong if anything did.
func (f form) draw(c echo.Context, status int, trouble string) error {
	v := formView{Texts: textsOf(c), MaxWords: outreach.MaxWords}
	v.Lang, v.Other = v.Language.String(), otherThan(v.Texts)
	if trouble != "" {
		v.Trouble = v.Text(trouble)
	}
	got, err := f.forms.Open(c.Request().Context(), c.Param("token"))
	switch {
	case err == nil:
		v.Open, v.Form = true, got
	case errors.Is(err, doorstep.ErrNotFound):
		status = http.StatusNotFound
	default:
		return fmt.Errorf("form: %w", err)
	}
	var page bytes.Buffer
	if err := formPage.Execute(&page, v); err != nil {
		return fmt.Errorf("form: %w", err)
	}
	private(c, formPolicy, v.Lang)
	return c.HTMLBlob(status, page.Bytes())
}
