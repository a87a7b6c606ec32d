package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
)

// giveConsents keeps consents with their evidence, and what they say against what
// was learned; agreed tells whether they do.
func (db *DB) giveConsents(tx *Tx, a doorstep.Actor, list ...prefs.Consent) (agreed bool, err error) {
	rows := make([][]any, len(list))
	for i, c := range list {
		byPreference := 0
		if c.ByPreference {
			byPreference = 1
		}
		rows[i] = []any{
			a.Consumer, c.ID, c.Kind, c.Scope, c.Facility, c.ReceiptMethod, byPreference, ms(c.GivenAt),
			msOrNull(c.FreeUntil), c.FeeFen, msOrNull(c.ValidUntil),
		}
	}
	err = tx.insert(`insert into consent (consumer_id, id, kind, scope, facility, receipt_method, by_preference, given_at_ms, free_until_ms, fee_fen, valid_until_ms)`, "", rows)
	if err != nil {
		return false, fmt.Errorf("consents: %w", err)
	}
	for _, c := range list {
		if err := db.addConsentFact(tx, a, c, "given", c.GivenAt); err != nil {
			return false, err
		}
	}
	return addAgreements(tx, a.Consumer, list)
}

// endConsents withdraws what permissions recorded: of one scope or, with "", of
// any; of one kind or, with "", of any.
func (db *DB) endConsents(tx *Tx, a doorstep.Actor, scope prefs.Scope, kind prefs.ConsentKind) error {
	_, err := db.withdrawConsents(tx, a, `by_preference = 1 and (scope = ? or ? = '') and (kind = ? or ? = '')`, scope, scope, kind, kind)
	return err
}

// withdrawConsents ends consents from now on and says how many. Now is a moment
// at which the consumer's row is locked: a sign-for that was judged before has an
// earlier one.
func (db *DB) withdrawConsents(tx *Tx, a doorstep.Actor, where string, args ...any) (int, error) {
	now := db.now()
	var rows []consentRow
	err := tx.list(&rows, `update consent set revoked_at_ms = ? where consumer_id = ? and revoked_at_ms is null and `+where+`
returning `+consentColumns, append([]any{ms(now), a.Consumer}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("consents: %w", err)
	}
	for _, c := range consentsOf(rows) {
		if err := db.addConsentFact(tx, a, c, "withdrawn", now); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// addConsentFact keeps that a consent was given or withdrawn: at the outlet of
// the parcel that it is about, else among what belongs to no outlet of the
// company.
func (db *DB) addConsentFact(tx *Tx, a doorstep.Actor, c prefs.Consent, outcome string, at time.Time) error {
	f := c.Fact(outcome)
	f.Outlet, f.Waybill = a.Company, doorstep.Waybill(c.Scope.Waybill())
	if f.Waybill != "" {
		outlet, err := parcelOutlet(tx, a, f.Waybill)
		if err != nil {
			return err
		}
		if outlet != 0 {
			f.Outlet = outlet
		}
	}
	f.ID, f.OccurredAt, f.ReceivedAt = db.newID(f.Outlet), at, at
	facts, err := db.sealFacts([]evidence.Fact{f})
	if err != nil {
		return err
	}
	return addFacts(tx, facts)
}

// parcelOutlet finds where a consumer's parcel is; 0 if it is nowhere any more.
func parcelOutlet(tx *Tx, a doorstep.Actor, w doorstep.Waybill) (outlet doorstep.OutletNo, err error) {
	err = tx.get(&outlet, `select outlet_no from parcel where company_no = ? and waybill = ? and consumer_id = ?
order by updated_at_ms desc limit 1`, a.Company, w, a.Consumer)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return outlet, err
}

// AddConsent keeps a consent.
func (db *DB) AddConsent(ctx context.Context, a doorstep.Actor, c prefs.Consent) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.exec(touchConsumer, a.Consumer, a.Company, ms(c.GivenAt)); err != nil {
			return err
		}
		agreed, err := db.giveConsents(tx, a, c)
		if err != nil || !agreed {
			return err
		}
		return db.wishesChanged(tx, a.Consumer, "", ms(c.GivenAt))
	})
}

const consentColumns = `id, kind, scope, facility, receipt_method, by_preference, given_at_ms, free_until_ms, fee_fen, valid_until_ms, revoked_at_ms`

const selectConsent = `select ` + consentColumns + ` from consent`

type consentRow struct {
	ID            string
	Kind          prefs.ConsentKind
	Scope         prefs.Scope
	Facility      string
	ReceiptMethod string        `db:"receipt_method"`
	ByPreference  bool          `db:"by_preference"`
	GivenMS       int64         `db:"given_at_ms"`
	FreeMS        sql.NullInt64 `db:"free_until_ms"`
	FeeFen        int64         `db:"fee_fen"`
	ValidMS       sql.NullInt64 `db:"valid_until_ms"`
	RevokedMS     sql.NullInt64 `db:"revoked_at_ms"`
}

// Consents lists a consumer's consents, the newest first.
func (db *DB) Consents(ctx context.Context, consumer doorstep.ConsumerID, p prefs.ConsentPage) ([]prefs.Consent, error) {
	var rows []consentRow
	err := db.list(ctx, &rows, selectConsent+` where consumer_id = ? and (scope = ? or ? = '') and (id < ? or ? = '') order by id desc limit ?`,
		consumer, p.Only, p.Only, p.Before, p.Before, p.Limit)
	if err != nil {
		return nil, fmt.Errorf("consents: %w", err)
	}
	return consentsOf(rows), nil
}

func consentsOf(rows []consentRow) []prefs.Consent {
	list := make([]prefs.Consent, len(rows))
	for i, r := range rows {
		list[i] = prefs.Consent{
			ID: r.ID, Kind: r.Kind, Scope: r.Scope, Facility: r.Facility, ReceiptMethod: r.ReceiptMethod, ByPreference: r.ByPreference,
			GivenAt: fromMS(r.GivenMS), FreeUntil: fromNullMS(r.FreeMS), FeeFen: r.FeeFen, ValidUntil: fromNullMS(r.ValidMS), RevokedAt: fromNullMS(r.RevokedMS),
		}
	}
	return list
}

// RevokeConsent ends a consent for the future.
func (db *DB) RevokeConsent(ctx context.Context, a doorstep.Actor, id string, only prefs.Scope) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := db.lockConsumer(tx, a.Consumer); err != nil {
			return err
		}
		n, err := db.withdrawConsents(tx, a, `id = ? and (scope = ? or ? = '')`, id, only, only)
		if err != nil || n > 0 {
			return err
		}
		var before []string
		err = tx.list(&before, `select id from consent where consumer_id = ? and id = ? and (scope = ? or ? = '')`, a.Consumer, id, only, only)
		if err == nil && len(before) == 0 {
			err = doorstep.NotFound("consent", id)
		}
		return err
	})
}
