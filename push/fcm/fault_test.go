package fcm_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/push/sink"
	"doorstep/push/wire"
)

// FCM's errors are in sink's words; the date is 90 s after noon.
func TestEveryFaultIsOneRequestAndOneVerdict(t *testing.T) {
	for _, c := range []struct {
		action sink.Action
		wait   sink.RetryAfter
		want   push.Result
	}{
		{sink.OK, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}},
		{sink.CType, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}},
		{sink.Blackhole, "", push.Result{Outcome: push.Accepted, Code: wire.CodeOK}},
		{sink.OKEmpty, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeFalseSuccess}},
		{sink.HTML, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeFalseSuccess}},
		{sink.Redirect, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeFalseSuccess}},
		{sink.Half, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeTransport}},
		{sink.Empty, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeTransport}},
		{sink.Reset, "", push.Result{Outcome: push.Ambiguous, Code: wire.CodeTransport}},
		{sink.Quota, "", push.Result{Outcome: push.Retry, Code: wire.CodeQuota}},
		{sink.Quota, "7", push.Result{Outcome: push.Retry, Code: wire.CodeQuota, After: 7 * time.Second}},
		{sink.Quota, "Mon, 02 Mar 2026 12:01:30 GMT", push.Result{Outcome: push.Retry, Code: wire.CodeQuota, After: 90 * time.Second}},
		{sink.Quota, "Mon, 02 Mar 2026 11:59:00 GMT", push.Result{Outcome: push.Retry, Code: wire.CodeQuota}},
		{sink.Quota, "-5", push.Result{Outcome: push.Retry, Code: wire.CodeQuota}},
		{sink.Quota, "4000000000", push.Result{Outcome: push.Retry, Code: wire.CodeQuota, After: 24 * time.Hour}},
		{sink.Quota, "99999999999999999999", push.Result{Outcome: push.Retry, Code: wire.CodeQuota}},
		{sink.Unavailable, "", push.Result{Outcome: push.Retry, Code: wire.CodeUnavailable}},
		{sink.Unavailable, "9", push.Result{Outcome: push.Retry, Code: wire.CodeUnavailable, After: 9 * time.Second}},
		{sink.Unavailable, "Mon, 02 Mar 2026 12:01:30 GMT", push.Result{Outcome: push.Retry, Code: wire.CodeUnavailable, After: 90 * time.Second}},
		{sink.Internal, "", push.Result{Outcome: push.Retry, Code: wire.CodeServer}},
		{sink.BadGateway, "", push.Result{Outcome: push.Retry, Code: wire.CodeServer}},
		{sink.Fat, "", push.Result{Outcome: push.Retry, Code: wire.CodeServer}},
		{sink.Unregistered, "", push.Result{Outcome: push.AddrGone, Code: fcm.CodeUnregistered}},
		{sink.Mismatch, "", push.Result{Outcome: push.AddrGone, Code: fcm.CodeMismatch}},
		{sink.NotFound, "", push.Result{Outcome: push.ProviderDown, Code: fcm.CodeNotFound}},
		{sink.Unauthorized, "", push.Result{Outcome: push.ProviderDown, Code: wire.CodeUnauthorized}},
		{sink.Forbidden, "", push.Result{Outcome: push.ProviderDown, Code: wire.CodeForbidden}},
		{sink.APNSAuth, "", push.Result{Outcome: push.ProviderDown, Code: fcm.CodeAPNSAuth}},
		{sink.BadArgument, "", push.Result{Outcome: push.BadMessage, Code: wire.CodeBadMessage}},
		{sink.BadField, "", push.Result{Outcome: push.BadMessage, Code: wire.CodeBadMessage}},
	} {
		for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			t.Run(strings.TrimSpace(fmt.Sprintf("%s %s %s", name, c.action, c.wait)), func(t *testing.T) {
				s := newSink()
				w := serve(t, s, secure)
				require.NoError(t, s.SetRules(sink.Rule{Action: c.action, RetryAfter: c.wait}))

				got := newSender(t, config(w)).Send(t.Context(), phone, digest())

				require.Equal(t, secure, w.http2.Load())
				require.EqualValues(t, 1, w.sends.Load())
				require.Equal(t, got.Outcome == push.Accepted, strings.HasPrefix(got.ProviderID, "projects/demo/messages/1-"))
				got.ProviderID = ""
				require.Equal(t, c.want, got)
			})
		}
	}
}

