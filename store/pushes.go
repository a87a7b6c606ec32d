package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep"
	"doorstep/evidence"
	"doorstep/push"
	"doorstep/vault"
)

// joinPushes finds the pushes that gather the alerts and lets their windows
// slide, or opens them. The list is sorted by outlet and courier.
func (db *DB) joinPushes(tx *Tx, list []courierAlert) (map[gathering]string, error) {
	ids := map[gathering]string{}
	var rows [][]any
	for _, a := range list {
		g := db.gatheringOf(a)
		if _, ok := ids[g]; ok {
			continue
		}
		ids[g] = db.newID(a.outlet)
		state := "due"
		if db.settle.Window > 0 {
			state = "open"
		}
		rows = append(rows, []any{a.outlet, ids[g], a.courierNo, push.KindDigest, "", state, ms(a.CreatedAt), ms(a.CreatedAt.Add(db.settle.Window)), "", ""})
	}
	if db.settle.Window == 0 {
		return ids, tx.insert(insertPush, "", rows)
	}
	tail := fmt.Sprintf(`on conflict (outlet_no, courier_no) where state = 'open' do update set due_at_ms =
case when excluded.due_at_ms < push.opened_at_ms + %[1]d then excluded.due_at_ms else push.opened_at_ms + %[1]d end
returning outlet_no, courier_no, id`, db.settle.Longest.Milliseconds())
	type joined struct {
		Outlet    doorstep.OutletNo `db:"outlet_no"`
		CourierNo int64             `db:"courier_no"`
		ID        string
	}
	back, err := insertReturning[joined](tx, insertPush, tail, rows)
	for _, j := range back {
		ids[gathering{outlet: j.Outlet, courierNo: j.CourierNo}] = j.ID
	}
	return ids, err
}

const insertPush = `insert into push (outlet_no, id, courier_no, kind, device_id, state, opened_at_ms, due_at_ms, content, held)`

// waitingOutlets finds the outlets with a queue, from each to the next: it costs
// as many steps as there are such outlets, however long their queues are.
const waitingOutlets = `with recursive gathering (outlet_no) as (
  select min(outlet_no) from push where state in ('open', 'due')
  union all
  select (select min(p.outlet_no) from push p where p.state in ('open', 'due') and p.outlet_no > gathering.outlet_no)
  from gathering where outlet_no is not null),
sending (outlet_no) as (
  select min(outlet_no) from delivery where state in ('queued', 'leased')
  union all
  select (select min(d.outlet_no) from delivery d where d.state in ('queued', 'leased') and d.outlet_no > sending.outlet_no)
  from sending where outlet_no is not null)
`

// When something of a waiting outlet is due: a push, a delivery of one
// provider, or an expired one of any.
const (
	nextPush = `select g.outlet_no, (select min(p.due_at_ms) from push p
  where p.outlet_no = g.outlet_no and p.state in ('open', 'due')) as at_ms from gathering g`
	nextDelivery = `select s.outlet_no, (select min(d.next_at_ms) from delivery d
  where d.outlet_no = s.outlet_no and d.provider = ? and d.state in ('queued', 'leased')) from sending s`
	nextExpiry = `select s.outlet_no, (select min(d.expires_at_ms) from delivery d
  where d.outlet_no = s.outlet_no and d.state in ('queued', 'leased')) from sending s`
)

// DueOutlets lists the outlets that have something to compose, to send through
// one of the providers, or to end because it has expired.
func (db *DB) DueOutlets(ctx context.Context, now time.Time, providers []string, limit int) (list []doorstep.OutletNo, err error) {
	query := waitingOutlets + `select outlet_no from (` + nextPush + ` union all ` + nextExpiry
	var args []any
	for _, p := range providers {
		query += ` union all ` + nextDelivery
		args = append(args, p)
	}
	err = db.list(ctx, &list, query+`) due where at_ms <= ? group by outlet_no order by min(at_ms) limit ?`, append(args, ms(now), limit)...)
	return list, err
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
	Silent    bool
}

// How far a claim looks, so that push.Choose has a choice: at so many due
// deliveries for each one that it may take, and at fewest more.
const (
	choice  = 4
	fewest  = 64
	expired = 256 // expired ones that a claim takes beside
)

