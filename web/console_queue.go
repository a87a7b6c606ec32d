package web

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
)

var queuePage = parseConsole("queue.html")

// queueView is what queue.html draws.
type queueView struct {
	frame
	Filters []filter
	Rows    []queueRow
	Next    string
	Again   string // where the script asks for the queue anew
}

// queueRow is a complaint in the queue.
type queueRow struct {
	complaints.Complaint
	URL     string
	Promise badge
	Work    *badge // where it presses too
}

// maxExcerpt is how much of a complaint the queue shows, in characters.
const maxExcerpt = 120

// Excerpt is how the complaint begins.
func (r queueRow) Excerpt() string {
	if runes := []rune(r.Text); len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt]) + "…"
	}
	return r.Text
}

// queue answers GET /console/: those that owe an answer, the most urgent first,
// or all, the newest first.
func (f console) queue(c echo.Context, who doorstep.Actor) error {
	v := queueView{frame: f.frame(c, who), Again: "?" + c.Request().URL.RawQuery}
	at := placeOf(c)
	q := complaints.Query{
		Status: complaints.Status(c.QueryParam("status")), Category: complaints.Category(c.QueryParam("category")),
		CourierID: c.QueryParam("courier_id"), ByDue: c.QueryParam("sort") != "filed",
		AfterMS: at.ms, AfterID: at.id, Limit: pageSize + 1,
	}
	if hours, err := strconv.Atoi(c.QueryParam("within")); err == nil && hours > 0 && hours <= longestWithin {
		q.DueBefore = v.Now.Add(time.Duration(hours) * time.Hour)
	}
	list, err := f.Desks.Complaints.Complaints(c.Request().Context(), who, q)
	if err != nil {
		return err
	}
	list, v.Next = cutPage(c, list, func(one complaints.Complaint) (time.Time, string) {
		if q.ByDue {
			return one.Period.Clock(complaints.PromiseClock).Due, one.RowID
		}
		return one.FiledAt, one.RowID
	})
	for _, one := range list {
		v.Rows = append(v.Rows, v.row(one))
	}
	v.Filters = []filter{
		v.sorting(c), choiceField(v.frame, c, "status", "status.", complaints.Statuses), v.within(c),
		choiceField(v.frame, c, "category", "category.", complaints.Categories), v.textField(c, "courier_id"),
	}
	p := page{Template: queuePage, Title: "console.tab_queue", View: v, Extras: []string{"vendor/htmx.min.js"}}
	if c.Request().Header.Get("HX-Request") != "" {
		p.Part = "queue"
	}
	return f.show(c, who, p)
}

func (v queueView) row(one complaints.Complaint) queueRow {
	row := queueRow{Complaint: one, URL: "/console/complaints/" + url.PathEscape(one.ID), Promise: v.Countdown(one.Period.Clock(complaints.PromiseClock))}
	if work := v.Countdown(one.Period.Clock(complaints.WorkClock)); one.Period.IsOpen() && one.Period.Pause == nil && work.Tone == "late" {
		row.Work = &work
	}
	return row
}

// sorting is the choice of what the queue is of.
func (v queueView) sorting(c echo.Context) filter {
	given := cmp.Or(c.QueryParam("sort"), "due")
	f := filter{Name: "sort", Label: v.Text("console.filter_sort")}
	for _, order := range []string{"due", "filed"} {
		f.Choices = append(f.Choices, option{order, v.Text("console.sort_" + order), order == given})
	}
	return f
}

// longestWithin is the furthest that the queue looks ahead, in hours: the legal limit.
const longestWithin = int(complaints.Legal / time.Hour)

// within is the choice of how urgent a complaint must be.
func (v queueView) within(c echo.Context) filter {
	f := filter{Name: "within", Label: v.Text("console.filter_within"), Choices: []option{{Text: v.Text("console.any")}}}
	for _, hours := range []int{2, 8, 24} {
		value := strconv.Itoa(hours)
		f.Choices = append(f.Choices, option{value, v.Fill("console.within", "h", value), c.QueryParam("within") == value})
	}
	return f
}
