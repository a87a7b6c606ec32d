package webpush_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/sink"
	"doorstep/push/webpush"
	"doorstep/push/wire"
)

// The date is 90 s after noon.
func TestEveryFaultIsOneRequestAndOneVerdict(t *testing.T) {
	for _, c := range []struct {
		action sink.Action
		wait   sink.RetryAfter
		want   push.Result
	}{
		{sink.OK, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}},
		{sink.Blackhole, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}},
		{sink.OKEmpty, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}},
		{sink.Half, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}}, // its head says so
		{sink.Redirect, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeFalseSuccess}},
		{sink.Empty, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeTransport}},
		{sink.Reset, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeTransport}},
		{sink.Quota, "", push.Result{Outcome: push.Retry, Code: wire.CodeQuota}},
		{sink.Quota, "7", push.Result{Outcome: push.Retry, Code: wire.CodeQuota, After: 7 * time.Second}},
		{sink.Quota, "Mon, 02 Mar 2026 12:01:30 GMT", push.Result{Outcome: push.Retry, Code: wire.CodeQuota, After: 90 * time.Second}},
		{sink.Unavailable, "", push.Result{Outcome: push.Retry, Code: wire.CodeUnavailable}},
		{sink.Unavailable, "9", push.Result{Outcome: push.Retry, Code: wire.CodeUnavailable, After: 9 * time.Second}},
		{sink.Internal, "", push.Result{Outcome: push.Retry, Code: wire.CodeServer}},
		{sink.BadGateway, "", push.Result{Outcome: push.Retry, Code: wire.CodeServer}},
		{sink.Fat, "", push.Result{Outcome: push.Retry, Code: wire.CodeServer}},
		{sink.Unregistered, "", push.Result{Outcome: push.AddrGone, Code: webpush.CodeGone}},
		{sink.NotFound, "", push.Result{Outcome: push.AddrGone, Code: webpush.CodeGone}},
		{sink.Unauthorized, "", push.Result{Outcome: push.ProviderDown, Code: wire.CodeUnauthorized}},
		{sink.Forbidden, "", push.Result{Outcome: push.ProviderDown, Code: wire.CodeForbidden}},
		{sink.BadArgument, "", push.Result{Outcome: push.BadMessage, Code: wire.CodeBadMessage}},
	} {
		for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			t.Run(strings.TrimSpace(fmt.Sprintf("%s %s %s", name, c.action, c.wait)), func(t *testing.T) {
				s := newSink()
				w := serve(t, s, secure)
				require.NoError(t, s.SetRules(sink.Rule{Action: c.action, RetryAfter: c.wait}))

				got := newSender(t, config(w)).Send(t.Context(), address(t, w.URL, "a"), digest())

				require.Equal(t, secure, w.http2.Load())
				require.EqualValues(t, 1, w.sends.Load())
				got.ProviderID = ""
				require.Equal(t, c.want, got)
			})
		}
	}
}

func TestTheStatusAloneCounts(t *testing.T) {
	for _, c := range []struct {
		status  int
		outcome push.Outcome
		code    string
	}{
		{200, push.Accepted, wire.CodeOK},
		{201, push.Accepted, wire.CodeOK},
		{202, push.Accepted, wire.CodeOK},
		{203, push.Ambiguous, wire.CodeFalseSuccess},
		{204, push.Accepted, wire.CodeOK},
		{206, push.Ambiguous, wire.CodeFalseSuccess},
		{301, push.Ambiguous, wire.CodeFalseSuccess},
		{303, push.Ambiguous, wire.CodeFalseSuccess},
		{307, push.Ambiguous, wire.CodeFalseSuccess},
		{308, push.Ambiguous, wire.CodeFalseSuccess},
		{400, push.BadMessage, wire.CodeBadMessage},
		{401, push.ProviderDown, wire.CodeUnauthorized},
		{403, push.ProviderDown, wire.CodeForbidden},
		{404, push.AddrGone, webpush.CodeGone},
		{405, push.ProviderDown, wire.CodeUnexpected},
		{406, push.Retry, wire.CodeQuota},
		{407, push.ProviderDown, wire.CodeUnexpected},
		{408, push.Ambiguous, wire.CodeTimeout},
		{410, push.AddrGone, webpush.CodeGone},
		{413, push.BadMessage, wire.CodeBadMessage},
		{418, push.ProviderDown, wire.CodeUnexpected},
		{429, push.Retry, wire.CodeQuota},
		{500, push.Retry, wire.CodeServer},
		{502, push.Retry, wire.CodeServer},
		{503, push.Retry, wire.CodeUnavailable},
		{504, push.Retry, wire.CodeServer},
	} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			elsewhere := serve(t, newSink(), false)
			w := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				if c.status/100 == 3 {
					rw.Header().Set("Location", elsewhere.URL)
				}
				rw.WriteHeader(c.status)
				_, _ = rw.Write([]byte(strings.Repeat("subscription gone ", 10_000)))
			}), false)
			got := newSender(t, config(w)).Send(t.Context(), address(t, w.URL, "a"), digest())
			require.Equal(t, push.Result{Outcome: c.outcome, Code: c.code}, got)
			require.EqualValues(t, 1, w.sends.Load())
			require.Zero(t, elsewhere.connections.Load(), "a redirect was followed")
		})
	}
}

