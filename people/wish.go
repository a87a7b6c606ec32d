package people

import (
	"math/rand/v2"

	"doorstep/prefs"
)

// Wishable are the wishes that consumers of a town may have.
var Wishable = []prefs.Tag{
	prefs.NoLocker, prefs.NoPickupPoint, prefs.ToDoor, prefs.CallFirst, prefs.NoCall, prefs.MessageFirst, prefs.PhotoProof, prefs.NoDoorbell,
}

// DrawWishes gives a consumer one or two wishes that do not contradict each
// other, or, to all but a share, none.
func DrawWishes(share float64, draw *rand.Rand) (wishes []prefs.Tag) {
	if draw.Float64() >= share {
		return nil
	}
	for range 1 + draw.IntN(2) {
		wishes = append(wishes, Wishable[draw.IntN(len(Wishable))])
	}
	return prefs.Resolve(wishes)
}
