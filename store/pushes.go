package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/vault"
)

// joinPushes finds the pushes that gather the couriers' alerts and lets their
// windows slide, or opens them. Without a window each call has pushes of its
// own. It returns a push's id for each courier; couriers are sorted.
func (db *DB) joinPushes(tx *Tx, outlet doorstep.OutletNo, couriers []int64, now time.Time) (map[int64]string, error) {
	state, tail := "due", "returning courier_no, id"
	if db.settle.Window > 0 {
		longest := db.settle.Longest.Milliseconds()
		state, tail = "open", fmt.Sprintf(`on conflict (outlet_no, courier_no) where state = 'open' do update set due_at_ms =
case when excluded.due_at_ms < push.opened_at_ms + %[1]d then excluded.due_at_ms else push.opened_at_ms + %[1]d end
returning courier_no, id`, longest)
	}
	rows := make([][]any, len(couriers))
	for i, courier := range couriers {
		rows[i] = []any{outlet, db.newID(outlet), courier, push.KindDigest, "", state, ms(now), ms(now.Add(db.settle.Window)), ""}
	}
	type joined struct {
		CourierNo int64 `db:"courier_no"`
		ID        string
	}
	back, err := insertReturning[joined](tx, insertPush, tail, rows)
	ids := make(map[int64]string, len(back))
	for _, j := range back {
		ids[j.CourierNo] = j.ID
	}
	return ids, err
}

const insertPush = `insert into push (outlet_no, id, courier_no, kind, device_id, state, opened_at_ms, due_at_ms, content)`

