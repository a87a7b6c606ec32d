package web

import (
	"cmp"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
	"doorstep/parcels"
	"doorstep/privacy"
)

// overrides answers GET /console/overrides: what was signed for without consent,
// because a manager took it upon himself.
func (f console) overrides(c echo.Context, who doorstep.Actor) error {
	v := f.frame(c, who)
	from, to, err := v.days(c)
	if err != nil {
		return err
	}
	at := placeOf(c)
	taken, err := f.Desks.Signer.Overrides(c.Request().Context(), who, parcels.OverrideQuery{
		From: from, To: to, BeforeMS: at.ms, BeforeID: at.id, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	l := listing{Filters: []filter{v.dateField(c, "from"), v.dateField(c, "to")}, Head: v.heads("happened", "waybill", "how", "by", "reason", "courier", "outlet")}
	taken, l.Next = cutPage(c, taken, func(o parcels.Override) (time.Time, string) { return o.ReceivedAt, o.ID })
	for _, o := range taken {
		l.Rows = append(l.Rows, []cell{
			v.moment(o.At), mono(string(o.Waybill)), plain(v.Event("sign_for", string(o.Method))), plain(o.By), plain(o.Reason), mono(o.CourierID), mono(o.OutletID),
		})
	}
	return f.lists(c, who, v, "overrides", l)
}

// named is how many parcels of a list the access log names.
const named = 3

// accesses answers GET /console/access-log: who opened whose data.
func (f console) accesses(c echo.Context, who doorstep.Actor) error {
	v := f.frame(c, who)
	from, to, err := v.days(c)
	if err != nil {
		return err
	}
	waybill, err := waybillOf(c)
	if err != nil {
		return err
	}
	at := placeOf(c)
	opened, err := f.Desks.Accesses.List(c.Request().Context(), who, privacy.AccessQuery{
		Waybill: waybill, ComplaintID: c.QueryParam("complaint_id"), From: from, To: to, BeforeMS: at.ms, BeforeID: at.id, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	l := listing{
		Filters: []filter{v.textField(c, "waybill"), v.textField(c, "complaint_id"), v.dateField(c, "from"), v.dateField(c, "to")},
		Head:    v.heads("when", "by", "opened", "waybill", "case", "outlet"),
	}
	opened, l.Next = cutPage(c, opened, func(a privacy.Access) (time.Time, string) { return a.At, a.ID })
	for _, a := range opened {
		by := cell{Text: cmp.Or(a.By, v.Text("console.somebody"))}
		if a.Role != "" {
			by.Note = v.Text("role." + string(a.Role))
		}
		what := cell{Text: v.Text("opened." + cmp.Or(string(a.Opened), "unknown"))}
		shown := mono(string(a.Waybill))
		if n := len(a.Waybills); n > 0 {
			for _, w := range a.Waybills[:min(n, named)] {
				shown.Text += " " + string(w)
			}
			if n > named {
				shown.Note = v.Fill("console.more_parcels", "n", strconv.Itoa(n-named))
			}
		}
		l.Rows = append(l.Rows, []cell{v.moment(a.At), by, what, shown, v.caseLink(a.ComplaintID), mono(a.OutletID)})
	}
	return f.lists(c, who, v, "access_log", l)
}

// audiences are those whose notices the console shows.
var audiences = []complaints.Audience{complaints.ToHandler, complaints.ToManager, complaints.ToOwner, complaints.ToHQ}

// notices answers GET /console/notices: what the clocks have told whom.
func (f console) notices(c echo.Context, who doorstep.Actor) error {
	v := f.frame(c, who)
	at := placeOf(c)
	told, err := f.Desks.Complaints.Notices(c.Request().Context(), who, complaints.NoticeQuery{
		Audience: complaints.Audience(c.QueryParam("audience")), BeforeMS: at.ms, BeforeID: at.id, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	l := listing{
		Filters: []filter{choiceField(v, c, "audience", "audience.", audiences)}, Empty: v.Text("console.no_notices"),
		Head: v.heads("when", "notice", "for", "due", "outlet", "case"),
	}
	told, l.Next = cutPage(c, told, func(n complaints.NoticeItem) (time.Time, string) { return n.At, n.ID })
	for _, n := range told {
		clock := v.Text("clock." + string(n.Clock))
		b := badge{Tone: "soon", Icon: "clock", Text: v.Fill("console.notice_warned", "clock", clock, "percent", percent(n.Percent))}
		if n.Percent >= 100 {
			b = badge{Tone: "late", Icon: "alarm", Text: v.Fill("console.notice_breached", "clock", clock)}
		}
		l.Rows = append(l.Rows, []cell{
			v.moment(n.At), {Badge: &b}, plain(v.Text("audience." + string(n.To))), v.moment(n.DueAt), mono(n.OutletID), v.caseLink(n.ComplaintID),
		})
	}
	return f.lists(c, who, v, "notices", l)
}
