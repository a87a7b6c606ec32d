package webpush_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
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
	"doorstep/push/sink"
	"doorstep/push/webpush"
	"doorstep/push/wire"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func fixedNow() time.Time { return noon }

// vapidKey belongs to nobody.
const vapidKey = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"

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
	sends       atomic.Int32
	connections atomic.Int32
	http2       atomic.Bool

	mu   sync.Mutex
	last http.Header
	all  []string // Authorization of each request
}

func serve(t *testing.T, handler http.Handler, secure bool) *server {
	t.Helper()
	w := &server{}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.sends.Add(1)
		w.http2.Store(r.ProtoMajor == 2)
		w.mu.Lock()
		w.last = r.Header
		w.all = append(w.all, r.Header.Get("Authorization"))
		w.mu.Unlock()
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

// seen gives the last request's headers and every Authorization so far.
func (w *server) seen() (http.Header, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.all
}

// config admits w, which is on this machine, and trusts its certificate.
func config(w *server) webpush.Config {
	cfg := webpush.Config{PrivateKey: vapidKey, Subject: "mailto:ops@carrier.example", AllowLoopback: true, Now: fixedNow}
	if w.Certificate() != nil {
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AddCert(w.Certificate())
	}
	return cfg
}

func newSender(t *testing.T, cfg webpush.Config) *webpush.Sender {
	t.Helper()
	s, err := webpush.New(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func newSink() *sink.Sink { return sink.New(sink.Options{Now: fixedNow}) }

// address is a subscription that a sink at base would decrypt.
func address(t *testing.T, base, name string) push.Address {
	t.Helper()
	text, err := newSink().NewSubscription(base, name)
	require.NoError(t, err)
	return push.Address{Kind: push.KindSubscription, Value: text}
}

func TestAMessageArrivesAsTheServiceWorkerExpectsIt(t *testing.T) {
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			s := newSink()
			w := serve(t, s, secure)
			sender := newSender(t, config(w))

			got := sender.Send(t.Context(), address(t, w.URL, "phone-1"), digest())

			require.Len(t, s.Messages(), 1)
			require.Equal(t, push.Result{Outcome: push.Accepted, Code: wire.CodeOK, ProviderID: "/wp-messages/" + s.Messages()[0].ID}, got)
			require.Equal(t, "phone-1", s.Messages()[0].Token)
			require.Equal(t, sender.Name(), s.Messages()[0].Provider)
			require.Equal(t, secure, w.http2.Load())
			require.JSONEq(t, `{
				"headers": {"TTL": "7200", "Urgency": "high", "Topic": "digest"},
				"payload": {
					"kind": "digest", "title_key": "push_digest_title", "body_key": "push_digest_body", "args": ["1"],
					"data": {"alerts": "[{\"id\":\"a1\",\"w\":\"6Y2X\",\"t\":[\"no_locker\"]}]", "more": "0", "kind": "digest", "version": "1"}
				}
			}`, string(s.Messages()[0].Message))
		})
	}
}

func TestAQuietMessageWakesNobody(t *testing.T) {
	s := newSink()
	w := serve(t, s, false)
	m := digest()
	m.High, m.TTL, m.Collapse, m.Data, m.BodyArgs = false, 1900*time.Millisecond, "", nil, nil

	require.Equal(t, push.Accepted, newSender(t, config(w)).Send(t.Context(), address(t, w.URL, "a"), m).Outcome)

	require.JSONEq(t, `{
		"headers": {"TTL": "1", "Urgency": "normal"},
		"payload": {"kind": "digest", "title_key": "push_digest_title", "body_key": "push_digest_body", "args": [], "data": {}}
	}`, string(s.Messages()[0].Message))
}

func TestATopicIsAlwaysFitToBeOne(t *testing.T) {
	for collapse, want := range map[string]string{
		"catch_up":              "catch_up",
		strings.Repeat("x", 32): strings.Repeat("x", 32),
		strings.Repeat("x", 33): "EbpVo6fB7g-OuIZ9xApixnJA60peoSXu",
		"two words":             "oD8dYRZF61OtFsGvVGygeS3IhFBbq1ft",
	} {
		w := serve(t, newSink(), false)
		m := digest()
		m.Collapse = collapse
		require.Equal(t, push.Accepted, newSender(t, config(w)).Send(t.Context(), address(t, w.URL, "a"), m).Outcome)
		header, _ := w.seen()
		require.Equal(t, want, header.Get("Topic"), collapse)
	}
}

