package sink_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newSink() *sink.Sink {
	return sink.New(sink.Options{Now: func() time.Time { return noon }, Seed: 7})
}

func call(s *sink.Sink, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return rec
}

func send(s *sink.Sink, body string, headers ...string) *httptest.ResponseRecorder {
	return call(s, http.MethodPost, "/v1/projects/demo/messages:send", body, headers...)
}

func sendTo(s *sink.Sink, token string) *httptest.ResponseRecorder {
	return send(s, fmt.Sprintf(`{"message":{"token":%q}}`, token))
}

func TestAMessageIsNamedAndKeptWhole(t *testing.T) {
	s := newSink()
	message := `{"token":"phone-1","data":{"kind":"digest"},"android":{"ttl":"3600s","priority":"high"}}`

	res := send(s, `{"message":`+message+`}`, "Authorization", "Bearer x")

	require.Equal(t, http.StatusOK, res.Code)
	var answer struct{ Name string }
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &answer))
	got := s.Messages()
	require.Len(t, got, 1)
	require.Equal(t, "projects/demo/messages/"+got[0].ID, answer.Name)
	require.Equal(t, noon, got[0].At)
	require.Equal(t, "demo", got[0].Project)
	require.Equal(t, "phone-1", got[0].Token)
	require.True(t, got[0].Authorization)
	require.JSONEq(t, message, string(got[0].Message))
}

func TestTheSameSeedGivesTheSameIDs(t *testing.T) {
	one, two := newSink(), newSink()
	for _, s := range []*sink.Sink{one, two} {
		sendTo(s, "a")
		sendTo(s, "b")
	}
	require.Equal(t, one.Messages(), two.Messages())
	require.NotEqual(t, one.Messages()[0].ID, one.Messages()[1].ID)
}

func TestADryRunIsCheckedAndNotKept(t *testing.T) {
	s := newSink()
	require.Equal(t, http.StatusOK, send(s, `{"validate_only":true,"message":{"token":"a"}}`).Code)
	require.Equal(t, http.StatusBadRequest, send(s, `{"validate_only":true,"message":{}}`).Code)
	require.Empty(t, s.Messages())
	require.Empty(t, s.Requests())
}

func TestWhatFCMRefusesIsRefused(t *testing.T) {
	data := func(size int) string { // one byte of key
		return `{"message":{"token":"a","data":{"k":"` + strings.Repeat("x", size-1) + `"}}}`
	}
	android := func(field string) string { return `{"message":{"token":"a","android":{` + field + `}}}` }
	for _, c := range []struct {
		name, body, field string // field: of the violation; empty and ok: taken
		ok, rule          bool   // rule: answered with FCM's own code as well
	}{
		{name: "not JSON", body: `{"message":`},
		{name: "not UTF-8", body: "{\"message\":{\"token\":\"\xff\"}}"},
		{name: "two values", body: `{"message":{"token":"a"}} {}`},
		{name: "a list", body: `[]`},
		{name: "no message", body: `{}`, field: "message", rule: true},
		{name: "no target", body: `{"message":{}}`, field: "message", rule: true},
		{name: "two targets", body: `{"message":{"token":"a","topic":"b"}}`, field: "message", rule: true},
		{name: "an unknown field", body: `{"message":{"token":"a","colour":"red"}}`, field: "message"},
		{name: "an unknown field below", body: android(`"time_to_live":"1s"`), field: "message.android"},
		{name: "a number in data", body: `{"message":{"token":"a","data":{"n":1}}}`, field: "message.data.n"},
		{name: "a number as an argument", body: android(`"notification":{"body_loc_args":["1",2]}`), field: "message.android.notification.body_loc_args[1]"},
		{name: "an odd priority", body: android(`"priority":"urgent"`), field: "message.android.priority"},
		{name: "a number as header", body: `{"message":{"token":"a","apns":{"headers":{"apns-priority":10}}}}`, field: "message.apns.headers.apns-priority"},
		{name: "reserved from", body: `{"message":{"token":"a","data":{"from":"x"}}}`, field: "message.data", rule: true},
		{name: "reserved gcm", body: `{"message":{"token":"a","data":{"gcm":"x"}}}`, field: "message.data", rule: true},
		{name: "reserved google", body: `{"message":{"token":"a","data":{"google.x":"x"}}}`, field: "message.data", rule: true},
		{name: "data of 4096 bytes", body: data(4096), ok: true},
		{name: "data of 4097 bytes", body: data(4097), field: "message.data", rule: true},
		{name: "ttl without a unit", body: android(`"ttl":"60"`), field: "message.android.ttl"},
		{name: "negative ttl", body: android(`"ttl":"-1s"`), field: "message.android.ttl"},
		{name: "ttl as a number", body: android(`"ttl":60`), field: "message.android.ttl"},
		{name: "ttl with ten decimals", body: android(`"ttl":"1.0000000001s"`), field: "message.android.ttl"},
		{name: "ttl of nothing", body: android(`"ttl":"0s"`), ok: true},
		{name: "ttl with nanoseconds", body: android(`"ttl":"1.500000000s"`), ok: true},
		{name: "ttl of four weeks", body: android(`"ttl":"2419200s"`), ok: true},
		{name: "ttl above four weeks", body: android(`"ttl":"2419200.1s"`), field: "message.android.ttl", rule: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSink()
			res := send(s, c.body)
			if c.ok {
				require.Equal(t, http.StatusOK, res.Code, res.Body)
				require.Len(t, s.Messages(), 1)
				return
			}
			require.Equal(t, http.StatusBadRequest, res.Code, res.Body)
			require.Empty(t, s.Messages())
			require.Contains(t, res.Body.String(), `"field":"`+c.field+`"`)
			require.Equal(t, c.rule, strings.Contains(res.Body.String(), "fcm.v1.FcmError"), res.Body)
		})
	}
}

