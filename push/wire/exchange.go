// Package wire is what the providers that speak HTTP share: one request an
// attempt with the facts of how it ended, and what HTTP itself says about them.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// MaxBody bounds in bytes what is read of an answer. Good ones have a few
// hundred.
const MaxBody = 64 << 10

// Fault is how an exchange ended without a whole answer.
type Fault uint8

// The faults.
const (
	NoFault      Fault = iota
	NoConnection       // refused, no such host, lost before it was of use
	BadTLS             // the handshake failed for what the peer is, not for the network
	TimedOut           // the attempt's time was up
	Cancelled          // the caller gave up
	Cut                // the answer is missing or incomplete
)

// Exchange holds the facts of one request.
type Exchange struct {
	Fault  Fault
	Sent   bool        // the server may have acted
	Status int         // as it came, also where the body then broke off; 0: no answer
	Header http.Header // as it came
	Body   []byte      // nil if it broke off or was longer than MaxBody
	Err    error       // the cause of Fault, for errors.Is: it may quote the address
}

// Do makes exactly one request through base and follows no redirect.
func Do(base http.RoundTripper, req *http.Request) Exchange {
	var x Exchange
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
	resp, err := base.RoundTrip(req.WithContext(ctx))
	x.Sent, x.Err = sent.Load(), err
	if err != nil {
		switch {
		case x.Sent:
			x.Fault = faultOr(ctx, err, Cut)
		case tlsFailed.Load():
			x.Fault = BadTLS
		default:
			x.Fault = faultOr(ctx, err, NoConnection)
		}
		return x
	}
	defer resp.Body.Close()
	x.Status, x.Header = resp.StatusCode, resp.Header
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	switch {
	case err != nil:
		x.Fault, x.Err = faultOr(ctx, err, Cut), err
	case len(body) <= MaxBody:
		x.Body = body
	}
	return x
}

// faultOr is f, unless the request ended because its caller or its time did.
func faultOr(ctx context.Context, err error, f Fault) Fault {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Cancelled
	case ctx.Err() != nil || isTimeout(err):
		return TimedOut
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
