package web

import (
	"cmp"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/parcels"
)

var outletPage = parseConsole("outlet.html")

// outletView is what outlet.html draws.
type outletView struct {
	frame
	Filters []filter
	Outlet  *parcels.Outlet // nil: headquarters has named none yet
	Week    []dayHours
	Days    []dayHours // exceptions
}

// dayHours are when an outlet works on a day; no spans: it does not.
type dayHours struct {
	Day   string
	Spans []parcels.Span
}

// week are the days as hours name them.
var week = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// outlet answers GET /console/outlet: what the work clock counts. Hours are the
// carrier's to set.
func (f console) outlet(c echo.Context, who doorstep.Actor) error {
	v := outletView{frame: f.frame(c, who)}
	if v.IsHQ() {
		v.Filters = []filter{v.textField(c, "outlet_id")}
	}
	if id := cmp.Or(who.Outlet, c.QueryParam("outlet_id")); id != "" {
		outlet, err := f.Desks.Roster.Outlet(c.Request().Context(), who, id)
		if err != nil {
			return err
		}
		v.Outlet = &outlet
		if outlet.Hours.Weekly != nil {
			for _, day := range week {
				v.Week = append(v.Week, dayHours{v.Text("weekday." + day), outlet.Hours.Weekly[day]})
			}
		}
		for _, e := range outlet.Hours.Exceptions {
			day := dayHours{e.Date, e.Spans}
			if date, err := time.Parse(time.DateOnly, e.Date); err == nil {
				day.Day = v.Day(date, v.Now)
			}
			v.Days = append(v.Days, day)
		}
	}
	return f.show(c, who, page{Template: outletPage, Title: "console.tab_outlet", View: v})
}
