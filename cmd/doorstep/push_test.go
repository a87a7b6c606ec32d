package main

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/fcm"
	"doorstep/push/sink"
)

func TestPushSettingsAreCheckedWithoutRingingAnybody(t *testing.T) {
	s := sink.New(sink.Options{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	check := func(args ...string) outcome {
		return command(t, append([]string{"push", "check", "--fcm-project", "demo", "--fcm-endpoint", server.URL + "/v1"}, args...)...)
	}
	for action, want := range map[sink.Action]fcm.Finding{
		sink.OK: fcm.Good, sink.BadArgument: fcm.Good,
		sink.NotFound: fcm.Project, sink.Forbidden: fcm.Permission, sink.Unauthorized: fcm.Credentials, sink.Empty: fcm.Network,
	} {
		require.NoError(t, s.SetRules(sink.Rule{Action: action}))
		got := check()
		require.Contains(t, got.out, "FCM       "+string(want)+": "+advice[want], action)
		require.Equal(t, want != fcm.Good, got.failed != nil, action)
	}
	require.Empty(t, s.Messages())
	require.NoError(t, s.SetRules())

	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, command(t, "push", "keygen", key).failed)
	both := check("--webpush-key", key, "--webpush-subject", "mailto:ops@carrier.example")
	require.NoError(t, both.failed)
	require.Contains(t, both.out, "FCM       good")
	require.Contains(t, both.out, "Web Push  good")

	half := check("--webpush-key", key, "--webpush-subject", "mailto:ops@localhost")
	require.Error(t, half.failed)
	require.Contains(t, half.out, "FCM       good")
	require.Contains(t, half.out, "local name")

	unreadable := check("--fcm-credentials", key+".not")
	require.Error(t, unreadable.failed)
	require.Contains(t, unreadable.out, "no such file")

	require.ErrorContains(t, command(t, "push", "check").failed, "no push settings")
}

func TestThereIsAdviceForEveryFinding(t *testing.T) {
	for _, f := range []fcm.Finding{
		fcm.Good, fcm.Credentials, fcm.Permission, fcm.Project, fcm.APNSKey, fcm.Clock, fcm.Network, fcm.TLS, fcm.Unavailable, fcm.Unexpected,
	} {
		require.NotEmpty(t, advice[f], f)
	}
}