// Claim composes what is due, leases due deliveries and reads what to send, and
// where to.
func (db *DB) Claim(ctx context.Context, c push.Claim) (push.Claimed, error) {
	var claimed push.Claimed
	var rows []claimRow
	var places map[string]int // what is returned by an update stands in no order
	var composed map[string]push.Message
	err := db.inTx(ctx, func(tx *Tx) (err error) {
		rows = nil
		claimed.Composed, composed, err = db.composeDue(tx, c.Outlet, c.Now, c.Pushes, c.Compose)
		if err != nil {
			return fmt.Errorf("compose: %w", err)
		}
		ids, err := db.due(tx, c)
		if err != nil || len(ids) == 0 {
			return err
		}
		places = make(map[string]int, len(ids))
		for i, id := range ids {
			places[id] = i
		}
		return tx.list(&rows, `update delivery set state = 'leased', attempt = attempt + 1, lease_token = ?, next_at_ms = ?, updated_at_ms = ?
where outlet_no = ? and id`+db.inList+`
returning id, push_id, courier_no, home_no, device_id, provider, attempt, expires_at_ms, created_at_ms, silent`,
			c.Token, ms(c.LeaseUntil), ms(c.Now), c.Outlet, db.asList(ids))
	})
	if err != nil || len(rows) == 0 {
		return claimed, err
	}
	slices.SortFunc(rows, func(a, b claimRow) int { return cmp.Compare(places[a.ID], places[b.ID]) })
	messages, err := db.messages(ctx, c.Outlet, rows, composed)
	if err != nil {
		return claimed, fmt.Errorf("messages: %w", err)
	}
	addresses, err := db.addresses(ctx, rows)
	if err != nil {
		return claimed, fmt.Errorf("addresses: %w", err)
	}
	claimed.Deliveries = make([]push.Delivery, len(rows))
	for i, r := range rows {
		at := addresses[r.DeviceID]
		d := push.Delivery{
			Outlet: c.Outlet, ID: r.ID, PushID: r.PushID, CourierNo: r.CourierNo, Home: r.Home, DeviceID: r.DeviceID, Provider: r.Provider,
			Attempt: r.Attempt, LeaseToken: c.Token, ExpiresAt: fromMS(r.ExpiresMS), CreatedAt: fromMS(r.CreatedMS),
			Message: messages[r.PushID], Address: at.address, AddrKey: at.key,
		}
		d.Message.High = d.Message.High && !r.Silent
		d.Message.TTL = max(0, d.ExpiresAt.Sub(c.Now)).Truncate(time.Second)
		claimed.Deliveries[i] = d
	}
	return claimed, nil
}

// due chooses the deliveries that a claim leases.
func (db *DB) due(tx *Tx, c push.Claim) (ids []string, err error) {
	const due = `select id, courier_no, device_id from delivery
where outlet_no = ? and state in ('queued', 'leased') and next_at_ms <= ? and `
	var over []push.Due
	err = tx.list(&over, due+`expires_at_ms <= ? order by expires_at_ms limit ?`+db.skipLocked, c.Outlet, ms(c.Now), ms(c.Now), expired)
	if err != nil {
		return nil, fmt.Errorf("expired: %w", err)
	}
	for _, d := range over {
		ids = append(ids, d.ID)
	}
	for _, room := range c.Rooms {
		var list []push.Due
		err := tx.list(&list, due+`provider = ? and expires_at_ms > ? and not (device_id`+db.inList+`) order by next_at_ms, id limit ?`+db.skipLocked,
			c.Outlet, ms(c.Now), room.Provider, ms(c.Now), db.asList(nonNil(c.Busy)), room.Limit*choice+fewest)
		if err != nil {
			return nil, fmt.Errorf("due: %w", err)
		}
		ids = append(ids, push.Choose(list, room.Limit)...)
	}
	return ids, nil
}

// messages reads what the pushes say, but for those that have just been composed.
func (db *DB) messages(ctx context.Context, outlet doorstep.OutletNo, claimed []claimRow, composed map[string]push.Message) (map[string]push.Message, error) {
	messages := make(map[string]push.Message, len(claimed))
	var ids []string
	for _, r := range claimed {
		if m, ok := composed[r.PushID]; ok {
			messages[r.PushID] = m
		} else {
			ids = append(ids, r.PushID)
		}
	}
	if len(ids) == 0 {
		return messages, nil
	}
	var rows []struct{ ID, Content string }
	if err := db.list(ctx, &rows, `select id, content from push where outlet_no = ? and id`+db.inList, outlet, db.asList(ids)); err != nil {
		return nil, err
	}
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
	var work errgroup.Group // on SQLite they share a commit
	work.SetLimit(outletsAtOnce)
	for _, ended := range byOutlet {
		work.Go(func() error { return db.finish(ctx, ended) })
	}
	return work.Wait()
}

// outletsAtOnce is how many outlets' outcomes are written at once.
const outletsAtOnce = 8

func (db *DB) finish(ctx context.Context, list []push.Ended) error {
	slices.SortFunc(list, func(a, b push.Ended) int { return strings.Compare(a.Delivery.ID, b.Delivery.ID) })
	rows := make([][]any, len(list))
	facts := map[string]sealedFact{}
	for i, e := range list {
		d := e.Delivery
		next := int64(0)
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
			d.Outlet, d.ID, d.PushID, d.CourierNo, d.Home, d.DeviceID, d.Provider, string(e.State), e.Attempts(),
			next, d.LeaseToken, ms(d.ExpiresAt), e.Code, e.ProviderID, ms(d.CreatedAt), ms(e.At), 0,
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
			{Name: "code", Value: e.Code}, {Name: "attempt", Value: e.Attempts()},
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

var _ push.Queue = (*DB)(nil)
