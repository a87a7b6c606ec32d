package kpi

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"doorstep"
	"doorstep/complaints"
)

// Grouping says what each row of a table is about.
type Grouping string

// The groupings.
const (
	ByCompany  Grouping = "company"
	ByOutlet   Grouping = "outlet"
	ByCourier  Grouping = "courier"
	ByCategory Grouping = "category"
	ByDay      Grouping = "day"
)

// Groupings lists them.
var Groupings = []Grouping{ByCompany, ByOutlet, ByCourier, ByCategory, ByDay}

// longest is how many days a table may span.
const longest = 366

// Site is the outlets of a company that share a time zone.
type Site struct {
	Zone    *time.Location
	Outlets []doorstep.OutletNo
}

// Span is a stretch of local days, both ends included.
type Span struct{ From, To int }

// Store is what a Board needs kept.
type Store interface {
	// Freshen counts what has changed at outlets that the caller may see, at most so
	// many of them, and says since when a change has waited that is not counted yet;
	// zero if there is none.
	Freshen(ctx context.Context, a doorstep.Actor, outlets int) (time.Time, error)
	// Sites are the outlets that the caller may see. began is when the company got
	// its first complaint; zero if it never did.
	Sites(ctx context.Context, a doorstep.Actor) (sites []Site, began time.Time, err error)
	// Sums adds up columns of outlets' days, by group.
	Sums(ctx context.Context, outlets []doorstep.OutletNo, by Grouping, span Span, columns []Column) (map[string]Counts, error)
	// Young counts complaints that outlets got after one time and before another, as
	// far as ages matter: Filed, Within24h, Within7d and LatePaused. They are all of
	// one local day, whose number names the group if it is by day.
	Young(ctx context.Context, outlets []doorstep.OutletNo, by Grouping, after, before time.Time, day int) (map[string]Counts, error)
}

// Board shows figures.
type Board struct {
	Store Store
	Now   func() time.Time
}

// Aging are the columns of which a table needs to know the young.
var Aging = []Column{Filed, Within24h, Within7d, LatePaused}

// all are the columns that are kept.
var all = func() (list []Column) {
	for c := range Kept {
		list = append(list, c)
	}
	return list
}()

// freshened is how many outlets are counted anew for one reader; the others are
// as old as the table says.
const freshened = 64

// Query asks for a table of figures.
type Query struct {
	From, To string // local days
	GroupBy  string // "" = by company
}

// Row is a group with its figures, in the order of Definitions.
type Row struct {
	Group   string
	Figures []Figure
	Links   []string // to each figure's complaints; "" where there are none to show
}

// Table shows figures of a period by group, in the groups' order.
func (b *Board) Table(ctx context.Context, a doorstep.Actor, q Query) ([]Row, error) {
	var checks doorstep.Checks
	span := ParseSpan("/from", q.From, "/to", q.To, &checks)
	by := parseGrouping(q.GroupBy, &checks)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	r, err := b.reach(ctx, a)
	if err != nil {
		return nil, err
	}
	rows, err := b.table(ctx, r, by, span)
	if a.Role == doorstep.RoleIntegrator { // who may not read that list
		for i := range rows {
			rows[i].Links = make([]string, len(Definitions))
		}
	}
	return rows, err
}

// Shift asks for two periods beside each other.
type Shift struct {
	From, To         string
	BaseFrom, BaseTo string // as many days
	GroupBy          string
}

// ComparedRow is a group with its comparisons, in the order of Definitions.
type ComparedRow struct {
	Group       string
	Comparisons []Comparison
}

// Compare shows by how much figures fell from one period to another, for the
// groups of the later one.
func (b *Board) Compare(ctx context.Context, a doorstep.Actor, q Shift) ([]ComparedRow, error) {
	var checks doorstep.Checks
	now := ParseSpan("/from", q.From, "/to", q.To, &checks)
	base := ParseSpan("/base_from", q.BaseFrom, "/base_to", q.BaseTo, &checks)
	by := parseGrouping(q.GroupBy, &checks)
	if by == ByDay {
		checks.Add("/group_by", "unknown_grouping", "days of two periods are not the same")
	}
	if err := checks.Err(); err != nil {
		return nil, err
	}
	if DaysBetween(now.From, now.To) != DaysBetween(base.From, base.To) {
		checks.Add("/base_to", "unequal_periods", "both periods must have as many days")
		return nil, checks.Err()
	}
	r, err := b.reach(ctx, a)
	if err != nil {
		return nil, err
	}
	after, err := b.table(ctx, r, by, now)
	if err != nil {
		return nil, err
	}
	before, err := b.table(ctx, r, by, base)
	if err != nil {
		return nil, err
	}
	earlier := map[string]Row{}
	for _, row := range before {
		earlier[row.Group] = row
	}
	list := make([]ComparedRow, len(after))
	for i, row := range after {
		list[i] = ComparedRow{Group: row.Group, Comparisons: make([]Comparison, len(Definitions))}
		was := earlier[row.Group].Figures
		if was == nil {
			was = make([]Figure, len(Definitions))
		}
		for k, f := range row.Figures {
			list[i].Comparisons[k] = Compare(f, was[k])
		}
	}
	return list, nil
}

