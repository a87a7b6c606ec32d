package outreach_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/outreach"
	"doorstep/prefs"
)

const day = 24 * time.Hour

var now = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

// taught is a profile that one complaint taught tags, just now.
func taught(tags ...prefs.Tag) (p prefs.Profile) {
	for _, tag := range tags {
		p.Evidence = append(p.Evidence, prefs.Evidence{Tag: tag, Weight: prefs.CategoryWeight, At: now})
	}
	return p
}

func TestWhatIsAskedAndWhenAgain(t *testing.T) {
	said := func(tag prefs.Tag, on bool, ago time.Duration) prefs.Preference {
		return prefs.Preference{Scope: prefs.Standing, Tag: tag, On: on, SetAt: now.Add(-ago)}
	}
	with := func(p prefs.Profile, said ...prefs.Preference) prefs.Profile {
		p.Preferences = said
		return p
	}
	asked := func(tag prefs.Tag, ago time.Duration, answer string) []outreach.Question {
		at := now.Add(-ago)
		return []outreach.Question{{Tag: tag, AskedAt: at, ExpiresAt: at.Add(14 * day), Answer: answer}}
	}
	off := taught(prefs.LockerOK)
	off.LearningOff = true
	for _, tt := range []struct {
		name   string
		taught []prefs.Tag
		known  prefs.Profile
		last   []outreach.Question
		want   []prefs.Tag
	}{
		{"a permission", []prefs.Tag{prefs.LockerOK}, taught(prefs.LockerOK), nil, []prefs.Tag{prefs.LockerOK}},
		{"when nobody is home", []prefs.Tag{prefs.EveningOnly}, taught(prefs.EveningOnly), nil, []prefs.Tag{prefs.EveningOnly}},
		{"several in one message", []prefs.Tag{prefs.FamilyMaySign, prefs.NoWeekend}, taught(prefs.FamilyMaySign, prefs.NoWeekend), nil, []prefs.Tag{prefs.NoWeekend, prefs.FamilyMaySign}},
		{"what is simply learned", []prefs.Tag{prefs.NoLocker}, taught(prefs.NoLocker), nil, nil},
		{"another complaint's question", []prefs.Tag{prefs.NoLocker}, taught(prefs.NoLocker, prefs.EveningOnly), nil, nil},
		{"learning is off", []prefs.Tag{prefs.LockerOK}, off, nil, nil},
		{"what was removed", []prefs.Tag{prefs.ToDoor}, with(taught(prefs.ToDoor), said(prefs.ToDoor, false, 30*day)), nil, []prefs.Tag{prefs.ToDoor}},
		{"removed longer ago than a year", []prefs.Tag{prefs.ToDoor}, with(taught(prefs.ToDoor), said(prefs.ToDoor, false, 365*day)), nil, nil},
		{"a permission complained against", []prefs.Tag{prefs.NoLocker}, with(taught(prefs.NoLocker), said(prefs.LockerOK, true, day)), nil, []prefs.Tag{prefs.LockerOK}},
		{"one for another parcel", []prefs.Tag{prefs.NoLocker},
			with(taught(prefs.NoLocker), prefs.Preference{Scope: prefs.ForParcel("SF1"), Tag: prefs.LockerOK, On: true, SetAt: now.Add(-day)}), nil, nil},
		{"already one's own word", []prefs.Tag{prefs.LockerOK}, with(taught(prefs.LockerOK), said(prefs.LockerOK, true, day)), nil, nil},
		{"open", []prefs.Tag{prefs.LockerOK}, taught(prefs.LockerOK), asked(prefs.LockerOK, day, ""), nil},
		{"answered lately", []prefs.Tag{prefs.LockerOK}, taught(prefs.LockerOK), asked(prefs.LockerOK, 90*day-1, outreach.No), nil},
		{"ignored lately", []prefs.Tag{prefs.LockerOK}, taught(prefs.LockerOK), asked(prefs.LockerOK, 20*day, ""), nil},
		{"90 days later", []prefs.Tag{prefs.LockerOK}, taught(prefs.LockerOK), asked(prefs.LockerOK, 90*day, outreach.No), []prefs.Tag{prefs.LockerOK}},
		{"another tag was asked", []prefs.Tag{prefs.LockerOK}, taught(prefs.LockerOK), asked(prefs.EveningOnly, day, ""), []prefs.Tag{prefs.LockerOK}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := outreach.Inquiry{Taught: tt.taught, At: now}.Tags(tt.known, tt.last)
			require.ElementsMatch(t, tt.want, got)
		})
	}
}

func TestWhatAChoicePermitsItPermitsForItsKindAlone(t *testing.T) {
	kinds := map[outreach.Choice]prefs.ConsentKind{
		outreach.Locker: prefs.Locker, outreach.PickupPoint: prefs.PickupPoint, outreach.Neighbour: prefs.Proxy,
	}
	for _, c := range outreach.Choices {
		tag, ok := c.Tag()
		require.Equal(t, c != outreach.OtherTime, ok)
		kind, _ := tag.Allows()
		require.Equal(t, kinds[c], kind, c)
		for _, opposite := range tag.Opposites() {
			require.Contains(t, c.Replaces(), opposite, "what contradicts it goes")
		}
	}
}
