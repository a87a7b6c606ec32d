package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"doorstep/push"
)

// Action is what the sink does with a well-formed send.
type Action string

// The actions. Those that take the message are ok, ctype and half.
const (
	OK           Action = "ok"
	OKEmpty      Action = "ok_empty"  // 200 {}
	HTML         Action = "html"      // 200 and a page, as a captive portal does
	Redirect     Action = "redirect"  // 302
	CType        Action = "ctype"     // ok, said to be text/html
	Half         Action = "half"      // ok, cut in the middle
	Empty        Action = "empty"     // the connection ends without an answer
	Hang         Action = "hang"      // no answer until the client goes
	Reset        Action = "reset"     // the connection is reset
	Blackhole    Action = "blackhole" // ok, and no phone ever shows it
	Fat          Action = "fat"       // 500 and 1 MiB of text
	Quota        Action = "429"
	Unavailable  Action = "503"
	Internal     Action = "500"
	BadGateway   Action = "502_html"
	Unregistered Action = "unregistered" // 404 that says so
	NotFound     Action = "404"          // 404 that says nothing
	Mismatch     Action = "mismatch"     // 403 SENDER_ID_MISMATCH
	Unauthorized Action = "401"
	Forbidden    Action = "403"
	APNSAuth     Action = "apns_auth" // 401 THIRD_PARTY_AUTH_ERROR
	BadArgument  Action = "400"
	BadField     Action = "400_field" // 400 with fieldViolations
)

// Actions lists them all.
var Actions = []Action{
	OK, OKEmpty, HTML, Redirect, CType, Half, Empty, Hang, Reset, Blackhole, Fat,
	Quota, Unavailable, Internal, BadGateway, Unregistered, NotFound, Mismatch,
	Unauthorized, Forbidden, APNSAuth, BadArgument, BadField,
}

// takes says whether the message of such a send goes on to its device.
func (a Action) takes() bool { return a == OK || a == CType || a == Half }

// Rule gives an action to some of the sends that match it.
type Rule struct {
	Match      Match      `json:"match"`
	Between    Span       `json:"between,omitzero"` // at other times nothing matches
	Nth        int        `json:"nth,omitempty"`    // only the nth matching send, from 1
	Every      int        `json:"every,omitempty"`  // only each so-many-th
	P          float64    `json:"p,omitempty"`      // of those, only with this probability; 0: all
	Count      int        `json:"count,omitempty"`  // at most so often; 0: always
	Action     Action     `json:"action"`
	RetryAfter RetryAfter `json:"retry_after,omitempty"` // of 429 and 503
}

// RetryAfter is the header as it will be sent: seconds or an HTTP date. In JSON
// seconds may be a number.
type RetryAfter string

// UnmarshalJSON implements json.Unmarshaler.
func (r *RetryAfter) UnmarshalJSON(b []byte) error {
	var seconds uint32
	if json.Unmarshal(b, &seconds) == nil {
		*r = RetryAfter(strconv.FormatUint(uint64(seconds), 10))
		return nil
	}
	return json.Unmarshal(b, (*string)(r))
}

// ruleState is a rule and what it has seen.
type ruleState struct {
	Rule
	matcher          matcher
	chance           *rand.Rand
	matched, applied int
}

func newRuleState(r Rule, chance *rand.Rand) (*ruleState, error) {
	switch {
	case !slices.Contains(Actions, r.Action):
		return nil, fmt.Errorf("unknown action %q", r.Action)
	case r.Nth < 0 || r.Every < 0 || r.Count < 0:
		return nil, errors.New("nth, every and count must not be negative")
	case !(r.P >= 0 && r.P <= 1):
		return nil, errors.New("p must be between 0 and 1")
	}
	m, err := newMatcher(r.Match, r.Between)
	if err != nil {
		return nil, err
	}
	return &ruleState{Rule: r, matcher: m, chance: chance}, nil
}

// applies counts a send and says whether the rule acts on it.
func (r *ruleState) applies(provider, token string, now time.Time) bool {
	if !r.matcher.fits(provider, token, now) {
		return false
	}
	r.matched++
	switch {
	case r.Nth > 0 && r.matched != r.Nth,
		r.Every > 0 && r.matched%r.Every != 0,
		r.P > 0 && r.chance.Float64() >= r.P,
		r.Count > 0 && r.applied >= r.Count:
		return false
	}
	r.applied++
	return true
}

// SetRules replaces the rules and starts their counting and their chance anew.
// The first rule that applies decides; without one the token's own magic does,
// else it is ok.
func (s *Sink) SetRules(rules ...Rule) error {
	states := make([]*ruleState, len(rules))
	for i, r := range rules {
		state, err := newRuleState(r, rand.New(rand.NewPCG(s.seed, uint64(i)+1)))
		if err != nil {
			return fmt.Errorf("rule %d: %w", i, err)
		}
		states[i] = state
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = states
	return nil
}

// decide finds the action for a send to d. The caller holds mu.
func (s *Sink) decide(provider string, d *device, now time.Time) (Action, RetryAfter) {
	if r := s.ruling(provider, d.token, now); r != nil {
		return r.Action, r.RetryAfter
	}
	return d.magic()
}

// ruling is the first rule that applies; nil if none does. The caller holds mu.
func (s *Sink) ruling(provider, token string, now time.Time) *ruleState {
	for _, r := range s.rules {
		if r.applies(provider, token, now) {
			return r
		}
	}
	return nil
}

// rehearse finds the action for a dry run, by the rules alone: no phone hears of
// it, and no request is listed.
func (s *Sink) rehearse(token string) (Action, RetryAfter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.ruling(push.FCM, token, s.now().UTC()); r != nil {
		return r.Action, r.RetryAfter
	}
	return OK, ""
}
