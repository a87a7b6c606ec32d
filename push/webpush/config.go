package webpush

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"strings"
	"time"
)

// Config says who sends, and to whose push services.
type Config struct {
	// PrivateKey is the VAPID key on P-256: PEM (SEC 1 or PKCS #8, as
	// "openssl ecparam -name prime256v1 -genkey" writes it) or its 32 bytes in
	// base64url. A new key orphans every subscription.
	PrivateKey string
	// Subject is whom a push service turns to: "mailto:ops@carrier.example" or
	// an https URL. Apple refuses local names.
	Subject string
	// Hosts are the push services' names, each with those below it, at port 443
	// or the one named: "push.example", "push.example:8443". Empty:
	// DefaultHosts.
	Hosts []string
	// AllowLoopback adds this machine, at any port and also without TLS, for
	// development.
	AllowLoopback bool
	MaxConns      int // connections to a host, and idle ones in all; 0: DefaultMaxConns

	AttemptTimeout time.Duration    // of one Send; 0: DefaultAttemptTimeout
	RootCAs        *x509.CertPool   // whom to trust; nil: the system's
	Now            func() time.Time // nil: time.Now
	Rand           io.Reader        // of keys and salts, safe for concurrent use; nil: crypto/rand's
}

// Defaults of Config.
const (
	DefaultMaxConns       = 256
	DefaultAttemptTimeout = 10 * time.Second
)

// DefaultHosts are the push services of Chrome, Firefox, Safari and Edge.
func DefaultHosts() []string {
	return []string{"fcm.googleapis.com", "push.services.mozilla.com", "web.push.apple.com", "notify.windows.com"}
}

// checked is the configuration with its defaults filled in, or an error that
// names the setting to mend. It never quotes the key.
func (c Config) checked() (Config, error) {
	switch {
	case c.PrivateKey == "":
		return c, errors.New("webpush: the private key is missing")
	case c.MaxConns < 0:
		return c, errors.New("webpush: the number of connections must not be negative")
	case c.AttemptTimeout < 0:
		return c, errors.New("webpush: the attempt timeout must not be negative")
	}
	if err := checkSubject(c.Subject); err != nil {
		return c, err
	}
	if len(c.Hosts) == 0 {
		c.Hosts = DefaultHosts()
	}
	for _, host := range c.Hosts {
		if !hostForm.MatchString(host) {
			return c, fmt.Errorf("webpush: host %q must be a lower-case name such as push.example or push.example:8443", host)
		}
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
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c, nil
}

// checkSubject refuses what push services do (RFC 8292, 2.1), so that it shows
// at start.
func checkSubject(subject string) error {
	var host string
	if address, ok := strings.CutPrefix(subject, "mailto:"); ok {
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address {
			return fmt.Errorf("webpush: subject %q must be mailto: and a bare address", subject)
		}
		host = address[strings.LastIndexByte(address, '@')+1:]
	} else {
		u, err := url.Parse(subject)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return fmt.Errorf("webpush: subject %q must be mailto: and an address, or an https URL", subject)
		}
		host = u.Hostname()
	}
	if host = strings.ToLower(host); !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("webpush: subject %q must not be at a local name", subject)
	}
	return nil
}
