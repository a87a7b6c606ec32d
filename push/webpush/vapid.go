package webpush

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// tokenLife is half of what RFC 8292 allows, which leaves push services and
	// this machine room to disagree about the time.
	tokenLife = 12 * time.Hour
	// tokenRest is the life that a token must have left to be used again.
	tokenRest = time.Hour
	// maxTokens bounds the memory: whoever registers subscriptions can name any
	// number of hosts below an allowed one.
	maxTokens = 256
)

// vapid signs tokens that say who sends (RFC 8292), one a push service.
type vapid struct {
	key     *ecdsa.PrivateKey
	public  string // in base64url
	subject string
	random  io.Reader

	mu     sync.Mutex
	tokens map[string]vapidToken // by origin
}

type vapidToken struct {
	authorization string
	signed        time.Time
}

func newVAPID(key *ecdsa.PrivateKey, subject string, random io.Reader) (*vapid, error) {
	public, err := publicText(key)
	if err != nil {
		return nil, err
	}
	return &vapid{
		key: key, public: public, subject: subject, random: random,
		tokens: map[string]vapidToken{},
	}, nil
}

// authorization is the header for an origin. A token is used for hours, because
// push services may remember one that they have verified (RFC 8292, 2).
func (v *vapid) authorization(origin string, now time.Time) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	// A clock that was set back makes a token one of the future.
	if t, ok := v.tokens[origin]; ok && !now.Before(t.signed) && now.Before(t.signed.Add(tokenLife-tokenRest)) {
		return t.authorization, nil
	}
	token, err := v.sign(origin, now.Add(tokenLife))
	if err != nil {
		return "", err
	}
	if len(v.tokens) >= maxTokens {
		clear(v.tokens)
	}
	t := vapidToken{authorization: "vapid t=" + token + ", k=" + v.public, signed: now}
	v.tokens[origin] = t
	return t.authorization, nil
}

// forget drops a refused token, unless another has taken its place.
func (v *vapid) forget(origin, authorization string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens[origin].authorization == authorization {
		delete(v.tokens, origin)
	}
}

// tokenHeader is the only one VAPID knows: {"typ":"JWT","alg":"ES256"}.
const tokenHeader = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9"

// sign makes a JSON Web Token (RFC 7519) with ES256: the signature is r and s,
// 32 bytes each (RFC 7518, 3.4).
func (v *vapid) sign(origin string, expires time.Time) (string, error) {
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub"`
	}{origin, expires.Unix(), v.subject})
	if err != nil {
		return "", fmt.Errorf("webpush: claims: %w", err)
	}
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(v.random, v.key, digest[:])
	if err != nil {
		return "", fmt.Errorf("webpush: sign: %w", err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}
