package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"doorstep"
	"doorstep/prefs"
	"doorstep/push"
)

// joinTags keeps tags as one text: a closed vocabulary needs no quoting.
func joinTags(tags []prefs.Tag) string {
	codes := make([]string, len(tags))
	for i, t := range tags {
		codes[i] = string(t)
	}
	return strings.Join(codes, " ")
}

func splitTags(s string) []prefs.Tag {
	tags := []prefs.Tag{}
	for _, code := range strings.Fields(s) {
		tags = append(tags, prefs.Tag(code))
	}
	return tags
}

type alertRow struct {
	Outlet    doorstep.OutletNo `db:"outlet_no"`
	ID        string
	Seq       int64
	Waybill   doorstep.Waybill
	Tags      string
	PushID    string        `db:"push_id"`
	CreatedMS int64         `db:"created_at_ms"`
	ExpiresMS int64         `db:"expires_at_ms"`
	AckedMS   sql.NullInt64 `db:"acked_at_ms"`

	Version      int
	Supersedes   string
	SupersededMS sql.NullInt64 `db:"superseded_at_ms"`
}

const selectAlert = `select ` + alertColumns + ` from alert a`

const alertColumns = `a.outlet_no, a.id, a.seq, a.waybill, a.tags, a.push_id, a.created_at_ms, a.expires_at_ms, a.acked_at_ms,
  a.version, a.supersedes, a.superseded_at_ms`

func (r alertRow) alert() push.Alert {
	return push.Alert{
		ID: r.ID, Seq: r.Seq, Waybill: r.Waybill, Tags: splitTags(r.Tags), CreatedAt: fromMS(r.CreatedMS),
		ExpiresAt: fromMS(r.ExpiresMS), AckedAt: fromNullMS(r.AckedMS),
		Version: r.Version, Supersedes: r.Supersedes, SupersededAt: fromNullMS(r.SupersededMS),
	}
}

// courierAlert is a new alert and whom it is for.
type courierAlert struct {
	outlet    doorstep.OutletNo
	courierNo int64
	home      doorstep.OutletNo
	call      *dispatchCall // that brought it, if a dispatch did
	push.Alert
}

// gathering is a push that gathers alerts: a courier's at one outlet. Where
// nothing settles each call has its own.
type gathering struct {
	outlet    doorstep.OutletNo
	courierNo int64
	call      *dispatchCall
}

func (db *DB) gatheringOf(a courierAlert) gathering {
	if db.settle.Window > 0 {
		a.call = nil
	}
	return gathering{a.outlet, a.courierNo, a.call}
}

// addAlerts writes alerts into the couriers' inboxes and joins them to the
// pushes that will carry them. The counter rows come last but for what needs
// their numbers, so that they are held shortly.
func (db *DB) addAlerts(tx *Tx, list []courierAlert) error {
	if len(list) == 0 {
		return nil
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b courierAlert) int {
		return cmp.Or(cmp.Compare(a.outlet, b.outlet), cmp.Compare(a.courierNo, b.courierNo))
	})
	pushes, err := db.joinPushes(tx, sorted)
	if err != nil {
		return fmt.Errorf("pushes: %w", err)
	}
	places, err := advanceInboxes(tx, sorted)
	if err != nil {
		return fmt.Errorf("inboxes: %w", err)
	}
	rows := make([][]any, len(sorted))
	for i, a := range sorted {
		places[a.courierNo]++
		rows[i] = []any{
			a.outlet, a.ID, a.courierNo, places[a.courierNo], a.Waybill, joinTags(a.Tags), pushes[db.gatheringOf(a)],
			ms(a.CreatedAt), ms(a.ExpiresAt), a.Version, a.Supersedes,
		}
	}
	if err := tx.insert(`insert into alert (outlet_no, id, courier_no, seq, waybill, tags, push_id, created_at_ms, expires_at_ms, version, supersedes)`, "", rows); err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	return nil
}

// advanceInboxes takes the next places in the couriers' inboxes and says, for
// each, which was the last before them.
func advanceInboxes(tx *Tx, list []courierAlert) (map[int64]int64, error) {
	type inbox struct {
		home      doorstep.OutletNo
		courierNo int64
	}
	counts := map[inbox]int64{}
	for _, a := range list {
		counts[inbox{a.home, a.courierNo}]++
	}
	rows := make([][]any, 0, len(counts))
	before := make(map[int64]int64, len(counts))
	for i, n := range counts {
		rows = append(rows, []any{i.home, i.courierNo, n})
		before[i.courierNo] = -n
	}
	slices.SortFunc(rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[0].(doorstep.OutletNo), b[0].(doorstep.OutletNo)), cmp.Compare(a[1].(int64), b[1].(int64)))
	})
	type head struct {
		CourierNo int64 `db:"courier_no"`
		Seq       int64
	}
	back, err := insertReturning[head](tx, `insert into inbox_head (outlet_no, courier_no, seq)`,
		`on conflict (outlet_no, courier_no) do update set seq = inbox_head.seq + excluded.seq returning courier_no, seq`, rows)
	for _, h := range back {
		before[h.CourierNo] += h.Seq
	}
	return before, err
}
