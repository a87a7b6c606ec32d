package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"doorstep"
	"doorstep/telephony"
	"doorstep/vault"
)

type accountRow struct {
	Settings  []byte
	CreatedMS int64 `db:"created_at_ms"`
	UpdatedMS int64 `db:"updated_at_ms"`
}

const selectAccount = `select settings, created_at_ms, updated_at_ms from provider_account where outlet_no = ? and provider = ?`

func settingsPlace(company doorstep.CompanyNo, p telephony.Provider) vault.Place {
	return vault.Place{Table: "provider_account", Column: "settings", Row: strconv.FormatInt(int64(company), 10) + "|" + string(p)}
}

func (db *DB) settings(sealed []byte, company doorstep.CompanyNo, p telephony.Provider) (set telephony.Settings, err error) {
	if sealed == nil { // heard of before the carrier said anything
		return set, nil
	}
	plain, err := db.vault.Open(sealed, settingsPlace(company, p))
	if err == nil {
		err = json.Unmarshal(plain, &set)
	}
	return set, err
}

func (db *DB) account(r accountRow, company doorstep.CompanyNo, p telephony.Provider) (telephony.Account, error) {
	set, err := db.settings(r.Settings, company, p)
	return telephony.Account{Company: company, Provider: p, Settings: set, CreatedAt: fromMS(r.CreatedMS), UpdatedAt: fromMS(r.UpdatedMS)}, err
}

// ensureAccount makes an account bare if nobody has named it yet: its row is also
// the lease of whoever reads its records.
func ensureAccount(tx *Tx, company doorstep.CompanyNo, p telephony.Provider, at time.Time) error {
	return tx.exec(`insert into provider_account (outlet_no, provider, created_at_ms, updated_at_ms) values (?, ?, ?, ?)
on conflict (outlet_no, provider) do nothing`, company, p, ms(at), ms(at))
}

// PutAccount makes or changes a company's account with a provider.
func (db *DB) PutAccount(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, at time.Time, change func(*telephony.Settings) error) (telephony.Account, error) {
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := ensureAccount(tx, company, p, at); err != nil {
			return err
		}
		var row accountRow
		if err := tx.get(&row, selectAccount+db.forUpdate, company, p); err != nil {
			return err
		}
		set, err := db.settings(row.Settings, company, p)
		if err != nil {
			return err
		}
		if err := change(&set); err != nil {
			return err
		}
		plain, err := json.Marshal(set)
		if err != nil {
			return err
		}
		sealed, err := db.vault.Seal(plain, settingsPlace(company, p))
		if err != nil {
			return err
		}
		return tx.exec(`update provider_account set settings = ?, updated_at_ms = ? where outlet_no = ? and provider = ?`, sealed, ms(at), company, p)
	})
	if err != nil {
		return telephony.Account{}, fmt.Errorf("account with %s: %w", p, err)
	}
	return db.Account(ctx, company, p)
}

// Account finds a company's account with a provider, and its callbacks.
func (db *DB) Account(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider) (telephony.Account, error) {
	var row accountRow
	if err := db.get(ctx, &row, selectAccount, company, p); err != nil {
		return telephony.Account{}, notThere(err, "account with", string(p))
	}
	account, err := db.account(row, company, p)
	if err != nil {
		return account, err
	}
	var callbacks []struct {
		ID        string
		CreatedMS int64 `db:"created_at_ms"`
	}
	err = db.list(ctx, &callbacks, `select id, created_at_ms from provider_callback where outlet_no = ? and provider = ? order by created_at_ms, id`, company, p)
	if err != nil {
		return account, fmt.Errorf("callbacks of %s: %w", p, err)
	}
	for _, c := range callbacks {
		account.Callbacks = append(account.Callbacks, telephony.Callback{ID: c.ID, CreatedAt: fromMS(c.CreatedMS)})
	}
	return account, nil
}

// AddCallback adds a callback of an account, unless it has as many as it may.
func (db *DB) AddCallback(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, c telephony.Callback, hash string, most int) error {
	return db.inTx(ctx, func(tx *Tx) error {
		var row accountRow
		if err := tx.get(&row, selectAccount+db.forUpdate, company, p); err != nil {
			return notThere(err, "account with", string(p))
		}
		var n int
		if err := tx.get(&n, `select count(*) from provider_callback where outlet_no = ? and provider = ?`, company, p); err != nil {
			return err
		}
		if n >= most {
			return &doorstep.ConflictError{Code: "too_many_callbacks", Detail: fmt.Sprintf("there are %d callbacks; end one first", n)}
		}
		return tx.exec(`insert into provider_callback (outlet_no, hash, id, provider, created_at_ms) values (?, ?, ?, ?, ?)`,
			company, hash, c.ID, p, ms(c.CreatedAt))
	})
}

// RemoveCallback ends a callback.
func (db *DB) RemoveCallback(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, id string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`delete from provider_callback where outlet_no = ? and provider = ? and id = ?`, company, p, id)
		if err == nil && n == 0 {
			err = doorstep.NotFound("callback", id)
		}
		return err
	})
}

// CalledBack finds the account whose callback has a secret of this hash.
func (db *DB) CalledBack(ctx context.Context, company doorstep.CompanyNo, p telephony.Provider, hash string) (telephony.Account, string, error) {
	var row struct {
		accountRow
		ID string
	}
	err := db.get(ctx, &row, `select a.settings, a.created_at_ms, a.updated_at_ms, c.id from provider_callback c
join provider_account a on a.outlet_no = c.outlet_no and a.provider = c.provider
where c.outlet_no = ? and c.hash = ? and c.provider = ?`, company, hash, p)
	if errors.Is(err, sql.ErrNoRows) {
		return telephony.Account{}, "", doorstep.NotFound("callback", "")
	}
	if err != nil {
		return telephony.Account{}, "", fmt.Errorf("callback: %w", err)
	}
	account, err := db.account(row.accountRow, company, p)
	return account, row.ID, err
}

// Lines lists the masked numbers of a company's accounts.
func (db *DB) Lines(ctx context.Context, company doorstep.CompanyNo) (list []telephony.Line, err error) {
	var rows []struct {
		Provider telephony.Provider
		Settings []byte
	}
	err = db.list(ctx, &rows, `select provider, settings from provider_account where outlet_no = ? order by provider`, company)
	if err != nil {
		return nil, fmt.Errorf("masked numbers: %w", err)
	}
	for _, r := range rows {
		set, err := db.settings(r.Settings, company, r.Provider)
		if err != nil {
			return nil, err
		}
		for _, number := range set.Numbers {
			list = append(list, telephony.Line{Provider: r.Provider, Number: number})
		}
	}
	return list, nil
}

var _ telephony.AccountStore = (*DB)(nil)
