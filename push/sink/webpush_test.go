package sink_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
	"doorstep/push/webpush/ece"
)

// base is where httptest's requests come to.
const base = "http://example.com"

// pusher is an application server that can say whatever it wants.
type pusher struct {
	key     *ecdsa.PrivateKey
	header  string         // of the token
	claims  map[string]any // of the token
	headers map[string]string
	payload string
	alter   func(body []byte) []byte
}

func newPusher(t *testing.T) *pusher {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &pusher{
		key: key, header: `{"typ":"JWT","alg":"ES256"}`,
		claims:  map[string]any{"aud": base, "exp": noon.Add(time.Hour).Unix(), "sub": "mailto:ops@carrier.example"},
		headers: map[string]string{"TTL": "60", "Content-Encoding": "aes128gcm", "Urgency": "high", "Topic": "digest"},
		payload: `{"kind":"digest"}`, alter: func(body []byte) []byte { return body },
	}
}

func (p *pusher) authorization(t *testing.T) string {
	t.Helper()
	claims, err := json.Marshal(p.claims)
	require.NoError(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(p.header)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	require.NoError(t, err)
	public, err := p.key.PublicKey.Bytes()
	require.NoError(t, err)
	return "vapid t=" + signed + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)) + ", k=" + encode(public)
}

func (p *pusher) push(t *testing.T, s *sink.Sink, name string) *httptest.ResponseRecorder {
	t.Helper()
	text, err := s.NewSubscription(base, name)
	require.NoError(t, err)
	var sub struct {
		Endpoint string
		Keys     struct{ P256DH, Auth string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &sub))
	point, err := base64.RawURLEncoding.DecodeString(sub.Keys.P256DH)
	require.NoError(t, err)
	key, err := ecdh.P256().NewPublicKey(point)
	require.NoError(t, err)
	auth, err := base64.RawURLEncoding.DecodeString(sub.Keys.Auth)
	require.NoError(t, err)
	body, err := ece.Seal(rand.Reader, key, auth, []byte(p.payload), 1024)
	require.NoError(t, err)
	headers := maps.Clone(p.headers)
	if _, given := headers["Authorization"]; !given {
		headers["Authorization"] = p.authorization(t)
	}
	var list []string
	for k, v := range headers {
		list = append(list, k, v)
	}
	return call(s, http.MethodPost, strings.TrimPrefix(sub.Endpoint, base), string(p.alter(body)), list...)
}

func TestAWebPushIsDecryptedAndKept(t *testing.T) {
	s := newSink()

	res := newPusher(t).push(t, s, "phone 1")

	require.Equal(t, http.StatusCreated, res.Code, res.Body)
	got := s.Messages()
	require.Len(t, got, 1)
	require.Equal(t, "/wp-messages/"+got[0].ID, res.Header().Get("Location"))
	require.Equal(t, "webpush", got[0].Provider)
	require.Equal(t, "phone 1", got[0].Token)
	require.Equal(t, noon, got[0].At)
	require.JSONEq(t, `{"headers":{"TTL":"60","Urgency":"high","Topic":"digest"},"payload":{"kind":"digest"}}`, string(got[0].Message))
}

func TestWhatAPushServiceRefusesIsRefused(t *testing.T) {
	header := func(name, value string) func(*pusher) { return func(p *pusher) { p.headers[name] = value } }
	claim := func(name string, value any) func(*pusher) { return func(p *pusher) { p.claims[name] = value } }
	for _, c := range []struct {
		name   string
		change func(*pusher)
		status int
		want   string
	}{
		{"no token", header("Authorization", ""), 401, "token is required"},
		{"another scheme", header("Authorization", "Bearer x"), 403, "not of VAPID"},
		{"no key", header("Authorization", "vapid t=a.b.c"), 403, "not a P-256 key"},
		{"a key of another alphabet", header("Authorization", "vapid t=a.b.c, k=+"), 403, "not base64url"},
		{"no form of token", func(p *pusher) { p.headers["Authorization"] = strings.Replace(p.authorization(t), ".", "", 1) }, 403, "not a token"},
		{"a token of another alphabet", func(p *pusher) { p.headers["Authorization"] = strings.Replace(p.authorization(t), ".", ".+", 1) }, 403, "not base64url"},
		{"a long signature", func(p *pusher) {
			p.headers["Authorization"] = strings.Replace(p.authorization(t), ", k=", "AAAA, k=", 1)
		}, 403, "64 bytes"},
		{"no algorithm", func(p *pusher) { p.header = `{"alg":"none"}` }, 403, "ES256"},
		{"another's signature", func(p *pusher) {
			own := p.authorization(t)
			p.headers["Authorization"] = own[:strings.Index(own, "k=")] + newPusher(t).authorization(t)[strings.Index(own, "k="):]
		}, 403, "signature"},
		{"another audience", claim("aud", "https://fcm.googleapis.com"), 403, "aud must be http://example.com"},
		{"an audience with a slash", claim("aud", base+"/"), 403, "aud must be"},
		{"ended", claim("exp", noon.Unix()), 403, "exp is past"},
		{"no end", claim("exp", nil), 403, "exp is past"},
		{"a day and a second", claim("exp", noon.Add(24*time.Hour+time.Second).Unix()), 403, "24 hours"},
		{"an end in words", claim("exp", "tomorrow"), 403, "claims are not JSON"},
		{"no subject", claim("sub", ""), 403, "sub must be"},
		{"mailto twice", claim("sub", "mailto:mailto:ops@carrier.example"), 403, "twice"},
		{"no TTL", header("TTL", ""), 400, "TTL"},
		{"a negative TTL", header("TTL", "-1"), 400, "TTL"},
		{"a TTL in words", header("TTL", "1h"), 400, "TTL"},
		{"another encoding", header("Content-Encoding", "aesgcm"), 400, "aes128gcm"},
		{"a long topic", header("Topic", strings.Repeat("x", 33)), 400, "Topic"},
		{"a topic of words", header("Topic", "two words"), 400, "Topic"},
		{"an odd urgency", header("Urgency", "urgent"), 400, "Urgency"},
		{"a payload that is not JSON", func(p *pusher) { p.payload = "hello" }, 400, "not JSON"},
		{"no body", func(p *pusher) { p.alter = func([]byte) []byte { return nil } }, 400, "0 bytes"},
		{"an altered body", func(p *pusher) { p.alter = func(b []byte) []byte { b[100] ^= 1; return b } }, 400, "authentication failed"},
		{"a huge body", func(p *pusher) { p.alter = func([]byte) []byte { return make([]byte, 4097) } }, 413, "4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSink()
			p := newPusher(t)
			c.change(p)
			res := p.push(t, s, "a")
			require.Equal(t, c.status, res.Code, res.Body)
			require.Contains(t, res.Body.String(), c.want)
			require.Empty(t, s.Messages())
			require.Empty(t, s.Requests())
		})
	}
}

