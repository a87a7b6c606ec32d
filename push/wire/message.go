package wire

import (
	"strings"
	"time"
	"unicode/utf8"

	"doorstep"
	"doorstep/push"
)

const (
	// MaxTTL is four weeks, the longest that FCM keeps a message, whether it
	// came by its own interface or by Web Push (firebase.google.com/docs/cloud-messaging).
	MaxTTL = 28 * 24 * time.Hour

	maxCount = 9 // digits of an argument: counts only, nothing like a phone number
)

// Check notes what is wrong with a message whatever the service: all show a
// title and a body, and none may name a person.
func Check(c *doorstep.Checks, m push.Message) {
	if m.Kind == "" {
		c.Add("/kind", "required", "must name the kind of push")
	}
	if (m.TitleKey == "") != (m.BodyKey == "") {
		c.Add("/body_key", "required", "a push shows a title and a body, both by localisation key, or nothing")
	}
	if m.High && !m.Visible() {
		c.Add("/high", "not_visible", "only what is seen may wake a phone")
	}
	for _, arg := range m.BodyArgs {
		if !isCount(arg) {
			c.Add("/body_args", "not_a_count", "must be counts, so that no person can be named")
		}
	}
	if m.TTL < 0 || m.TTL > MaxTTL {
		c.Add("/ttl", "out_of_range", "must be between 0 and 28 days")
	}
	for k, v := range m.Data {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			c.Add("/data", "invalid_utf8", "must be UTF-8")
		}
	}
}

func isCount(s string) bool {
	return s != "" && len(s) <= maxCount && strings.Trim(s, "0123456789") == ""
}
