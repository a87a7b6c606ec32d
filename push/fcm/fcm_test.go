package fcm_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/push/sink"
	"doorstep/push/wire"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func fixedNow() time.Time { return noon }

var phone = push.Address{Kind: "token", Value: "phone-1"}

func digest() push.Message {
	return push.Message{
		Kind:     "digest",
		Data:     map[string]string{"alerts": `[{"id":"a1","w":"6Y2X","t":["no_locker"]}]`, "more": "0", "kind": "digest", "version": "1"},
		TitleKey: "push_digest_title",
		BodyKey:  "push_digest_body",
		BodyArgs: []string{"1"},
		Collapse: "digest",
		TTL:      2 * time.Hour,
		High:     true,
	}
}

// server is one that counts what reaches it.
type server struct {
	*httptest.Server
	sends       atomic.Int32 // requests but those for a token
	connections atomic.Int32
	http2       atomic.Bool
}

func serve(t *testing.T, handler http.Handler, secure bool) *server {
	t.Helper()
	w := &server{}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			w.sends.Add(1)
		}
		w.http2.Store(r.ProtoMajor == 2)
		handler.ServeHTTP(rw, r)
	}))
	w.Config.ErrorLog = log.New(io.Discard, "", 0) // broken handshakes are the point
	w.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.connections.Add(1)
		}
	}
	if secure {
		w.EnableHTTP2 = true
		w.StartTLS()
	} else {
		w.Start()
	}
	t.Cleanup(w.Close)
	return w
}

// config points at w and trusts its certificate.
func config(w *server) fcm.Config {
	cfg := fcm.Config{Project: "demo", Endpoint: w.URL + "/v1", Now: fixedNow}
	if w.Certificate() != nil {
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AddCert(w.Certificate())
	}
	return cfg
}

