package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// action is what a form of the complaint's page asks for.
type action func(ctx context.Context, who doorstep.Actor, id string, in url.Values) error

// actions are those of the complaint's page, by the last part of the address,
// which the public API has too.
func (f console) actions() map[string]action {
	desk := f.Desks.Complaints
	return map[string]action{
		"answer": func(ctx context.Context, who doorstep.Actor, id string, in url.Values) error {
			_, err := desk.Answer(ctx, who, id, in.Get("text"))
			return err
		},
		"notes": func(ctx context.Context, who doorstep.Actor, id string, in url.Values) error {
			_, err := desk.AddNote(ctx, who, id, in.Get("text"))
			return err
		},
		"pause": func(ctx context.Context, who doorstep.Actor, id string, in url.Values) error {
			_, err := desk.Pause(ctx, who, id, in.Get("reason"), in.Get("note"))
			return err
		},
		"reroute": func(ctx context.Context, who doorstep.Actor, id string, in url.Values) error {
			_, err := desk.Reroute(ctx, who, id, in.Get("to"), in.Get("reason"))
			return err
		},
		"recategorise": func(ctx context.Context, who doorstep.Actor, id string, in url.Values) error {
			_, err := desk.Recategorise(ctx, who, id, in.Get("category"), in.Get("reason"))
			return err
		},
	}
}

// act answers POST /console/complaints/{id}/{action} and leads back to the
// complaint, so that reloading sends nothing again. What is refused comes back as
// it was typed.
func (f console) act(c echo.Context, who doorstep.Actor) error {
	name, id := c.Param("action"), c.Param("id")
	do := f.actions()[name]
	if do == nil {
		return doorstep.NotFound("action", name)
	}
	if err := posted(c, mostOfForm); err != nil {
		return err
	}
	in := c.Request().PostForm
	err := do(c.Request().Context(), who, id, in)
	status, trouble := http.StatusUnprocessableEntity, "console.trouble_"+name
	switch {
	case err == nil && name == "reroute": // it may be another outlet's now
		return c.Redirect(http.StatusSeeOther, "/console/?done=reroute")
	case err == nil:
		return c.Redirect(http.StatusSeeOther, "/console/complaints/"+url.PathEscape(id)+"?done="+name)
	case errors.Is(err, doorstep.ErrConflict):
		status, trouble = http.StatusConflict, "failure.conflict"
	case !errors.Is(err, doorstep.ErrInvalid):
		return err
	}
	v := deskCase{frame: f.frame(c, who), Typed: in, Erred: name}
	v.Trouble = v.Text(trouble)
	return f.drawCase(c, who, v, status)
}
