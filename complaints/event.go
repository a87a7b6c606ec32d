package complaints

import (
	"encoding/json"
	"time"
)

// Snapshot is a complaint as its events show it: whole, but without anybody's
// words.
func (c Complaint) Snapshot(notices []Notice) ([]byte, error) {
	type clock struct {
		DueAt time.Time  `json:"due_at"`
		MetAt *time.Time `json:"met_at,omitempty"`
	}
	type notice struct {
		To      Audience  `json:"to"`
		Clock   ClockName `json:"clock"`
		Percent int       `json:"percent"`
		DueAt   time.Time `json:"due_at"`
	}
	object := struct {
		ID         string              `json:"id"`
		OutletID   string              `json:"outlet_id"`
		CourierID  string              `json:"courier_id,omitempty"`
		Waybill    string              `json:"waybill"`
		Category   Category            `json:"category"`
		Status     Status              `json:"status"`
		FiledAt    time.Time           `json:"filed_at"`
		HandledAt  *time.Time          `json:"handled_at,omitempty"`
		ResolvedAt *time.Time          `json:"resolved_at,omitempty"`
		RepeatOf   string              `json:"repeat_of,omitempty"`
		Period     int                 `json:"period"`
		Paused     bool                `json:"paused,omitempty"`
		Clocks     map[ClockName]clock `json:"clocks"`
		Notices    []notice            `json:"notices,omitempty"`
	}{
		ID: c.ID, OutletID: c.OutletID, CourierID: c.CourierID, Waybill: string(c.Waybill), Category: c.Category, Status: c.Status,
		FiledAt: c.FiledAt, HandledAt: orNil(c.HandledAt), ResolvedAt: orNil(c.ResolvedAt), RepeatOf: c.RepeatOf,
		Period: c.Period.No, Paused: c.Period.Pause != nil, Clocks: map[ClockName]clock{},
	}
	for _, name := range ClockNames {
		k := c.Period.Clock(name)
		object.Clocks[name] = clock{k.Due, orNil(k.MetAt)}
	}
	for _, n := range notices {
		object.Notices = append(object.Notices, notice{n.To, n.Clock, n.Percent, n.DueAt})
	}
	return json.Marshal(object)
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
