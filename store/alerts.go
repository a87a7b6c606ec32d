package store

import (
	"database/sql"
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
}

const selectAlert = `select outlet_no, id, seq, waybill, tags, push_id, created_at_ms, expires_at_ms, acked_at_ms from alert`

func (r alertRow) alert() push.Alert {
	return push.Alert{
		ID: r.ID, Seq: r.Seq, Waybill: r.Waybill, Tags: splitTags(r.Tags), CreatedAt: fromMS(r.CreatedMS),
		ExpiresAt: fromMS(r.ExpiresMS), AckedAt: fromNullMS(r.AckedMS),
	}
}
