package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/prefs"
	"doorstep/vault"
)

// touchConsumer makes the consumer's row if it is new and, on PostgreSQL, orders
// two writes to what hangs on it. Nobody without the row is looked for in the
// tables of wishes.
const touchConsumer = `insert into consumer (consumer_id, company_no, learning, updated_at_ms) values (?, ?, 1, ?)
on conflict (consumer_id) do update set updated_at_ms = excluded.updated_at_ms`

// Notes reads consumers' notes to couriers, by scope.
func (db *DB) Notes(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]map[prefs.Scope]string, error) {
	ids := make([]string, len(consumers))
	for i, c := range consumers {
		ids[i] = string(c)
	}
	var rows []struct {
		Consumer doorstep.ConsumerID `db:"consumer_id"`
		Scope    prefs.Scope
		Note     []byte
	}
	if err := db.list(ctx, &rows, `select consumer_id, scope, note from preference_note where consumer_id`+db.inList, db.asList(ids)); err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	notes := map[doorstep.ConsumerID]map[prefs.Scope]string{}
	for _, r := range rows {
		text, err := db.vault.Open(r.Note, notePlace(r.Consumer, r.Scope))
		if err != nil {
			return nil, err
		}
		if notes[r.Consumer] == nil {
			notes[r.Consumer] = map[prefs.Scope]string{}
		}
		notes[r.Consumer][r.Scope] = string(text)
	}
	return notes, nil
}

func notePlace(c doorstep.ConsumerID, scope prefs.Scope) vault.Place {
	return vault.Place{Table: "preference_note", Column: "note", Row: string(c) + "|" + string(scope)}
}

// changeWishes writes what a consumer wants in one transaction; couriers who
// have a parcel of his out are told.
func (db *DB) changeWishes(ctx context.Context, a doorstep.Actor, at time.Time, do func(*Tx) error) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.exec(touchConsumer, a.Consumer, a.Company, ms(at)); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		return db.wishesChanged(tx, a.Consumer, "", ms(at))
	})
}

// ReplaceScope replaces what the consumer said in one scope.
func (db *DB) ReplaceScope(ctx context.Context, a doorstep.Actor, s prefs.ScopeChange) error {
	note, err := db.vault.Seal([]byte(s.Note), notePlace(a.Consumer, s.Scope))
	if err != nil {
		return err
	}
	at := ms(s.At)
	return db.changeWishes(ctx, a, s.At, func(tx *Tx) error {
		// What the consumer took away stays taken away unless it is said again.
		if err := tx.exec(`delete from preference where consumer_id = ? and scope = ? and state = 'on'`, a.Consumer, s.Scope); err != nil {
			return err
		}
		rows := make([][]any, len(s.Tags))
		for i, tag := range s.Tags {
			rows[i] = []any{a.Consumer, s.Scope, tag, "on", at}
		}
		if err := addPreferences(tx, rows); err != nil {
			return err
		}
		if err := tx.exec(`delete from preference_note where consumer_id = ? and scope = ?`, a.Consumer, s.Scope); err != nil {
			return err
		}
		if s.Note != "" {
			if err := tx.exec(`insert into preference_note (consumer_id, scope, note, set_at_ms) values (?, ?, ?, ?)`, a.Consumer, s.Scope, note, at); err != nil {
				return err
			}
		}
		if err := endConsents(tx, a.Consumer, s.Scope, at, ""); err != nil {
			return err
		}
		if err := addConsents(tx, a.Consumer, s.Consents); err != nil {
			return err
		}
		_, err := addAgreements(tx, a.Consumer, s.Consents)
		return err
	})
}

func addPreferences(tx *Tx, rows [][]any) error {
	return tx.insert(`insert into preference (consumer_id, scope, tag, state, set_at_ms)`,
		`on conflict (consumer_id, scope, tag) do update set state = excluded.state, set_at_ms = excluded.set_at_ms`, rows)
}

