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
		if err := db.endConsents(tx, a, s.Scope, ""); err != nil {
			return err
		}
		_, err := db.giveConsents(tx, a, s.Consents...)
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
	return db.changeWishes(ctx, a, at, func(tx *Tx) error { return db.setTag(tx, a, tag, ms(at), consent) })
}

func (db *DB) setTag(tx *Tx, a doorstep.Actor, tag prefs.Tag, at int64, consent *prefs.Consent) error {
	for _, opposite := range tag.Opposites() {
		if err := tx.exec(`delete from preference where consumer_id = ? and scope = ? and tag = ? and state = 'on'`, a.Consumer, prefs.Standing, opposite); err != nil {
			return err
		}
		if kind, ok := opposite.Allows(); ok {
			if err := db.endConsents(tx, a, prefs.Standing, kind); err != nil {
				return err
			}
		}
	}
	if err := addPreferences(tx, [][]any{{a.Consumer, prefs.Standing, tag, "on", at}}); err != nil {
		return err
	}
	if consent == nil {
		return nil
	}
	_, err := db.giveConsents(tx, a, *consent)
	return err
}

// RemoveTag forgets a tag and leaves a tombstone in the standing scope.
func (db *DB) RemoveTag(ctx context.Context, a doorstep.Actor, tag prefs.Tag, scope prefs.Scope, at time.Time) error {
	return db.changeWishes(ctx, a, at, func(tx *Tx) error {
		if scope == prefs.Standing {
			return db.removeTag(tx, a, tag, ms(at))
		}
		if kind, permits := tag.Allows(); permits {
			if err := db.endConsents(tx, a, scope, kind); err != nil {
				return err
			}
		}
		return tx.exec(`delete from preference where consumer_id = ? and scope = ? and tag = ?`, a.Consumer, scope, tag)
	})
}

func (db *DB) removeTag(tx *Tx, a doorstep.Actor, tag prefs.Tag, at int64) error {
	for _, forget := range []string{
		`delete from tag_evidence where consumer_id = ? and tag = ?`,
		`delete from tag_verdict where consumer_id = ? and tag = ?`,
		`delete from preference where consumer_id = ? and tag = ?`,
	} {
		if err := tx.exec(forget, a.Consumer, tag); err != nil {
			return err
		}
	}
	if kind, permits := tag.Allows(); permits {
		if err := db.endConsents(tx, a, "", kind); err != nil {
			return err
		}
	}
	return addPreferences(tx, [][]any{{a.Consumer, prefs.Standing, tag, "off", at}})
}

// CorrectTag removes one tag and records another in its place.
func (db *DB) CorrectTag(ctx context.Context, a doorstep.Actor, wrong, tag prefs.Tag, at time.Time, consent *prefs.Consent) error {
	return db.changeWishes(ctx, a, at, func(tx *Tx) error {
		if err := db.removeTag(tx, a, wrong, ms(at)); err != nil {
			return err
		}
		return db.setTag(tx, a, tag, ms(at), consent)
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
