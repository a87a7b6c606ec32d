package fcm_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/fcm"
	"doorstep/push/sink"
)

func TestAProbeNamesWhatIsWrong(t *testing.T) {
	for action, want := range map[sink.Action]fcm.Finding{
		sink.OK:           fcm.Good,
		sink.BadArgument:  fcm.Good, // the token is bogus, and nothing else
		sink.Unregistered: fcm.Good,
		sink.Mismatch:     fcm.Good,
		sink.Unauthorized: fcm.Credentials,
		sink.Forbidden:    fcm.Permission,
		sink.NotFound:     fcm.Project,
		sink.APNSAuth:     fcm.APNSKey,
		sink.Quota:        fcm.Unavailable,
		sink.Unavailable:  fcm.Unavailable,
		sink.Internal:     fcm.Unavailable,
		sink.BadGateway:   fcm.Unavailable,
		sink.HTML:         fcm.Unexpected,
		sink.Redirect:     fcm.Unexpected,
		sink.OKEmpty:      fcm.Unexpected,
		sink.BadField:     fcm.Unexpected, // of what we wrote, not of the token
		sink.Empty:        fcm.Network,
		sink.Hang:         fcm.Network,
	} {
		t.Run(string(action), func(t *testing.T) {
			s := newSink()
			require.NoError(t, s.SetRules(sink.Rule{Action: action}))
			w := serve(t, s, false)
			cfg := config(w)
			cfg.Now, cfg.AttemptTimeout = time.Now, 300*time.Millisecond // net/http dates its answers by the real clock

			require.Equal(t, want, newSender(t, cfg).Probe(t.Context()))

			require.EqualValues(t, 1, w.sends.Load(), "one request")
			require.Empty(t, s.Messages(), "to nobody")
		})
	}
}

func TestAProbeLaysARefusalToTheClockIfItIsWrong(t *testing.T) {
	for skew, want := range map[time.Duration]fcm.Finding{
		0: fcm.Credentials, 10 * time.Minute: fcm.Clock, -10 * time.Minute: fcm.Clock,
	} {
		s := newSink()
		require.NoError(t, s.SetRules(sink.Rule{Action: sink.Unauthorized}))
		cfg := config(serve(t, s, false))
		cfg.Now = func() time.Time { return time.Now().Add(skew) }
		require.Equal(t, want, newSender(t, cfg).Probe(t.Context()), skew)
	}
}

func TestAProbeNamesWhatIsWrongWithTheTokenService(t *testing.T) {
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"Invalid JWT"}`))
		})
	}
	gone := serve(t, newSink(), false)
	gone.Close()
	distrusted := serve(t, newSink(), true)
	for name, c := range map[string]struct {
		tokens string
		skew   time.Duration
		want   fcm.Finding
	}{
		"gives one":            {tokens: serve(t, newSink(), false).URL, want: fcm.Good},
		"refuses":              {tokens: serve(t, status(400), false).URL, want: fcm.Credentials},
		"refuses a wrong time": {tokens: serve(t, status(400), false).URL, skew: time.Hour, want: fcm.Clock},
		"is busy":              {tokens: serve(t, status(429), false).URL, want: fcm.Unavailable},
		"is not there":         {tokens: gone.URL, want: fcm.Network},
		"is somebody else":     {tokens: distrusted.URL, want: fcm.TLS},
	} {
		t.Run(name, func(t *testing.T) {
			w := serve(t, newSink(), false)
			cfg := config(w)
			cfg.CredentialsFile = writeAccount(t, c.tokens+"/token")
			cfg.Now = func() time.Time { return time.Now().Add(c.skew) }
			require.Equal(t, c.want, newSender(t, cfg).Probe(t.Context()))
		})
	}
}

func TestAProbeFindsNoConnectionAndNoTrust(t *testing.T) {
	w := serve(t, newSink(), true)
	cfg := config(w)
	cfg.RootCAs = nil
	require.Equal(t, fcm.TLS, newSender(t, cfg).Probe(t.Context()))
	plain := serve(t, newSink(), false)
	cfg = config(plain)
	cfg.Endpoint = strings.Replace(cfg.Endpoint, "http:", "https:", 1)
	require.Equal(t, fcm.TLS, newSender(t, cfg).Probe(t.Context()))
	cfg = config(plain)
	plain.Close()
	require.Equal(t, fcm.Network, newSender(t, cfg).Probe(t.Context()))
}

func TestAKeyThatSignsNothingIsBadCredentials(t *testing.T) {
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "demo", "private_key_id": "k1", "private_key": "no key",
		"client_email": "pusher@demo.example", "client_id": "1", "token_uri": "http://127.0.0.1:1/token",
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "account.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	cfg := config(serve(t, newSink(), false))
	cfg.CredentialsFile = path
	require.Equal(t, fcm.Credentials, newSender(t, cfg).Probe(t.Context()))
}
