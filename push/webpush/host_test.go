package webpush_test

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
	"doorstep/push/webpush"
)

// at is the address of a browser with good keys at an endpoint.
func at(t testing.TB, endpoint string) push.Address {
	t.Helper()
	good, err := newSink().NewSubscription("https://push.example", "a")
	require.NoError(t, err)
	var sub map[string]any
	require.NoError(t, json.Unmarshal([]byte(good), &sub))
	sub["endpoint"] = endpoint
	text, err := json.Marshal(sub)
	require.NoError(t, err)
	return push.Address{Kind: push.KindSubscription, Value: string(text)}
}

// trap is a server on this machine that nothing may connect to.
func trap(t *testing.T) (w *server, port string) {
	t.Helper()
	w = serve(t, newSink(), true)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(w.URL, "https://"))
	require.NoError(t, err)
	return w, port
}

func TestAnEndpointThatIsNoPushServiceIsGivenUpUntried(t *testing.T) {
	w, port := trap(t)
	cfg := config(w)
	cfg.AllowLoopback = false
	cfg.Hosts = append(webpush.DefaultHosts(), "localhost")
	sender := newSender(t, cfg)
	for _, endpoint := range []string{
		"https://evil.example/a.googleapis.com/x",
		"https://evil.example/fcm.googleapis.com",
		"https://evil.example/?fcm.googleapis.com",
		"https://evil.example#fcm.googleapis.com",
		"https://fcm.googleapis.com.evil.example/x",
		"https://evilfcm.googleapis.com/x",
		"https://evil-fcm.googleapis.com/x",
		"https://googleapis.com/x",
		"https://storage.googleapis.com/x",
		"https://fcm.googleapis.com./x",
		"https://.fcm.googleapis.com.evil.example/x",
		"https://fcm.googleapis.com:8443/x",
		"https://fcm.googleapis.com:0443/x",
		"https://fcm.googleapis.com:80/x",
		"http://fcm.googleapis.com/x",
		"http://fcm.googleapis.com:443/x",
		"ftp://fcm.googleapis.com/x",
		"//fcm.googleapis.com/x",
		"https://fcm\u3002googleapis\u3002com/x", // full stops that a lenient client maps to dots
		"https://ｆcm.googleapis.com/x",
		"https://127.0.0.1:" + port + "/wp/a",
		"http://127.0.0.1:" + port + "/wp/a",
		"https://localhost:" + port + "/wp/a",
		"https://[::1]:" + port + "/wp/a",
		"https://[::ffff:127.0.0.1]:" + port + "/wp/a",
		"https://[::ffff:7f00:1]/wp/a",
		"https://2130706433/wp/a",
		"https://0x7f.1/wp/a",
		"https://0/wp/a",
		"https://169.254.169.254/latest/meta-data",
	} {
		got := sender.Send(t.Context(), at(t, endpoint), digest())
		require.Equal(t, push.Result{Outcome: push.AddrGone, Code: webpush.CodeHostNotAllowed}, got, endpoint)
	}
	require.Zero(t, w.connections.Load())
}

func TestWhatIsNoSubscriptionIsGivenUpUntried(t *testing.T) {
	w, port := trap(t)
	sender := newSender(t, config(w))
	good := at(t, w.URL+"/wp/a").Value
	for _, value := range []string{
		"a-registration-token", `null`, `{}`, `[]`, `""`, `{"endpoint":1}`, good + "{}", good[1:], good[:len(good)-1],
		strings.Replace(good, `"keys"`, `"locks"`, 1),
		strings.Replace(good, `"auth":"`, `"auth":"AAAA`, 1),
		strings.Replace(good, `"auth":"`, `"auth":"!`, 1),
		strings.Replace(good, `"p256dh":"`, `"p256dh":"AAAA`, 1),
		strings.Replace(good, `"p256dh":"B`, `"p256dh":"C`, 1), // another form of point
		at(t, "").Value,
		at(t, "https:").Value,
		at(t, "https://").Value,
		at(t, "https://:443/x").Value,
		at(t, "/wp/a").Value,
		at(t, "mailto:a@fcm.googleapis.com").Value,
		at(t, "https://user@fcm.googleapis.com/x").Value,
		at(t, "https://user:word@127.0.0.1:"+port+"/wp/a").Value,
		at(t, "https://fcm.googleapis.com@127.0.0.1:"+port+"/wp/a").Value,
		at(t, "https://fcm.googleapis.com:443@127.0.0.1:"+port+"/wp/a").Value,
		at(t, `https://fcm.googleapis.com\@127.0.0.1:`+port+"/wp/a").Value,
		at(t, "https://127.0.0.1:"+port+`\.fcm.googleapis.com/x`).Value,
		at(t, "https://fcm.googleapis.com%2eevil.example/x").Value,
		at(t, "https://fcm.googleapis.com\t/x").Value,
		at(t, "https://fcm.googleapis.com\r\nHost: 127.0.0.1/x").Value,
		at(t, "https://fcm.googleapis.com:port/x").Value,
		at(t, "https://[::1/x").Value,
	} {
		got := sender.Send(t.Context(), push.Address{Kind: push.KindSubscription, Value: value}, digest())
		require.Equal(t, push.Result{Outcome: push.AddrGone, Code: webpush.CodeBadSubscription}, got, value)
	}
	require.Zero(t, w.connections.Load())
}

