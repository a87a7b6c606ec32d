package webpush

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"doorstep"
	"doorstep/push/webpush/ece"
)

// subscription is a browser's PushSubscription (W3C Push API), found good.
type subscription struct {
	endpoint *url.URL
	key      *ecdh.PublicKey
	auth     []byte
}

// subscription reads the JSON of a PushSubscription whose endpoint is at one of
// the push services, or says in a *doorstep.InvalidError what is wrong with it.
func (l allowList) subscription(value string) (subscription, error) {
	var in struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256DH string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(value), &in); err != nil {
		return subscription{}, invalid("", CodeBadSubscription, "must be the JSON of a push subscription")
	}
	endpoint, err := url.Parse(in.Endpoint)
	if err != nil || endpoint.Hostname() == "" || endpoint.Opaque != "" || endpoint.User != nil {
		return subscription{}, invalid("/endpoint", CodeBadSubscription, "must be a URL without a user")
	}
	key, err := publicKey(in.Keys.P256DH)
	if err != nil {
		return subscription{}, invalid("/keys/p256dh", CodeBadSubscription, "must be a P-256 key in base64url")
	}
	auth, err := decodeBase64(in.Keys.Auth)
	if err != nil || len(auth) != ece.AuthSize {
		return subscription{}, invalid("/keys/auth", CodeBadSubscription, "must be 16 bytes in base64url")
	}
	if !l.allows(endpoint) {
		return subscription{}, invalid("/endpoint", CodeHostNotAllowed, "must be at a push service that is configured")
	}
	return subscription{endpoint: endpoint, key: key, auth: auth}, nil
}

func publicKey(text string) (*ecdh.PublicKey, error) {
	point, err := decodeBase64(text)
	if err != nil {
		return nil, err
	}
	return ecdh.P256().NewPublicKey(point) // on the curve, uncompressed
}

// decodeBase64 reads both alphabets, padded or not: browsers write base64url,
// apps around them not always.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	return base64.RawURLEncoding.DecodeString(text)
}

func invalid(pointer, code, detail string) error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{Pointer: pointer, Code: code, Detail: detail}}}
}

// codeOf is the code of an error that invalid made.
func codeOf(err error) string {
	var bad *doorstep.InvalidError
	if errors.As(err, &bad) {
		return bad.Fields[0].Code
	}
	return CodeBadSubscription
}
