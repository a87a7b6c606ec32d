package push

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"doorstep/prefs"
)

// Content says what of an alert may pass through a push service.
type Content string

// The contents.
const (
	ContentTags   Content = "tags"   // alert ids, last four of the waybill, tag codes
	ContentOpaque Content = "opaque" // alert ids alone
)

// Kinds of push.
const (
	KindDigest  = "digest"   // a burst of alerts, on the courier's devices
	KindCatchUp = "catch_up" // what a device that joined later has missed
	KindRemind  = "reminder" // a digest that nobody acknowledged, on the courier's next device
	KindStop    = "stop"     // the courier's next stop: once an alert, whether or not he acknowledged it in the morning
	KindRecall  = "withdraw" // acknowledged on one device, or no longer true: the others take it off their screens, without a sound
)

// payloadVersion is data.version: apps refuse what they do not know.
const payloadVersion = "1"

// room is what data.alerts may take of MaxData: the other keys and values, and
// some slack, need the rest.
const room = MaxData - 256

// line is one alert in data.alerts.
type line struct {
	ID      string       `json:"id"`
	Waybill string       `json:"w,omitempty"`
	Tags    *[]prefs.Tag `json:"t,omitempty"`
}

// Compose writes the message for alerts, the newest last. What does not fit
// into MaxData is counted in data.more. The time tags and dog_or_child_at_home
// never leave: the app fetches them.
func Compose(kind string, alerts []Alert, content Content, now time.Time) Message {
	if kind == KindRecall {
		content = ContentOpaque
	}
	text := []byte{'['}
	fit := 0
	var latest time.Time
	for _, a := range alerts {
		if a.ExpiresAt.After(latest) {
			latest = a.ExpiresAt
		}
		one, err := json.Marshal(lineOf(a, content))
		if err != nil { // strings and a slice of strings
			panic("push: " + err.Error())
		}
		if len(text)+len(one)+2 > room {
			continue
		}
		if fit > 0 {
			text = append(text, ',')
		}
		text = append(text, one...)
		fit++
	}
	data := map[string]string{
		"alerts": string(append(text, ']')), "more": strconv.Itoa(len(alerts) - fit), "kind": kind, "version": payloadVersion,
	}
	ttl := max(0, latest.Sub(now)).Truncate(time.Second)
	if kind == KindRecall { // for the app alone; each one counts, so none collapses
		return Message{Kind: kind, Data: data, TTL: ttl}
	}
	m := Message{
		Kind: kind, Data: data,
		TitleKey: "push_digest_title", BodyKey: "push_digest_body", BodyArgs: []string{strconv.Itoa(len(alerts))},
		Collapse: kind, TTL: ttl, High: true,
	}
	if kind == KindStop {
		m.TitleKey, m.BodyKey, m.BodyArgs = "push_stop_title", "push_stop_body", nil
	}
	return m
}

func lineOf(a Alert, content Content) line {
	if content == ContentOpaque {
		return line{ID: a.ID}
	}
	tags := slices.DeleteFunc(slices.Clone(a.Tags), func(t prefs.Tag) bool { return !t.MayLeaveInPush() })
	if tags == nil {
		tags = []prefs.Tag{}
	}
	return line{ID: a.ID, Waybill: a.Waybill.LastFour(), Tags: &tags}
}
