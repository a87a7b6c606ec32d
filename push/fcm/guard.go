package fcm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"

	"cloud.google.com/go/auth"

	"doorstep/push/wire"
)

// hiddenStatus stands for an answer that the SDK must not act upon: it retries
// none but 503. No server sends 599.
const hiddenStatus = 599

// attempt holds the facts of one Send. The SDK flattens them into text; here
// they stay facts.
type attempt struct {
	wire.Exchange
	noToken error             // why there is no access token: the token service's doing, not FCM's
	creds   *auth.Credentials // whose token went with it; nil: none
}

type attemptKey struct{}

func withAttempt(ctx context.Context, a *attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// attemptOf finds the attempt that Send put into the context of each request.
func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// guard makes exactly one request and notes the facts. It never fails: the SDK
// would try a failed request again.
type guard struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	x := wire.Do(g.base, req)
	attemptOf(req.Context()).Exchange = x
	status := x.Status
	switch {
	case x.Fault != wire.NoFault,
		status < http.StatusBadRequest && !taken(status, x.Body), // a proxy's success, a captive portal's
		status == http.StatusTooManyRequests,                     // when to try again is the queue's business
		status >= http.StatusInternalServerError:
		status = hiddenStatus
	}
	return answer(req, status, x), nil
}

// taken says whether the answer is FCM's word that it has the message.
func taken(status int, body []byte) bool {
	var answer struct {
		Name string `json:"name"`
	}
	return status == http.StatusOK && json.Unmarshal(body, &answer) == nil &&
		strings.HasPrefix(answer.Name, "projects/")
}

// answer is what the SDK gets to read.
func answer(req *http.Request, status int, x wire.Exchange) *http.Response {
	header := x.Header
	if status == hiddenStatus {
		header = http.Header{} // Retry-After would make it wait
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Request: req,
		Body: io.NopCloser(bytes.NewReader(x.Body)), ContentLength: int64(len(x.Body)),
	}
}

func newTransport(cfg Config) *http.Transport {
	return wire.NewTransport(net.Dialer{}, cfg.MaxConns, cfg.RootCAs)
}