// ParseSpan reads two dates, at most 366 days apart.
func ParseSpan(fromAt, from, toAt, to string, checks *doorstep.Checks) (s Span) {
	var good [2]bool
	s.From, good[0] = ParseDay(from)
	s.To, good[1] = ParseDay(to)
	for i, pointer := range []string{fromAt, toAt} {
		if !good[i] {
			checks.Add(pointer, "invalid_date", "must be a date such as 2026-03-01")
		}
	}
	switch {
	case !good[0] || !good[1]:
	case s.To < s.From:
		checks.Add(toAt, "invalid_period", "must not be before the first day")
	case DaysBetween(s.From, s.To) > longest:
		checks.Add(toAt, "invalid_period", "a period has at most 366 days")
	}
	return s
}

func parseGrouping(given string, checks *doorstep.Checks) Grouping {
	by := cmp.Or(Grouping(given), ByCompany)
	if !slices.Contains(Groupings, by) {
		checks.Add("/group_by", "unknown_grouping", "must be company, outlet, courier, category or day")
	}
	return by
}

// reach is what a caller may see, as of when.
type reach struct {
	sites []Site
	began time.Time
	asOf  time.Time
}

func (b *Board) reach(ctx context.Context, a doorstep.Actor) (r reach, err error) {
	r.asOf = b.Now()
	waiting, err := b.Store.Freshen(ctx, a, freshened)
	if err != nil {
		return r, err
	}
	if !waiting.IsZero() && waiting.Before(r.asOf) {
		r.asOf = waiting
	}
	r.sites, r.began, err = b.Store.Sites(ctx, a)
	return r, err
}

func (b *Board) table(ctx context.Context, r reach, by Grouping, span Span) ([]Row, error) {
	samples := map[string]*Sample{}
	group := func(name string) *Sample {
		if samples[name] == nil {
			samples[name] = &Sample{Young: map[time.Duration]Counts{}}
		}
		return samples[name]
	}
	censored := r.began.IsZero()
	for _, site := range r.sites {
		sums, err := b.Store.Sums(ctx, site.Outlets, by, span, all)
		if err != nil {
			return nil, err
		}
		for name, counts := range sums {
			s := group(name)
			s.Counts = s.Counts.Plus(counts)
		}
		for _, age := range Ages {
			young, err := b.young(ctx, site, by, span, r.asOf.Add(-age))
			if err != nil {
				return nil, err
			}
			for name, counts := range young {
				s := group(name)
				s.Young[age] = s.Young[age].Plus(counts)
			}
		}
		censored = censored || DayAt(span.From, site.Zone).From.Before(r.began.Add(complaints.RepeatWindow))
	}
	days := DaysBetween(span.From, span.To)
	switch by {
	case ByCompany:
		group(string(ByCompany))
	case ByDay:
		for day := DayAt(span.From, time.UTC); day.No <= span.To; day = day.Next(time.UTC) {
			group(Date(day.No))
		}
		days = 1
	case ByCategory: // parcels have none: all categories share them
		parcels := group("").Counts
		delete(samples, "")
		for _, c := range complaints.Categories {
			s := group(string(c))
			s.Counts = s.Counts.Plus(parcels)
		}
	}
	var rows []Row
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		s := samples[name]
		s.AsOf, s.Days, s.Censored = r.asOf, days, censored
		rows = append(rows, rowOf(name, by, span, *s))
	}
	return rows, nil
}

// young counts the complaints of a period that were filed after a time.
func (b *Board) young(ctx context.Context, site Site, by Grouping, span Span, after time.Time) (map[string]Counts, error) {
	edge := DayOf(after, site.Zone)
	switch {
	case edge.No > span.To:
		return nil, nil
	case edge.No < span.From:
		return b.Store.Sums(ctx, site.Outlets, by, span, Aging)
	}
	list, err := b.Store.Sums(ctx, site.Outlets, by, Span{edge.No + 1, span.To}, Aging)
	if err != nil {
		return nil, err
	}
	rest, err := b.Store.Young(ctx, site.Outlets, by, after, edge.To, edge.No)
	for name, counts := range rest {
		list[name] = list[name].Plus(counts)
	}
	return list, err
}

func rowOf(name string, by Grouping, span Span, s Sample) Row {
	row := Row{Group: name, Figures: make([]Figure, len(Definitions)), Links: make([]string, len(Definitions))}
	narrowed := url.Values{"filed_from": {Date(span.From)}, "filed_to": {Date(span.To)}}
	switch by {
	case ByOutlet:
		narrowed.Set("outlet_id", name)
	case ByCourier:
		narrowed.Set("courier_id", name)
	case ByCategory:
		narrowed.Set("category", name)
	case ByDay:
		narrowed.Set("filed_from", name)
		narrowed.Set("filed_to", name)
	}
	for i, d := range Definitions {
		row.Figures[i] = d.Of(s)
		if by != ByCourier || name != "" { // no list has the complaints of no courier
			row.Links[i] = d.Link(row.Figures[i], narrowed)
		}
	}
	return row
}
