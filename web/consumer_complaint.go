package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
)

var complainPage = parse("consumer-complain.html")

// maxWords bounds a complaint's text, in runes, as the API does.
const maxWords = 4000

// complainView is what consumer-complain.html draws: one of three steps. What the
// steps before it asked goes along in the form, so that nothing is kept before
// the consumer has seen all of it.
type complainView struct {
	holder
	Step     string // what, words or review
	Given    doorstep.Waybill
	Category complaints.Category // "": read it from the words
	Words    string
	Promise  string // by when there is an answer, if it were filed now
	Trouble  string
}

// Categories are what may have gone wrong.
func (complainView) Categories() []complaints.Category { return complaints.Categories }

// MaxWords is for the form.
func (complainView) MaxWords() int { return maxWords }

// Number is the step's, of three.
func (v complainView) Number() string {
	return strconv.Itoa(map[string]int{"what": 1, "words": 2, "review": 3}[v.Step])
}

// complain answers GET and POST /p/{face}/complain. Only the last step files.
func (p consumer) complain(c echo.Context, h holder) error {
	in := c.Request().PostForm
	v := complainView{
		holder: h, Step: in.Get("to"), Category: complaints.Category(in.Get("category")), Words: wordsOf(in),
		Given: doorstep.Waybill(cmp.Or(string(h.Waybill), in.Get("waybill"), c.QueryParam("waybill"))),
	}
	trouble := func(step, key string) error {
		v.Step, v.Trouble = step, textsOf(c).Text(key)
		return p.drawComplain(c, v, http.StatusUnprocessableEntity)
	}
	switch v.Step {
	case "words", "review", "file":
		_, _, err := p.Own.Parcels.Parcel(c.Request().Context(), h.Actor, string(v.Given))
		switch {
		case errors.Is(err, doorstep.ErrNotFound), errors.Is(err, doorstep.ErrInvalid):
			return trouble("what", "page.no_parcel")
		case err != nil:
			return err
		}
		if n := utf8.RuneCountInString(v.Words); v.Step != "words" && (n == 0 || n > maxWords) {
			return trouble("words", "complain.words_needed")
		}
	default:
		v.Step = "what"
	}
	if v.Step != "file" {
		return p.drawComplain(c, v, http.StatusOK)
	}
	filed, err := p.file(c, h, v)
	switch {
	case errors.Is(err, doorstep.ErrInvalid):
		return trouble("words", "complain.words_needed")
	case err != nil:
		return fmt.Errorf("file: %w", err)
	}
	return back(c, h.At("complaints", filed.ID)+"?filed=1")
}

// wordsOf is what somebody wrote. Browsers end lines in two characters.
func wordsOf(in url.Values) string {
	return strings.TrimSpace(strings.ReplaceAll(in.Get("words"), "\r\n", "\n"))
}

func (p consumer) drawComplain(c echo.Context, v complainView, status int) error {
	v.Promise = p.moment(c, p.Own.Now().Add(complaints.Promise))
	return p.ask(c, page{Template: complainPage, Title: "complain.title", View: v, Status: status})
}

// file takes a complaint in. The same words about the same parcel again, while it
// is open, are a second press of the button.
func (p consumer) file(c echo.Context, h holder, v complainView) (complaints.Complaint, error) {
	ctx := c.Request().Context()
	last, err := p.Own.Complaints.Complaints(ctx, h.Actor, complaints.Query{Limit: 1})
	if err != nil {
		return complaints.Complaint{}, err
	}
	if len(last) > 0 && last[0].Text == v.Words && last[0].Waybill == v.Given && last[0].Status.IsOpen() {
		return last[0], nil
	}
	return p.Own.Complaints.File(ctx, h.Actor, complaints.Filing{
		Waybill: string(v.Given), Text: v.Words, Category: string(v.Category),
	})
}
