package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// learning answers GET /console/learning: what couriers and outlets said of the
// tags that were learned.
func (f console) learning(c echo.Context, who doorstep.Actor) error {
	v := f.frame(c, who)
	tags, err := f.Desks.Panel.Learning(c.Request().Context(), who)
	if err != nil {
		return err
	}
	l := listing{Head: v.heads("tag", "right", "wrong", "share_wrong", "state", "do"), Empty: v.Text("console.no_verdicts")}
	for _, t := range tags {
		state, do := cell{Badge: &badge{Tone: "fine", Icon: "check", Text: v.Text("console.learned")}}, cell{}
		if !t.PausedAt.IsZero() {
			state = cell{Badge: &badge{Tone: "late", Icon: "pause", Text: v.Fill("console.learning_paused", "since", v.When(t.PausedAt))}}
			if v.IsHQ() {
				do = cell{Text: v.Text("console.resume"), Post: "/console/learning/" + url.PathEscape(string(t.Tag)) + "/resumption"}
			}
		}
		share := ""
		if t.Verdicts > 0 {
			share = percent((200*t.Wrong + t.Verdicts) / (2 * t.Verdicts))
		}
		l.Rows = append(l.Rows, []cell{
			plain(v.Instruction(t.Tag)), plain(strconv.Itoa(t.Verdicts - t.Wrong)), plain(strconv.Itoa(t.Wrong)), plain(share), state, do,
		})
	}
	return f.lists(c, who, v, "learning", l)
}

// percent writes a whole number of hundredths.
func percent(n int) string { return strconv.Itoa(n) + " %" }

// resume answers POST /console/learning/{tag}/resumption: for headquarters, as in
// the public API.
func (f console) resume(c echo.Context, who doorstep.Actor) error {
	if who.Role != doorstep.RoleHQ {
		return doorstep.ErrForbidden
	}
	if _, err := f.Desks.Panel.Resume(c.Request().Context(), who, c.Param("tag")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/console/learning?done=resume")
}
