package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/push"
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

// ending is what outcomes of one claim may have in common. One statement writes
// all that do, and mostly all do.
type ending struct {
	outlet  doorstep.OutletNo
	token   string
	state   push.State
	code    string
	attempt int
	nextMS  int64
}

// Finish writes outcomes, fenced by the lease token, and a fact for every
// delivery that ended.
func (db *DB) Finish(ctx context.Context, list []push.Ended) error {
	list = slices.SortedFunc(slices.Values(list), func(a, b push.Ended) int {
		return cmp.Or(cmp.Compare(a.Delivery.Outlet, b.Delivery.Outlet), strings.Compare(a.Delivery.ID, b.Delivery.ID))
	})
	groups := map[ending][]string{}
	var order []ending // of their first deliveries
	facts := make(map[string]sealedFact, len(list))
	for _, e := range list {
		d := e.Delivery
		g := ending{outlet: d.Outlet, token: d.LeaseToken, state: e.State, code: e.Code, attempt: e.Attempts()}
		if e.State == push.Queued {
			g.nextMS = ms(e.NextAt)
		} else {
			sealed, err := db.sealFacts([]evidence.Fact{pushFact(e)})
			if err != nil {
				return err
			}
			facts[d.ID] = sealed[0]
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], d.ID)
	}
	return db.inTx(ctx, func(tx *Tx) error {
		took := make(map[string]bool, len(list))
		for _, g := range order {
			var ids []string
			// A late worker changes nothing: its token no longer holds.
			err := tx.list(&ids, `update delivery set state = ?, attempt = ?, next_at_ms = ?, lease_token = '', code = ?, updated_at_ms = ?
where outlet_no = ? and state = 'leased' and lease_token = ? and id`+db.inList+` returning id`,
				string(g.state), g.attempt, g.nextMS, g.code, ms(list[0].At), g.outlet, g.token, db.asList(groups[g]))
			if err != nil {
				return fmt.Errorf("outcomes: %w", err)
			}
			for _, id := range ids {
				took[id] = true
			}
		}
		var written []sealedFact
		for _, e := range list {
			if !took[e.Delivery.ID] {
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
			{Name: "code", Value: e.Code}, {Name: "attempt", Value: e.Attempts()}, {Name: "provider_ref", Value: e.ProviderID},
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
