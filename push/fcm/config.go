package fcm

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Config says which FCM to speak to, and as whom.
type Config struct {
	Project         string // the Firebase project id
	Endpoint        string // base URL up to the version, "http://127.0.0.1:9099/v1"; empty: Google's
	CredentialsFile string // Google credentials in JSON; empty only for a loopback Endpoint
	MaxConns        int    // connections to the host; 0: DefaultMaxConns

	AttemptTimeout time.Duration    // of one Send, token included; 0: DefaultAttemptTimeout
	RootCAs        *x509.CertPool   // whom to trust; nil: the system's
	Now            func() time.Time // reads Retry-After dates; nil: time.Now
}

// Defaults of Config. FCM's guide to scale asks for at least 10 s before a
// request is given up.
const (
	DefaultMaxConns       = 256
	DefaultAttemptTimeout = 10 * time.Second
)

// A project id becomes part of the URL. Old ones carry a domain
// ("example.com:shop").
var projectForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]*$`)

// checked is the configuration with its defaults filled in, or an error that
// names the setting to mend. Half a setting is an error, so that a typing
// mistake cannot turn pushes off in silence.
func (c Config) checked() (Config, error) {
	switch {
	case c.Project == "":
		return c, errors.New("fcm: the project id is missing")
	case !projectForm.MatchString(c.Project):
		return c, fmt.Errorf("fcm: %q is not a project id", c.Project)
	case c.Endpoint == "" && c.CredentialsFile == "":
		return c, errors.New("fcm: the project needs credentials, or an endpoint on this machine")
	case c.MaxConns < 0:
		return c, errors.New("fcm: the number of connections must not be negative")
	case c.AttemptTimeout < 0:
		return c, errors.New("fcm: the attempt timeout must not be negative")
	}
	if c.Endpoint != "" {
		endpoint, err := checkedEndpoint(c.Endpoint, c.CredentialsFile != "")
		if err != nil {
			return c, err
		}
		c.Endpoint = endpoint
	}
	if c.MaxConns == 0 {
		c.MaxConns = DefaultMaxConns
	}
	if c.AttemptTimeout == 0 {
		c.AttemptTimeout = DefaultAttemptTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// checkedEndpoint is raw without a trailing slash. Elsewhere than on this
// machine an endpoint needs credentials, and those need TLS.
func checkedEndpoint(raw string, credentials bool) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return "", fmt.Errorf("fcm: endpoint %q must be a URL such as http://127.0.0.1:9099/v1", raw)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("fcm: the endpoint must have no user, query or fragment")
	}
	if !loopback(u.Hostname()) {
		if !credentials {
			return "", fmt.Errorf("fcm: endpoint %q is not on this machine and needs credentials", raw)
		}
		if u.Scheme != "https" {
			return "", fmt.Errorf("fcm: endpoint %q is not on this machine and needs https", raw)
		}
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
