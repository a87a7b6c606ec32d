package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorstep"
	"doorstep/access"
)

// Consumer is the id of the person behind a number at one company.
func (db *DB) Consumer(company doorstep.CompanyNo, phone doorstep.Phone) doorstep.ConsumerID {
	return doorstep.ConsumerID(db.vault.Hash("consumer", fmt.Sprintf("%d|%s", company, string(phone))))
}

type tokenRow struct {
	ID        string
	Kind      string
	ParentID  string             `db:"parent_id"`
	Company   doorstep.CompanyNo `db:"company_no"`
	Role      string
	OutletID  string `db:"outlet_id"`
	CourierID string `db:"courier_id"`
	Consumer  string `db:"consumer_id"`
	Subject   string
	Waybill   string
	Outlet    doorstep.OutletNo `db:"link_outlet_no"`
	CreatedMS int64             `db:"created_at_ms"`
	ExpiresMS int64             `db:"expires_at_ms"`
	RevokedMS sql.NullInt64     `db:"revoked_at_ms"`
}

const tokenColumns = `id, kind, parent_id, company_no, role, outlet_id, courier_id, consumer_id, subject, waybill, link_outlet_no, created_at_ms, expires_at_ms, revoked_at_ms`

func (r tokenRow) token() access.Token {
	return access.Token{
		ID: r.ID, Kind: access.Kind(r.Kind), ParentID: r.ParentID, Role: doorstep.Role(r.Role), Company: r.Company, OutletID: r.OutletID, CourierID: r.CourierID,
		Consumer: doorstep.ConsumerID(r.Consumer), Subject: r.Subject, Waybill: doorstep.Waybill(r.Waybill), Outlet: r.Outlet,
		CreatedAt: fromMS(r.CreatedMS), ExpiresAt: fromMS(r.ExpiresMS), RevokedAt: fromNullMS(r.RevokedMS),
	}
}

// AddToken keeps a token under the hash of its secret.
func (db *DB) AddToken(ctx context.Context, hash string, t access.Token) error {
	return db.inTx(ctx, func(tx *Tx) error { return addToken(tx, hash, t) })
}

func addToken(tx *Tx, hash string, t access.Token) error {
	return tx.exec(`insert into token (hash, `+tokenColumns+`) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		hash, t.ID, string(t.Kind), t.ParentID, t.Company, string(t.Role), t.OutletID, t.CourierID, string(t.Consumer), t.Subject,
		string(t.Waybill), t.Outlet, ms(t.CreatedAt), ms(t.ExpiresAt), msOrNull(t.RevokedAt))
}

// ExchangeLink ends the link that session began with, and adds session.
func (db *DB) ExchangeLink(ctx context.Context, hash string, session access.Token) error {
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`update token set revoked_at_ms = ? where id = ? and revoked_at_ms is null`, ms(session.CreatedAt), session.ParentID)
		if err != nil {
			return err
		}
		if n == 0 {
			return doorstep.NotFound("sign-in link", session.ParentID)
		}
		return addToken(tx, hash, session)
	})
}

// ProlongToken moves the end of a token that is not revoked.
func (db *DB) ProlongToken(ctx context.Context, id string, expires time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`update token set expires_at_ms = ? where id = ? and revoked_at_ms is null`, ms(expires), id)
	})
}

// TokenByHash finds a token.
func (db *DB) TokenByHash(ctx context.Context, hash string) (access.Token, error) {
	var row tokenRow
	if err := db.get(ctx, &row, `select `+tokenColumns+` from token where hash = ?`, hash); err != nil {
		return access.Token{}, notThere(err, "token", "by hash")
	}
	return row.token(), nil
}

// Tokens lists all tokens, the newest first.
func (db *DB) Tokens(ctx context.Context) ([]access.Token, error) {
	var rows []tokenRow
	if err := db.list(ctx, &rows, `select `+tokenColumns+` from token order by created_at_ms desc, id desc`); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	list := make([]access.Token, len(rows))
	for i, r := range rows {
		list[i] = r.token()
	}
	return list, nil
}

// RevokeToken ends a token, and the sessions that began with it. Ending it twice
// changes nothing.
func (db *DB) RevokeToken(ctx context.Context, id string, at time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.changed(`update token set revoked_at_ms = coalesce(revoked_at_ms, ?) where id = ? or parent_id = ?`, ms(at), id, id)
		if err == nil && n == 0 {
			err = doorstep.NotFound("token", id)
		}
		return err
	})
}
