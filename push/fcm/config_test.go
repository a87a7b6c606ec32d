package fcm_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/fcm"
)

func TestHalfASettingIsRefused(t *testing.T) {
	account := writeAccount(t, "http://127.0.0.1:1/token")
	for _, c := range []struct {
		name string
		cfg  fcm.Config
		want string // of the error; empty: good
	}{
		{"nothing", fcm.Config{}, "project id is missing"},
		{"an endpoint alone", fcm.Config{Endpoint: "http://127.0.0.1:9099/v1"}, "project id is missing"},
		{"credentials alone", fcm.Config{CredentialsFile: account}, "project id is missing"},
		{"a project alone", fcm.Config{Project: "demo"}, "needs credentials"},
		{"an odd project", fcm.Config{Project: "My Project", CredentialsFile: account}, "not a project id"},
		{"a path as project", fcm.Config{Project: "../demo", CredentialsFile: account}, "not a project id"},
		{"a host and port", fcm.Config{Project: "demo", Endpoint: "127.0.0.1:9099"}, "must be a URL"},
		{"a name and port", fcm.Config{Project: "demo", Endpoint: "localhost:9099"}, "must be a URL"},
		{"no host", fcm.Config{Project: "demo", Endpoint: "http:///v1"}, "must be a URL"},
		{"another scheme", fcm.Config{Project: "demo", Endpoint: "ftp://127.0.0.1/v1"}, "must be a URL"},
		{"a query", fcm.Config{Project: "demo", Endpoint: "http://127.0.0.1/v1?x=1"}, "no user, query"},
		{"a user", fcm.Config{Project: "demo", Endpoint: "http://a:b@127.0.0.1/v1"}, "no user, query"},
		{"elsewhere without credentials", fcm.Config{Project: "demo", Endpoint: "https://fcm.example/v1"}, "needs credentials"},
		{"elsewhere without TLS", fcm.Config{Project: "demo", Endpoint: "http://fcm.example/v1", CredentialsFile: account}, "needs https"},
		{"a name that looks local", fcm.Config{Project: "demo", Endpoint: "http://localhost.example/v1"}, "needs credentials"},
		{"negative connections", fcm.Config{Project: "demo", Endpoint: "http://127.0.0.1:9099/v1", MaxConns: -1}, "must not be negative"},
		{"negative time", fcm.Config{Project: "demo", Endpoint: "http://127.0.0.1:9099/v1", AttemptTimeout: -1}, "must not be negative"},
		{"Google's own", fcm.Config{Project: "demo", CredentialsFile: account}, ""},
		{"an old project", fcm.Config{Project: "example.com:shop", CredentialsFile: account}, ""},
		{"a sink by address", fcm.Config{Project: "demo", Endpoint: "http://127.0.0.1:9099/v1"}, ""},
		{"a sink by name", fcm.Config{Project: "demo", Endpoint: "http://localhost:9099/v1"}, ""},
		{"a sink on IPv6", fcm.Config{Project: "demo", Endpoint: "http://[::1]:9099/v1"}, ""},
		{"elsewhere with both", fcm.Config{Project: "demo", Endpoint: "https://fcm.example/v1", CredentialsFile: account}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := fcm.New(t.Context(), c.cfg)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestBadCredentialsShowAtStart(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON": "secret", "no type": "{}", "an unknown type": `{"type":"pigeon"}`, "no key": `{"type":"service_account"}`,
	} {
		path := filepath.Join(t.TempDir(), "account.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := fcm.New(t.Context(), fcm.Config{Project: "demo", CredentialsFile: path})
		require.ErrorContains(t, err, "fcm credentials", name)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := fcm.New(t.Context(), fcm.Config{Project: "demo", CredentialsFile: filepath.Join(t.TempDir(), "none.json")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestATrailingSlashIsForgiven(t *testing.T) {
	cfg := config(serve(t, newSink(), false))
	cfg.Endpoint += "/"
	require.Equal(t, push.Accepted, newSender(t, cfg).Send(t.Context(), phone, digest()).Outcome)
}