// SetTag records one standing preference. What it contradicts is no longer
// said.
func (db *DB) SetTag(ctx context.Context, a doorstep.Actor, tag prefs.Tag, at time.Time, consent *prefs.Consent) error {
	return db.changeWishes(ctx, a, at, func(tx *Tx) error { return setTag(tx, a.Consumer, tag, ms(at), consent) })
}

func setTag(tx *Tx, consumer doorstep.ConsumerID, tag prefs.Tag, at int64, consent *prefs.Consent) error {
	for _, opposite := range tag.Opposites() {
		if err := tx.exec(`delete from preference where consumer_id = ? and scope = ? and tag = ? and state = 'on'`, consumer, prefs.Standing, opposite); err != nil {
			return err
		}
		if kind, ok := opposite.Allows(); ok {
			if err := endConsents(tx, consumer, prefs.Standing, at, kind); err != nil {
				return err
			}
		}
	}
	if err := addPreferences(tx, [][]any{{consumer, prefs.Standing, tag, "on", at}}); err != nil {
		return err
	}
	if consent == nil {
		return nil
	}
	return addConsents(tx, consumer, []prefs.Consent{*consent})
}

// RemoveTag forgets a tag and leaves a tombstone in the standing scope.
func (db *DB) RemoveTag(ctx context.Context, a doorstep.Actor, tag prefs.Tag, scope prefs.Scope, at time.Time) error {
	return db.changeWishes(ctx, a, at, func(tx *Tx) error {
		if scope == prefs.Standing {
			return removeTag(tx, a.Consumer, tag, ms(at))
		}
		if kind, permits := tag.Allows(); permits {
			if err := endConsents(tx, a.Consumer, scope, ms(at), kind); err != nil {
				return err
			}
		}
		return tx.exec(`delete from preference where consumer_id = ? and scope = ? and tag = ?`, a.Consumer, scope, tag)
	})
}

func removeTag(tx *Tx, consumer doorstep.ConsumerID, tag prefs.Tag, at int64) error {
	for _, forget := range []string{
		`delete from tag_evidence where consumer_id = ? and tag = ?`,
		`delete from tag_verdict where consumer_id = ? and tag = ?`,
		`delete from preference where consumer_id = ? and tag = ?`,
	} {
		if err := tx.exec(forget, consumer, tag); err != nil {
			return err
		}
	}
	if kind, permits := tag.Allows(); permits {
		if err := endConsents(tx, consumer, "", at, kind); err != nil {
			return err
		}
	}
	return addPreferences(tx, [][]any{{consumer, prefs.Standing, tag, "off", at}})
}

// CorrectTag removes one tag and records another in its place.
func (db *DB) CorrectTag(ctx context.Context, a doorstep.Actor, wrong, tag prefs.Tag, at time.Time, consent *prefs.Consent) error {
	return db.changeWishes(ctx, a, at, func(tx *Tx) error {
		if err := removeTag(tx, a.Consumer, wrong, ms(at)); err != nil {
			return err
		}
		return setTag(tx, a.Consumer, tag, ms(at), consent)
	})
}

// SetLearning switches learning on or off.
func (db *DB) SetLearning(ctx context.Context, a doorstep.Actor, enabled bool, at time.Time) error {
	learning := 0
	if enabled {
		learning = 1
	}
	return db.changeWishes(ctx, a, at, func(tx *Tx) error {
		return tx.exec(`update consumer set learning = ? where consumer_id = ?`, learning, a.Consumer)
	})
}

// endConsents withdraws what permissions recorded: of one scope or, with "", of
// any; of one kind or, with "", of any.
func endConsents(tx *Tx, consumer doorstep.ConsumerID, scope prefs.Scope, at int64, kind prefs.ConsentKind) error {
	return tx.exec(`update consent set revoked_at_ms = ? where consumer_id = ? and by_preference = 1 and revoked_at_ms is null
and (scope = ? or ? = '') and (kind = ? or ? = '')`, at, consumer, scope, scope, kind, kind)
}

