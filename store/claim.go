package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"doorstep"
	"doorstep/push"
	"doorstep/vault"
)

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

// claimCall is an outlet's claim on its way.
type claimCall struct {
	push.Claim
	claimed push.Claimed
}

func (c *claimCall) keys() iter.Seq[doorstep.OutletNo] {
	return func(yield func(doorstep.OutletNo) bool) { yield(c.Outlet) }
}

// Claim composes what is due, leases due deliveries and reads what to send, and
// where to.
func (db *DB) Claim(ctx context.Context, c push.Claim) (push.Claimed, error) {
	call := &claimCall{Claim: c}
	var err error
	if db.claims != nil {
		err = db.claims.do(ctx, call)
	} else {
		err = db.addClaims(ctx, []*claimCall{call})
	}
	return call.claimed, err
}

// addClaims makes claims of several outlets in one transaction.
func (db *DB) addClaims(ctx context.Context, calls []*claimCall) error {
	return db.inTx(ctx, func(tx *Tx) (err error) {
		for _, c := range calls {
			if c.claimed, err = db.claim(tx, c.Claim); err != nil {
				return err
			}
		}
		return nil
	})
}

func (db *DB) claim(tx *Tx, c push.Claim) (claimed push.Claimed, err error) {
	var composed map[string]push.Message
	if claimed.Composed, composed, err = db.composeDue(tx, c.Outlet, c.Now, c.Pushes, c.Compose); err != nil {
		return claimed, fmt.Errorf("compose: %w", err)
	}
	ids, err := db.due(tx, c)
	if err != nil || len(ids) == 0 {
		return claimed, err
	}
	var rows []claimRow
	err = tx.list(&rows, `update delivery set state = 'leased', attempt = attempt + 1, lease_token = ?, next_at_ms = ?, updated_at_ms = ?
where outlet_no = ? and id`+db.inList+`
returning id, push_id, courier_no, home_no, device_id, provider, attempt, expires_at_ms, created_at_ms, silent`,
		c.Token, ms(c.LeaseUntil), ms(c.Now), c.Outlet, db.asList(ids))
	if err != nil {
		return claimed, err
	}
	places := make(map[string]int, len(ids)) // what is returned by an update stands in no order
	for i, id := range ids {
		places[id] = i
	}
	slices.SortFunc(rows, func(a, b claimRow) int { return cmp.Compare(places[a.ID], places[b.ID]) })
	claimed.Deliveries, err = db.deliveries(tx, c, rows, composed)
	return claimed, err
}

// deliveries reads what to send, and where to. In the transaction the pages that
// it needs are at hand: another connection would have to read them anew after
// every commit.
func (db *DB) deliveries(tx *Tx, c push.Claim, rows []claimRow, composed map[string]push.Message) ([]push.Delivery, error) {
	messages, err := db.messages(tx, c.Outlet, rows, composed)
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	addresses, err := db.addresses(tx, rows)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	list := make([]push.Delivery, len(rows))
	for i, r := range rows {
		at := addresses[r.DeviceID]
		d := push.Delivery{
			Outlet: c.Outlet, ID: r.ID, PushID: r.PushID, CourierNo: r.CourierNo, Home: r.Home, DeviceID: r.DeviceID, Provider: r.Provider,
			Attempt: r.Attempt, LeaseToken: c.Token, ExpiresAt: fromMS(r.ExpiresMS), CreatedAt: fromMS(r.CreatedMS),
			Message: messages[r.PushID], Address: at.address, AddrKey: at.key,
		}
		d.Message.High = d.Message.High && !r.Silent
		d.Message.TTL = max(0, d.ExpiresAt.Sub(c.Now)).Truncate(time.Second)
		list[i] = d
	}
	return list, nil
}

// Claimer is a sender of this process that takes what a transaction makes due
// from that very transaction: else two more commits would lie before the message.
type Claimer interface {
	// Offer says what may be claimed at an outlet now; ok is false where nothing
	// may.
	Offer(outlet doorstep.OutletNo) (c push.Claim, ok bool)
	// Take is handed what was leased once that has committed. It does not block.
	Take(list []push.Delivery)
}

// ClaimWith sets who takes what is due at once. Call it before the database is
// shared.
func (db *DB) ClaimWith(c Claimer) { db.claimer = c }

// errClaim says that a claim could not be made beside something else.
var errClaim = errors.New("claim at once")

// claimAtOnce claims what the transaction has made due at the outlets, where
// nothing settles before it is sent.
func (db *DB) claimAtOnce(tx *Tx, outlets []doorstep.OutletNo) error {
	if db.claimer == nil || db.settle.Window > 0 {
		return nil
	}
	for _, outlet := range outlets {
		c, ok := db.claimer.Offer(outlet)
		if !ok {
			continue
		}
		claimed, err := db.claim(tx, c)
		if err != nil {
			return fmt.Errorf("%w: %w", errClaim, err)
		}
		if len(claimed.Deliveries) > 0 {
			tx.afterCommit(func() { db.claimer.Take(claimed.Deliveries) })
		}
	}
	return nil
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
func (db *DB) messages(tx *Tx, outlet doorstep.OutletNo, claimed []claimRow, composed map[string]push.Message) (map[string]push.Message, error) {
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
	if err := tx.list(&rows, `select id, content from push where outlet_no = ? and id`+db.inList, outlet, db.asList(ids)); err != nil {
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
func (db *DB) addresses(tx *Tx, claimed []claimRow) (map[string]reach, error) {
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
		err := tx.list(&rows, `select id, provider, address, address_hash, updated_at_ms from device
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
