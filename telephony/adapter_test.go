package telephony_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/telephony"
)

// records reads a request that must be readable.
func records(t *testing.T, p telephony.Provider, body string) []telephony.Record {
	t.Helper()
	list, err := telephony.Records(p, telephony.Delivery{Body: []byte(body)}, noon.Add(time.Hour))
	require.NoError(t, err)
	return list
}

// one reads the only record of a request.
func one(t *testing.T, p telephony.Provider, body string) telephony.Event {
	t.Helper()
	list := records(t, p, body)
	require.Len(t, list, 1)
	require.NoError(t, list[0].Err, list[0].Reason())
	return list[0].Event
}

func TestTheSameRecordWrittenOtherwiseHasTheSameDigest(t *testing.T) {
	a := records(t, telephony.AlibabaPNP, `[{"call_id":"1","call_time":"2026-03-02 12:00:00"}]`)[0]
	b := records(t, telephony.AlibabaPNP, `{ "call_time" : "2026-03-02 12:00:00", "call_id":"\u0031" }`)[0]
	require.Equal(t, a.Digest, b.Digest)
	require.Equal(t, a.Key, b.Key)
	c := records(t, telephony.AlibabaPNP, `{"call_id":"1","call_time":"2026-03-02 12:00:01"}`)[0]
	require.Equal(t, a.Key, c.Key)
	require.NotEqual(t, a.Digest, c.Digest)
}

func TestAlibabasFields(t *testing.T) {
	e := one(t, telephony.AlibabaPNP, `{"call_id":"1","call_type":1,"call_time":"2026-03-02 12:00:00","call_out_time":"2026-03-02 12:00:02",
"free_ring_time":"2026-03-02 12:00:05","start_time":"2026-03-02 12:00:20","release_time":"2026-03-02 12:00:50","release_dir":"2","secret_no":"17000000001"}`)
	require.Equal(t, telephony.Ended, e.State)
	require.True(t, e.Incoming)
	require.Equal(t, telephony.Courier, e.EndedBy, "the consumer rang, so the callee is the courier")
	require.Equal(t, noon, e.StartedAt)
	require.Equal(t, at(5), e.RingAt)
	require.Equal(t, at(20), e.AnsweredAt)
	require.Equal(t, at(50), e.EndedAt)
	require.EqualValues(t, "+8617000000001", e.Number)

	blocked := one(t, telephony.AlibabaPNP, `{"call_id":"1","call_type":4,"call_time":"2026-03-02 12:00:00","release_time":"2026-03-02 12:00:00"}`)
	require.Equal(t, telephony.Failed, blocked.State)
	require.Equal(t, evidence.False, blocked.Rang)
	sms := one(t, telephony.AlibabaPNP, `{"call_id":"1","call_type":2,"call_time":"2026-03-02 12:00:00"}`)
	require.Equal(t, evidence.Message, sms.Kind)
	require.Equal(t, telephony.Sent, sms.State)
}

func TestHuaweisFields(t *testing.T) {
	const body = `{"eventType":"fee","feeLst":[
{"sessionId":"1","bindNum":"+8617000000001","fwdStartTime":"2026-03-02 04:00:00","fwdAlertingTime":"2026-03-02 04:00:03","callEndTime":"2026-03-02 04:00:10","ulFailReason":8004,"userData":"SF1"},
{"sessionId":"2","fwdStartTime":"2026-03-02 04:00:00","callEndTime":"2026-03-02 04:00:10","ulFailReason":8102}]}`
	list := records(t, telephony.HuaweiPrivateNumber, body)
	require.Len(t, list, 2)
	cut, busy := list[0].Event, list[1].Event
	require.NoError(t, list[0].Err)
	require.Equal(t, telephony.NoAnswer, cut.State)
	require.Equal(t, telephony.Courier, cut.EndedBy)
	require.Equal(t, at(3), cut.RingAt)
	require.Equal(t, "SF1", cut.Reference)
	require.Equal(t, telephony.Busy, busy.State)
	require.Equal(t, evidence.False, busy.Rang)

	ring := one(t, telephony.HuaweiPrivateNumber, `{"eventType":"alerting","statusInfo":{"sessionId":"1","timestamp":"2026-03-02 04:00:03"}}`)
	require.Equal(t, telephony.Ringing, ring.State)
	require.Equal(t, at(3), ring.RingAt)
	require.Error(t, records(t, telephony.HuaweiPrivateNumber, `{"eventType":"smsEvent","smsEvent":{}}`)[0].Err)
}

