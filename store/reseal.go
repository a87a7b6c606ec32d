package store

import (
	"context"
	"fmt"
	"strings"

	"doorstep/vault"
)

// sealedColumn is where sealed values are kept.
type sealedColumn struct {
	table, column string
	key           []string // the primary key; numbers are above 0
	numbers       int      // how many of the key's columns are numbers: they come first
	place         string   // the vault's name of the table
	row           string   // the vault's name of the row, in SQL
}

// sealedColumns are all of them: a key may be dropped when none of them needs
// it. A test finds a sealed column that is missing here.
var sealedColumns = []sealedColumn{
	{"parcel", "consignee", []string{"outlet_no", "waybill"}, 1, "parcel", `outlet_no || '|' || waybill`},
	{"evidence_value", "body", []string{"outlet_no", "record_id"}, 1, "evidence_value", `outlet_no || '|' || record_id`},
	{"complaint", "body", []string{"outlet_no", "id"}, 1, "complaint", `outlet_no || '|' || id`},
	{"complaint_message", "body", []string{"outlet_no", "complaint_id", "id"}, 1, "complaint_message", `outlet_no || '|' || id`},
	{"complaint_note", "body", []string{"outlet_no", "complaint_id", "id"}, 1, "complaint_note", `outlet_no || '|' || id`},
	{"complaint_reporter", "body", []string{"outlet_no", "complaint_id", "id"}, 1, "complaint_reporter", `outlet_no || '|' || id`},
	{"provider_account", "settings", []string{"outlet_no", "provider"}, 1, "provider_account", `outlet_no || '|' || provider`},
	{"provider_record", "body", []string{"outlet_no", "provider", "event_key", "variant"}, 1, "provider_record",
		`outlet_no || '|' || provider || '|' || event_key || '|' || variant`},
	{"parcel_line", "number", []string{"outlet_no", "waybill"}, 1, "parcel_line", `outlet_no || '|' || waybill`},
	{"preference_note", "note", []string{"consumer_id", "scope"}, 0, "preference_note", `consumer_id || '|' || scope`},
	{"device", "address", []string{"outlet_no", "id"}, 1, "device", `outlet_no || '|' || id`},
	{"outbox", "body", []string{"outlet_no", "id"}, 1, "event", `id`},
	{"event", "body", []string{"outlet_no", "seq"}, 2, "event", `id`},
	{"webhook", "body", []string{"outlet_no", "id"}, 1, "webhook", `id`},
	{"replay", "answer", []string{"scope"}, 0, "replay", `scope`},
}

// resealBatch is how many values are looked at in one statement, and written in
// one transaction.
const resealBatch = 200

// Reseal seals anew what another key than the present one sealed, and says how
// many values it was. It may run beside servers, and be broken off: the next call
// goes on.
func (db *DB) Reseal(ctx context.Context) (n int, err error) {
	for _, c := range sealedColumns {
		after := c.first()
		for after != nil {
			var resealed int
			if resealed, after, err = db.resealSome(ctx, c, after); err != nil {
				return n, fmt.Errorf("reseal %s: %w", c.table, err)
			}
			n += resealed
		}
	}
	return n, nil
}

// first is a key before all others.
func (c sealedColumn) first() []any {
	key := make([]any, len(c.key))
	for i := range key {
		key[i] = ""
		if i < c.numbers {
			key[i] = int64(0)
		}
	}
	return key
}

// resealSome looks at the values behind a key. next is nil after the last.
func (db *DB) resealSome(ctx context.Context, c sealedColumn, after []any) (n int, next []any, err error) {
	keys := strings.Join(c.key, ", ")
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(c.key)), ", ")
	rows, err := db.read.QueryxContext(ctx, db.read.Rebind(`select `+c.row+` as place, `+c.column+`, `+keys+` from `+c.table+`
where length(`+c.column+`) > 0 and (`+keys+`) > (`+marks+`) order by `+keys+` limit ?`), append(after, resealBatch)...)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	type change struct {
		was, is []byte
		key     []any
	}
	var changes []change
	read := 0
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return 0, nil, err
		}
		read++
		was, key := row[1].([]byte), row[2:]
		for i, k := range key {
			if text, ok := k.([]byte); ok {
				key[i] = string(text)
			}
		}
		next = key
		if db.vault.IsCurrent(was) {
			continue
		}
		at := vault.Place{Table: c.place, Column: c.column, Row: fmt.Sprintf("%s", row[0])}
		plain, err := db.vault.Open(was, at)
		if err != nil {
			return 0, nil, err
		}
		is, err := db.vault.Seal(plain, at)
		if err != nil {
			return 0, nil, err
		}
		changes = append(changes, change{was, is, key})
	}
	if err := rows.Err(); err != nil {
		return 0, nil, err
	}
	rows.Close() // SQLite's log cannot empty under a reader
	if read < resealBatch {
		next = nil
	}
	if len(changes) == 0 {
		return 0, next, nil
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		db.stain(tx)
		for _, ch := range changes {
			// What was written since is left alone.
			done, err := tx.changed(`update `+c.table+` set `+c.column+` = ? where `+strings.Join(c.key, " = ? and ")+` = ? and `+c.column+` = ?`,
				append(append([]any{ch.is}, ch.key...), ch.was)...)
			if err != nil {
				return err
			}
			n += int(done)
		}
		return nil
	})
	return n, next, err
}

// Vault is what seals and opens the database's values: a rotated key file that is
// taken up here is taken up by all who share it.
func (db *DB) Vault() *vault.Vault { return db.vault }

// Reload takes up a rotated key file.
func (db *DB) Reload(file []byte) error { return db.vault.Reload(file) }