// An onlooker learns one of three sizes.
func TestBodiesHaveFewSizes(t *testing.T) {
	var size atomic.Int64
	w := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		size.Store(r.ContentLength)
		rw.WriteHeader(http.StatusCreated)
	}), false)
	sender, to := newSender(t, config(w)), address(t, w.URL, "a")
	seen := map[int64]bool{}
	for length := 0; length < 4096; length += 97 {
		m := digest()
		m.Data = map[string]string{"alerts": strings.Repeat("x", length)}
		require.Equal(t, push.Accepted, sender.Send(t.Context(), to, m).Outcome)
		seen[size.Load()] = true
	}
	require.Equal(t, map[int64]bool{1024: true, 2048: true, 4096: true}, seen)
}

func TestWhatDoesNotFitIsNamedAndTheRestArrives(t *testing.T) {
	s := newSink()
	w := serve(t, s, false)
	sender := newSender(t, config(w))
	m := digest()
	m.Data["alerts"] = strings.Repeat(`"`, 3000) // twice as long in JSON
	m.Data["more"] = strings.Repeat("x", 2990)
	require.NoError(t, sender.Check(m))

	require.Equal(t, push.Accepted, sender.Send(t.Context(), address(t, w.URL, "a"), m).Outcome)

	var got struct {
		Payload struct {
			Data    map[string]string
			LeftOut []string `json:"left_out"`
		}
	}
	require.NoError(t, json.Unmarshal(s.Messages()[0].Message, &got))
	require.Equal(t, []string{"alerts"}, got.Payload.LeftOut)
	require.Equal(t, map[string]string{"more": m.Data["more"], "kind": "digest", "version": "1"}, got.Payload.Data)
	require.Contains(t, m.Data, "alerts", "the message belongs to the caller")
}

func TestCheckRefusesWhatNoBrowserMayShow(t *testing.T) {
	w := serve(t, newSink(), false)
	sender := newSender(t, config(w))
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
		{"data not UTF-8", func(m *push.Message) { m.Data = map[string]string{"k": "\xff"} }, "invalid_utf8"},
		{"data of 4096 bytes", func(m *push.Message) { m.Data = map[string]string{"k": strings.Repeat("x", 4095)} }, ""},
		{"now or never", func(m *push.Message) { m.TTL = 0 }, ""},
		{"in the past", func(m *push.Message) { m.TTL = -1 }, "out_of_range"},
		{"four weeks", func(m *push.Message) { m.TTL = 28 * 24 * time.Hour }, ""},
		{"above four weeks", func(m *push.Message) { m.TTL = 28*24*time.Hour + 1 }, "out_of_range"},
		{"a body key of a page", func(m *push.Message) { m.BodyKey = strings.Repeat("k", 4000) }, "too_large"},
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
			require.Equal(t, push.Accepted, sender.Send(t.Context(), address(t, w.URL, "a"), m).Outcome)
		})
	}
	m := digest()
	m.BodyKey = strings.Repeat("k", 4000)
	require.Equal(t, push.Result{Outcome: push.BadMessage, Code: wire.CodeBadMessage}, sender.Send(t.Context(), address(t, w.URL, "a"), m))
}

func TestAnAddressOfAnotherKindIsNotTried(t *testing.T) {
	w := serve(t, newSink(), false)
	sender := newSender(t, config(w))
	for _, to := range []push.Address{
		{Kind: push.KindToken, Value: address(t, w.URL, "a").Value}, {Kind: push.KindSubscription}, {},
	} {
		require.Equal(t, push.Result{Outcome: push.BadMessage, Code: wire.CodeAddress}, sender.Send(t.Context(), to, digest()))
	}
	require.Zero(t, w.sends.Load())
}

// What RFC 8292 says, checked without the sink's help.
func TestTheTokenSaysWhoSendsAndToWhom(t *testing.T) {
	w := serve(t, newSink(), false)
	sender := newSender(t, config(w))
	require.Equal(t, push.Accepted, sender.Send(t.Context(), address(t, w.URL, "a"), digest()).Outcome)

	header, _ := w.seen()
	token, key, ok := strings.Cut(strings.TrimPrefix(header.Get("Authorization"), "vapid t="), ", k=")
	require.True(t, ok)
	require.Equal(t, sender.PublicKey(), key)
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	decode := func(text string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		return raw
	}
	require.JSONEq(t, `{"typ":"JWT","alg":"ES256"}`, string(decode(parts[0])))
	require.JSONEq(t, `{"aud":"`+w.URL+`","exp":1772496000,"sub":"mailto:ops@carrier.example"}`, string(decode(parts[1]))) // midnight
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), decode(key))
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature := decode(parts[2])
	require.Len(t, signature, 64)
	require.True(t, ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])))
}

