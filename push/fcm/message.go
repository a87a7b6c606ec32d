package fcm

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"firebase.google.com/go/v4/messaging"

	"doorstep"
	"doorstep/push"
)

// addressKind is the kind of address FCM takes: a registration token.
const addressKind = "token"

// channelID is the Android notification channel that the app declares.
const channelID = "deliveries"

// Limits of the services behind FCM.
const (
	maxTTL        = 28 * 24 * time.Hour // firebase.google.com/docs/cloud-messaging: four weeks
	maxCollapseID = 64                  // bytes; Apple: apns-collapse-id
	maxCount      = 9                   // digits of an argument: counts only, nothing like a phone number
)

// Check implements push.Provider. It lists every bad field in a
// *doorstep.InvalidError.
func (s *Sender) Check(m push.Message) error {
	var c doorstep.Checks
	if m.Kind == "" {
		c.Add("/kind", "required", "must name the kind of push")
	}
	if m.TitleKey == "" || m.BodyKey == "" {
		c.Add("/body_key", "required", "a push shows a title and a body, both by localisation key")
	}
	for _, arg := range m.BodyArgs {
		if !isCount(arg) {
			c.Add("/body_args", "not_a_count", "must be counts, so that no person can be named")
		}
	}
	if m.TTL < 0 || m.TTL > maxTTL {
		c.Add("/ttl", "out_of_range", "must be between 0 and 28 days")
	}
	if len(m.Collapse) > maxCollapseID {
		c.Add("/collapse", "too_long", "must have at most 64 bytes")
	}
	checkData(&c, m.Data)
	return c.Err()
}

func checkData(c *doorstep.Checks, data map[string]string) {
	size := 0
	for k, v := range data {
		size += len(k) + len(v)
		if k == "" || k == "from" || k == "gcm" || strings.HasPrefix(k, "google") {
			c.Add("/data", "reserved_key", "must not be empty, from, gcm or begin with google")
		}
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			c.Add("/data", "invalid_utf8", "must be UTF-8")
		}
	}
	if size > push.MaxData {
		c.Add("/data", "too_large", "keys and values together must have at most 4096 bytes")
	}
}

func isCount(s string) bool {
	return s != "" && len(s) <= maxCount && strings.Trim(s, "0123456789") == ""
}

// wireMessage is m as FCM wants it. It holds localisation keys and counts, no
// text: the phone renders its own language, and a lock screen shows nothing
// about anybody.
func wireMessage(token string, m push.Message, now time.Time) *messaging.Message {
	androidPriority, applePriority := "normal", "5" // 5: when it suits the battery
	if m.High {
		androidPriority, applePriority = "high", "10"
	}
	appleHeaders := map[string]string{
		"apns-priority":   applePriority,
		"apns-expiration": appleExpiration(m.TTL, now),
	}
	if m.Collapse != "" {
		appleHeaders["apns-collapse-id"] = m.Collapse
	}
	return &messaging.Message{
		Token: token,
		Data:  m.Data,
		Android: &messaging.AndroidConfig{
			CollapseKey: m.Collapse,
			Priority:    androidPriority,
			TTL:         &m.TTL,
			Notification: &messaging.AndroidNotification{
				TitleLocKey: m.TitleKey,
				BodyLocKey:  m.BodyKey,
				BodyLocArgs: m.BodyArgs,
				Tag:         m.Kind,
				ChannelID:   channelID,
				Visibility:  messaging.VisibilityPrivate,
			},
		},
		APNS: &messaging.APNSConfig{
			Headers: appleHeaders,
			Payload: &messaging.APNSPayload{Aps: &messaging.Aps{
				Alert: &messaging.ApsAlert{
					TitleLocKey: m.TitleKey,
					LocKey:      m.BodyKey,
					LocArgs:     m.BodyArgs,
				},
				ThreadID: m.Kind,
			}},
		},
	}
}

// appleExpiration is the end of ttl in Unix seconds. Apple reads 0 as "now or
// never", which is what a ttl of 0 means to Android.
func appleExpiration(ttl time.Duration, now time.Time) string {
	if ttl == 0 {
		return "0"
	}
	return strconv.FormatInt(now.Add(ttl).Unix(), 10)
}
