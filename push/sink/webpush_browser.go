package sink

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"doorstep/push/webpush/ece"
)

// browser is what a browser keeps of a subscription.
type browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

// browserOf derives the keys of a subscription from the seed and its name. So
// every name is a subscription, "sim-503-1" as well, and a sink that was
// restarted with its seed still knows them all.
func (s *Sink) browserOf(name string) (browser, error) {
	seed := binary.BigEndian.AppendUint64(nil, s.seed)
	auth, err := hkdf.Key(sha256.New, seed, nil, "auth "+name, ece.AuthSize)
	if err != nil {
		return browser{}, fmt.Errorf("sink: auth: %w", err)
	}
	for try := 0; ; try++ { // all but one number in 2³² are keys
		scalar, err := hkdf.Key(sha256.New, seed, nil, "p256dh "+strconv.Itoa(try)+" "+name, 32)
		if err != nil {
			return browser{}, fmt.Errorf("sink: p256dh: %w", err)
		}
		if key, err := ecdh.P256().NewPrivateKey(scalar); err == nil {
			return browser{key: key, auth: auth}, nil
		}
	}
}

// NewSubscription gives the JSON of the PushSubscription that a browser of that
// name has at the sink, which is reached at base ("http://127.0.0.1:9099"). The
// name is the token in rules, messages and devices.
func (s *Sink) NewSubscription(base, name string) (string, error) {
	b, err := s.browserOf(name)
	if err != nil {
		return "", err
	}
	var out struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256DH string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	out.Endpoint = strings.TrimRight(base, "/") + "/wp/" + url.PathEscape(name)
	out.Keys.P256DH = base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes())
	out.Keys.Auth = base64.RawURLEncoding.EncodeToString(b.auth)
	text, err := json.Marshal(out)
	if err != nil {
		return "", fmt.Errorf("sink: subscription: %w", err)
	}
	return string(text), nil
}

// showSubscription is GET /wp/{subscription}: what a page would register, as it
// is to be called at the place asked.
func (s *Sink) showSubscription(w http.ResponseWriter, r *http.Request) {
	text, err := s.NewSubscription(originOf(r), r.PathValue("subscription"))
	if err != nil {
		fail(w, http.StatusInternalServerError, "the keys cannot be derived")
		return
	}
	answerText(w, http.StatusOK, "application/json", text)
}
