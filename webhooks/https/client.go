// Package https posts signed messages to the systems of strangers: over TLS, to
// public addresses only, and never further than the URL says.
package https

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"doorstep/push/wire"
	"doorstep/webhooks"
)

const (
	// attemptTime is what a receiver has for its whole answer; Standard Webhooks
	// asks for 15 s to 30 s.
	attemptTime = 20 * time.Second

	lookupTime = 5 * time.Second

	// maxAnswer is how much of an answer's body is read, in bytes, so that the
	// connection can be used again. A longer one costs the connection.
	maxAnswer = 4 << 10

	maxHeaders = 16 << 10 // of an answer, in bytes

	// maxConns is how many connections one receiver has from a node.
	maxConns = 8
)

// Config says where requests may go.
type Config struct {
	AllowPrivate bool           // also to private, loopback and link-local addresses
	Roots        *x509.CertPool // nil: the system's
	Timeout      time.Duration  // of an attempt; 0: attemptTime
}

// Client implements webhooks.Receiver.
type Client struct {
	private bool // whether private addresses are allowed
	http    *http.Client
}

// New makes a client. It uses no proxy: behind one the addresses could not be
// checked.
func New(cfg Config) *Client {
	c := &Client{private: cfg.AllowPrivate}
	// After the name was resolved and before the connection is made: a name that
	// changes its address between check and use gains nothing.
	transport := wire.NewTransport(net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("dial: %w", err)
		}
		return c.allow(to.Addr())
	}}, maxConns, cfg.Roots)
	transport.Proxy = nil
	transport.ResponseHeaderTimeout = 0 // the attempt's own time is enough
	transport.MaxResponseHeaderBytes = maxHeaders
	c.http = &http.Client{
		Timeout: cmp.Or(cfg.Timeout, attemptTime), Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

var errPrivate = errors.New("not a public address")

func (c *Client) allow(to netip.Addr) error {
	if c.private || wire.IsPublic(to) {
		return nil
	}
	return errPrivate
}

// Check implements webhooks.Receiver.
func (c *Client) Check(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" {
		return &webhooks.AddressError{Code: "invalid_url", Detail: "must be an absolute URL without a fragment"}
	}
	if u.Scheme != "https" {
		return &webhooks.AddressError{Code: "not_https", Detail: "must begin with https://"}
	}
	if u.User != nil {
		return &webhooks.AddressError{Code: "invalid_url", Detail: "must not hold a user name or password"}
	}
	if c.private {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return &webhooks.AddressError{Code: "unknown_host", Detail: "the host's address could not be found"}
	}
	for _, to := range addresses {
		if c.allow(to) != nil {
			return &webhooks.AddressError{Code: "private_address", Detail: "the host must have public addresses only"}
		}
	}
	return nil
}

// Post implements webhooks.Receiver.
func (c *Client) Post(ctx context.Context, m webhooks.Message) webhooks.Result {
	began := time.Now()
	status, err := c.post(ctx, m)
	r := webhooks.Result{Status: status, Took: time.Since(began)}
	switch {
	case err != nil:
		r.Status, r.Fault = 0, faultOf(err)
	case status >= 300 && status < 400:
		r.Fault = webhooks.Redirected
	case status < 200 || status >= 400:
		r.Fault = webhooks.BadStatus
	}
	return r
}

func (c *Client) post(ctx context.Context, m webhooks.Message) (status int, err error) {
	signatures := make([]string, len(m.Secrets))
	for i, secret := range m.Secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return 0, fmt.Errorf("secret: %w", err)
		}
		if signatures[i], err = signer.Sign(m.ID, m.At, m.Body); err != nil {
			return 0, fmt.Errorf("sign: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "doorstep")
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(m.At.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	// The status is the answer; a body that breaks off changes nothing about it.
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	return res.StatusCode, nil
}

// faultOf sorts what kept an attempt from an answer.
func faultOf(err error) webhooks.Fault {
	var (
		timeout     net.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, errPrivate):
		return webhooks.PrivateAddress
	case errors.As(err, &certificate), errors.As(err, &record):
		return webhooks.Untrusted
	case errors.As(err, &timeout) && timeout.Timeout():
		return webhooks.TimedOut
	}
	return webhooks.Unreachable
}
