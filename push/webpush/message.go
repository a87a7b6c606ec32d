package webpush

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"doorstep"
	"doorstep/push"
	"doorstep/push/webpush/ece"
	"doorstep/push/wire"
)

// payload is what the service worker reads; the package comment describes it.
type payload struct {
	Kind     string            `json:"kind"`
	TitleKey string            `json:"title_key"`
	BodyKey  string            `json:"body_key"`
	Args     []string          `json:"args"`
	Data     map[string]string `json:"data"`
	LeftOut  []string          `json:"left_out,omitempty"`
}

// maxPayload is in bytes.
const maxPayload = ece.MaxBody - ece.Overhead

// Check implements push.Provider. It lists every bad field in a
// *doorstep.InvalidError.
func (s *Sender) Check(m push.Message) error {
	var c doorstep.Checks
	wire.Check(&c, m)
	if _, err := payloadOf(m); err != nil {
		c.Add("/kind", "too_large", "kind, keys and arguments together must leave room in a body of 4096 bytes")
	}
	return c.Err()
}

// payloadOf writes the payload, without the longest values of data if it must:
// a push is there to ring, and the inbox has them all.
func payloadOf(m push.Message) ([]byte, error) {
	p := payload{Kind: m.Kind, TitleKey: m.TitleKey, BodyKey: m.BodyKey, Args: m.BodyArgs, Data: maps.Clone(m.Data)}
	if p.Args == nil {
		p.Args = []string{}
	}
	if p.Data == nil {
		p.Data = map[string]string{}
	}
	for {
		text, err := compactJSON(p)
		if err != nil {
			return nil, fmt.Errorf("webpush: payload: %w", err)
		}
		if len(text) <= maxPayload {
			return text, nil
		}
		if len(p.Data) == 0 {
			return nil, ece.ErrTooLarge
		}
		key := longest(p.Data)
		delete(p.Data, key)
		p.LeftOut = append(p.LeftOut, key)
	}
}

// compactJSON does not escape for HTML, which nobody embeds it in.
func compactJSON(v any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte{'\n'}), err
}

// longest is the key of the longest value; of several, the first in order.
func longest(data map[string]string) (key string) {
	size := -1
	for k, v := range data {
		if len(v) > size || len(v) == size && k < key {
			key, size = k, len(v)
		}
	}
	return key
}

// bodySize is the size in bytes that a payload is padded to. An onlooker can
// tell only these three apart, not how many alerts a courier has.
func bodySize(payload int) int {
	for _, size := range []int{1024, 2048} {
		if payload+ece.Overhead <= size {
			return size
		}
	}
	return ece.MaxBody
}

// headers are the request's but for the token.
func headers(m push.Message) http.Header {
	urgency := "normal"
	if m.High {
		urgency = "high"
	}
	h := http.Header{
		"Content-Encoding": {"aes128gcm"},
		"Content-Type":     {"application/octet-stream"},
		"Ttl":              {strconv.FormatInt(int64(m.TTL/time.Second), 10)},
		"Urgency":          {urgency},
	}
	if m.Collapse != "" {
		h.Set("Topic", topic(m.Collapse))
	}
	return h
}

// topicForm is what a Topic may be (RFC 8030, 5.4).
var topicForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// topic is the collapse key where it may stand as it is, else a hash of it. A
// message replaces the one with its topic that still waits for the browser.
func topic(collapse string) string {
	if topicForm.MatchString(collapse) {
		return collapse
	}
	sum := sha256.Sum256([]byte(collapse))
	return base64.RawURLEncoding.EncodeToString(sum[:24]) // 32 characters
}
