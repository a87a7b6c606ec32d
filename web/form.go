package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/i18n"
	"doorstep/outreach"
	"doorstep/prefs"
	"doorstep/session"
)

// Forms knows what a link asks and takes the answer. A link that does not hold
// gives doorstep.ErrNotFound.
type Forms interface {
	Open(ctx context.Context, secret string) (outreach.Form, error)
	AnswerQuestion(ctx context.Context, secret string, tag prefs.Tag, yes bool, locale string) error
	AnswerContact(ctx context.Context, secret string, choice outreach.Choice, words, locale string, say func(outletLocale string) string) error
}

var formPage = parse("form.html")

// maxForm bounds what a form sends, in bytes.
const maxForm = 8 << 10

// form draws what a link asks and takes the answer.
type form struct{ *house }

// formView is what form.html draws.
type formView struct {
	i18n.Texts
	Form     outreach.Form
	MaxWords int
	Trouble  string
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

// show answers GET /p/{face}.
func (f form) show(c echo.Context) error { return f.ask(c, http.StatusOK, "") }

// take answers POST /p/{face} and leads back to the form, so that reloading it
// sends nothing again.
func (f form) take(c echo.Context) error {
	r := c.Request()
	if err := posted(c, maxForm); err != nil {
		return f.ask(c, http.StatusUnprocessableEntity, "form.unreadable")
	}
	ctx, secret, in := r.Context(), f.secret(c), r.PostForm
	texts := textsOf(c)
	lang := texts.Language.String()
	var err error
	switch tag, choice := in.Get("tag"), in.Get("choice"); {
	case tag != "" && (in.Get("answer") == outreach.Yes || in.Get("answer") == outreach.No):
		err = f.Forms.AnswerQuestion(ctx, secret, prefs.Tag(tag), in.Get("answer") == outreach.Yes, lang)
	case choice != "":
		err = f.Forms.AnswerContact(ctx, secret, outreach.Choice(choice), in.Get("words"), lang, func(locale string) string {
			return i18n.For(locale).Text("form.note_" + choice)
		})
	default:
		return f.ask(c, http.StatusUnprocessableEntity, "form.unreadable")
	}
	switch {
	case errors.Is(err, doorstep.ErrInvalid):
		return f.ask(c, http.StatusUnprocessableEntity, "form.words_needed")
	case errors.Is(err, doorstep.ErrTooMany):
		return f.ask(c, http.StatusTooManyRequests, "form.enough")
	case errors.Is(err, doorstep.ErrNotFound):
		return f.ask(c, http.StatusNotFound, "")
	case err != nil:
		return fmt.Errorf("form: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, "/p/"+c.Param("link"))
}

// secret is the link's, from the cookie that the address names.
func (f form) secret(c echo.Context) string {
	return f.Jar.Secret(c.Request(), session.Face(c.Param("link")))
}

// ask draws the form as it stands, with what went wrong if anything did.
func (f form) ask(c echo.Context, status int, trouble string) error {
	v := formView{Texts: textsOf(c), MaxWords: outreach.MaxWords}
	if trouble != "" {
		v.Trouble = v.Text(trouble)
	}
	got, err := f.Forms.Open(c.Request().Context(), f.secret(c))
	switch {
	case errors.Is(err, doorstep.ErrNotFound):
		return f.draw(c, page{Template: linkPage, Title: "form.over_title", Face: "consumer", View: "form.over", Status: http.StatusNotFound})
	case err != nil:
		return fmt.Errorf("form: %w", err)
	}
	v.Form = got
	return f.draw(c, page{Template: formPage, Title: "page.title", Face: "consumer", View: v, Style: "consumer.css", Status: status})
}
