package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// pageSize is how many lines a list of the console has.
const pageSize = 50

// listing is a table with its filters, a page at a time.
type listing struct {
	Filters []filter
	Head    []string
	Rows    [][]cell
	Next    string // where the next page is; "" for none
	Empty   string // what to say of no rows
}

// filter is one, or one thing that a form asks for.
type filter struct {
	Name, Label, Value string
	Kind               string // of an input: "text" or "date"; "" for one of the choices
	Choices            []option
}

type option struct {
	Value, Text string
	Chosen      bool
}

// cell is one of a table: words, which may lead somewhere, be a code, a moment, a
// badge, or a button that posts.
type cell struct {
	Text  string
	URL   string
	Code  bool
	Time  string // RFC 3339
	Note  string // second-rank words below
	Badge *badge
	Post  string
}

func plain(text string) cell { return cell{Text: text} }
func mono(text string) cell  { return cell{Text: text, Code: true} }

func (v frame) moment(t time.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	return cell{Text: v.Exactly(t), Time: v.ISO(t)}
}

// caseLink leads to a complaint.
func (v frame) caseLink(id string) cell {
	if id == "" {
		return cell{}
	}
	return cell{Text: v.Text("console.open_case"), URL: "/console/complaints/" + url.PathEscape(id)}
}

// heads names columns.
func (v frame) heads(names ...string) []string {
	for i, name := range names {
		names[i] = v.Text("console.col_" + name)
	}
	return names
}

// textField is a filter that is typed.
func (v frame) textField(c echo.Context, name string) filter {
	return filter{Name: name, Label: v.Text("console.filter_" + name), Value: c.QueryParam(name), Kind: "text"}
}

func (v frame) dateField(c echo.Context, name string) filter {
	f := v.textField(c, name)
	f.Kind = "date"
	return f
}

// choiceField is a filter of a closed list; the first choice does not narrow.
func choiceField[T ~string](v frame, c echo.Context, name, texts string, values []T) filter {
	f := filter{Name: name, Label: v.Text("console.filter_" + name), Choices: []option{{Text: v.Text("console.any")}}}
	for _, value := range values {
		f.Choices = append(f.Choices, option{string(value), v.Text(texts + string(value)), c.QueryParam(name) == string(value)})
	}
	return f
}

// pagePlace is where a page of a list begins.
type pagePlace struct {
	ms int64
	id string
}

// placeOf reads it from the address. One that is made up begins at the start.
func placeOf(c echo.Context) (p pagePlace) {
	ms, id, ok := strings.Cut(c.QueryParam("after"), ".")
	at, err := strconv.ParseInt(ms, 10, 64)
	if !ok || err != nil {
		return p
	}
	return pagePlace{at, id}
}

// cutPage cuts one item too many off a page, and says where the next one is.
func cutPage[T any](c echo.Context, items []T, end func(T) (time.Time, string)) ([]T, string) {
	if len(items) <= pageSize {
		return items, ""
	}
	items = items[:pageSize]
	at, id := end(items[pageSize-1])
	query := c.Request().URL.Query()
	query.Del("done")
	query.Set("after", strconv.FormatInt(at.UnixMilli(), 10)+"."+id)
	return items, "?" + query.Encode()
}

// days reads the first and the last day of a period, which the filters "from" and
// "to" name in the reader's zone. An empty one does not narrow.
func (v frame) days(c echo.Context) (from, to time.Time, err error) {
	var checks doorstep.Checks
	read := func(name string) time.Time {
		text := c.QueryParam(name)
		if text == "" {
			return time.Time{}
		}
		day, err := time.ParseInLocation(time.DateOnly, text, v.zone)
		if err != nil {
			checks.Add("/"+name, "invalid_date", "must be a date such as 2026-03-01")
		}
		return day
	}
	from, to = read("from"), read("to")
	if !to.IsZero() {
		to = to.AddDate(0, 0, 1)
	}
	return from, to, checks.Err()
}

// waybillOf reads the filter of that name.
func waybillOf(c echo.Context) (doorstep.Waybill, error) {
	if text := strings.TrimSpace(c.QueryParam("waybill")); text != "" {
		return doorstep.ParseWaybill(text)
	}
	return "", nil
}

// framed hands one thing to a part of a page, with what the frame knows.
type framed struct {
	frame
	List any
}

// With hands a thing to a part of a page.
func (v frame) With(thing any) framed { return framed{v, thing} }
