package fcm_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/push/sink"
	"doorstep/push/wire"
)

// throwAwayKey belongs to nobody.
var throwAwayKey = sync.OnceValues(func() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
})

// writeAccount writes the credentials of a service account whose tokens come
// from tokenURL.
func writeAccount(t *testing.T, tokenURL string) string {
	t.Helper()
	key, err := throwAwayKey()
	require.NoError(t, err)
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "demo", "private_key_id": "k1", "private_key": string(key),
		"client_email": "pusher@demo.example", "client_id": "1", "token_uri": tokenURL,
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "account.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

func TestOneTokenServesManySends(t *testing.T) {
	s := newSink()
	w := serve(t, s, false)
	cfg := config(w)
	cfg.CredentialsFile = writeAccount(t, w.URL+"/token")
	sender := newSender(t, cfg)

	for range 3 {
		require.Equal(t, push.Accepted, sender.Send(t.Context(), phone, digest()).Outcome)
	}

	require.Equal(t, 1, s.Tokens())
	for _, m := range s.Messages() {
		require.True(t, m.Authorization)
	}
}

func TestARefusedTokenIsFetchedAnew(t *testing.T) {
	s := newSink()
	w := serve(t, s, false)
	cfg := config(w)
	cfg.CredentialsFile = writeAccount(t, w.URL+"/token")
	sender := newSender(t, cfg)
	require.NoError(t, s.SetRules(
		sink.Rule{Nth: 1, Action: sink.APNSAuth}, // Apple's refusal is not about our token
		sink.Rule{Nth: 1, Action: sink.Unauthorized},
	))

	require.Equal(t, fcm.CodeAPNSAuth, sender.Send(t.Context(), phone, digest()).Code)
	require.Equal(t, wire.CodeUnauthorized, sender.Send(t.Context(), phone, digest()).Code)
	require.Equal(t, 1, s.Tokens())
	require.Equal(t, push.Accepted, sender.Send(t.Context(), phone, digest()).Outcome)
	require.Equal(t, 2, s.Tokens())
}

func TestWithoutATokenNothingIsSent(t *testing.T) {
	refusing := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadRequest) }
	hanging := func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // a server sees a client leave only after the body
		<-r.Context().Done()
	}
	for name, tokens := range map[string]http.HandlerFunc{"refused": refusing, "hanging": hanging} {
		t.Run(name, func(t *testing.T) {
			w := serve(t, newSink(), false)
			cfg := config(w)
			cfg.CredentialsFile = writeAccount(t, serve(t, tokens, false).URL+"/token")
			cfg.AttemptTimeout = 300 * time.Millisecond
			got := newSender(t, cfg).Send(t.Context(), phone, digest())
			require.Equal(t, push.Result{Outcome: push.ProviderDown, Code: fcm.CodeCredentials}, got)
			require.Zero(t, w.sends.Load())
		})
	}
}

func TestNobodyWaitsForAnothersToken(t *testing.T) {
	// Given a send that waits for the token endpoint
	asked := make(chan struct{})
	tokens := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		close(asked)
		<-r.Context().Done()
	}), false)
	w := serve(t, newSink(), false)
	cfg := config(w)
	cfg.CredentialsFile = writeAccount(t, tokens.URL+"/token")
	cfg.AttemptTimeout = time.Minute
	sender := newSender(t, cfg)
	patient, leave := context.WithCancel(t.Context())
	first := make(chan push.Result)
	go func() { first <- sender.Send(patient, phone, digest()) }()
	<-asked

	// When another one's caller has left
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	got := sender.Send(gone, phone, digest())

	// Then it ends at once, and the first when its own caller leaves
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeCancelled}, got)
	select {
	case r := <-first:
		require.Fail(t, "the first send ended", r)
	default:
	}
	leave()
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeCancelled}, <-first)
	require.Zero(t, w.sends.Load())
}
