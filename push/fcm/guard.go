package fcm

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"cloud.google.com/go/auth"
)

const (
	// maxBody bounds what is read of an answer. FCM's have a few hundred bytes.
	maxBody = 64 << 10
	// hiddenStatus stands for an answer that the SDK must not act upon: it
	// retries none but 503. No server sends 599.
	hiddenStatus = 599
)

// fault is how an attempt ended without an answer worth reading.
type fault uint8

const (
	noFault      fault = iota
	noToken            // no access token: the endpoint is the token service's, not FCM's
	noConnection       // refused, no such host, lost before it was of use
	badTLS             // the handshake failed for what the peer is, not for the network
	timedOut           // the attempt's time was up
	cancelled          // the caller gave up
	cut                // the answer is missing or incomplete
	falseSuccess       // a success without FCM's name for the message: a proxy's, a captive portal's
)

// attempt holds the facts of one Send. The SDK flattens them into text; here
// they stay facts.
type attempt struct {
	fault      fault
	sent       bool              // the server may have acted
	status     int               // as it came; 0: no answer
	retryAfter string            // as it came
	creds      *auth.Credentials // whose token went with it; nil: none
}

type attemptKey struct{}

func withAttempt(ctx context.Context, a *attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// attemptOf finds the attempt that Send put into the context of each request.
func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// guard makes exactly one request, reads at most maxBody of the answer and
// notes the facts. It never fails: the SDK would try a failed request again.
type guard struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	a := attemptOf(req.Context())
	var sent, tlsFailed atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		// A connection in hand counts as sent. The transport asks for another
		// only when it knows that nothing was acted upon.
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			tlsFailed.Store(err != nil && !fromNetwork(err))
		},
	})
	resp, err := g.base.RoundTrip(req.WithContext(ctx))
	a.sent = sent.Load()
	if err != nil {
		switch {
		case a.sent:
			a.fault = faultOr(ctx, err, cut)
		case tlsFailed.Load():
			a.fault = badTLS
		default:
			a.fault = faultOr(ctx, err, noConnection)
		}
		return hidden(req, nil), nil
	}
	defer resp.Body.Close()
	a.status, a.retryAfter = resp.StatusCode, resp.Header.Get("Retry-After")
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		a.fault = faultOr(ctx, err, cut)
		return hidden(req, nil), nil
	case len(body) > maxBody:
		body = nil // the status alone counts
	}
	if resp.StatusCode < http.StatusBadRequest && !taken(resp.StatusCode, body) {
		a.fault = falseSuccess
		return hidden(req, nil), nil
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError {
		return hidden(req, body), nil // when to try again is the queue's business
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// faultOr is f, unless the request ended because its caller or its time did.
func faultOr(ctx context.Context, err error, f fault) fault {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return cancelled
	case ctx.Err() != nil || isTimeout(err):
		return timedOut
	}
	return f
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// fromNetwork tells a handshake that the network broke from one that the peer's
// certificate or protocol did.
func fromNetwork(err error) bool {
	var errno syscall.Errno
	return errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || errors.As(err, &errno) || isTimeout(err)
}

// taken says whether the answer is FCM's word that it has the message.
func taken(status int, body []byte) bool {
	var answer struct {
		Name string `json:"name"`
	}
	return status == http.StatusOK && json.Unmarshal(body, &answer) == nil &&
		strings.HasPrefix(answer.Name, "projects/")
}

// hidden is an answer that the SDK reads, for FCM's error code, but does not
// act upon.
func hidden(req *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status: "599 Hidden", StatusCode: hiddenStatus,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Request: req,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// newTransport bounds each phase of a request below the attempt's own time, so
// that a fault shows as what it is.
func newTransport(cfg Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 8 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxConnsPerHost:       cfg.MaxConns,
		MaxIdleConnsPerHost:   cfg.MaxConns,
		IdleConnTimeout:       90 * time.Second,
		// A connection that died in silence would swallow every request until
		// the kernel noticed, a quarter of an hour later.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
}
