package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorstep"
	"doorstep/kpi"
)

// Freshen counts what has changed at outlets that the caller may see.
func (db *DB) Freshen(ctx context.Context, a doorstep.Actor, limit int) (time.Time, error) {
	outlets, err := db.scope(ctx, a)
	if err != nil {
		return time.Time{}, err
	}
	list := db.asList(outlets)
	var changed []doorstep.OutletNo
	err = db.list(ctx, &changed, `select outlet_no from kpi_mark where outlet_no`+db.inList+`
group by outlet_no order by min(marked_at_ms), outlet_no limit ?`, list, limit)
	if err != nil {
		return time.Time{}, fmt.Errorf("changed outlets: %w", err)
	}
	for _, outlet := range changed {
		if _, err := db.Recount(ctx, outlet); err != nil {
			return time.Time{}, err
		}
	}
	var oldest sql.NullInt64
	err = db.get(ctx, &oldest, `select min(marked_at_ms) from kpi_mark where outlet_no`+db.inList, list)
	return fromNullMS(oldest), err
}

// Sites are the outlets that the caller may see, by time zone, and when their
// company got its first complaint.
func (db *DB) Sites(ctx context.Context, a doorstep.Actor) (sites []kpi.Site, began time.Time, err error) {
	if sites, err = db.sites(ctx, a); err != nil {
		return nil, began, err
	}
	var first sql.NullInt64
	err = db.get(ctx, &first, `select min(first) from (
  select (select min(k.filed_at_ms) from complaint k where k.outlet_no = o.no) as first from outlet o where o.company_no = ?) firsts`, a.Company)
	if err != nil {
		return nil, began, fmt.Errorf("first complaint: %w", err)
	}
	return sites, fromNullMS(first), nil
}

func (db *DB) sites(ctx context.Context, a doorstep.Actor) (sites []kpi.Site, err error) {
	outlets, err := db.scope(ctx, a)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		No   doorstep.OutletNo
		Zone string `db:"time_zone"`
	}
	if err := db.list(ctx, &rows, `select no, time_zone from outlet where no`+db.inList+` order by time_zone, no`, db.asList(outlets)); err != nil {
		return nil, fmt.Errorf("zones: %w", err)
	}
	last := ""
	for _, r := range rows {
		if len(sites) == 0 || r.Zone != last {
			zone, err := zoneOf(r.No, r.Zone)
			if err != nil {
				return nil, err
			}
			sites, last = append(sites, kpi.Site{Zone: zone}), r.Zone
		}
		site := &sites[len(sites)-1]
		site.Outlets = append(site.Outlets, r.No)
	}
	return sites, nil
}

// groupOf is what the rows of t are grouped by, and what that needs joined.
func groupOf(by kpi.Grouping, day string) (column, join string) {
	switch by {
	case kpi.ByOutlet:
		return "o.id", " join outlet o on o.no = t.outlet_no"
	case kpi.ByCourier:
		return "coalesce(c.id, '')", " left join courier c on c.no = t.courier_no"
	case kpi.ByCategory:
		return "t.category", ""
	case kpi.ByDay:
		return day, ""
	}
	return "'" + string(kpi.ByCompany) + "'", ""
}

// Sums adds up the days of outlets. Only groups that are parts of an outlet's day
// need its parts read.
func (db *DB) Sums(ctx context.Context, outlets []doorstep.OutletNo, by kpi.Grouping, span kpi.Span, columns []kpi.Column) (map[string]kpi.Counts, error) {
	column, join := groupOf(by, "t.day")
	table := "kpi_day"
	if by == kpi.ByCourier || by == kpi.ByCategory {
		table = "kpi_part"
	}
	query := `select ` + column
	for _, c := range columns {
		query += ", sum(t." + kpi.Names[c] + ")"
	}
	rows, err := db.read.QueryxContext(ctx, db.read.Rebind(query+` from `+table+` t`+join+`
where t.outlet_no`+db.inList+` and t.day >= ? and t.day <= ? group by 1`), db.asList(outlets), span.From, span.To)
	if err != nil {
		return nil, fmt.Errorf("sums of days: %w", err)
	}
	defer rows.Close()
	sums := map[string]kpi.Counts{}
	for rows.Next() {
		var name string
		var no int
		var counts kpi.Counts
		into := []any{&name}
		if by == kpi.ByDay {
			into[0] = &no
		}
		for _, c := range columns {
			into = append(into, &counts[c])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("sums of days: %w", err)
		}
		if by == kpi.ByDay {
			name = kpi.Date(no)
		}
		sums[name] = counts
	}
	return sums, rows.Err()
}

// Young counts complaints of part of a day as the package kpi counts whole days.
func (db *DB) Young(ctx context.Context, outlets []doorstep.OutletNo, by kpi.Grouping, after, before time.Time, day int) (map[string]kpi.Counts, error) {
	column, join := groupOf(by, "'"+kpi.Date(day)+"'")
	in := func(limit time.Duration) string {
		return fmt.Sprintf("t.handled_at_ms is not null and t.handled_at_ms - t.filed_at_ms <= %d", limit.Milliseconds())
	}
	sum := func(condition, name string) string {
		return ", sum(case when " + condition + " then 1 else 0 end) as " + name
	}
	var rows []struct {
		Name       string
		Filed      int64
		Within24h  int64 `db:"within_24h"`
		Within7d   int64 `db:"within_7d"`
		LatePaused int64 `db:"late_paused"`
	}
	err := db.list(ctx, &rows, `select `+column+` as name, count(*) as filed`+sum(in(24*time.Hour), "within_24h")+sum(in(7*24*time.Hour), "within_7d")+
		sum("t.paused_ms > 0 and not ("+in(24*time.Hour)+")", "late_paused")+`
from complaint t`+join+` where t.outlet_no`+db.inList+` and t.filed_at_ms > ? and t.filed_at_ms < ? and t.status <> '`+movedStatus+`' and `+counted("t.")+`
group by 1`, db.asList(outlets), ms(after), ms(before))
	if err != nil {
		return nil, fmt.Errorf("young complaints: %w", err)
	}
	list := map[string]kpi.Counts{}
	for _, r := range rows {
		var c kpi.Counts
		c[kpi.Filed], c[kpi.Within24h], c[kpi.Within7d], c[kpi.LatePaused] = r.Filed, r.Within24h, r.Within7d, r.LatePaused
		list[r.Name] = c
	}
	return list, nil
}

var _ kpi.Store = (*DB)(nil)
