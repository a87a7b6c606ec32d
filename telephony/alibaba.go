package telephony

import (
	"time"

	"github.com/go-json-experiment/json"

	"doorstep"
	"doorstep/evidence"
)

// alibabaRecord is a SecretStartReport or a SecretReport of Alibaba Cloud's
// number protection (help.aliyun.com 109200 and 109201). A is the courier, B the
// consumer, X the masked number.
type alibabaRecord struct {
	CallID       string `json:"call_id"`
	PhoneNo      string `json:"phone_no"`  // A
	SecretNo     string `json:"secret_no"` // X
	PeerNo       string `json:"peer_no"`   // B
	CallType     code   `json:"call_type"`
	CallTime     string `json:"call_time"`
	CallOutTime  string `json:"call_out_time"`
	FreeRingTime string `json:"free_ring_time"`
	StartTime    string `json:"start_time"`
	ReleaseTime  string `json:"release_time"`
	ReleaseDir   code   `json:"release_dir"`
	OutID        string `json:"out_id"` // the carrier's own
}

// What call_type and release_dir mean.
const (
	alibabaIncoming = 1 // B rang A
	alibabaSMSOut   = 2
	alibabaSMSIn    = 3
	alibabaBlocked  = 4

	alibabaByCaller = 1
	alibabaByCallee = 2
)

// beijing is the zone of times that Alibaba writes without one.
var beijing = time.FixedZone("UTC+8", 8*60*60)

func readAlibaba(raw []byte, now time.Time) (Event, error) {
	var r alibabaRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return Event{}, malformed("")
	}
	var checks doorstep.Checks
	clock := clock{time.DateTime, beijing, now, &checks}
	e := Event{
		Kind: evidence.Call, Subject: text("/call_id", r.CallID, maxSubject, &checks), Incoming: r.CallType == alibabaIncoming,
		StartedAt: clock.must("/call_time", r.CallTime), Reference: r.OutID, Number: phone(r.SecretNo), Peer: phone(r.PeerNo),
	}
	out, ring := clock.at("/call_out_time", r.CallOutTime), clock.at("/free_ring_time", r.FreeRingTime)
	begun, released := clock.at("/start_time", r.StartTime), clock.at("/release_time", r.ReleaseTime)
	// Only a ring after the call went out was one at the consumer's telephone.
	if !ring.IsZero() && ring.After(out) {
		e.RingAt = ring
	}
	switch {
	case r.CallType == alibabaSMSOut || r.CallType == alibabaSMSIn:
		e.Kind, e.State, e.At, e.Incoming = evidence.Message, Sent, e.StartedAt, r.CallType == alibabaSMSIn
		e.RingAt, e.StartedAt, e.Key = time.Time{}, time.Time{}, e.Subject+"|sms"
	case released.IsZero():
		e.State, e.At, e.Key = Placed, e.StartedAt, e.Subject+"|start"
		e.RingAt = time.Time{}
	default:
		e.State, e.At, e.EndedAt, e.Key, e.Sequence = NoAnswer, released, released, e.Subject+"|end", 1
		e.Rang = evidence.Known(!e.RingAt.IsZero())
		switch {
		case r.CallType == alibabaBlocked:
			e.State = Failed
		case !begun.IsZero() && !begun.Equal(released): // unanswered, both are the same
			e.State, e.AnsweredAt = Ended, begun
		case e.RingAt.IsZero():
			e.State = Failed
		}
		e.EndedBy = e.alibabaEnder(r.ReleaseDir)
	}
	return e, checks.Err()
}

func (e *Event) alibabaEnder(dir code) Party {
	switch {
	case dir == alibabaByCaller && !e.Incoming, dir == alibabaByCallee && e.Incoming:
		return Courier
	case dir == alibabaByCaller || dir == alibabaByCallee:
		return Consumer
	}
	return Platform
}
