package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/kpi"
)

var figuresPage = parseConsole("figures.html")

// figuresView is what figures.html draws.
type figuresView struct {
	frame
	Filters  []filter
	Headline []figureView
	Others   []figureView
	Chosen   figureView // that the days and groups are shown of
	Days     []groupView
	Groups   []groupView // outlets, couriers or categories side by side
	Head     []string    // of their columns
	GroupBy  string
	Before   string // the period compared with
	AsOf     time.Time
	CSV      string
}

// figureView is one figure of the period, with what it was before.
type figureView struct {
	Name, Text, Means string
	Printed           string // "" where there is nothing to divide by
	Of                string // what it was divided by
	Interval          string
	Pending           string
	Was               string
	Change            *badge
	ChangeInterval    string
}

// groupView is a row of a table; of a day also the value for the chart.
type groupView struct {
	Name  string
	URL   string // of the outlet, for headquarters
	Date  string
	Cells []string
	Value *float64
}

// headline is how many of the definitions, which begin with them, everybody asks
// for.
const headline = 7

// usual is how many days the page shows unless it is asked for others.
const usual = 30

// sideBySide are the groupings that the page offers.
var sideBySide = []kpi.Grouping{kpi.ByOutlet, kpi.ByCourier, kpi.ByCategory}

// period reads which days the page is asked for, and the ones just before.
func (v frame) period(c echo.Context) (now kpi.Query, before kpi.Shift) {
	today := v.Now.In(v.zone)
	now.To = cmp.Or(c.QueryParam("to"), today.Format(time.DateOnly))
	last, err := time.Parse(time.DateOnly, now.To)
	if err != nil {
		last = today // the board says what is wrong
	}
	now.From = cmp.Or(c.QueryParam("from"), last.AddDate(0, 0, 1-usual).Format(time.DateOnly))
	before = kpi.Shift{From: now.From, To: now.To}
	if first, err := time.Parse(time.DateOnly, now.From); err == nil {
		days := int(last.Sub(first).Hours()/24) + 1
		before.BaseFrom, before.BaseTo = first.AddDate(0, 0, -days).Format(time.DateOnly), first.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return now, before
}

// figures answers GET /console/figures.
func (f console) figures(c echo.Context, who doorstep.Actor) error {
	v := figuresView{frame: f.frame(c, who)}
	ctx, board := c.Request().Context(), f.Desks.Board
	asked, shift := v.period(c)
	whole, err := board.Compare(ctx, who, shift)
	if err != nil {
		return err
	}
	byDay := asked
	byDay.GroupBy = string(kpi.ByDay)
	days, err := board.Table(ctx, who, byDay)
	if err != nil {
		return err
	}
	asked.GroupBy = cmp.Or(c.QueryParam("group_by"), string(kpi.ByOutlet))
	groups, err := board.Table(ctx, who, asked)
	if err != nil {
		return err
	}

	v.GroupBy, v.Before = v.Text("group."+asked.GroupBy), shift.BaseFrom+" – "+shift.BaseTo
	v.CSV = "/console/figures.csv?" + url.Values{"from": {asked.From}, "to": {asked.To}, "group_by": {asked.GroupBy}}.Encode()
	chosen := 0
	for i, d := range kpi.Definitions {
		if d.Undone {
			continue // it says nothing yet
		}
		compared := whole[0].Comparisons[i]
		one := v.figure(d, compared)
		v.AsOf = compared.Now.AsOf
		if i < headline {
			v.Headline, v.Head = append(v.Headline, one), append(v.Head, one.Text)
		} else {
			v.Others = append(v.Others, one)
		}
		if d.Name == c.QueryParam("figure") || i == 0 {
			chosen, v.Chosen = i, one
		}
	}
	for _, r := range days {
		day := groupView{Name: r.Group, Date: r.Group, Value: r.Figures[chosen].Value}
		day.Cells = []string{kpi.Definitions[chosen].Printed(r.Figures[chosen]), v.ratio(r.Figures[chosen])}
		v.Days = append(v.Days, day)
	}
	for _, r := range groups {
		v.Groups = append(v.Groups, v.group(kpi.Grouping(asked.GroupBy), r))
	}
	v.Filters = v.figureFilters(c, asked)
	p := page{Template: figuresPage, Title: "console.tab_figures", View: v, Style: "figures.css", Extras: []string{"vendor/uplot.iife.min.js"}, Modules: []string{"figures.js"}}
	return f.show(c, who, p)
}

func (v figuresView) figureFilters(c echo.Context, asked kpi.Query) []filter {
	from, to := v.dateField(c, "from"), v.dateField(c, "to")
	from.Value, to.Value = asked.From, asked.To
	by := filter{Name: "group_by", Label: v.Text("console.filter_group_by")}
	for _, g := range sideBySide {
		by.Choices = append(by.Choices, option{string(g), v.Text("group." + string(g)), string(g) == asked.GroupBy})
	}
	figure := filter{Name: "figure", Label: v.Text("console.filter_figure")}
	for _, one := range v.Headline {
		figure.Choices = append(figure.Choices, option{one.Name, one.Text, one.Name == v.Chosen.Name})
	}
	return []filter{from, to, by, figure}
}

// figure shows one of the period beside the same of the period before.
func (v frame) figure(d kpi.Definition, c kpi.Comparison) figureView {
	now := c.Now
	one := figureView{
		Name: d.Name, Text: v.Text("figure." + d.Name), Means: v.Text("figure_means." + d.Name), Printed: d.Printed(now), Of: v.ratio(now), Was: d.Printed(c.Base),
	}
	if i := now.Interval; i != nil {
		one.Interval = scaled(d, i.Low) + " – " + scaled(d, i.High)
	}
	if now.Pending > 0 {
		one.Pending = v.Fill("console.pending", "n", strconv.FormatInt(now.Pending, 10))
	}
	if c.Decline != nil {
		change := -*c.Decline * 100
		one.Change = &badge{Text: fmt.Sprintf("%+.1f %%", change)}
		if c.Halved {
			one.Change.Icon, one.Change.Text = "check", one.Change.Text+" · "+v.Text("console.halved")
		}
		if i := c.Interval; i != nil {
			one.ChangeInterval = fmt.Sprintf("%+.0f %% … %+.0f %%", -i.High*100, -i.Low*100)
		}
	}
	return one
}

// scaled writes an end of an interval as its figure is written.
func scaled(d kpi.Definition, value float64) string {
	if d.Scale == kpi.PerTenThou {
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.1f %%", value*100)
}

// ratio says what was divided by what.
func (v frame) ratio(f kpi.Figure) string { return fmt.Sprintf("%d / %d", f.Num, f.Den) }

// group is a row of the table side by side: the headline figures of one.
func (v frame) group(by kpi.Grouping, r kpi.Row) groupView {
	g := groupView{Name: r.Group}
	switch {
	case by == kpi.ByCategory:
		g.Name = v.Text("category." + r.Group)
	case by == kpi.ByOutlet && v.IsHQ():
		g.URL = "/console/outlet?" + url.Values{"outlet_id": {r.Group}}.Encode()
	}
	for i, d := range kpi.Definitions[:headline] {
		if !d.Undone {
			g.Cells = append(g.Cells, cmp.Or(d.Printed(r.Figures[i]), "–"))
		}
	}
	return g
}

// figuresTable answers GET /console/figures.csv with what the public API gives.
func (f console) figuresTable(c echo.Context, who doorstep.Actor) error {
	asked := kpi.Query{From: c.QueryParam("from"), To: c.QueryParam("to"), GroupBy: c.QueryParam("group_by")}
	rows, err := f.Desks.Board.Table(c.Request().Context(), who, asked)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="figures.csv"`)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", []byte(kpi.FiguresCSV(rows)))
}
