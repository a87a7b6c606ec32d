package sink

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Sizes that FCM takes, keys and values of data counted.
const (
	maxData      = 4096
	maxTopicData = 2048
)

// sendRequest is the body of messages:send, found good.
type sendRequest struct {
	validateOnly bool
	target       string // the token; a topic or condition goes by its own text
	message      json.RawMessage
	ttl          time.Duration
	collapse     string
}

// parse reads a body and reports every violation of the schema, or else every
// violation of FCM's rules.
func parse(body []byte) (sendRequest, []violation) {
	if !utf8.Valid(body) {
		return sendRequest{}, mismatch("", "Invalid JSON payload received: not UTF-8.")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return sendRequest{}, mismatch("", "Invalid JSON payload received.")
	}
	if _, err := dec.Token(); err != io.EOF {
		return sendRequest{}, mismatch("", "Invalid JSON payload received: more than one value.")
	}
	if found := sendSchema.check("", tree); len(found) > 0 {
		return sendRequest{}, found
	}
	message, _ := tree["message"].(map[string]any)
	target, found := checkRules(message)
	var in struct {
		ValidateOnly bool            `json:"validate_only"`
		Message      json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return sendRequest{}, mismatch("", "Invalid JSON payload received.")
	}
	android, _ := message["android"].(map[string]any)
	collapse, _ := android["collapse_key"].(string)
	return sendRequest{
		validateOnly: in.ValidateOnly, target: target, message: in.Message, ttl: ttlOf(android), collapse: collapse,
	}, found
}

// ttlOf reads how long a message may wait. The schema has checked its form.
func ttlOf(android map[string]any) time.Duration {
	text, _ := android["ttl"].(string)
	if ttl, err := time.ParseDuration(text); err == nil {
		return ttl
	}
	return defaultTTL
}

// checkRules finds the target and what FCM's rules forbid.
func checkRules(message map[string]any) (target string, found []violation) {
	add := func(field, description string) {
		found = append(found, violation{Field: field, Description: description, rule: true})
	}
	limit, targets := maxData, 0
	for _, kind := range []string{"token", "topic", "condition"} {
		if name, _ := message[kind].(string); name != "" {
			target = name
			targets++
			if kind != "token" {
				limit = maxTopicData
			}
		}
	}
	if targets != 1 {
		add("message", "Exactly one of token, topic or condition must be set.")
	}
	data, _ := message["data"].(map[string]any)
	size := 0
	for _, key := range sortedKeys(data) {
		value, _ := data[key].(string)
		size += len(key) + len(value)
		if key == "from" || key == "gcm" || strings.HasPrefix(key, "google") {
			add("message.data", "Invalid data payload key: "+key)
		}
	}
	if size > limit {
		add("message.data", "The message is too big.")
	}
	return target, found
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
