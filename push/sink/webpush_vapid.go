package sink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"
)

// maxTokenLife is how far ahead a token may expire (RFC 8292, 2).
const maxTokenLife = 24 * time.Hour

// checkVAPID verifies the header "vapid t=TOKEN, k=KEY" of a push to origin.
func checkVAPID(header, origin string, now time.Time) error {
	scheme, parameters, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "vapid") {
		return errors.New("the authorization is not of VAPID")
	}
	var token, key string
	for _, p := range strings.Split(parameters, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(p), "="); name {
		case "t":
			token = value
		case "k":
			key = value
		}
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return errors.New("k is not base64url")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return errors.New("k is not a P-256 key")
	}
	text, err := openToken(token, public)
	if err != nil {
		return err
	}
	return checkClaims(text, origin, now)
}

// openToken verifies a token's form and signature and gives its claims.
func openToken(token string, key *ecdsa.PublicKey) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("t is not a token")
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return nil, errors.New("t is not base64url")
		}
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	if err := json.Unmarshal(raw[0], &header); err != nil || header.Algorithm != "ES256" {
		return nil, errors.New("the token's algorithm must be ES256")
	}
	signature := raw[2]
	if len(signature) != 64 {
		return nil, errors.New("the signature must have 64 bytes")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil, errors.New("the signature is not of k")
	}
	return raw[1], nil
}

func checkClaims(text []byte, origin string, now time.Time) error {
	var claims struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return errors.New("the claims are not JSON")
	}
	left := time.Unix(claims.Expires, 0).Sub(now)
	switch {
	case claims.Audience != origin:
		return errors.New("aud must be " + origin)
	case left <= 0:
		return errors.New("exp is past")
	case left > maxTokenLife:
		return errors.New("exp is more than 24 hours ahead")
	case !strings.HasPrefix(claims.Subject, "mailto:") && !strings.HasPrefix(claims.Subject, "https:"):
		return errors.New("sub must be a mailto: or https: URL")
	case strings.HasPrefix(claims.Subject, "mailto:mailto:"):
		return errors.New("sub says mailto: twice")
	}
	return nil
}