func TestTheMessagesNameIsBoundedAndPlain(t *testing.T) {
	for location, want := range map[string]string{
		"/m/1":                   "/m/1",
		strings.Repeat("x", 500): strings.Repeat("x", 200),
		"":                       "",
		"/m/\xff":                "",
		"/m/\u00e9":              "",
		"/m/1 2":                 "",
	} {
		w := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header()["Location"] = []string{location}
			rw.WriteHeader(http.StatusCreated)
		}), false)
		got := newSender(t, config(w)).Send(t.Context(), address(t, w.URL, "a"), digest())
		require.Equal(t, push.Result{Outcome: push.Accepted, Code: wire.CodeOK, ProviderID: want}, got)
	}
}

func TestAHangingServerCostsOneAttempt(t *testing.T) {
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			s := newSink()
			w := serve(t, s, secure)
			cfg := config(w)
			cfg.AttemptTimeout = 300 * time.Millisecond
			sender, to := newSender(t, cfg), address(t, w.URL, "a")
			require.Equal(t, push.Accepted, sender.Send(t.Context(), to, digest()).Outcome) // the connection stands
			require.NoError(t, s.SetRules(sink.Rule{Action: sink.Hang}))

			got := sender.Send(t.Context(), to, digest())

			require.Equal(t, push.Result{Outcome: push.Ambiguous, Code: wire.CodeTimeout}, got)
			require.EqualValues(t, 2, w.sends.Load())
		})
	}
}

func TestACallerWhoLeavesLeavesDoubtOnlyIfSomethingWasSent(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	w := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees a client leave only after the body
		leave()
		<-r.Context().Done()
	}), false)
	sender, to := newSender(t, config(w)), address(t, w.URL, "a")

	require.Equal(t, push.Result{Outcome: push.Ambiguous, Code: wire.CodeCancelled}, sender.Send(ctx, to, digest()))
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeCancelled}, sender.Send(ctx, to, digest()))
	require.EqualValues(t, 1, w.sends.Load())
}

func TestARefusedConnectionIsSafeToRetry(t *testing.T) {
	w := serve(t, newSink(), false)
	sender, to := newSender(t, config(w)), address(t, w.URL, "a")
	w.Close()
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeConnect}, sender.Send(t.Context(), to, digest()))
}

func TestABadCertificatePausesTheProvider(t *testing.T) {
	w := serve(t, newSink(), true)
	cfg := config(w)
	cfg.RootCAs = nil
	got := newSender(t, cfg).Send(t.Context(), address(t, w.URL, "a"), digest())
	require.Equal(t, push.Result{Outcome: push.ProviderDown, Code: wire.CodeTLS}, got)
	require.Zero(t, w.sends.Load())
	require.EqualValues(t, 1, w.connections.Load())
}

// A network that breaks the handshake is not a peer that fails it.
func TestAHandshakeCutShortIsSafeToRetry(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	sender := newSender(t, webpush.Config{PrivateKey: vapidKey, Subject: "https://carrier.example", AllowLoopback: true})
	got := sender.Send(t.Context(), address(t, "https://"+listener.Addr().String(), "a"), digest())
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeConnect}, got)
}

func TestWithoutChanceNothingIsSent(t *testing.T) {
	w := serve(t, newSink(), false)
	cfg := config(w)
	cfg.Rand = iotest.ErrReader(io.ErrUnexpectedEOF)
	got := newSender(t, cfg).Send(t.Context(), address(t, w.URL, "a"), digest())
	require.Equal(t, push.Result{Outcome: push.ProviderDown, Code: webpush.CodeEncryption}, got)
	require.Zero(t, w.connections.Load())
}
