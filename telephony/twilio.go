package telephony

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Twilio's CallStatus and MessageStatus. What is not here says nothing that
// counts, as "accepted" or "scheduled".
var (
	twilioCalls = map[string]State{
		"queued": Placed, "initiated": Placed, "ringing": Ringing, "in-progress": Answered, "answered": Answered, "completed": Ended,
		"busy": Busy, "failed": Failed, "no-answer": NoAnswer, "canceled": NoAnswer,
	}
	twilioMessages = map[string]State{
		"sent": Sent, "delivered": Delivered, "read": Read, "undelivered": Failed, "failed": Failed,
	}
)

// referenceField is what a form keeps the address' reference under: Twilio has no
// field for what a carrier would have back.
const referenceField = "_reference"

// splitForm takes a form, and what stood in the address, for one record.
func splitForm(d Delivery) ([][]byte, error) {
	if _, err := url.ParseQuery(string(d.Body)); err != nil || len(d.Body) == 0 {
		return nil, ErrUnreadable
	}
	raw := bytes.Clone(d.Body)
	if d.Reference != "" {
		raw = append(raw, "&"+referenceField+"="+url.QueryEscape(d.Reference)...)
	}
	return [][]byte{raw}, nil
}

func canonicalForm(raw []byte) ([]byte, error) {
	form, err := url.ParseQuery(string(raw))
	return []byte(form.Encode()), err
}

func readTwilio(raw []byte, now time.Time) (Event, error) {
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return Event{}, malformed("")
	}
	var checks doorstep.Checks
	e := Event{At: now, Reference: form.Get(referenceField), Number: phone(form.Get("From")), Peer: phone(form.Get("To"))}
	if s := form.Get("Timestamp"); s != "" {
		e.At = clock{time.RFC1123Z, time.UTC, now, &checks}.at("/Timestamp", s)
	}
	if s := form.Get("SequenceNumber"); s != "" {
		if e.Sequence, err = strconv.ParseInt(s, 10, 32); err != nil || e.Sequence < 0 {
			checks.Add("/SequenceNumber", "out_of_range", "must be a number from 0")
		}
	}
	id, status, states := "MessageSid", form.Get("MessageStatus"), twilioMessages
	e.Kind = evidence.Message
	if form.Has("CallSid") {
		id, status, states, e.Kind = "CallSid", form.Get("CallStatus"), twilioCalls, evidence.Call
		if form.Get("Direction") == "inbound" { // which the platform answers, not a person
			checks.Add("/Direction", "leg_of_platform", "is the leg into the masked number, not the one to the consumer")
		}
	}
	e.Subject = text("/"+id, form.Get(id), maxSubject, &checks)
	var ok bool
	if e.State, ok = states[status]; !ok {
		checks.Add("/Status", "not_allowed", "is not a status that is read")
	}
	e.Key = text("/"+id, e.Subject+"|"+status+"|"+form.Get("SequenceNumber"), maxKey, &checks)
	e.settle()
	switch status {
	case "no-answer":
		e.Rang = evidence.True // until its time was over
	case "canceled":
		e.EndedBy = Courier // taken back on the calling side: the one who is called can only decline or be busy
	}
	if s := form.Get("CallDuration"); s != "" && e.State == Ended {
		if talked, err := strconv.ParseInt(s, 10, 32); err != nil || talked < 0 {
			checks.Add("/CallDuration", "out_of_range", "must be seconds from 0")
		} else {
			e.AnsweredAt = e.At.Add(-time.Duration(talked) * time.Second)
		}
	}
	return e, checks.Err()
}

// verifyTwilio checks the header X-Twilio-Signature: the base64 of HMAC-SHA1,
// under the account's token, over the address that was called and, sorted by
// name, each parameter's name and value.
func verifyTwilio(d Delivery, key string) bool {
	form, err := url.ParseQuery(string(d.Body))
	if err != nil {
		return false
	}
	var signed strings.Builder
	signed.WriteString(d.URL)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			signed.WriteString(name + value)
		}
	}
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(signed.String()))
	given, err := base64.StdEncoding.DecodeString(d.Header.Get("X-Twilio-Signature"))
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}
