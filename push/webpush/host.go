package webpush

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"doorstep/push/wire"
)

// hostForm is a name of letters with an optional port. The last label begins
// with a letter, so it is no IPv4 address.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$`)

// allowList says which endpoints may be called.
type allowList struct {
	names    []string // "push.example" or "push.example:8443"
	loopback bool     // this machine as well, at any port, also without TLS
}

// allows compares the parsed host, never the text of the URL.
func (l allowList) allows(endpoint *url.URL) bool {
	host, port := strings.ToLower(endpoint.Hostname()), endpoint.Port()
	if l.loopback && (endpoint.Scheme == "https" || endpoint.Scheme == "http") && isLoopback(host) {
		return true
	}
	if endpoint.Scheme != "https" {
		return false
	}
	if port == "" {
		port = "443"
	}
	for _, name := range l.names {
		name, wanted, found := strings.Cut(name, ":")
		if !found {
			wanted = "443"
		}
		if port == wanted && (host == name || strings.HasSuffix(host, "."+name)) {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.Unmap().IsLoopback())
}

// originOf is the endpoint's origin as a token's audience names it (RFC 6454,
// 6.2): lower-case, without the scheme's own port.
func originOf(endpoint *url.URL) string {
	scheme, host := endpoint.Scheme, strings.ToLower(endpoint.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + strings.TrimSuffix(host, ":")
}

// errNotPublic says that a push service's name led to an address of this
// machine or its network: the work of a name server, not of the browser.
var errNotPublic = errors.New("webpush: the address is not public")

// newTransport dials public addresses only. The dialler asks for each address
// after the name was resolved, so that no name server can send us elsewhere
// between a check and a call. A proxy would resolve the name itself and hide
// where it leads, so none is asked.
func newTransport(cfg Config) *http.Transport {
	dialer := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("webpush: dial: %w", err)
		}
		ip := at.Addr().Unmap()
		if !wire.IsPublic(ip) && !(cfg.AllowLoopback && ip.IsLoopback()) {
			return errNotPublic
		}
		return nil
	}}
	t := wire.NewTransport(dialer, cfg.MaxConns, cfg.RootCAs)
	t.Proxy = nil
	t.MaxIdleConns = cfg.MaxConns
	return t
}