// Answers that FCM never gives: what stands between may.
func TestAStrangersAnswerIsNeverBelieved(t *testing.T) {
	unregistered := `{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}`
	name := `{"name":"projects/demo/messages/1"}`
	for _, c := range []struct {
		label   string
		status  int
		body    string
		outcome push.Outcome
		code    string
	}{
		{"no content", 204, "", push.Ambiguous, wire.CodeFalseSuccess},
		{"created", 201, name, push.Ambiguous, wire.CodeFalseSuccess},
		{"see other", 303, name, push.Ambiguous, wire.CodeFalseSuccess},
		{"a name of nothing", 200, `{"name":""}`, push.Ambiguous, wire.CodeFalseSuccess},
		{"another name", 200, `{"name":"operations/1"}`, push.Ambiguous, wire.CodeFalseSuccess},
		{"a name that is a number", 200, `{"name":1}`, push.Ambiguous, wire.CodeFalseSuccess},
		{"a fat success", 200, name[:len(name)-1] + strings.Repeat(" ", 1<<20) + "}", push.Ambiguous, wire.CodeFalseSuccess},
		{"a fat refusal", 404, unregistered + strings.Repeat(" ", 1<<20), push.ProviderDown, fcm.CodeNotFound},
		{"unregistered, but 400", 400, unregistered, push.BadMessage, wire.CodeBadMessage},
		{"unregistered, but 403", 403, unregistered, push.ProviderDown, wire.CodeForbidden},
		{"unregistered, but 500", 500, unregistered, push.Retry, wire.CodeServer},
		{"unregistered, but 200", 200, unregistered, push.Ambiguous, wire.CodeFalseSuccess},
		{"unregistered in words", 404, `{"error":{"message":"UNREGISTERED NotRegistered"}}`, push.ProviderDown, fcm.CodeNotFound},
		{"a page", 404, "<html>UNREGISTERED</html>", push.ProviderDown, fcm.CodeNotFound},
		{"request timeout", 408, "", push.Ambiguous, wire.CodeTimeout},
		{"too large", 413, "", push.BadMessage, wire.CodeBadMessage},
		{"proxy authentication", 407, "", push.ProviderDown, wire.CodeUnexpected},
		{"a teapot", 418, "", push.ProviderDown, wire.CodeUnexpected},
		{"gateway timeout", 504, "", push.Retry, wire.CodeServer},
		{"insufficient storage", 507, "", push.Retry, wire.CodeServer},
	} {
		t.Run(c.label, func(t *testing.T) {
			w := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Location", "/")
				rw.WriteHeader(c.status)
				_, _ = rw.Write([]byte(c.body))
			}), false)
			got := newSender(t, config(w)).Send(t.Context(), phone, digest())
			require.EqualValues(t, 1, w.sends.Load())
			require.Equal(t, push.Result{Outcome: c.outcome, Code: c.code}, got)
		})
	}
}

func TestALongNameIsCut(t *testing.T) {
	w := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(rw, `{"name":"projects/%s"}`, strings.Repeat("x", 500))
	}), false)
	got := newSender(t, config(w)).Send(t.Context(), phone, digest())
	require.Equal(t, push.Accepted, got.Outcome)
	require.Len(t, got.ProviderID, 200)
}

func TestAHangingServerCostsOneAttempt(t *testing.T) {
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			s := newSink()
			w := serve(t, s, secure)
			cfg := config(w)
			cfg.AttemptTimeout = 300 * time.Millisecond
			sender := newSender(t, cfg)
			require.Equal(t, push.Accepted, sender.Send(t.Context(), phone, digest()).Outcome) // the connection stands
			require.NoError(t, s.SetRules(sink.Rule{Action: sink.Hang}))

			got := sender.Send(t.Context(), phone, digest())

			require.Equal(t, push.Result{Outcome: push.Ambiguous, Code: wire.CodeTimeout}, got)
			require.EqualValues(t, 2, w.sends.Load())
		})
	}
}

func TestADrippingAnswerIsCutOff(t *testing.T) {
	w := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees a client leave only after the body
		fmt.Fprint(rw, `{"na`)
		_ = http.NewResponseController(rw).Flush()
		<-r.Context().Done()
	}), false)
	cfg := config(w)
	cfg.AttemptTimeout = 300 * time.Millisecond
	got := newSender(t, cfg).Send(t.Context(), phone, digest())
	require.Equal(t, push.Result{Outcome: push.Ambiguous, Code: wire.CodeTimeout}, got)
}

func TestACallerWhoLeavesLeavesDoubtOnlyIfSomethingWasSent(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	w := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees a client leave only after the body
		leave()
		<-r.Context().Done()
	}), false)
	sender := newSender(t, config(w))

	require.Equal(t, push.Result{Outcome: push.Ambiguous, Code: wire.CodeCancelled}, sender.Send(ctx, phone, digest()))
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeCancelled}, sender.Send(ctx, phone, digest()))
	require.EqualValues(t, 1, w.sends.Load())
}

func TestARefusedConnectionIsSafeToRetry(t *testing.T) {
	w := serve(t, newSink(), false)
	cfg := config(w)
	w.Close()
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeConnect}, newSender(t, cfg).Send(t.Context(), phone, digest()))
}

func TestABadCertificatePausesTheProvider(t *testing.T) {
	w := serve(t, newSink(), true)
	cfg := config(w)
	cfg.RootCAs = nil
	got := newSender(t, cfg).Send(t.Context(), phone, digest())
	require.Equal(t, push.Result{Outcome: push.ProviderDown, Code: wire.CodeTLS}, got)
	require.Zero(t, w.sends.Load())
	require.EqualValues(t, 1, w.connections.Load())
}

func TestAServerWithoutTLSPausesTheProvider(t *testing.T) {
	w := serve(t, newSink(), false)
	cfg := config(w)
	cfg.Endpoint = strings.Replace(cfg.Endpoint, "http:", "https:", 1)
	got := newSender(t, cfg).Send(t.Context(), phone, digest())
	require.Equal(t, push.Result{Outcome: push.ProviderDown, Code: wire.CodeTLS}, got)
	require.Zero(t, w.sends.Load())
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
	cfg := fcm.Config{Project: "demo", Endpoint: "https://" + listener.Addr().String() + "/v1", Now: fixedNow}
	require.Equal(t, push.Result{Outcome: push.Retry, Code: wire.CodeConnect}, newSender(t, cfg).Send(t.Context(), phone, digest()))
}
