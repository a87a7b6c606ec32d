package telephony

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"doorstep"
	"doorstep/evidence"
)

// huaweiRecord is what Huawei Cloud's private numbers tell of a call: a status
// (statusInfo of an eventType) or an entry of feeLst, the call record
// (support.huaweicloud.com, PrivateNumber, call status and call record notices).
type huaweiRecord struct {
	EventType string `json:"eventType"`
	SessionID string `json:"sessionId"`
	Timestamp string `json:"timestamp"` // of a status
	Called    string `json:"called"`
	UserData  string `json:"userData"` // the carrier's own
	StateCode code   `json:"stateCode"`

	BindNum     string `json:"bindNum"` // X
	FwdDstNum   string `json:"fwdDstNum"`
	CallIn      string `json:"callInTime"`
	FwdStart    string `json:"fwdStartTime"`
	FwdAlerting string `json:"fwdAlertingTime"`
	FwdAnswer   string `json:"fwdAnswerTime"`
	CallEnd     string `json:"callEndTime"`
	FailReason  code   `json:"ulFailReason"`
}

// Reasons for the end of a call, of those that Huawei lists.
const (
	huaweiRingTimeout = 8003
	huaweiCutRinging  = 8004
	huaweiCallerHung  = 8009
	huaweiCalleeBusy  = 8102
)

var huaweiStates = map[string]State{
	"callin": Placed, "callout": Placed, "alerting": Ringing, "answer": Answered, "disconnect": Ended,
}

// splitHuawei takes the list of call records apart, or the one status out of its
// wrapping. eventType, which tells them apart, becomes a field of each.
func splitHuawei(d Delivery) ([][]byte, error) {
	var b struct {
		EventType string           `json:"eventType"`
		Fees      []jsontext.Value `json:"feeLst"`
		Status    jsontext.Value   `json:"statusInfo"`
	}
	if err := json.Unmarshal(d.Body, &b); err != nil || len(b.Fees) > MaxRecords {
		return nil, ErrUnreadable
	}
	if b.Status != nil {
		b.Fees = append(b.Fees, b.Status)
	}
	if len(b.Fees) == 0 {
		return [][]byte{bytes.Clone(d.Body)}, nil // a notice that we do not know: kept as it is
	}
	list := make([][]byte, len(b.Fees))
	for i, inner := range b.Fees {
		raw, err := json.Marshal(struct {
			EventType string         `json:"eventType"`
			Inner     jsontext.Value `json:",embed"`
		}{b.EventType, inner})
		if err != nil { // no object, or one that names its event itself: kept as it is
			raw = bytes.Clone(inner)
		}
		list[i] = raw
	}
	return list, nil
}

func readHuawei(raw []byte, now time.Time) (Event, error) {
	var r huaweiRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return Event{}, malformed("")
	}
	var checks doorstep.Checks
	clock := clock{time.DateTime, time.UTC, now, &checks}
	e := Event{
		Kind: evidence.Call, Subject: text("/sessionId", r.SessionID, maxSubject, &checks), Reference: r.UserData,
		Number: phone(r.BindNum), Peer: phone(r.FwdDstNum),
	}
	if r.EventType == "fee" {
		e.Key, e.Sequence = e.Subject+"|fee", 1
		e.StartedAt = earliest(clock.at("/callInTime", r.CallIn), clock.at("/fwdStartTime", r.FwdStart))
		e.RingAt, e.AnsweredAt = clock.at("/fwdAlertingTime", r.FwdAlerting), clock.at("/fwdAnswerTime", r.FwdAnswer)
		e.EndedAt = clock.must("/callEndTime", r.CallEnd)
		e.At = e.EndedAt
		e.State = huaweiEnd(r, e)
		e.Rang = evidence.Known(!e.RingAt.IsZero() || !e.AnsweredAt.IsZero())
	} else if state, ok := huaweiStates[r.EventType]; ok {
		e.State, e.At, e.Number = state, clock.must("/timestamp", r.Timestamp), phone(r.Called)
		e.Peer, e.Key = "", e.Subject+"|"+r.EventType+"|"+r.Timestamp
		switch {
		case state == Ended && r.StateCode != 0: // 0: hung up after it was answered
			e.State = NoAnswer
			e.EndedAt = e.At
		default:
			e.settle()
		}
		if r.StateCode == huaweiCalleeBusy {
			e.State = Busy
		}
	} else {
		checks.Add("/eventType", "unknown_event", "is not an event that is read")
	}
	if r.FailReason == huaweiCallerHung || r.FailReason == huaweiCutRinging {
		e.EndedBy = Courier // the one who called gave up
	}
	return e, checks.Err()
}

// huaweiEnd says how a call of a call record ended.
func huaweiEnd(r huaweiRecord, e Event) State {
	switch {
	case !e.AnsweredAt.IsZero():
		return Ended
	case r.FailReason == huaweiCalleeBusy:
		return Busy
	case !e.RingAt.IsZero() || r.FailReason == huaweiRingTimeout:
		return NoAnswer
	}
	return Failed
}

// signedWithin is how far the time that a request was signed at may be from ours.
const signedWithin = 5 * time.Minute

var huaweiToken = regexp.MustCompile(`\b(PasswordDigest|Nonce|Created)="([^"]{1,256})"`)

// verifyHuawei checks the header X-AKSK: the base64 of HMAC-SHA256 over nonce and
// time under the application's secret. It does not cover the body. A nonce may
// come again: what is sent twice is kept once.
func verifyHuawei(d Delivery, key string) bool {
	fields := map[string]string{}
	for _, m := range huaweiToken.FindAllStringSubmatch(d.Header.Get("X-AKSK"), -1) {
		fields[m[1]] = m[2]
	}
	created, err := time.Parse(time.RFC3339, fields["Created"])
	if err != nil || d.At.Sub(created).Abs() > signedWithin {
		return false
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(fields["Nonce"] + fields["Created"]))
	given, err := base64.StdEncoding.DecodeString(fields["PasswordDigest"])
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}
