package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorstep/push"
)

// Backlog counts what waits to be sent, by the indexes of what is due: its cost
// does not grow with the past.
func (db *DB) Backlog(ctx context.Context, now time.Time) (b push.Backlog, err error) {
	var states []struct {
		State string
		Count int
	}
	err = db.list(ctx, &states, `select state, count(*) as count from (
  select * from (select 'gathering' as state from push where state in ('open', 'due') limit ?) pushes
  union all
  select * from (select state from delivery where state in ('queued', 'leased') limit ?) deliveries) waiting
group by state`, push.MaxBacklog, push.MaxBacklog)
	if err != nil {
		return b, fmt.Errorf("backlog: %w", err)
	}
	for _, s := range states {
		switch s.State {
		case "gathering":
			b.Gathering = s.Count
		case string(push.Queued):
			b.Queued = s.Count
		case string(push.Leased):
			b.Leased = s.Count
		}
	}
	query := waitingOutlets + `select min(at_ms) from (` + nextPush
	var args []any
	for _, p := range push.Services {
		query += ` union all ` + nextDelivery
		args = append(args, p)
	}
	var oldest sql.NullInt64
	if err := db.get(ctx, &oldest, query+`) due where at_ms <= ?`, append(args, ms(now))...); err != nil {
		return b, fmt.Errorf("oldest due: %w", err)
	}
	b.OldestDue = fromNullMS(oldest)
	return b, nil
}

// Devices counts devices by provider. It reads each of them, up to
// push.MaxDeviceCount, which took 0.1 s on SQLite: not for every scrape.
func (db *DB) Devices(ctx context.Context) (list []push.DeviceCount, err error) {
	err = db.list(ctx, &list, `select provider, retired, count(*) as count from (
  select provider, retired_at_ms is not null as retired from device limit ?) devices
group by provider, retired order by provider, retired`, push.MaxDeviceCount)
	if err != nil {
		return nil, fmt.Errorf("devices: %w", err)
	}
	return list, nil
}