func TestTwiliosFields(t *testing.T) {
	form := func(fields ...string) string {
		v := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			v.Set(fields[i], fields[i+1])
		}
		return v.Encode()
	}
	e := one(t, telephony.Twilio, form("CallSid", "CA1", "CallStatus", "completed", "CallDuration", "12", "SequenceNumber", "3", "Timestamp", "Mon, 02 Mar 2026 04:00:30 +0000"))
	require.Equal(t, telephony.Ended, e.State)
	require.Equal(t, at(18), e.AnsweredAt)
	require.Equal(t, int64(3), e.Sequence)
	require.Equal(t, telephony.Read, one(t, telephony.Twilio, form("MessageSid", "SM1", "MessageStatus", "read")).State)
	require.Equal(t, telephony.Failed, one(t, telephony.Twilio, form("MessageSid", "SM1", "MessageStatus", "undelivered")).State)
	for status, by := range map[string]telephony.Party{"canceled": telephony.Courier, "no-answer": "", "busy": ""} {
		e := one(t, telephony.Twilio, form("CallSid", "CA1", "CallStatus", status))
		require.Equal(t, by, e.EndedBy, status)
	}
	platform := records(t, telephony.Twilio, form("CallSid", "CA1", "CallStatus", "in-progress", "Direction", "inbound"))[0]
	require.Equal(t, "leg_of_platform /Direction", platform.Reason(), "what the platform answers, no consumer did")
}

// The example of Twilio's own documentation of its signatures.
func TestTwiliosSignatureIsThatOfItsDocumentation(t *testing.T) {
	d := telephony.Delivery{
		URL:    "https://mycompany.com/myapp.php?foo=1&bar=2",
		Body:   []byte("CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"),
		Header: http.Header{"X-Twilio-Signature": {"RSOYDt4T1cUTdK1PDd93/VVr8B8="}},
	}
	require.True(t, telephony.Verify(telephony.Twilio, d, "12345"))
	require.False(t, telephony.Verify(telephony.Twilio, d, "12346"))
	d.Body = append(d.Body, '1')
	require.False(t, telephony.Verify(telephony.Twilio, d, "12345"))
}

// fuzz holds a provider's reader to what the store relies on.
func fuzz(f *testing.F, p telephony.Provider, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := telephony.Records(p, telephony.Delivery{Body: body, Reference: "SF1"}, noon)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(list), telephony.MaxRecords)
		for _, r := range list {
			require.NotEmpty(t, r.Key)
			require.LessOrEqual(t, utf8.RuneCountInString(r.Key), 400)
			require.Len(t, r.Digest, 64)
			require.True(t, utf8.ValidString(r.Key), "%q", r.Key)
			require.True(t, utf8.ValidString(r.Event.Subject), "%q", r.Event.Subject)
			require.NotContains(t, r.Key+r.Event.Subject, "\x00")
			again := telephony.Reread(p, r.Raw, noon)
			require.Equal(t, r.Key, again.Key)
			require.Equal(t, r.Digest, again.Digest)
			require.Equal(t, r.Event, again.Event, "what waits is read as it was at the door")
			if r.Err == nil {
				require.NotEmpty(t, r.Event.Subject)
				require.False(t, r.Event.At.IsZero())
				require.True(t, r.Event.Kind == evidence.Call || r.Event.Kind == evidence.Message)
				telephony.FoldCall([]telephony.Event{r.Event})
			} else {
				require.NotEmpty(t, r.Reason())
			}
		}
	})
}

func FuzzGeneric(f *testing.F) {
	fuzz(f, telephony.Generic,
		`{"events":[{"event_id":"e","call_id":"c","kind":"call","state":"ended","at":"2026-03-02T04:00:00Z","ring_at":null,"waybill":"SF1"}]}`,
		`{"events":[{"event_id":"e","message_id":"m","kind":"message","state":"read","at":"2026-03-02T04:00:00Z"},{}]}`, `{"events":[3]}`)
}

func FuzzAlibaba(f *testing.F) {
	fuzz(f, telephony.AlibabaPNP,
		`[{"call_id":"1","call_type":"0","call_time":"2026-03-02 12:00:00","release_time":"2026-03-02 12:00:01","release_dir":1,"peer_no":"13800000001"},{}]`,
		`{"call_id":1}`, `[[]]`, `[{"call_id":"`+"\x00"+`"}]`)
}

func FuzzHuawei(f *testing.F) {
	fuzz(f, telephony.HuaweiPrivateNumber,
		`{"eventType":"fee","feeLst":[{"sessionId":"1","callEndTime":"2026-03-02 04:00:10","eventType":"x"}]}`,
		`{"eventType":"disconnect","statusInfo":{"sessionId":"1","timestamp":"2026-03-02 04:00:03","stateCode":8004}}`, `{"feeLst":[1,null]}`, `{"statusInfo":"x"}`)
}

func FuzzTwilio(f *testing.F) {
	fuzz(f, telephony.Twilio,
		`CallSid=CA1&CallStatus=completed&CallDuration=12&SequenceNumber=3&Timestamp=Mon%2C+02+Mar+2026+04%3A00%3A30+%2B0000`,
		`MessageSid=SM1&MessageStatus=read`, `CallSid=%00&CallStatus=busy`, `CallSid=%ff;`)
}
