package complaints

import (
	"slices"

	"doorstep/prefs"
)

// implied is the wish behind a category that a person chose. A category that
// was only read from the text teaches nothing: its tags were read too.
var implied = map[Category]prefs.Tag{
	LockerWithoutConsent:      prefs.NoLocker,
	PickupPointWithoutConsent: prefs.NoPickupPoint,
	NotToDoor:                 prefs.ToDoor,
	NoCallBeforeDelivery:      prefs.CallFirst,
}

// Lessons is what a complaint teaches, sorted by tag: what its text was read to
// wish, and the wish behind the category if a person chose it and the text does
// not say the opposite.
func Lessons(read Reading, chosen Category) []prefs.Evidence {
	var list []prefs.Evidence
	for _, t := range read.Tags {
		if w := prefs.TextWeight(t.Confidence); w > 0 {
			list = append(list, prefs.Evidence{Tag: t.Tag, Weight: w})
		}
	}
	if tag, ok := implied[chosen]; ok {
		contradicted := slices.ContainsFunc(list, func(e prefs.Evidence) bool { return slices.Contains(tag.Opposites(), e.Tag) })
		at := slices.IndexFunc(list, func(e prefs.Evidence) bool { return e.Tag == tag })
		switch {
		case at >= 0:
			list[at].Weight = prefs.CategoryWeight
		case !contradicted:
			list = append(list, prefs.Evidence{Tag: tag, Weight: prefs.CategoryWeight})
		}
	}
	slices.SortFunc(list, func(a, b prefs.Evidence) int {
		return slices.Index(prefs.Tags, a.Tag) - slices.Index(prefs.Tags, b.Tag)
	})
	return list
}
