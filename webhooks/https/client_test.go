package https_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"doorstep/webhooks"
	"doorstep/webhooks/https"
)

// receive starts a receiver on this machine and a client that trusts it.
func receive(t *testing.T, handle http.HandlerFunc, cfg https.Config) (*httptest.Server, *https.Client) {
	t.Helper()
	server := httptest.NewTLSServer(handle)
	t.Cleanup(server.Close)
	cfg.Roots = x509.NewCertPool()
	cfg.Roots.AddCert(server.Certificate())
	return server, https.New(cfg)
}

func message(url string, secrets ...string) webhooks.Message {
	return webhooks.Message{URL: url, ID: "7k-1", At: time.Now(), Body: []byte(`{"type":"complaint.filed"}`), Secrets: secrets}
}

func secret(t *testing.T, of byte) string {
	t.Helper()
	s, err := webhooks.NewSecret(bytes.NewReader(bytes.Repeat([]byte{of}, 32)))
	require.NoError(t, err)
	return s
}

func TestEachSecretOfARotationVerifiesWhatIsSent(t *testing.T) {
	current, former, never := secret(t, 1), secret(t, 2), secret(t, 3)
	verdicts := make(chan error, 3)
	server, client := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, s := range []string{current, former, never} {
			check, err := standardwebhooks.NewWebhook(s)
			verdicts <- errors.Join(err, check.Verify(body, r.Header))
		}
	}, https.Config{AllowPrivate: true})
	require.Equal(t, http.StatusOK, client.Post(t.Context(), message(server.URL, current, former)).Status)
	require.NoError(t, <-verdicts)
	require.NoError(t, <-verdicts)
	require.ErrorIs(t, <-verdicts, standardwebhooks.ErrNoMatchingSignature)
}

func TestWhatReceiversDoWrongIsSortedAndBounded(t *testing.T) {
	var elsewhere atomic.Int32
	answers := map[string]struct {
		handle http.HandlerFunc
		want   webhooks.Result
	}{
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, webhooks.Result{Status: 204}},
		"fault": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
			webhooks.Result{Fault: webhooks.BadStatus, Status: 500}},
		"gone": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
			webhooks.Result{Fault: webhooks.BadStatus, Status: 410}},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				elsewhere.Add(1)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, webhooks.Result{Fault: webhooks.Redirected, Status: 307}},
		"hang up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, webhooks.Result{Fault: webhooks.Unreachable}},
		"silent": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body) // only then the server notices that the client is gone
			<-r.Context().Done()
		}, webhooks.Result{Fault: webhooks.TimedOut}},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, webhooks.Result{Status: 200}},
		"huge headers": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 64<<10)) },
			webhooks.Result{Fault: webhooks.Unreachable}},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			server, client := receive(t, a.handle, https.Config{AllowPrivate: true, Timeout: time.Second})
			got := client.Post(t.Context(), message(server.URL, secret(t, 1)))
			got.Took = 0
			require.Equal(t, a.want, got)
		})
	}
	require.Zero(t, elsewhere.Load(), "redirects are not followed")
}

func TestAReceiverMustShowACertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	got := https.New(https.Config{AllowPrivate: true}).Post(t.Context(), message(server.URL, secret(t, 1)))
	require.Equal(t, webhooks.Untrusted, got.Fault)
}

// A name server may lead elsewhere after the check: what counts is the address at
// the moment of the call.
func TestNoConnectionIsMadeToAPrivateAddress(t *testing.T) {
	var asked atomic.Int32
	server, client := receive(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, https.Config{})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "0.0.0.0", "[fe80::1]", "[ff02::1]"} {
		url := strings.Replace(server.URL, "127.0.0.1", host, 1)
		if got := client.Post(t.Context(), message(url, secret(t, 1))); got.Fault != webhooks.PrivateAddress {
			require.Equal(t, "[::1]", host, "%+v", got) // a machine without IPv6 has no such address
			require.Equal(t, webhooks.Unreachable, got.Fault)
		}
	}
	require.Zero(t, asked.Load())
}

func TestAURLIsCheckedBeforeItIsKept(t *testing.T) {
	guarded, open := https.New(https.Config{}), https.New(https.Config{AllowPrivate: true})
	for url, code := range map[string]string{
		"": "invalid_url", "carrier.example": "invalid_url", "https://": "invalid_url", "https:carrier.example": "invalid_url",
		"https://carrier.example/#part": "invalid_url", "https://me:pass@carrier.example/": "invalid_url", "https://\x7f/": "invalid_url",
		"http://carrier.example/": "not_https", "ftp://carrier.example/": "not_https",
		"https://127.0.0.1/": "private_address", "https://localhost:8443/": "private_address", "https://[::1]/": "private_address",
		"https://192.168.1.1/": "private_address", "https://169.254.169.254/latest": "private_address", "https://224.0.0.1/": "private_address",
		"https://[::ffff:10.0.0.1]/": "private_address", "https://[64:ff9b::7f00:1]/": "private_address",
		"https://no-such-host.invalid/": "unknown_host", "https://8.8.8.8:8443/path?a=b": "",
	} {
		for client, private := range map[*https.Client]bool{guarded: false, open: true} {
			want := code
			if private && (code == "private_address" || code == "unknown_host") {
				want = ""
			}
			err := client.Check(t.Context(), url)
			if want == "" {
				require.NoError(t, err, url)
				continue
			}
			var bad *webhooks.AddressError
			require.ErrorAs(t, err, &bad, url)
			require.Equal(t, want, bad.Code, url)
		}
	}
}
