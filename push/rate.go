package push

import (
	"math"
	"time"
)

// How the rate follows the provider.
const (
	slowest  = 1.0 // messages a second; less only if so set
	rise     = 1.1
	riseTime = 10 * time.Second // without a refusal
)

// Rate is how fast one provider may be handed messages: a bucket of tokens, one
// a message, of a second's worth. A refusal for quota halves the speed, every
// ten seconds without one raise it by a tenth, up to what was set: one halving
// is made good in 80 seconds, the way from 1 to 500 a second takes 11 minutes.
// It is not safe for concurrent use.
type Rate struct {
	set    float64 // messages a second, as configured
	now    float64 // messages a second, at the moment
	tokens float64
	filled time.Time // the tokens are counted up to here
	clean  time.Time // start of the current ten seconds
	paused time.Time // nothing before
	era    int       // counts the halvings
	inARow int       // halvings since the last message that was accepted
}

// NewRate starts at full speed with a full bucket.
func NewRate(perSecond float64, now time.Time) *Rate {
	return &Rate{set: perSecond, now: perSecond, tokens: max(1, perSecond), filled: now}
}

// Room is how many messages may begin now.
func (r *Rate) Room(now time.Time) int {
	r.advance(now)
	if now.Before(r.paused) {
		return 0
	}
	const slack = 1e-9 // of sums of fractions
	return int(min(math.Floor(r.tokens+slack), math.MaxInt32))
}

// Wait is how long there will be no room for n messages; 0 if there is.
func (r *Rate) Wait(now time.Time, n int) time.Duration {
	if r.Room(now) >= n {
		return 0
	}
	fill := time.Duration((float64(n) - r.tokens) / r.now * float64(time.Second))
	return max(fill, r.paused.Sub(now))
}

// PerSecond is the speed at the moment.
func (r *Rate) PerSecond(now time.Time) float64 {
	r.advance(now)
	return r.now
}

// Begin takes a message's token. The era goes with the message to Refused or
// Accepted.
func (r *Rate) Begin(now time.Time) (era int) {
	r.advance(now)
	r.tokens--
	return r.era
}

// Refund gives back the token of a message that the provider never saw.
func (r *Rate) Refund() { r.tokens = min(r.tokens+1, max(1, r.now)) }

// Accepted tells of a message that the provider took.
func (r *Rate) Accepted(era int) {
	if era == r.era {
		r.inARow = 0
	}
}

// Refused tells of a message that was one too many. The provider rests for wait.
// Of the messages that were under way together only the first halves the speed:
// the others were begun before that could help. It returns how many halvings
// there were since something was accepted.
func (r *Rate) Refused(now time.Time, era int, wait time.Duration) (inARow int) {
	r.advance(now)
	if until := now.Add(wait); until.After(r.paused) {
		r.paused = until
	}
	r.clean = now
	if r.paused.After(now) {
		r.clean = r.paused
	}
	if era == r.era {
		r.era++
		r.inARow++
		r.now = max(r.now/2, min(slowest, r.set))
		r.tokens = min(r.tokens, max(1, r.now))
	}
	return r.inARow
}

// advance brings speed and tokens up to now.
func (r *Rate) advance(now time.Time) {
	for r.now < r.set && now.Sub(r.clean) >= riseTime {
		r.now = min(r.now*rise, r.set)
		r.clean = r.clean.Add(riseTime)
	}
	if since := now.Sub(r.filled); since > 0 {
		r.tokens = min(r.tokens+since.Seconds()*r.now, max(1, r.now))
	}
	r.filled = now // also when the clock was set back
}
