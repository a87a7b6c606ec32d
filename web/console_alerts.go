package web

import (
	"cmp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/push"
)

// alerts answers GET /console/alerts: instructions that no courier has seen, and
// why. Headquarters names the outlet.
func (f console) alerts(c echo.Context, who doorstep.Actor) error {
	v := f.frame(c, who)
	at := placeOf(c)
	outlet := cmp.Or(who.Outlet, c.QueryParam("outlet_id"))
	l := listing{
		Filters: []filter{choiceField(v, c, "state", "alert_state.", []push.UnreadState{push.Unacknowledged, push.NotInformed})},
		Head:    v.heads("made", "waybill", "courier", "instruction", "state", "why", "ends"), Empty: v.Text("console.no_alerts"),
	}
	if v.IsHQ() {
		l.Filters = append([]filter{v.textField(c, "outlet_id")}, l.Filters...)
	}
	if outlet == "" {
		l.Empty = v.Text("console.name_outlet")
		return f.lists(c, who, v, "alerts", l)
	}
	unread, err := f.Desks.Watch.Alerts(c.Request().Context(), who, outlet, push.AlertQuery{
		State: push.UnreadState(c.QueryParam("state")), BeforeMS: at.ms, BeforeID: at.id, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	unread, l.Next = cutPage(c, unread, func(u push.Unread) (time.Time, string) { return u.CreatedAt, u.ID })
	for _, u := range unread {
		var told []string
		for _, tag := range u.Tags {
			told = append(told, v.Instruction(tag))
		}
		state := badge{Tone: "soon", Icon: "clock", Text: v.Text("alert_state." + string(u.State))}
		if u.State == push.NotInformed {
			state.Tone, state.Icon = "late", "alarm"
		}
		l.Rows = append(l.Rows, []cell{
			v.moment(u.CreatedAt), mono(string(u.Waybill)), mono(u.CourierID), plain(strings.Join(told, v.Text("console.between"))), {Badge: &state},
			plain(v.Text("alert_reason." + cmp.Or(string(u.Reason), "opened"))), v.moment(u.ExpiresAt),
		})
	}
	return f.lists(c, who, v, "alerts", l)
}
