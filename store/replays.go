package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"doorstep/api/replay"
	"doorstep/vault"
)

type replayRow struct {
	Fingerprint string
	Claim       string
	ClaimedMS   int64 `db:"claimed_at_ms"`
	Answer      []byte
}

// Replays keeps the answers of idempotent requests.
type Replays struct{ DB *DB }

// forgetAtOnce bounds how many old answers one claim clears away.
const forgetAtOnce = 20

// Begin claims an idempotency key, or finds what it was used for.
func (r Replays) Begin(ctx context.Context, a replay.Attempt) (*replay.Answer, error) {
	scope, fingerprint := scopeKey(a.Scope), base64.RawURLEncoding.EncodeToString(a.Fingerprint[:])
	var answer *replay.Answer
	err := r.DB.inTx(ctx, func(tx *Tx) error {
		answer = nil
		// Whoever inserts first holds the row; the other then reads it.
		n, err := tx.changed(`insert into replay (scope, consumer_id, fingerprint, claim, claimed_at_ms) values (?, ?, ?, ?, ?) on conflict (scope) do nothing`,
			scope, a.Consumer, fingerprint, a.Claim, ms(a.At))
		if err != nil {
			return err
		}
		if n == 1 {
			return tx.exec(`delete from replay where scope in (select scope from replay where claimed_at_ms < ? order by claimed_at_ms limit ?)`,
				ms(a.At.Add(-replay.Kept)), forgetAtOnce)
		}
		var row replayRow
		if err := tx.get(&row, `select fingerprint, claim, claimed_at_ms, answer from replay where scope = ?`+r.DB.forUpdate, scope); err != nil {
			return err
		}
		found, err := r.DB.replayEntry(scope, row)
		if err != nil {
			return err
		}
		if answer, err = replay.Meet(&found, a); err != nil || answer != nil {
			return err
		}
		return tx.exec(`update replay set fingerprint = ?, claim = ?, claimed_at_ms = ?, answer = null where scope = ?`,
			fingerprint, a.Claim, ms(a.At), scope)
	})
	return answer, err
}

func (db *DB) replayEntry(scope string, row replayRow) (e replay.Entry, err error) {
	e = replay.Entry{Claim: row.Claim, ClaimedAt: fromMS(row.ClaimedMS)}
	raw, err := base64.RawURLEncoding.DecodeString(row.Fingerprint)
	if err != nil || len(raw) != len(e.Fingerprint) {
		return e, errors.New("replay: fingerprint is damaged")
	}
	copy(e.Fingerprint[:], raw)
	if row.Answer == nil {
		return e, nil
	}
	plain, err := db.vault.Open(row.Answer, replayPlace(scope))
	if err != nil {
		return e, err
	}
	e.Answer = new(replay.Answer)
	if err := json.Unmarshal(plain, e.Answer); err != nil {
		return e, fmt.Errorf("replay: %w", err)
	}
	return e, nil
}

// Finish keeps the answer, sealed: it may hold a link.
func (r Replays) Finish(ctx context.Context, a replay.Attempt, answer replay.Answer) error {
	plain, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	scope := scopeKey(a.Scope)
	sealed, err := r.DB.vault.Seal(plain, replayPlace(scope))
	if err != nil {
		return err
	}
	return r.DB.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`update replay set answer = ? where scope = ? and claim = ?`, sealed, scope, a.Claim)
	})
}

// Abandon frees the key.
func (r Replays) Abandon(ctx context.Context, a replay.Attempt) error {
	return r.DB.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`delete from replay where scope = ? and claim = ? and answer is null`, scopeKey(a.Scope), a.Claim)
	})
}

// scopeKey is one column of fixed length for a scope of any.
func scopeKey(s replay.Scope) string {
	sum := sha256.Sum256([]byte(s.TokenID + "\x00" + s.Operation + "\x00" + s.Key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func replayPlace(scope string) vault.Place {
	return vault.Place{Table: "replay", Column: "answer", Row: scope}
}

var _ replay.Store = Replays{}
