package push

import "time"

// When a breaker opens, and for how long.
const (
	runOfFaults  = 5
	recent       = 20 // outcomes
	firstPause   = 30 * time.Second
	longestPause = 5 * time.Minute
)

// Breaker keeps us from asking a provider that is down. It opens after five
// faults in a row, when over half of the last twenty outcomes were faults, and
// at once when credentials or configuration are wrong. After 30 seconds one
// message probes; a probe that fails doubles the pause, up to five minutes, and
// one that is answered closes the breaker. The zero Breaker is closed. It is not
// safe for concurrent use.
type Breaker struct {
	era     int // counts the turns: what began before the last one says nothing
	open    bool
	until   time.Time
	pause   time.Duration
	probing bool

	run    int          // faults in a row
	faults [recent]bool // the last outcomes, around
	known  int          // outcomes since it closed
}

// Try is one attempt, as its breaker knows it.
type Try struct {
	Probe bool
	era   int
}

// Admits is how many of n attempts may begin now.
func (b *Breaker) Admits(now time.Time, n int) int {
	switch {
	case !b.open:
		return n
	case b.probing || now.Before(b.until):
		return 0
	}
	return min(n, 1)
}

// Begin notes an attempt that was admitted.
func (b *Breaker) Begin() Try {
	b.probing = b.open
	return Try{Probe: b.open, era: b.era}
}

// End notes what became of an attempt, and says whether the breaker turned.
func (b *Breaker) End(now time.Time, t Try, r Result) (turned bool) {
	if t.era != b.era {
		return false
	}
	fault := isFault(r)
	switch {
	case isDown(r), t.Probe && fault:
		b.trip(now)
		return true
	case t.Probe:
		*b = Breaker{era: b.era + 1}
		return true
	}
	b.note(fault)
	if b.run >= runOfFaults || b.known >= recent && b.share() > recent/2 {
		b.trip(now)
		return true
	}
	return false
}

// Pause is the time before which a provider is not asked, and whether there is
// one.
func (b *Breaker) Pause() (until time.Time, open bool) { return b.until, b.open }

func (b *Breaker) trip(now time.Time) {
	pause := min(max(2*b.pause, firstPause), longestPause)
	*b = Breaker{era: b.era + 1, open: true, until: now.Add(pause), pause: pause}
}

func (b *Breaker) note(fault bool) {
	b.faults[b.known%recent] = fault
	b.known++
	b.run++
	if !fault {
		b.run = 0
	}
}

func (b *Breaker) share() (n int) {
	for _, fault := range b.faults {
		if fault {
			n++
		}
	}
	return n
}

// isFault knows the outcomes of a provider, or of the way to it, that is not
// well. A quota is the answer of one that is.
func isFault(r Result) bool {
	return r.Outcome == Ambiguous || r.Outcome == Retry && r.Code != codeQuota
}

// isDown knows the outcomes that every other message would have as well.
func isDown(r Result) bool { return r.Outcome == ProviderDown && r.Code != codeAPNSAuth }
