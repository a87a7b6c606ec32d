package telephony

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

// Seconds is a time in whole seconds, as policies write it.
type Seconds int64

// Duration turns it into Go's.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Policy holds the thresholds. What was judged by them names their version.
type Policy struct {
	Version   string  `json:"version"`
	Connected Seconds `json:"connected_s"` // talk from which a call is a connection
	Rang      Seconds `json:"rang_s"`      // ringing from which an unanswered call is a genuine attempt
	OneRing   Seconds `json:"one_ring_s"`  // ringing below which a courier who hangs up made no fair attempt
	Apart     Seconds `json:"apart_s"`     // between two attempts that both count
	Pairing   Seconds `json:"pairing_s"`   // from tap-to-call to the call that it led to, at most
	Silence   Seconds `json:"silence_s"`   // of a feed that is healthy, at most
	Late      Seconds `json:"late_s"`      // how long after an interval its records may still come
}

//go:embed policy.json
var policyFile []byte

// LoadPolicy reads the policy that the program comes with.
func LoadPolicy() (p Policy, err error) {
	if err := json.Unmarshal(policyFile, &p); err != nil {
		return p, fmt.Errorf("telephony policy: %w", err)
	}
	return p, nil
}