// DueOutlets lists the outlets that have something to compose or to send.
func (db *DB) DueOutlets(ctx context.Context, now time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from (
  select outlet_no, due_at_ms as at_ms from push where state in ('open', 'due') and due_at_ms <= ?
  union all
  select outlet_no, next_at_ms from delivery where state in ('queued', 'leased') and next_at_ms <= ?) due
group by outlet_no order by min(at_ms) limit ?`, ms(now), ms(now), limit)
	return list, err
}

type pushRow struct {
	ID        string
	CourierNo int64 `db:"courier_no"`
	Kind      string
	DeviceID  string `db:"device_id"`
	OpenedMS  int64  `db:"opened_at_ms"`
	DueMS     int64  `db:"due_at_ms"`
}

type deviceRow struct {
	Home      doorstep.OutletNo `db:"outlet_no"`
	ID        string
	CourierNo int64 `db:"courier_no"`
	Provider  string
}

// ComposeDue turns due pushes into deliveries.
func (db *DB) ComposeDue(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int, compose func(string, []push.Alert) push.Message) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		var due []pushRow
		err := tx.list(&due, `select id, courier_no, kind, device_id, opened_at_ms, due_at_ms from push
where outlet_no = ? and state in ('open', 'due') and due_at_ms <= ? order by due_at_ms limit ?`+db.skipLocked, outlet, ms(now), limit)
		if n = len(due); err != nil || n == 0 {
			return err
		}
		alerts, err := db.alertsOfPushes(tx, outlet, due, now)
		if err != nil {
			return fmt.Errorf("alerts: %w", err)
		}
		devices, err := db.devicesOf(tx, due)
		if err != nil {
			return fmt.Errorf("devices: %w", err)
		}
		var pushes, deliveries [][]any
		for _, p := range due {
			content, err := json.Marshal(compose(p.Kind, alerts[p.ID]))
			if err != nil {
				return err
			}
			pushes = append(pushes, []any{outlet, p.ID, p.CourierNo, p.Kind, p.DeviceID, "composed", p.OpenedMS, p.DueMS, string(content)})
			expires := latestExpiry(alerts[p.ID])
			for _, d := range devices[p.CourierNo] {
				if len(alerts[p.ID]) == 0 || p.DeviceID != "" && p.DeviceID != d.ID {
					continue
				}
				deliveries = append(deliveries, []any{
					outlet, db.newID(outlet), p.ID, p.CourierNo, d.Home, d.ID, d.Provider, string(push.Queued), 0,
					ms(now), "", ms(expires), "", "", ms(now), ms(now),
				})
			}
		}
		// A portable update of many rows: every one of them exists.
		err = tx.insert(insertPush,
			`on conflict (outlet_no, id) do update set state = excluded.state, content = excluded.content`, pushes)
		if err != nil {
			return fmt.Errorf("pushes: %w", err)
		}
		if err := tx.insert(insertDelivery, `on conflict (outlet_no, push_id, device_id) do nothing`, deliveries); err != nil {
			return fmt.Errorf("deliveries: %w", err)
		}
		return nil
	})
	return n, err
}

const insertDelivery = `insert into delivery (outlet_no, id, push_id, courier_no, home_no, device_id, provider, state, attempt,
  next_at_ms, lease_token, expires_at_ms, code, provider_ref, created_at_ms, updated_at_ms)`

// alertsOfPushes reads what each push is about: its own alerts, or, for a
// device that joined late, whatever the courier was sent and has not
// acknowledged. What has expired or was acknowledged meanwhile rings nobody.
func (db *DB) alertsOfPushes(tx *Tx, outlet doorstep.OutletNo, due []pushRow, now time.Time) (map[string][]push.Alert, error) {
	const live = ` and acked_at_ms is null and expires_at_ms > ? order by seq`
	alerts := map[string][]push.Alert{}
	ids := make([]string, len(due))
	for i, p := range due {
		ids[i] = p.ID
		if p.Kind != push.KindCatchUp {
			continue
		}
		var rows []alertRow
		err := tx.list(&rows, selectAlert+` where outlet_no = ? and courier_no = ?
and exists (select 1 from push p where p.outlet_no = alert.outlet_no and p.id = alert.push_id and p.state = 'composed')`+live, outlet, p.CourierNo, ms(now))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			alerts[p.ID] = append(alerts[p.ID], r.alert())
		}
	}
	var rows []alertRow
	if err := tx.list(&rows, selectAlert+` where outlet_no = ? and push_id`+db.inList+live, outlet, db.asList(ids), ms(now)); err != nil {
		return nil, err
	}
	for _, r := range rows {
		alerts[r.PushID] = append(alerts[r.PushID], r.alert())
	}
	return alerts, nil
}

// devicesOf reads the couriers' reachable devices.
func (db *DB) devicesOf(tx *Tx, due []pushRow) (map[int64][]deviceRow, error) {
	couriers := make([]int64, len(due))
	for i, p := range due {
		couriers[i] = p.CourierNo
	}
	var rows []deviceRow
	err := tx.list(&rows, `select d.outlet_no, d.id, d.courier_no, d.provider from device d
join courier c on c.no = d.courier_no and c.home_no = d.outlet_no
where c.no`+db.inList+` and d.retired_at_ms is null and d.provider <> ? order by d.id`, db.asList(couriers), push.None)
	devices := map[int64][]deviceRow{}
	for _, r := range rows {
		devices[r.CourierNo] = append(devices[r.CourierNo], r)
	}
	return devices, err
}

func latestExpiry(alerts []push.Alert) (latest time.Time) {
	for _, a := range alerts {
		if a.ExpiresAt.After(latest) {
			latest = a.ExpiresAt
		}
	}
	return latest
}

type claimRow struct {
	ID        string
	PushID    string            `db:"push_id"`
	CourierNo int64             `db:"courier_no"`
	Home      doorstep.OutletNo `db:"home_no"`
	DeviceID  string            `db:"device_id"`
	Provider  string
	Attempt   int
	ExpiresMS int64 `db:"expires_at_ms"`
	CreatedMS int64 `db:"created_at_ms"`
}

// Claim leases due deliveries and reads what to send, and where to.
func (db *DB) Claim(ctx context.Context, outlet doorstep.OutletNo, now, leaseUntil time.Time, token string, limit int) ([]push.Delivery, error) {
	var rows []claimRow
	err := db.inTx(ctx, func(tx *Tx) error {
		rows = nil
		return tx.list(&rows, `update delivery set state = 'leased', attempt = attempt + 1, lease_token = ?, next_at_ms = ?, updated_at_ms = ?
where outlet_no = ? and id in (select id from delivery
  where outlet_no = ? and state in ('queued', 'leased') and next_at_ms <= ? order by next_at_ms limit ?`+db.skipLocked+`)
returning id, push_id, courier_no, home_no, device_id, provider, attempt, expires_at_ms, created_at_ms`,
			token, ms(leaseUntil), ms(now), outlet, outlet, ms(now), limit)
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	messages, err := db.messages(ctx, outlet, rows)
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	addresses, err := db.addresses(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	list := make([]push.Delivery, len(rows))
	for i, r := range rows {
		at := addresses[r.DeviceID]
		list[i] = push.Delivery{
			Outlet: outlet, ID: r.ID, PushID: r.PushID, CourierNo: r.CourierNo, Home: r.Home, DeviceID: r.DeviceID, Provider: r.Provider,
			Attempt: r.Attempt, LeaseToken: token, ExpiresAt: fromMS(r.ExpiresMS), CreatedAt: fromMS(r.CreatedMS),
			Message: messages[r.PushID], Address: at.address, AddrKey: at.key,
		}
		list[i].Message.TTL = max(0, fromMS(r.ExpiresMS).Sub(now)).Truncate(time.Second)
	}
	return list, nil
}

func (db *DB) messages(ctx context.Context, outlet doorstep.OutletNo, claimed []claimRow) (map[string]push.Message, error) {
	ids := make([]string, len(claimed))
	for i, r := range claimed {
		ids[i] = r.PushID
	}
	var rows []struct{ ID, Content string }
	if err := db.list(ctx, &rows, `select id, content from push where outlet_no = ? and id`+db.inList, outlet, db.asList(ids)); err != nil {
		return nil, err
	}
	messages := make(map[string]push.Message, len(rows))
	for _, r := range rows {
		var m push.Message
		if err := json.Unmarshal([]byte(r.Content), &m); err != nil {
			return nil, fmt.Errorf("push %s: %w", r.ID, err)
		}
		messages[r.ID] = m
	}
	return messages, nil
}

// reach is where a device was when it was read: key changes whenever the
// address is set or refreshed.
type reach struct {
	address push.Address
	key     string
}

// addresses reads the devices' addresses, one statement a home.
func (db *DB) addresses(ctx context.Context, claimed []claimRow) (map[string]reach, error) {
	byHome := map[doorstep.OutletNo][]string{}
	for _, r := range claimed {
		byHome[r.Home] = append(byHome[r.Home], r.DeviceID)
	}
	all := map[string]reach{}
	for home, ids := range byHome {
		var rows []struct {
			ID        string
			Provider  string
			Address   []byte
			Hash      string `db:"address_hash"`
			UpdatedMS int64  `db:"updated_at_ms"`
		}
		err := db.list(ctx, &rows, `select id, provider, address, address_hash, updated_at_ms from device
where outlet_no = ? and id`+db.inList+` and retired_at_ms is null and address is not null`, home, db.asList(ids))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			plain, err := db.vault.Open(r.Address, addressPlace(home, r.ID))
			if err != nil {
				return nil, err
			}
			all[r.ID] = reach{push.Address{Kind: push.AddressKind(r.Provider), Value: string(plain)}, addressKey(r.Hash, r.UpdatedMS)}
		}
	}
	return all, nil
}

func addressPlace(home doorstep.OutletNo, id string) vault.Place {
	return vault.Place{Table: "device", Column: "address", Row: fmt.Sprintf("%d|%s", home, id)}
}

func addressKey(hash string, updatedMS int64) string { return fmt.Sprintf("%s|%d", hash, updatedMS) }

// Finish writes outcomes, fenced by the lease token, and a fact for every
// delivery that ended.
func (db *DB) Finish(ctx context.Context, list []push.Ended) error {
	byOutlet := map[doorstep.OutletNo][]push.Ended{}
	for _, e := range list {
		byOutlet[e.Delivery.Outlet] = append(byOutlet[e.Delivery.Outlet], e)
	}
	for _, ended := range byOutlet {
		if err := db.finish(ctx, ended); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) finish(ctx context.Context, list []push.Ended) error {
	slices.SortFunc(list, func(a, b push.Ended) int { return strings.Compare(a.Delivery.ID, b.Delivery.ID) })
	rows := make([][]any, len(list))
	facts := map[string]sealedFact{}
	for i, e := range list {
		d := e.Delivery
		attempt, next := d.Attempt, int64(0)
		if e.Refund {
			attempt--
		}
		if e.State == push.Queued {
			next = ms(e.NextAt)
		} else {
			sealed, err := db.sealFacts([]evidence.Fact{pushFact(e)})
			if err != nil {
				return err
			}
			facts[d.ID] = sealed[0]
		}
		rows[i] = []any{
			d.Outlet, d.ID, d.PushID, d.CourierNo, d.Home, d.DeviceID, d.Provider, string(e.State), attempt,
			next, d.LeaseToken, ms(d.ExpiresAt), e.Code, e.ProviderID, ms(d.CreatedAt), ms(e.At),
		}
	}
	return db.inTx(ctx, func(tx *Tx) error {
		// A portable update of many rows. A late worker changes nothing: its
		// token no longer holds.
		took, err := insertReturning[string](tx, insertDelivery, `on conflict (outlet_no, id) do update set state = excluded.state,
  attempt = excluded.attempt, next_at_ms = excluded.next_at_ms, lease_token = '', code = excluded.code,
  provider_ref = excluded.provider_ref, updated_at_ms = excluded.updated_at_ms
where delivery.state = 'leased' and delivery.lease_token = excluded.lease_token returning id`, rows)
		if err != nil {
			return fmt.Errorf("outcomes: %w", err)
		}
		var written []sealedFact
		for _, e := range list {
			if !slices.Contains(took, e.Delivery.ID) {
				continue
			}
			if f, ok := facts[e.Delivery.ID]; ok {
				written = append(written, f)
			}
			if e.Retire {
				if err := retireAddress(tx, e); err != nil {
					return fmt.Errorf("retire: %w", err)
				}
			}
		}
		return addFacts(tx, written)
	})
}

// pushFact is what the log keeps of a delivery that ended. It has the delivery's
// id: a delivery ends once.
func pushFact(e push.Ended) evidence.Fact {
	d := e.Delivery
	return evidence.Fact{
		ID: d.ID, Outlet: d.Outlet, Kind: evidence.Push, Source: evidence.Server, CourierNo: d.CourierNo, OccurredAt: e.At, ReceivedAt: e.At,
		Fields: []evidence.Field{
			{Name: "push_id", Value: d.PushID}, {Name: "provider", Value: d.Provider}, {Name: "outcome", Value: string(e.State)},
			{Name: "code", Value: e.Code}, {Name: "attempt", Value: d.Attempt},
		},
	}
}

// retireAddress ends a dead address, unless it was refreshed since the send
// began.
func retireAddress(tx *Tx, e push.Ended) error {
	hash, updated, _ := strings.Cut(e.Delivery.AddrKey, "|")
	return tx.exec(`update device set retired_at_ms = ?, retired_reason = ?, address = null, address_hash = ''
where outlet_no = ? and id = ? and retired_at_ms is null and address_hash = ? and cast(updated_at_ms as text) = ?`,
		ms(e.At), e.Code, e.Delivery.Home, e.Delivery.DeviceID, hash, updated)
}

// TakeOver makes every leased delivery due at once.
func (db *DB) TakeOver(ctx context.Context, now time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`update delivery set next_at_ms = ? where state = 'leased'`, ms(now))
	})
}

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

var _ push.Queue = (*DB)(nil)