func TestTheEdgesOfAWebPushAreTaken(t *testing.T) {
	for name, change := range map[string]func(*pusher){
		"a day":             func(p *pusher) { p.claims["exp"] = noon.Add(24 * time.Hour).Unix() },
		"a page as subject": func(p *pusher) { p.claims["sub"] = "https://carrier.example" },
		"now or never":      func(p *pusher) { p.headers["TTL"] = "0" },
		"no topic":          func(p *pusher) { delete(p.headers, "Topic") },
		"no urgency":        func(p *pusher) { delete(p.headers, "Urgency") },
		"a topic of 32":     func(p *pusher) { p.headers["Topic"] = strings.Repeat("-", 32) },
		"another order": func(p *pusher) {
			token, key, _ := strings.Cut(strings.TrimPrefix(p.authorization(t), "vapid "), ", ")
			p.headers["Authorization"] = "VAPID " + key + "," + token
		},
	} {
		p := newPusher(t)
		change(p)
		require.Equal(t, http.StatusCreated, p.push(t, newSink(), "a").Code, name)
	}
}

func TestASubscriptionMayAskForItsFault(t *testing.T) {
	for name, want := range map[string]struct {
		code  int
		after string
	}{
		"sim-unregistered-1": {410, ""},
		"sim-404-1":          {404, ""},
		"sim-429-7-1":        {429, "7"},
		"sim-503-1":          {503, ""},
		"sim-500-1":          {500, ""},
		"sim-blackhole-1":    {201, ""},
	} {
		s := newSink()
		res := newPusher(t).push(t, s, name)
		require.Equal(t, want.code, res.Code, name)
		require.Equal(t, want.after, res.Header().Get("Retry-After"), name)
		require.Empty(t, s.Messages(), name)
		require.Len(t, s.Requests(), 1)
		require.Equal(t, "webpush", s.Requests()[0].Provider)
	}
	s := newSink()
	require.NoError(t, s.SetRules(sink.Rule{Match: sink.Match{Provider: "webpush"}, Action: sink.Unregistered}))
	require.Equal(t, http.StatusGone, newPusher(t).push(t, s, "a").Code)
	require.Equal(t, http.StatusOK, sendTo(s, "a").Code)
}

func TestSubscriptionsFollowFromSeedAndName(t *testing.T) {
	of := func(seed uint64, base, name string) string {
		text, err := sink.New(sink.Options{Seed: seed}).NewSubscription(base, name)
		require.NoError(t, err)
		return text
	}
	require.Equal(t, of(1, base, "a"), of(1, base+"/", "a"))
	require.NotEqual(t, of(1, base, "a"), of(2, base, "a"))
	require.NotEqual(t, of(1, base, "a"), of(1, base, "b"))
	require.JSONEq(t, of(7, base, "a b"), call(newSink(), http.MethodGet, "/wp/a%20b", "").Body.String())
	require.Contains(t, of(1, "https://127.0.0.1:9099", "a/b"), fmt.Sprintf("%q", "https://127.0.0.1:9099/wp/a%2Fb"))
}

func TestAWebPushIsDrawnOnItsPhone(t *testing.T) {
	s := newSink()
	p := newPusher(t)
	p.payload = `{"kind":"digest","title_key":"push_digest_title","body_key":"push_digest_body","args":["2"],
		"data":{"alerts":"[{\"id\":\"a1\",\"w\":\"6Y2X\",\"t\":[\"no_locker\"]}]","more":"0"}}`
	require.Equal(t, http.StatusCreated, p.push(t, s, "browser-1").Code)
	got := page(s, "en")
	for _, text := range []string{"browser-1", "Before you knock", "6Y2X", "no locker"} {
		require.Contains(t, got, text)
	}
}