func TestEveryViolationIsNamed(t *testing.T) {
	res := send(newSink(), `{"message":{"token":1,"data":{"a":1,"b":2}}}`)
	var body struct {
		Error struct {
			Status  string
			Details []struct{ FieldViolations []struct{ Field string } }
		}
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &body))
	require.Equal(t, "INVALID_ARGUMENT", body.Error.Status)
	require.Len(t, body.Error.Details, 1)
	require.Len(t, body.Error.Details[0].FieldViolations, 3)
}

func TestAHugeRequestIsRefused(t *testing.T) {
	res := send(newSink(), `{"message":{"token":"`+strings.Repeat("x", 65<<10)+`"}}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, res.Code)
}

func TestATokenIsGivenForAnAssertionOnly(t *testing.T) {
	s := newSink()
	grant := "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	require.Contains(t, call(s, http.MethodPost, "/token", "grant_type=password", form...).Body.String(), "unsupported_grant_type")
	require.Contains(t, call(s, http.MethodPost, "/token", grant+"&assertion=x", form...).Body.String(), "invalid_grant")
	require.Zero(t, s.Tokens())
	require.JSONEq(t, `{"access_token":"sink-1","expires_in":3600,"token_type":"Bearer"}`,
		call(s, http.MethodPost, "/token", grant+"&assertion=a.b.c", form...).Body.String())
	require.Equal(t, 1, s.Tokens())
}

func FuzzSend(f *testing.F) {
	for _, seed := range []string{
		`{"message":{"token":"a"}}`, `{"message":null}`, `{"message":{"token":"a","android":{"ttl":"1.5s"}}}`,
		`{"validate_only":1}`, `[[[`, `{"message":{"topic":"a","apns":{"payload":{"aps":{}}}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := newSink()
		require.NoError(t, s.SetRules(sink.Rule{Action: sink.OK})) // no token's magic
		res := send(s, body)
		require.True(t, json.Valid(res.Body.Bytes()))
		switch res.Code {
		case http.StatusOK:
			var in struct {
				ValidateOnly bool `json:"validate_only"`
			}
			require.NoError(t, json.Unmarshal([]byte(body), &in))
			require.Equal(t, !in.ValidateOnly, len(s.Messages()) == 1)
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			require.Empty(t, s.Messages())
		default:
			require.Fail(t, "unexpected status", res.Code)
		}
	})
}
