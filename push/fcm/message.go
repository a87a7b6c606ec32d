package fcm

import (
	"strconv"
	"strings"
	"time"

	"firebase.google.com/go/v4/messaging"

	"doorstep"
	"doorstep/push"
	"doorstep/push/wire"
)

// channelID is the Android notification channel that the app declares.
const channelID = "deliveries"

// maxCollapseID is in bytes (Apple: apns-collapse-id).
const maxCollapseID = 64

// Check implements push.Provider. It lists every bad field in a
// *doorstep.InvalidError.
func (s *Sender) Check(m push.Message) error {
	var c doorstep.Checks
	wire.Check(&c, m)
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
	}
	if size > push.MaxData {
		c.Add("/data", "too_large", "keys and values together must have at most 4096 bytes")
	}
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
	android := &messaging.AndroidConfig{CollapseKey: m.Collapse, Priority: androidPriority, TTL: &m.TTL}
	aps := &messaging.Aps{ThreadID: m.Kind}
	if m.Visible() {
		android.Notification = &messaging.AndroidNotification{
			TitleLocKey: m.TitleKey,
			BodyLocKey:  m.BodyKey,
			BodyLocArgs: m.BodyArgs,
			Tag:         m.Kind,
			ChannelID:   channelID,
			Visibility:  messaging.VisibilityPrivate,
		}
		aps.Alert = &messaging.ApsAlert{TitleLocKey: m.TitleKey, LocKey: m.BodyKey, LocArgs: m.BodyArgs}
	} else {
		aps.ContentAvailable = true
		appleHeaders["apns-push-type"] = "background"
	}
	return &messaging.Message{
		Token:   token,
		Data:    m.Data,
		Android: android,
		APNS:    &messaging.APNSConfig{Headers: appleHeaders, Payload: &messaging.APNSPayload{Aps: aps}},
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
