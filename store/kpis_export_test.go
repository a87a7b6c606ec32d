package store

import (
	"context"
	"strings"

	"doorstep/kpi"
)

// KpiDay is a row of what figures are made of; of whole days the courier is -1.
type KpiDay struct {
	Outlet    int64
	Day       int
	CourierNo int64
	Category  string
	Counts    kpi.Counts
}

// KpiDays reads all rows.
func (db *DB) KpiDays(ctx context.Context) ([]KpiDay, error) {
	rows, err := db.read.QueryxContext(ctx, `select outlet_no, day, courier_no, category, `+strings.Join(kpi.Names[:], ", ")+` from kpi_part
union all select outlet_no, day, -1, '', `+strings.Join(kpi.Names[:], ", ")+` from kpi_day
order by outlet_no, day, courier_no, category`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []KpiDay
	for rows.Next() {
		var d KpiDay
		into := []any{&d.Outlet, &d.Day, &d.CourierNo, &d.Category}
		for i := range kpi.Names {
			into = append(into, &d.Counts[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}
