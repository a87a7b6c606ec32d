package store

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	courierNo int64
	home      doorstep.OutletNo
	push.Alert
}

// addAlerts writes alerts into the couriers' inboxes and joins them to the
// pushes that will carry them. The counter rows come last but for what needs
// their numbers, so that they are held shortly.
func (db *DB) addAlerts(tx *Tx, outlet doorstep.OutletNo, list []courierAlert, now time.Time) error {
	byCourier := map[int64][]courierAlert{}
	for _, a := range list {
		byCourier[a.courierNo] = append(byCourier[a.courierNo], a)
	}
	couriers := slices.Sorted(maps.Keys(byCourier))
	if len(couriers) == 0 {
		return nil
	}
	pushes, err := db.joinPushes(tx, outlet, couriers, now)
	if err != nil {
		return fmt.Errorf("pushes: %w", err)
	}
	heads, err := advanceInboxes(tx, couriers, byCourier)
	if err != nil {
		return fmt.Errorf("inboxes: %w", err)
	}
	var rows [][]any
	for _, courier := range couriers {
		own := byCourier[courier]
		seq := heads[courier] - int64(len(own))
		for _, a := range own {
			seq++
			rows = append(rows, []any{
				outlet, a.ID, courier, seq, a.Waybill, joinTags(a.Tags), pushes[courier], ms(a.CreatedAt), ms(a.ExpiresAt), a.Version, a.Supersedes,
			})
		}
	}
	if err := tx.insert(`insert into alert (outlet_no, id, courier_no, seq, waybill, tags, push_id, created_at_ms, expires_at_ms, version, supersedes)`, "", rows); err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	return nil
}

// advanceInboxes takes the next places in the couriers' inboxes and says where
// each now ends.
func advanceInboxes(tx *Tx, couriers []int64, byCourier map[int64][]courierAlert) (map[int64]int64, error) {
	rows := make([][]any, len(couriers))
	for i, courier := range couriers {
		own := byCourier[courier]
		rows[i] = []any{own[0].home, courier, len(own)}
	}
	type head struct {
		CourierNo int64 `db:"courier_no"`
		Seq       int64
	}
	back, err := insertReturning[head](tx, `insert into inbox_head (outlet_no, courier_no, seq)`,
		`on conflict (outlet_no, courier_no) do update set seq = inbox_head.seq + excluded.seq returning courier_no, seq`, rows)
	ends := make(map[int64]int64, len(back))
	for _, h := range back {
		ends[h.CourierNo] = h.Seq
	}
	return ends, err
}
