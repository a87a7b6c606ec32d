package web

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/evidence"
)

var listPage = parseConsole("records.html")

// listView is what records.html draws: a list that is all there is to a page.
type listView struct {
	frame
	Title, Lead string
	List        listing
}

// lists draws such a page; name is the tab's.
func (f console) lists(c echo.Context, who doorstep.Actor, v frame, name string, l listing) error {
	if l.Empty == "" {
		l.Empty = v.Text("console.nothing")
	}
	title := "console.tab_" + name
	return f.show(c, who, page{Template: listPage, Title: title, View: listView{frame: v, Title: v.Text(title), Lead: v.Text("console.lead_" + name), List: l}})
}

// searchable are the kinds of records to look for, calls and messages first.
var searchable = []evidence.Kind{
	evidence.Call, evidence.Message, evidence.CallIntent, evidence.Attempt, evidence.SignFor, evidence.Correction, evidence.Consent, evidence.Photo, evidence.PhotoArrival,
	evidence.Location, evidence.Scan, evidence.Dispatch, evidence.Alert, evidence.Push, evidence.Receipt, evidence.Complaint, evidence.TagVerdict, evidence.Access, evidence.Erasure,
}

// evidence answers GET /console/evidence: the search over records.
func (f console) evidence(c echo.Context, who doorstep.Actor) error {
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
	records, err := f.Desks.Recorder.List(c.Request().Context(), who, evidence.Query{
		Waybill: waybill, CourierID: c.QueryParam("courier_id"), ComplaintID: c.QueryParam("complaint_id"), Kind: evidence.Kind(c.QueryParam("kind")),
		From: from, To: to, BeforeMS: at.ms, BeforeID: at.id, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	l := listing{
		Filters: []filter{
			choiceField(v, c, "kind", "timeline.", searchable), v.textField(c, "waybill"), v.textField(c, "courier_id"), v.dateField(c, "from"), v.dateField(c, "to"),
		},
		Head: v.heads("happened", "record", "source", "waybill", "courier", "received", "case"),
	}
	records, l.Next = cutPage(c, records, func(i evidence.Item) (time.Time, string) { return i.OccurredAt, i.ID })
	for _, i := range records {
		received := v.moment(i.ReceivedAt)
		received.Note = v.Skew(i.ReceivedAt.Sub(i.OccurredAt).Milliseconds())
		l.Rows = append(l.Rows, []cell{
			v.moment(i.OccurredAt), v.recordCell(i), plain(v.Source(i.Source)), mono(string(i.Waybill)), mono(i.CourierID), received, v.caseLink(i.ComplaintID),
		})
	}
	return f.lists(c, who, v, "evidence", l)
}

// recordCell says what a record is of, how it went, and how long it took.
func (v frame) recordCell(i evidence.Item) cell {
	if i.Opening.Bare() {
		return cell{Text: v.Event(string(i.Kind), ""), Note: v.Text("pack.erased")}
	}
	record := cell{Text: v.Event(string(i.Kind), i.Outcome())}
	if s, err := strconv.ParseFloat(string(i.Opening.Values["duration_s"]), 64); err == nil {
		record.Note = v.Seconds(s)
	}
	return record
}
