package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/privacy"
)

var dataPage = parse("consumer-data.html")

// dataView is what consumer-data.html draws.
type dataView struct {
	holder
	Rules   []ruleView
	Erasure *privacy.Request // nil: nobody asked for it
	AskedAt string
	Trouble string
}

// ruleView is what is kept, why and how long, in words.
type ruleView struct{ Data, Purpose, Keep string }

// data answers GET /p/{face}/data.
func (p consumer) data(c echo.Context, h holder) error { return p.drawData(c, h, "", http.StatusOK) }

func (p consumer) drawData(c echo.Context, h holder, trouble string, status int) error {
	v, texts := dataView{holder: h, Trouble: trouble}, textsOf(c)
	for _, r := range privacy.Rules {
		key := "privacy." + string(r.Class)
		v.Rules = append(v.Rules, ruleView{
			Data: texts.Text(key + ".data"), Purpose: texts.Text(key + ".purpose"),
			Keep: texts.Fill("privacy.keep."+string(r.From), "days", strconv.Itoa(r.Days())),
		})
	}
	if h.IsPerson() {
		request, err := p.Own.Eraser.Request(c.Request().Context(), h.Actor)
		switch {
		case errors.Is(err, doorstep.ErrNotFound):
		case err != nil:
			return fmt.Errorf("erasure: %w", err)
		default:
			v.Erasure, v.AskedAt = &request, p.moment(c, request.AskedAt)
		}
	}
	return p.ask(c, page{Template: dataPage, Title: "data.title", View: v, Status: status})
}

// sendCopy answers POST /p/{face}/data/copy. It is no GET: that a copy was made is
// put on record.
func (p consumer) sendCopy(c echo.Context, h holder) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return p.Own.SendCopy(c.Request().Context(), c.Response(), h.Actor, textsOf(c).Language.String())
}

// erase answers POST /p/{face}/data/erasure.
func (p consumer) erase(c echo.Context, h holder) error {
	if c.FormValue("sure") != "yes" {
		return p.drawData(c, h, textsOf(c).Text("data.not_sure"), http.StatusUnprocessableEntity)
	}
	if err := p.Own.Eraser.Erase(c.Request().Context(), h.Actor); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	return back(c, h.At("data"))
}
