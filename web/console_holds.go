package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/privacy"
)

var holdsPage = parseConsole("holds.html")

// holdsView is what holds.html draws.
type holdsView struct {
	frame
	List  listing
	Typed url.Values
}

// holds answers GET /console/holds: parcels whose data must stay.
func (f console) holds(c echo.Context, who doorstep.Actor) error {
	return f.drawHolds(c, who, holdsView{frame: f.frame(c, who)}, http.StatusOK)
}

func (f console) drawHolds(c echo.Context, who doorstep.Actor, v holdsView, status int) error {
	waybill, err := waybillOf(c)
	if err != nil {
		return err
	}
	at := placeOf(c)
	held, err := f.Desks.Keeper.Holds(c.Request().Context(), who, privacy.HoldQuery{Waybill: waybill, BeforeMS: at.ms, BeforeID: at.id, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	v.List = listing{Filters: []filter{v.textField(c, "waybill")}, Head: v.heads("waybill", "reason", "set", "released", "outlet", "do"), Empty: v.Text("console.nothing")}
	held, v.List.Next = cutPage(c, held, func(h privacy.Hold) (time.Time, string) { return h.SetAt, h.ID })
	for _, h := range held {
		set, released := v.moment(h.SetAt), v.moment(h.ReleasedAt)
		set.Note, released.Note = h.SetBy, h.ReleasedBy
		do := cell{}
		if h.ReleasedAt.IsZero() {
			do = cell{Text: v.Text("console.release"), Post: "/console/holds/" + url.PathEscape(h.ID) + "/release"}
		}
		v.List.Rows = append(v.List.Rows, []cell{mono(string(h.Waybill)), plain(h.Reason), set, released, mono(h.OutletID), do})
	}
	return f.show(c, who, page{Template: holdsPage, Title: "console.tab_holds", View: v, Status: status})
}

// hold answers POST /console/holds.
func (f console) hold(c echo.Context, who doorstep.Actor) error {
	if err := posted(c, mostOfForm); err != nil {
		return err
	}
	in := c.Request().PostForm
	_, err := f.Desks.Keeper.Hold(c.Request().Context(), who, in.Get("waybill"), in.Get("reason"))
	status := http.StatusUnprocessableEntity
	switch {
	case err == nil:
		return c.Redirect(http.StatusSeeOther, "/console/holds?done=hold")
	case errors.Is(err, doorstep.ErrNotFound):
		status = http.StatusNotFound
	case !errors.Is(err, doorstep.ErrInvalid):
		return err
	}
	v := holdsView{frame: f.frame(c, who), Typed: in}
	v.Trouble = v.Text("console.trouble_hold")
	return f.drawHolds(c, who, v, status)
}

// release answers POST /console/holds/{id}/release.
func (f console) release(c echo.Context, who doorstep.Actor) error {
	if err := f.Desks.Keeper.Release(c.Request().Context(), who, c.Param("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/console/holds?done=release")
}
