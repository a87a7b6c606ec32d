package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/push"
)

// Sign lets a sign-for pass the gate, and keeps it.
func (db *DB) Sign(ctx context.Context, c parcels.Custody, claim parcels.Claim, judge func(parcels.Case) (parcels.Clearance, error)) (s parcels.SignFor, err error) {
	digest, err := db.digest(claim.Fact(c, claim.ClientID))
	if err != nil {
		return s, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		// Until the commit nobody withdraws a consent, and nobody else signs.
		if err := db.lockConsumer(tx, c.Consumer); err != nil {
			return err
		}
		var out []string
		if err := tx.list(&out, `select waybill from parcel where outlet_no = ? and waybill = ?`+db.forUpdate, c.Outlet, c.Waybill); err != nil {
			return err
		}
		made, err := db.signFors(tx.list, c.Outlet, c.Waybill)
		if err != nil {
			return err
		}
		if claim.ClientID != "" {
			kept, err := db.keptUploads(tx.list, c.Outlet, c.CourierNo, []string{claim.ClientID})
			if err != nil {
				return err
			}
			if k, ok := kept[claim.ClientID]; ok {
				i := slices.IndexFunc(made, func(was parcels.SignFor) bool { return was.ID == k.ID })
				if i < 0 || k.Digest != digest {
					return errOtherContent
				}
				s = made[i]
				return nil
			}
		}
		found, err := db.signCase(tx, c, made)
		if err != nil {
			return err
		}
		cleared, err := judge(found)
		if err != nil {
			return err
		}
		s, _ = cleared.Record()
		return db.addSignFor(tx, c, cleared, claim.ClientID, digest)
	})
	if err != nil {
		return parcels.SignFor{}, fmt.Errorf("sign-for: %w", err)
	}
	return s, nil
}

// lockConsumer keeps, on PostgreSQL, others from changing what a consumer
// allows. Who has no row has allowed nothing.
func (db *DB) lockConsumer(tx *Tx, consumer doorstep.ConsumerID) error {
	var locked []string
	return tx.list(&locked, `select consumer_id from consumer where consumer_id = ?`+db.forUpdate, consumer)
}

func (db *DB) signCase(tx *Tx, c parcels.Custody, made []parcels.SignFor) (parcels.Case, error) {
	profiles, err := db.profiles(tx.list, []doorstep.ConsumerID{c.Consumer})
	if err != nil {
		return parcels.Case{}, err
	}
	var rows []consentRow
	err = tx.list(&rows, selectConsent+` where consumer_id = ? and scope in (?, ?, ?)`,
		c.Consumer, prefs.Standing, prefs.ForParcel(string(c.Waybill)), prefs.AtAddress(c.AddressID))
	if err != nil {
		return parcels.Case{}, fmt.Errorf("consents: %w", err)
	}
	_, last, err := outSince(tx.list, c)
	return parcels.Case{Profile: profiles[c.Consumer], Consents: consentsOf(rows), DispatchedAt: last, Made: made}, err
}

// outSince is when we first and last heard that a parcel is out to its consignee;
// zero: never. A carrier uses its numbers again.
func outSince(read lister, c parcels.Custody) (first, last time.Time, err error) {
	var rows []struct{ First, Last sql.NullInt64 }
	err = read(&rows, `select min(received_at_ms) as first, max(received_at_ms) as last from dispatch
where outlet_no = ? and waybill = ? and consumer_id = ?`, c.Outlet, c.Waybill, c.Consumer)
	if err != nil {
		return first, last, fmt.Errorf("dispatches: %w", err)
	}
	return fromNullMS(rows[0].First), fromNullMS(rows[0].Last), nil
}

// errPastGate would be our own mistake: a record that the gate never saw.
var errPastGate = errors.New("a sign-for without clearance")

