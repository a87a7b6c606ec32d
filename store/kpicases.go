package store

import (
	"context"
	"fmt"
	"strings"

	"doorstep"
	"doorstep/complaints"
	"doorstep/kpi"
)

// countedAs narrows a list of complaints to those that a figure counts.
func (db *DB) countedAs(ctx context.Context, where *filter, a doorstep.Actor, q complaints.CountedAs) error {
	if q.FromDay != 0 || q.ToDay != 0 || q.Handled == "same_day" {
		if err := db.filedOn(ctx, where, a, q); err != nil {
			return err
		}
	}
	if !q.Until.IsZero() {
		where.and("k.filed_at_ms <= ?", ms(q.Until))
	}
	if q.Counted {
		where.and(counted("k."))
	}
	if q.Paused {
		where.and("k.paused_ms > 0")
	}
	const late = "(k.handled_at_ms is null or k.handled_at_ms - k.filed_at_ms > ?)"
	switch q.Handled {
	case "within_24h":
		where.and("k.handled_at_ms - k.filed_at_ms <= ?", complaints.Promise.Milliseconds())
	case "within_7d":
		where.and("k.handled_at_ms - k.filed_at_ms <= ?", complaints.Legal.Milliseconds())
	}
	if !q.LateAt.IsZero() {
		where.and(late+" and k.filed_at_ms < ?", complaints.Promise.Milliseconds(), ms(q.LateAt.Add(-complaints.Promise)))
	}
	if q.Repeat == "" {
		return nil
	}
	earlier := `e.consumer_id = k.consumer_id and k.consumer_id <> '' and e.filed_at_ms < k.filed_at_ms and e.filed_at_ms >= k.filed_at_ms - ?
  and e.status <> '` + movedStatus + `' and ` + counted("e.")
	erased := "" // as kpi.Case says
	switch q.Repeat {
	case "any_category":
		erased = " or k.consumer_id = '' and k.follows <> ''"
	case "true":
		erased = " or k.consumer_id = '' and k.repeat_of <> ''"
		earlier += " and e.category = k.category"
	case "same_parcel":
		earlier += " and e.category = k.category and e.waybill = k.waybill"
	case "same_outlet":
		earlier += " and e.outlet_no = k.outlet_no"
	}
	where.and("(exists (select 1 from complaint e where "+earlier+")"+erased+")", complaints.RepeatWindow.Milliseconds())
	return nil
}

// filedOn narrows to local days of the outlets. Handled the same day is before the
// day's end, day by day.
func (db *DB) filedOn(ctx context.Context, where *filter, a doorstep.Actor, q complaints.CountedAs) error {
	sites, err := db.sites(ctx, a)
	if err != nil {
		return err
	}
	var parts []string
	var args []any
	for _, site := range sites {
		first, last := kpi.DayAt(q.FromDay, site.Zone), kpi.DayAt(q.ToDay, site.Zone)
		days, list := "k.filed_at_ms >= ? and k.filed_at_ms < ?", []any{db.asList(site.Outlets), ms(first.From), ms(last.To)}
		if q.Handled == "same_day" {
			var each []string
			for day := first; day.No <= last.No; day = day.Next(site.Zone) {
				each = append(each, "k.filed_at_ms >= ? and k.filed_at_ms < ? and k.handled_at_ms < ?")
				list = append(list, ms(day.From), ms(day.To), ms(day.To))
			}
			days += " and (" + strings.Join(each, " or ") + ")"
		}
		parts, args = append(parts, "k.outlet_no"+db.inList+" and "+days), append(args, list...)
	}
	if len(parts) == 0 {
		return fmt.Errorf("complaints by day: %w", doorstep.ErrNotFound)
	}
	where.and("("+strings.Join(parts, " or ")+")", args...)
	return nil
}
