package outside

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is where the model is and how far it may go.
type Config struct {
	URL     string        // base, such as https://models.example/v1; "/chat/completions" is added
	Model   string        // as the service calls it
	Key     string        // sent as a bearer; "" for services that want none
	Timeout time.Duration // for one call, which holds up the filing of one complaint
	Daily   int           // calls a UTC day and process, failed ones included
}

// Bounds of the settings.
const (
	DefaultTimeout = 2 * time.Second
	LongestTimeout = 5 * time.Second
	DefaultDaily   = 1000
)

// On says whether the reader is set up at all.
func (c Config) On() bool { return c.URL != "" || c.Model != "" || c.Key != "" }

// check refuses settings that would fail later or give the key or the text away.
// No error quotes the key.
func (c Config) check() error {
	switch {
	case c.URL == "" || c.Model == "":
		return errors.New("the outside reader needs both its URL and its model")
	case c.Timeout <= 0 || c.Timeout > LongestTimeout:
		return fmt.Errorf("the outside reader's time-out must be above 0s and at most %s", LongestTimeout)
	case c.Daily < 1:
		return errors.New("the outside reader's daily budget must be at least 1")
	case strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the outside reader's key has characters that no header can carry")
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the outside reader's URL must be a base such as https://models.example/v1, without user, query and fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("the outside reader's URL must be https, or http on this machine")
}

func (c Config) endpoint() string { return strings.TrimRight(c.URL, "/") + "/chat/completions" }

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