func TestTheBrowsersOwnServicesAreAllowed(t *testing.T) {
	sender := newSender(t, webpush.Config{PrivateKey: vapidKey, Subject: "https://carrier.example"})
	for _, endpoint := range []string{
		"https://fcm.googleapis.com/fcm/send/x",
		"https://fcm.googleapis.com:443/fcm/send/x",
		"https://FCM.GoogleAPIs.com/fcm/send/x",
		"https://updates.push.services.mozilla.com/wpush/v2/x",
		"https://web.push.apple.com/x",
		"https://wns2-par02p.notify.windows.com/w/?token=x",
	} {
		require.NoError(t, sender.CheckAddress(at(t, endpoint).Value), endpoint)
	}
	err := sender.CheckAddress(at(t, "https://push.example/x").Value)
	require.ErrorIs(t, err, doorstep.ErrInvalid)
	require.ErrorContains(t, err, "/endpoint host_not_allowed")
}

func TestAHostMayNameItsPort(t *testing.T) {
	sender := newSender(t, webpush.Config{
		PrivateKey: vapidKey, Subject: "https://carrier.example", Hosts: []string{"push.example:8443", "other.example"},
	})
	for endpoint, allowed := range map[string]bool{
		"https://push.example:8443/x": true, "https://a.push.example:8443/x": true, "https://other.example/x": true,
		"https://push.example/x": false, "https://other.example:8443/x": false, "https://fcm.googleapis.com/x": false,
	} {
		require.Equal(t, allowed, sender.CheckAddress(at(t, endpoint).Value) == nil, endpoint)
	}
}

// Whoever answers for a name decides where it leads: the address counts.
func TestANameThatLeadsToThisMachineIsNotDialled(t *testing.T) {
	w, port := trap(t)
	cfg := config(w)
	cfg.AllowLoopback = false
	cfg.Hosts = []string{"localhost:" + port}
	got := newSender(t, cfg).Send(t.Context(), at(t, "https://localhost:"+port+"/wp/a"), digest())
	require.Equal(t, push.Result{Outcome: push.Retry, Code: webpush.CodeAddressRefused}, got)
	require.Zero(t, w.connections.Load())
}

func TestLoopbackIsForDevelopmentAndOpensNothingElse(t *testing.T) {
	sender := newSender(t, webpush.Config{PrivateKey: vapidKey, Subject: "https://carrier.example", AllowLoopback: true})
	for endpoint, allowed := range map[string]bool{
		"http://127.0.0.1:9099/wp/a": true, "http://localhost:9099/wp/a": true, "https://[::1]:9099/wp/a": true,
		"ftp://127.0.0.1/wp/a": false, "http://127.0.0.1.evil.example/wp/a": false, "http://localhost.evil.example/x": false,
		"http://10.0.0.1/wp/a": false, "http://192.168.1.1/x": false, "http://[fe80::1]/x": false, "http://0.0.0.0:9099/x": false,
	} {
		require.Equal(t, allowed, sender.CheckAddress(at(t, endpoint).Value) == nil, endpoint)
	}
}

func FuzzSubscription(f *testing.F) {
	sender, err := webpush.New(webpush.Config{PrivateKey: vapidKey, Subject: "https://carrier.example"})
	require.NoError(f, err)
	for _, endpoint := range []string{
		"https://fcm.googleapis.com/x", "https://a.push.services.mozilla.com:443/x", "https://user@web.push.apple.com",
		"https://fcm.googleapis.com.evil.example", "https://[::1]/", "//fcm.googleapis.com", `https://a\.notify.windows.com`,
	} {
		f.Add(at(f, endpoint).Value)
	}
	f.Add(`{"endpoint":"https://fcm.googleapis.com","keys":{"p256dh":"BA==","auth":"AA"}}`)
	f.Fuzz(func(t *testing.T, value string) {
		if sender.CheckAddress(value) != nil {
			return
		}
		var sub struct{ Endpoint string }
		require.NoError(t, json.Unmarshal([]byte(value), &sub))
		u, err := url.Parse(sub.Endpoint)
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.Nil(t, u.User)
		require.Contains(t, []string{"", "443"}, u.Port())
		require.Nil(t, net.ParseIP(u.Hostname()))
		labels := strings.Split(strings.ToLower(u.Hostname()), ".")
		found := false
		for i := range labels {
			for _, host := range webpush.DefaultHosts() {
				found = found || strings.Join(labels[i:], ".") == host
			}
		}
		require.True(t, found, u.Hostname())
	})
}