func addConsents(tx *Tx, consumer doorstep.ConsumerID, list []prefs.Consent) error {
	rows := make([][]any, len(list))
	for i, c := range list {
		byPreference := 0
		if c.ByPreference {
			byPreference = 1
		}
		rows[i] = []any{consumer, c.ID, c.Kind, c.Scope, c.Facility, c.ReceiptMethod, byPreference, ms(c.GivenAt), msOrNull(c.ValidUntil)}
	}
	return tx.insert(`insert into consent (consumer_id, id, kind, scope, facility, receipt_method, by_preference, given_at_ms, valid_until_ms)`, "", rows)
}

// AddConsent keeps a consent.
func (db *DB) AddConsent(ctx context.Context, a doorstep.Actor, c prefs.Consent) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.exec(touchConsumer, a.Consumer, a.Company, ms(c.GivenAt)); err != nil {
			return err
		}
		if err := addConsents(tx, a.Consumer, []prefs.Consent{c}); err != nil {
			return err
		}
		agreed, err := addAgreements(tx, a.Consumer, []prefs.Consent{c})
		if err != nil || !agreed {
			return err
		}
		return db.wishesChanged(tx, a.Consumer, "", ms(c.GivenAt))
	})
}

type consentRow struct {
	ID            string
	Kind          prefs.ConsentKind
	Scope         prefs.Scope
	Facility      string
	ReceiptMethod string        `db:"receipt_method"`
	ByPreference  bool          `db:"by_preference"`
	GivenMS       int64         `db:"given_at_ms"`
	ValidMS       sql.NullInt64 `db:"valid_until_ms"`
	RevokedMS     sql.NullInt64 `db:"revoked_at_ms"`
}

// Consents lists a consumer's consents, the newest first.
func (db *DB) Consents(ctx context.Context, consumer doorstep.ConsumerID, p prefs.ConsentPage) ([]prefs.Consent, error) {
	var rows []consentRow
	err := db.list(ctx, &rows, `select id, kind, scope, facility, receipt_method, by_preference, given_at_ms, valid_until_ms, revoked_at_ms
from consent where consumer_id = ? and (scope = ? or ? = '') and (id < ? or ? = '') order by id desc limit ?`,
		consumer, p.Only, p.Only, p.Before, p.Before, p.Limit)
	if err != nil {
		return nil, fmt.Errorf("consents: %w", err)
	}
	list := make([]prefs.Consent, len(rows))
	for i, r := range rows {
		list[i] = prefs.Consent{
			ID: r.ID, Kind: r.Kind, Scope: r.Scope, Facility: r.Facility, ReceiptMethod: r.ReceiptMethod, ByPreference: r.ByPreference,
			GivenAt: fromMS(r.GivenMS), ValidUntil: fromNullMS(r.ValidMS), RevokedAt: fromNullMS(r.RevokedMS),
		}
	}
	return list, nil
}

// RevokeConsent ends a consent for the future.
func (db *DB) RevokeConsent(ctx context.Context, a doorstep.Actor, id string, only prefs.Scope, at time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`update consent set revoked_at_ms = coalesce(revoked_at_ms, ?)
where consumer_id = ? and id = ? and (scope = ? or ? = '')`, ms(at), a.Consumer, id, only, only)
		if err == nil && n == 0 {
			err = doorstep.NotFound("consent", id)
		}
		return err
	})
}

// ParcelAddress is the address id of a consumer's own parcel.
func (db *DB) ParcelAddress(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (address string, err error) {
	if a.Waybill != "" && a.Waybill != w {
		return "", doorstep.NotFound("parcel", string(w))
	}
	err = db.get(ctx, &address, `select address_id from parcel where company_no = ? and waybill = ? and consumer_id = ?
order by updated_at_ms desc limit 1`, a.Company, w, a.Consumer)
	if errors.Is(err, sql.ErrNoRows) {
		return "", doorstep.NotFound("parcel", string(w))
	}
	return address, err
}