func newSender(t *testing.T, cfg fcm.Config) *fcm.Sender {
	t.Helper()
	s, err := fcm.New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func newSink() *sink.Sink { return sink.New(sink.Options{Now: fixedNow}) }

func TestAMessageArrivesAsThePhonesExpectIt(t *testing.T) {
	s := newSink()
	sender := newSender(t, config(serve(t, s, false)))

	got := sender.Send(t.Context(), phone, digest())

	require.Equal(t, push.Result{
		Outcome: push.Accepted, Code: wire.CodeOK,
		ProviderID: "projects/demo/messages/" + s.Messages()[0].ID,
	}, got)
	require.JSONEq(t, `{
		"token": "phone-1",
		"data": {"alerts": "[{\"id\":\"a1\",\"w\":\"6Y2X\",\"t\":[\"no_locker\"]}]", "more": "0", "kind": "digest", "version": "1"},
		"android": {
			"collapse_key": "digest", "priority": "high", "ttl": "7200s",
			"notification": {
				"title_loc_key": "push_digest_title", "body_loc_key": "push_digest_body", "body_loc_args": ["1"],
				"tag": "digest", "channel_id": "deliveries", "visibility": "PRIVATE"
			}
		},
		"apns": {
			"headers": {"apns-priority": "10", "apns-expiration": "1772460000", "apns-collapse-id": "digest"},
			"payload": {"aps": {
				"alert": {"title-loc-key": "push_digest_title", "loc-key": "push_digest_body", "loc-args": ["1"]},
				"thread-id": "digest"
			}}
		}
	}`, string(s.Messages()[0].Message))
}

func TestAQuietMessageWakesNobody(t *testing.T) {
	s := newSink()
	sender := newSender(t, config(serve(t, s, false)))
	m := digest()
	m.High, m.TTL, m.Collapse = false, 0, ""

	require.Equal(t, push.Accepted, sender.Send(t.Context(), phone, m).Outcome)

	var got struct {
		Android struct {
			Priority, TTL string
			CollapseKey   *string `json:"collapse_key"`
		}
		APNS struct{ Headers map[string]string }
	}
	require.NoError(t, json.Unmarshal(s.Messages()[0].Message, &got))
	require.Equal(t, "normal", got.Android.Priority)
	require.Equal(t, "0s", got.Android.TTL)
	require.Nil(t, got.Android.CollapseKey)
	require.Equal(t, map[string]string{"apns-priority": "5", "apns-expiration": "0"}, got.APNS.Headers)
}

func TestWhatIsForTheAppAloneShowsNothing(t *testing.T) {
	s := newSink()
	sender := newSender(t, config(serve(t, s, false)))
	m := push.Message{Kind: push.KindRecall, Data: map[string]string{"alerts": `[{"id":"a1"}]`, "kind": "withdraw"}, TTL: time.Hour}
	require.NoError(t, sender.Check(m))

	require.Equal(t, push.Accepted, sender.Send(t.Context(), phone, m).Outcome)

	require.JSONEq(t, `{
		"token": "phone-1",
		"data": {"alerts": "[{\"id\":\"a1\"}]", "kind": "withdraw"},
		"android": {"priority": "normal", "ttl": "3600s"},
		"apns": {
			"headers": {"apns-priority": "5", "apns-expiration": "1772456400", "apns-push-type": "background"},
			"payload": {"aps": {"content-available": 1, "thread-id": "withdraw"}}
		}
	}`, string(s.Messages()[0].Message))
	m.High = true
	require.Error(t, sender.Check(m), "what nobody sees may not wake a phone")
}

func TestAnAddressOfAnotherKindIsNotTried(t *testing.T) {
	w := serve(t, newSink(), false)
	sender := newSender(t, config(w))
	for _, to := range []push.Address{{Kind: "fid", Value: "x"}, {Kind: "token"}, {}} {
		require.Equal(t, push.Result{Outcome: push.BadMessage, Code: wire.CodeAddress}, sender.Send(t.Context(), to, digest()))
	}
	require.Zero(t, w.sends.Load())
}

func TestCheckRefusesWhatFCMWould(t *testing.T) {
	sender := newSender(t, config(serve(t, newSink(), false)))
	filled := func(size int) map[string]string { return map[string]string{"k": strings.Repeat("x", size-1)} }
	for _, c := range []struct {
		name   string
		change func(*push.Message)
		code   string // empty: taken
	}{
		{"a digest", func(*push.Message) {}, ""},
		{"no kind", func(m *push.Message) { m.Kind = "" }, "required"},
		{"no title", func(m *push.Message) { m.TitleKey = "" }, "required"},
		{"no body", func(m *push.Message) { m.BodyKey = "" }, "required"},
		{"a word as argument", func(m *push.Message) { m.BodyArgs = []string{"Li"} }, "not_a_count"},
		{"a phone number as argument", func(m *push.Message) { m.BodyArgs = []string{"13800000000"} }, "not_a_count"},
		{"data of 4096 bytes", func(m *push.Message) { m.Data = filled(push.MaxData) }, ""},
		{"data of 4097 bytes", func(m *push.Message) { m.Data = filled(push.MaxData + 1) }, "too_large"},
		{"a key from", func(m *push.Message) { m.Data = map[string]string{"from": ""} }, "reserved_key"},
		{"a key gcm", func(m *push.Message) { m.Data = map[string]string{"gcm": ""} }, "reserved_key"},
		{"a key google.x", func(m *push.Message) { m.Data = map[string]string{"google.x": ""} }, "reserved_key"},
		{"data not UTF-8", func(m *push.Message) { m.Data = map[string]string{"k": "\xff"} }, "invalid_utf8"},
		{"now or never", func(m *push.Message) { m.TTL = 0 }, ""},
		{"in the past", func(m *push.Message) { m.TTL = -1 }, "out_of_range"},
		{"four weeks", func(m *push.Message) { m.TTL = 28 * 24 * time.Hour }, ""},
		{"above four weeks", func(m *push.Message) { m.TTL = 28*24*time.Hour + 1 }, "out_of_range"},
		{"a long collapse key", func(m *push.Message) { m.Collapse = strings.Repeat("x", 65) }, "too_long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := digest()
			c.change(&m)
			err := sender.Check(m)
			if c.code != "" {
				require.ErrorContains(t, err, c.code)
				return
			}
			require.NoError(t, err)
			require.Equal(t, push.Accepted, sender.Send(t.Context(), phone, m).Outcome)
		})
	}
}

func TestConnectionsAreBoundedAndKept(t *testing.T) {
	w := serve(t, newSink(), false)
	cfg := config(w)
	cfg.MaxConns = 2
	sender := newSender(t, cfg)

	var all sync.WaitGroup
	var accepted atomic.Int32
	for range 40 {
		all.Go(func() {
			if sender.Send(context.Background(), phone, digest()).Outcome == push.Accepted {
				accepted.Add(1)
			}
		})
	}
	all.Wait()

	require.EqualValues(t, 40, accepted.Load())
	require.LessOrEqual(t, w.connections.Load(), int32(2))
}
