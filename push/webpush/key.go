package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

var errKey = errors.New("webpush: the private key must be a P-256 key, as PEM or as 32 bytes in base64url")

// parseKey reads a VAPID key in either of its forms.
func parseKey(text string) (*ecdsa.PrivateKey, error) {
	if raw, err := decodeBase64(text); err == nil {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		if err != nil {
			return nil, errKey
		}
		return key, nil
	}
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default: // openssl writes the curve's parameters first
			continue
		}
		if ec, ok := key.(*ecdsa.PrivateKey); ok && err == nil && ec.Curve == elliptic.P256() {
			return ec, nil
		}
		return nil, errKey
	}
	return nil, errKey
}

// NewKey makes a VAPID key, as PEM.
func NewKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("webpush: new key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("webpush: new key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// PublicKey is the public half of a private key in either of its forms, as pages
// subscribe with it: in base64url.
func PublicKey(private string) (string, error) {
	key, err := parseKey(private)
	if err != nil {
		return "", err
	}
	return publicText(key)
}

func publicText(key *ecdsa.PrivateKey) (string, error) {
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return "", fmt.Errorf("webpush: public key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(public), nil
}