func TestATokenServesUntilItNearsItsEnd(t *testing.T) {
	var clock atomic.Int64 // since noon
	now := func() time.Time { return noon.Add(time.Duration(clock.Load())) }
	s := sink.New(sink.Options{Now: now})
	w := serve(t, s, false)
	cfg := config(w)
	cfg.Now = now
	sender := newSender(t, cfg)
	for _, c := range []struct {
		at    time.Duration
		fresh bool
	}{
		{0, true}, {time.Hour, false}, {11*time.Hour - 1, false}, {11 * time.Hour, true}, {13 * time.Hour, false},
		{-time.Second, true}, {0, false}, // the clock was set back
	} {
		clock.Store(int64(c.at))
		_, before := w.seen()
		require.Equal(t, push.Accepted, sender.Send(t.Context(), address(t, w.URL, "a"), digest()).Outcome, c.at)
		_, after := w.seen()
		fresh := len(before) == 0 || after[len(after)-1] != before[len(before)-1]
		require.Equal(t, c.fresh, fresh, c.at)
	}
}

func TestEachPushServiceGetsItsOwnToken(t *testing.T) {
	one, two := serve(t, newSink(), false), serve(t, newSink(), false)
	sender := newSender(t, config(one))
	for range 2 {
		for _, w := range []*server{one, two} {
			require.Equal(t, push.Accepted, sender.Send(t.Context(), address(t, w.URL, "a"), digest()).Outcome)
		}
	}
	_, first := one.seen()
	_, second := two.seen()
	require.NotEqual(t, first[0], second[0])
	require.Equal(t, first[0], first[1])
	require.Equal(t, second[0], second[1])
}

func TestARefusedTokenIsNotUsedAgain(t *testing.T) {
	s := newSink()
	w := serve(t, s, false)
	require.NoError(t, s.SetRules(sink.Rule{Count: 1, Action: sink.Forbidden}))
	sender := newSender(t, config(w))
	var outcomes []push.Outcome
	for range 3 {
		outcomes = append(outcomes, sender.Send(t.Context(), address(t, w.URL, "a"), digest()).Outcome)
	}
	_, tokens := w.seen()
	require.Equal(t, []push.Outcome{push.ProviderDown, push.Accepted, push.Accepted}, outcomes)
	require.NotEqual(t, tokens[0], tokens[1])
	require.Equal(t, tokens[1], tokens[2])
}

func TestSendsAtOnceShareATokenAndFewConnections(t *testing.T) {
	w := serve(t, newSink(), false)
	cfg := config(w)
	cfg.MaxConns = 2
	sender, to := newSender(t, cfg), address(t, w.URL, "a")

	var all sync.WaitGroup
	var accepted atomic.Int32
	for range 40 {
		all.Go(func() {
			if sender.Send(context.Background(), to, digest()).Outcome == push.Accepted {
				accepted.Add(1)
			}
		})
	}
	all.Wait()

	require.EqualValues(t, 40, accepted.Load())
	require.LessOrEqual(t, w.connections.Load(), int32(2))
	_, tokens := w.seen()
	for _, token := range tokens {
		require.Equal(t, tokens[0], token)
	}
}

// Whoever registers subscriptions can name any number of hosts.
func TestTokensDoNotPileUp(t *testing.T) {
	w := serve(t, newSink(), false)
	sender, to := newSender(t, config(w)), address(t, w.URL, "a")
	require.Equal(t, push.Accepted, sender.Send(t.Context(), to, digest()).Outcome)
	for i := range 256 { // this machine as well, but nobody listens there
		base := strings.Replace(w.URL, "127.0.0.1", fmt.Sprintf("127.0.1.%d", i), 1)
		require.Equal(t, wire.CodeConnect, sender.Send(t.Context(), address(t, base, "a"), digest()).Code)
	}
	require.Equal(t, push.Accepted, sender.Send(t.Context(), to, digest()).Outcome)
	_, tokens := w.seen()
	require.NotEqual(t, tokens[0], tokens[1])
}
