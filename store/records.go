package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/telephony"
	"doorstep/vault"
)

// States of a provider's record.
const (
	recordWaiting     = "waiting"
	recordRead        = "read"
	recordQuarantined = "quarantined"
	recordConflict    = "conflict"
)

const insertRecord = `insert into provider_record (outlet_no, provider, event_key, variant, digest, kind, subject, at_ms, received_at_ms, state, reason, body)`

func recordPlace(company doorstep.CompanyNo, p telephony.Provider, key, variant string) vault.Place {
	return vault.Place{Table: "provider_record", Column: "body", Row: strings.Join([]string{strconv.FormatInt(int64(company), 10), string(p), key, variant}, "|")}
}

// recordRow seals a record for its place.
func (db *DB) recordRow(company doorstep.CompanyNo, p telephony.Provider, r telephony.Record, variant, state string, at time.Time) ([]any, error) {
	body, err := db.vault.Seal(r.Raw, recordPlace(company, p, r.Key, variant))
	if err != nil {
		return nil, err
	}
	reason, happened := "", r.Event.At
	if r.Err != nil {
		state, reason = recordQuarantined, r.Reason()
	}
	if happened.IsZero() {
		happened = at
	}
	return []any{
		int64(company), string(p), r.Key, variant, r.Digest, string(r.Event.Kind), r.Event.Subject, ms(happened), ms(at), state, reason, body,
	}, nil
}

// heardKey is a minute in which a provider was heard.
type heardKey struct {
	company  doorstep.CompanyNo
	provider telephony.Provider
}

// sightingStep is how finely it is kept when a provider was heard.
const sightingStep = time.Minute

// hear notes that a provider was heard, once a minute.
func (db *DB) hear(tx *Tx, company doorstep.CompanyNo, p telephony.Provider, at time.Time) error {
	key, minute := heardKey{company, p}, at.Truncate(sightingStep)
	if was, ok := db.heard.Load(key); ok && was.(time.Time).Equal(minute) {
		return nil
	}
	if err := ensureAccount(tx, company, p, at); err != nil {
		return err
	}
	tx.afterCommit(func() { db.heard.Store(key, minute) })
	return tx.exec(`insert into provider_sighting (outlet_no, provider, at_ms) values (?, ?, ?) on conflict do nothing`, company, p, ms(minute))
}

// AddRecords keeps a provider's records as they came. Of two with the same key the
// first is the one that counts; another with other content is kept as a variant.
func (db *DB) AddRecords(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, list []telephony.Record, at time.Time) ([]telephony.Status, error) {
	first := map[string]int{}
	var rows [][]any
	for i, r := range list {
		if _, ok := first[r.Key]; ok {
			continue
		}
		first[r.Key] = i
		row, err := db.recordRow(company, p, r, "", recordWaiting, at)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b []any) int { return cmp.Compare(a[2].(string), b[2].(string)) })
	var statuses []telephony.Status
	err := db.inTx(ctx, func(tx *Tx) error {
		statuses = make([]telephony.Status, len(list))
		if err := db.hear(tx, company, p, at); err != nil {
			return err
		}
		fresh, err := insertReturning[string](tx, insertRecord, `on conflict (outlet_no, provider, event_key, variant) do nothing returning event_key`, rows)
		if err != nil {
			return err
		}
		for _, key := range fresh {
			statuses[first[key]] = evidence.Accepted
		}
		tx.afterCommit(func() {
			if len(fresh) > 0 {
				db.tell(News{Reports: true})
			}
		})
		if len(fresh) == len(list) {
			return nil
		}
		return db.addVariants(tx, company, p, list, statuses, at)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", doorstep.ErrUnavailable, err)
	}
	return statuses, nil
}

// addVariants tells repeats from records that contradict what is kept under their
// key, and keeps the latter beside it.
func (db *DB) addVariants(tx *Tx, company doorstep.CompanyNo, p telephony.Provider, list []telephony.Record, statuses []telephony.Status, at time.Time) error {
	var unsure []string
	for i, r := range list {
		if statuses[i] == "" {
			unsure = append(unsure, r.Key)
		}
	}
	var kept []struct{ Key, Digest string }
	err := tx.list(&kept, `select event_key as key, digest from provider_record
where outlet_no = ? and provider = ? and variant = '' and event_key`+db.inList, company, p, db.asList(unsure))
	if err != nil {
		return err
	}
	digests := make(map[string]string, len(kept))
	for _, k := range kept {
		digests[k.Key] = k.Digest
	}
	var rows [][]any
	for i, r := range list {
		switch {
		case statuses[i] != "":
		case digests[r.Key] == r.Digest:
			statuses[i] = evidence.Duplicate
		default:
			statuses[i] = telephony.Conflict
			row, err := db.recordRow(company, p, r, r.Digest, recordConflict, at)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[2].(string), b[2].(string)), cmp.Compare(a[3].(string), b[3].(string)))
	})
	return tx.insert(insertRecord, `on conflict (outlet_no, provider, event_key, variant) do nothing`, rows)
}

// AddHeartbeat notes that a provider was heard.
func (db *DB) AddHeartbeat(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, at time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error { return db.hear(tx, company, p, at) })
}

// AddTotal keeps how many records a provider says there were on a day.
func (db *DB) AddTotal(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, day string, records int, at time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := db.hear(tx, company, p, at); err != nil {
			return err
		}
		return tx.exec(`insert into provider_total (outlet_no, provider, day, records, declared_at_ms) values (?, ?, ?, ?, ?)
on conflict (outlet_no, provider, day) do update set records = excluded.records, declared_at_ms = excluded.declared_at_ms`, company, p, day, records, ms(at))
	})
}

var _ telephony.Store = (*DB)(nil)
