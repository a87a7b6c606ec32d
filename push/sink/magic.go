package sink

import (
	"slices"
	"strconv"
	"strings"
)

// Tokens that begin with sim ask for a fault, so that curl alone can have one
// without a rule:
//
//	sim-hang-1         the action, always
//	sim-429-7-1        the action, with seconds to wait
//	sim-once-503-1     the first send only; sim-once-429-7-1 as well
//	sim-flaky-30-1     503 for 30 of a hundred sends
//	sim-offline-1      ok, and the device is offline from the start
//
// What stands last tells one device from another. Any other token is ok.

// magic is the action that the device's token asks for.
func (d *device) magic() (Action, RetryAfter) {
	words := magicWords(d.token)
	if len(words) < 2 {
		return OK, ""
	}
	switch words[0] {
	case "once":
		if d.sends > 1 {
			return OK, ""
		}
		return fault(words[1:])
	case "flaky":
		percent, err := strconv.ParseUint(words[1], 10, 8)
		if err == nil && len(words) > 2 && d.chance.Uint64N(100) < percent {
			return Unavailable, ""
		}
		return OK, ""
	}
	return fault(words)
}

// fault reads an action, and the seconds to wait if a device still follows.
func fault(words []string) (Action, RetryAfter) {
	if len(words) < 2 || !slices.Contains(Actions, Action(words[0])) {
		return OK, ""
	}
	if len(words) > 2 {
		if _, err := strconv.ParseUint(words[1], 10, 32); err == nil {
			return Action(words[0]), RetryAfter(words[1])
		}
	}
	return Action(words[0]), ""
}

func startsOffline(token string) bool {
	words := magicWords(token)
	return len(words) > 1 && words[0] == "offline"
}

// magicWords gives what follows sim; nothing for any other token.
func magicWords(token string) []string {
	words := strings.Split(token, "-")
	if words[0] != "sim" {
		return nil
	}
	return words[1:]
}
