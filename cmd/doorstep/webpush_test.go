package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/push"
	"doorstep/push/sink"
	"doorstep/push/webpush"
	"doorstep/store/storetest"
)

// subscribe gives the courier a browser that the sink knows by name.
func (a *app) subscribe(courier, install, name string) {
	a.t.Helper()
	subscription, err := a.sink.NewSubscription(a.sinkURL, name)
	require.NoError(a.t, err)
	a.put(a.courier(courier), "/v1/me/devices/"+install, api.DeviceInput{
		Provider: push.WebPush, Address: &subscription, Locale: "zh-CN",
	}).is(http.StatusOK)
}

func TestABrowserIsRungAsAPhoneIs(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker", "evening_only"}}).is(http.StatusOK)
		a.subscribe("li", "browser-1", "browser-of-li")

		alert := *a.dispatch(parcel("SF-7001", "li", anne))[0].AlertID
		a.sendDue()

		got := a.sink.Messages()
		require.Len(t, got, 1)
		require.Equal(t, push.WebPush, got[0].Provider)
		require.Equal(t, "browser-of-li", got[0].Token)
		var m struct { // as the sink's browser decrypted it
			Payload struct {
				Kind string
				Args []string
				Data map[string]string
			}
		}
		require.NoError(t, json.Unmarshal(got[0].Message, &m))
		require.Equal(t, push.KindDigest, m.Payload.Kind)
		require.Equal(t, []string{"1"}, m.Payload.Args)
		require.JSONEq(t, `[{"id": "`+alert+`", "w": "7001", "t": ["no_locker"]}]`, m.Payload.Data["alerts"])
		require.Len(t, a.evidence("west", "&kind=push"), 1)
	})
}

func TestASubscriptionThatHasEndedIsNotTriedAgain(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
		a.subscribe("li", "browser-1", "browser-of-li")
		require.NoError(t, a.sink.SetRules(sink.Rule{Action: sink.Unregistered}))

		a.dispatch(parcel("SF-7001", "li", anne))
		a.sendDue()
		a.dispatch(parcel("SF-7002", "li", anne))
		a.sendDue()

		require.Len(t, a.sink.Requests(), 1)
		require.Len(t, a.inbox("li"), 2)
	})
}

func TestASubscriptionElsewhereThanAtAPushServiceIsRefused(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		good, err := a.sink.NewSubscription(a.sinkURL, "browser-of-li")
		require.NoError(t, err)
		for address, want := range map[string]string{
			strings.Replace(good, a.sinkURL, "https://evil.example", 1):                            "host_not_allowed",
			strings.Replace(good, a.sinkURL, "https://fcm.googleapis.com.evil.example", 1):         "host_not_allowed",
			strings.Replace(good, a.sinkURL, "https://evil.example/fcm.googleapis.com", 1):         "host_not_allowed",
			strings.Replace(good, a.sinkURL, "http://fcm.googleapis.com", 1):                       "host_not_allowed",
			strings.Replace(good, a.sinkURL, "https://169.254.169.254", 1):                         "host_not_allowed",
			strings.Replace(good, a.sinkURL, "https://li:secret@fcm.googleapis.com", 1):            "bad_subscription",
			`{"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "AA", "auth": "AA"}}`: "bad_subscription",
			"token-of-li": "bad_subscription",
			"":            "bad_subscription",
		} {
			p := a.put(a.courier("li"), "/v1/me/devices/browser-1", api.DeviceInput{
				Provider: push.WebPush, Address: &address, Locale: "zh-CN",
			}).problem(http.StatusUnprocessableEntity)
			require.Equal(t, []string{"/address " + want}, at(p.Errors), address)
		}
		a.put(a.courier("li"), "/v1/me/devices/browser-1", api.DeviceInput{
			Provider: push.WebPush, Address: ptr(strings.Replace(good, a.sinkURL, "https://fcm.googleapis.com", 1)), Locale: "zh-CN",
		}).is(http.StatusOK)
	})
}

func TestWithoutWebPushThereIsNoKeyToSubscribeTo(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	got := read[api.WebPushKey](a.get(a.courier("li"), "/v1/push/webpush-key"), http.StatusOK)
	want, err := webpush.PublicKey(vapidKey)
	require.NoError(t, err)
	require.Equal(t, want, got.Key)

	base := serveHere(t, serveCmd{})
	courier := strings.TrimSpace(base.ok("token", "create", "--role", "courier", "--courier", "li"))
	status, body := base.get(courier, "/v1/push/webpush-key")
	require.Equal(t, http.StatusNotFound, status, body)
}

func TestHalfAWebPushSettingIsRefused(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pem")
	public := strings.TrimSpace(command(t, "push", "keygen", key).out)
	const subject = "mailto:ops@carrier.example"
	for want, services := range map[string]pushServices{
		"private key is missing": {WebPushSubject: subject},
		"key is missing":         {WebPushHosts: []string{"push.example"}},
		"is missing":             {WebPushLoopback: true},
		"no such file":           {WebPushKey: key + ".not", WebPushSubject: subject},
		`subject ""`:             {WebPushKey: key},
		"not be at a local name": {WebPushKey: key, WebPushSubject: "mailto:ops@localhost"},
		"lower-case name":        {WebPushKey: key, WebPushSubject: subject, WebPushHosts: []string{"https://push.example"}},
	} {
		_, err := services.webPush(1)
		require.ErrorContains(t, err, want)
	}
	off, err := pushServices{}.webPush(1)
	require.NoError(t, err)
	require.Nil(t, off)

	local := `{"endpoint":"http://127.0.0.1:9099/wp/x","keys":{"p256dh":"` + public + `","auth":"AAAAAAAAAAAAAAAAAAAAAA"}}`
	strict, err := pushServices{WebPushKey: key, WebPushSubject: subject}.webPush(1)
	require.NoError(t, err)
	require.Equal(t, public, strict.PublicKey())
	require.ErrorContains(t, strict.CheckAddress(local), webpush.CodeHostNotAllowed)
	lax, err := pushServices{WebPushKey: key, WebPushSubject: subject, WebPushLoopback: true}.webPush(1)
	require.NoError(t, err)
	require.NoError(t, lax.CheckAddress(local))
}

func TestAKeyIsForItsOwnerAndNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	first := command(t, "push", "keygen", path)
	require.NoError(t, first.failed)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	public, err := webpush.PublicKey(string(text))
	require.NoError(t, err)
	require.Equal(t, public+"\n", first.out)

	require.ErrorIs(t, command(t, "push", "keygen", path).failed, os.ErrExist)
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, again)
}
