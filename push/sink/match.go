package sink

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Match says which sends a rule is for: those that fit every field set.
type Match struct {
	Provider    string `json:"provider,omitempty"`
	TokenPrefix string `json:"token_prefix,omitempty"`
	TokenRegex  string `json:"token_regex,omitempty"` // RE2, anywhere in the token
}

// Span is a span of time by the sink's clock.
type Span struct {
	From time.Time `json:"from,omitzero"` // zero: since ever
	To   time.Time `json:"to,omitzero"`   // no longer in it; zero: for ever
}

func (s Span) contains(t time.Time) bool {
	return !t.Before(s.From) && (s.To.IsZero() || t.Before(s.To))
}

// matcher is a Match and a Span, compiled.
type matcher struct {
	Match
	between Span
	regex   *regexp.Regexp
}

func newMatcher(m Match, between Span) (matcher, error) {
	regex, err := regexp.Compile(m.TokenRegex)
	if err != nil {
		return matcher{}, fmt.Errorf("token_regex: %w", err)
	}
	if !between.To.IsZero() && !between.From.Before(between.To) {
		return matcher{}, fmt.Errorf("between: from must be before to")
	}
	return matcher{Match: m, between: between, regex: regex}, nil
}

func (m matcher) fits(provider, token string, now time.Time) bool {
	return (m.Provider == "" || m.Provider == provider) && strings.HasPrefix(token, m.TokenPrefix) &&
		m.regex.MatchString(token) && m.between.contains(now)
}