// addSignFor keeps what the gate has cleared. Nothing else writes sign-fors.
func (db *DB) addSignFor(tx *Tx, c parcels.Custody, cleared parcels.Clearance, clientID, digest string) error {
	s, ok := cleared.Record()
	if !ok {
		return errPastGate
	}
	facts, err := db.sealFacts([]evidence.Fact{s.Fact(c, clientID)})
	if err != nil {
		return err
	}
	if clientID != "" {
		facts[0].digest = digest // of what was sent: the gate may have filled in a time
	}
	if err := addFacts(tx, facts); err != nil {
		return err
	}
	err = tx.exec(`insert into sign_for (outlet_no, waybill, version, id, courier_no, act, method, ground, consent_id, at_ms, received_at_ms)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.Outlet, c.Waybill, s.Version, s.ID, s.CourierNo, string(s.Act), string(s.Method), string(s.Ground), s.ConsentID, ms(s.At), ms(s.ReceivedAt))
	if err != nil {
		return err
	}
	if err := db.markEndings(tx, c.Outlet, []doorstep.Waybill{c.Waybill}); err != nil {
		return err
	}
	signed := any(ms(s.ReceivedAt))
	if s.Act == parcels.Withdrawn {
		signed = nil
	}
	if err := tx.exec(`update parcel set signed_at_ms = ? where outlet_no = ? and waybill = ?`, signed, c.Outlet, c.Waybill); err != nil {
		return err
	}
	tx.afterCommit(func() { db.observer.SignedFor(s.Ground) })
	if s.Act != parcels.Signed {
		return nil
	}
	return db.endAlertsOf(tx, c.Outlet, c.Waybill, s.ReceivedAt)
}

// endAlertsOf ends the alerts of a parcel that is signed for: nothing more is
// pushed about it, and what other phones of the courier still show leaves them.
func (db *DB) endAlertsOf(tx *Tx, outlet doorstep.OutletNo, w doorstep.Waybill, now time.Time) error {
	var live []struct {
		ID         string
		CourierNo  int64         `db:"courier_no"`
		InformedMS sql.NullInt64 `db:"informed_at_ms"`
		AckedMS    sql.NullInt64 `db:"acked_at_ms"`
	}
	err := tx.list(&live, `select a.id, a.courier_no, a.informed_at_ms, a.acked_at_ms from dispatch d
join alert a on a.outlet_no = d.outlet_no and a.id = coalesce(d.revised_alert_id, d.alert_id)
where d.outlet_no = ? and d.waybill = ? and a.expires_at_ms > ? order by a.id`, outlet, w, ms(now))
	if err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	var over []string
	shown := map[int64][]string{}
	for _, a := range live {
		over = append(over, a.ID)
		if a.InformedMS.Valid && !a.AckedMS.Valid {
			shown[a.CourierNo] = append(shown[a.CourierNo], a.ID)
		}
	}
	if err := db.endAlerts(tx, outlet, over, push.SignedFirst, now); err != nil {
		return err
	}
	for courier, alerts := range shown {
		if err := db.recall(tx, outlet, courier, alerts, now); err != nil {
			return err
		}
	}
	return nil
}

type signForRow struct {
	Outlet     doorstep.OutletNo `db:"outlet_no"`
	Waybill    doorstep.Waybill
	Version    int
	ID         string
	CourierNo  int64 `db:"courier_no"`
	Act        parcels.Act
	Method     parcels.Method
	Ground     parcels.Ground
	ConsentID  string `db:"consent_id"`
	AtMS       int64  `db:"at_ms"`
	ReceivedMS int64  `db:"received_at_ms"`
	Body       []byte // what it says beside; nil once erased
}

const selectSignFor = `select s.outlet_no, s.waybill, s.version, s.id, s.courier_no, s.act, s.method, s.ground, s.consent_id, s.at_ms, s.received_at_ms, v.body`

// signFors reads a parcel's records, the oldest first.
func (db *DB) signFors(read lister, outlet doorstep.OutletNo, w doorstep.Waybill) ([]parcels.SignFor, error) {
	var rows []signForRow
	err := read(&rows, selectSignFor+` from sign_for s left join evidence_value v on v.outlet_no = s.outlet_no and v.record_id = s.id
where s.outlet_no = ? and s.waybill = ? order by s.version`, outlet, w)
	if err != nil {
		return nil, fmt.Errorf("sign-fors: %w", err)
	}
	list := make([]parcels.SignFor, len(rows))
	for i, r := range rows {
		if list[i], err = db.signFor(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (db *DB) signFor(r signForRow) (parcels.SignFor, error) {
	s := parcels.SignFor{
		ID: r.ID, Waybill: r.Waybill, Version: r.Version, Act: r.Act, Method: r.Method, Ground: r.Ground, ConsentID: r.ConsentID, CourierNo: r.CourierNo,
		At: fromMS(r.AtMS), ReceivedAt: fromMS(r.ReceivedMS),
	}
	if r.Body == nil {
		return s, nil
	}
	plain, err := db.vault.Open(r.Body, valuePlace(r.Outlet, r.ID))
	if err != nil {
		return s, err
	}
	var opening struct {
		Values struct {
			Facility         string   `json:"facility"`
			PhotoSHA256      string   `json:"photo_sha256"`
			PickupCodeIssued bool     `json:"pickup_code_issued"`
			By               string   `json:"by"`
			Reason           string   `json:"reason"`
			Lat              *float64 `json:"lat"`
			Lng              float64  `json:"lng"`
			AccuracyM        float64  `json:"accuracy_m"`
		} `json:"values"`
	}
	if err := json.Unmarshal(plain, &opening); err != nil {
		return s, fmt.Errorf("sign-for %s: %w", r.ID, err)
	}
	v := opening.Values
	s.Details = parcels.Details{Facility: v.Facility, PhotoSHA256: v.PhotoSHA256, PickupCodeIssued: v.PickupCodeIssued}
	s.By, s.Reason = v.By, v.Reason
	if v.Lat != nil {
		s.Location = &parcels.Location{Lat: *v.Lat, Lng: v.Lng, AccuracyM: v.AccuracyM}
	}
	return s, nil
}

// Overrides lists sign-fors that managers took upon themselves.
func (db *DB) Overrides(ctx context.Context, a doorstep.Actor, q parcels.OverrideQuery) ([]parcels.Override, error) {
	outlets, err := db.scope(ctx, a)
	if err != nil || len(outlets) == 0 {
		return nil, err
	}
	where := db.ofOutlets("s.outlet_no", outlets)
	where.and("s.ground = '" + string(parcels.ByOverride) + "'") // as the index says it
	if !q.From.IsZero() {
		where.and("s.received_at_ms >= ?", ms(q.From))
	}
	if !q.To.IsZero() {
		where.and("s.received_at_ms < ?", ms(q.To))
	}
	if q.BeforeID != "" {
		where.and("(s.received_at_ms, s.id) < (?, ?)", q.BeforeMS, q.BeforeID)
	}
	var rows []struct {
		signForRow
		OutletID  string         `db:"outlet_id"`
		CourierID sql.NullString `db:"courier_id"`
	}
	err = db.list(ctx, &rows, selectSignFor+`, o.id as outlet_id, c.id as courier_id from sign_for s
left join evidence_value v on v.outlet_no = s.outlet_no and v.record_id = s.id
join outlet o on o.no = s.outlet_no left join courier c on c.no = s.courier_no
where `+where.text+` order by s.received_at_ms desc, s.id desc limit ?`, append(where.args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("overrides: %w", err)
	}
	list := make([]parcels.Override, len(rows))
	for i, r := range rows {
		s, err := db.signFor(r.signForRow)
		if err != nil {
			return nil, err
		}
		list[i] = parcels.Override{SignFor: s, OutletID: r.OutletID, CourierID: r.CourierID.String}
	}
	return list, nil
}

var _ parcels.SignStore = (*DB)(nil)
