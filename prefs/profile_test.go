package prefs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/prefs"
)

var now = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

func ago(days float64) time.Time { return now.Add(-time.Duration(days * 24 * float64(time.Hour))) }

func taught(tag prefs.Tag, days float64) prefs.Evidence {
	return prefs.Evidence{Tag: tag, SourceID: "c", Category: "other", Weight: prefs.CategoryWeight, At: ago(days)}
}

// marked is a sign that is no complaint, of a parcel of its own.
func marked(sign prefs.Sign, tag prefs.Tag, by string, days float64) prefs.Evidence {
	return prefs.Evidence{Tag: tag, Sign: sign, SourceID: by, By: by, Weight: weightOf[sign], At: ago(days)}
}

var weightOf = map[prefs.Sign]float64{
	prefs.Complained: prefs.CategoryWeight, prefs.Remarked: prefs.RemarkWeight, prefs.MarkedRight: prefs.RightWeight,
	prefs.MarkedWrong: prefs.WrongWeight, prefs.AgreedOnce: prefs.AgreedWeight, prefs.Undisturbed: prefs.SilenceWeight,
}

func said(scope prefs.Scope, tag prefs.Tag, days float64) prefs.Preference {
	return prefs.Preference{Scope: scope, Tag: tag, On: true, SetAt: ago(days)}
}

func TestOneComplaintAdvisesForAYearAndTwoAvoid(t *testing.T) {
	for _, tt := range []struct {
		name  string
		taken []prefs.Evidence
		level prefs.Level
	}{
		{"nothing", nil, ""},
		{"one today", []prefs.Evidence{taught(prefs.NoLocker, 0)}, prefs.Advise},
		{"one 360 days ago", []prefs.Evidence{taught(prefs.NoLocker, 360)}, prefs.Advise},
		{"one a second before", []prefs.Evidence{taught(prefs.NoLocker, 360+1.0/86400)}, ""},
		{"two a month apart", []prefs.Evidence{taught(prefs.NoLocker, 31), taught(prefs.NoLocker, 0)}, prefs.Avoid},
		{"a weak one below confidence", []prefs.Evidence{{Tag: prefs.NoLocker, Weight: prefs.TextWeight(0.59), At: now}}, ""},
		{"a weak one at confidence", []prefs.Evidence{{Tag: prefs.NoLocker, Weight: prefs.TextWeight(0.6), At: now}}, prefs.Advise},
		{"the opposite since", []prefs.Evidence{taught(prefs.NoLocker, 5), taught(prefs.LockerOK, 0)}, prefs.Advise},
		{"the opposite twice since", []prefs.Evidence{taught(prefs.NoLocker, 5), taught(prefs.LockerOK, 1), taught(prefs.LockerOK, 0)}, ""},
		{"a clock set back", []prefs.Evidence{taught(prefs.NoLocker, -1)}, prefs.Advise},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []prefs.Decision
			if tt.level != "" {
				want = []prefs.Decision{{Tag: prefs.NoLocker, Level: tt.level, By: prefs.Learned}}
			}
			require.Equal(t, want, prefs.Profile{Evidence: tt.taken}.Decide(prefs.Door{}, now))
		})
	}
}

func TestManyComplaintsInAMonthWeighNoMoreThanTwo(t *testing.T) {
	many := prefs.Profile{}
	for range 50 {
		many.Evidence = append(many.Evidence, taught(prefs.NoLocker, 0))
	}
	two := prefs.Profile{Evidence: many.Evidence[:2]}
	require.InDelta(t, two.Overview(now)[0].Confidence, many.Overview(now)[0].Confidence, 1e-9)
}

func TestEvidenceOfAnotherAddressCountsHalf(t *testing.T) {
	e := taught(prefs.ToDoor, 0)
	e.AddressID = "home"
	p := prefs.Profile{Evidence: []prefs.Evidence{e}}
	require.Len(t, p.Decide(prefs.Door{AddressID: "home"}, now.Add(time.Hour)), 1)
	require.Len(t, p.Decide(prefs.Door{}, now.Add(time.Hour)), 1, "an unknown address matches any")
	office := prefs.Door{AddressID: "office"}
	require.Len(t, p.Decide(office, now.Add(180*24*time.Hour)), 1, "half of it lasts half as long")
	require.Len(t, p.Decide(prefs.Door{AddressID: "home"}, now.Add(181*24*time.Hour)), 1)
	require.Empty(t, p.Decide(office, now.Add(181*24*time.Hour)))
	p.Evidence[0].Weight = prefs.TextWeight(0.9)
	require.Empty(t, p.Decide(office, now), "a text that is not quite certain advises at its own address only")
}

func TestWhatSpeaksAgainstAWishAtOneAddressLeavesTheOthersAlone(t *testing.T) {
	e, wrong := taught(prefs.ToDoor, 2), marked(prefs.MarkedWrong, prefs.ToDoor, "li", 1)
	again := marked(prefs.MarkedWrong, prefs.ToDoor, "chen", 0)
	e.AddressID, wrong.AddressID, again.AddressID = "home", "office", "office"
	p := prefs.Profile{Evidence: []prefs.Evidence{e, wrong, again}}
	require.Empty(t, p.Decide(prefs.Door{AddressID: "office"}, now))
	require.Len(t, p.Decide(prefs.Door{AddressID: "home"}, now), 1)
}

func TestWhatIsTrueOfAPlaceIsTrueThereOnly(t *testing.T) {
	var dogs []prefs.Evidence
	for i := range 3 {
		e := taught(prefs.DogOrChildAtHome, float64(40*i))
		e.AddressID = "home"
		dogs = append(dogs, e)
	}
	p := prefs.Profile{Evidence: dogs}
	require.Len(t, p.Decide(prefs.Door{AddressID: "home"}, now), 1)
	require.Len(t, p.Decide(prefs.Door{}, now), 1)
	require.Empty(t, p.Decide(prefs.Door{AddressID: "office"}, now))
}

func TestOfTwoWishesWithNeitherStricterTheNewerHolds(t *testing.T) {
	call, silence := taught(prefs.CallFirst, 10), taught(prefs.NoCall, 1)
	require.Equal(t, []prefs.Tag{prefs.NoCall}, tagsOf(prefs.Profile{Evidence: []prefs.Evidence{call, silence}}.Decide(prefs.Door{}, now)))
	call.At = now
	require.Equal(t, []prefs.Tag{prefs.CallFirst}, tagsOf(prefs.Profile{Evidence: []prefs.Evidence{call, silence}}.Decide(prefs.Door{}, now)))
}

func TestTheMoreSpecificWordWins(t *testing.T) {
	door := prefs.Door{Waybill: "SF1", AddressID: "home"}
	parcel, address := prefs.ForParcel("SF1"), prefs.AtAddress("home")
	for _, tt := range []struct {
		name string
		p    prefs.Profile
		want []prefs.Decision
	}{
		{
			"parcel over standing",
			prefs.Profile{Preferences: []prefs.Preference{said(parcel, prefs.LockerOK, 3), said(prefs.Standing, prefs.NoLocker, 1)}},
			[]prefs.Decision{{prefs.LockerOK, prefs.Avoid, prefs.ByParcel}},
		},
		{
			"standing over address",
			prefs.Profile{Preferences: []prefs.Preference{said(address, prefs.NoCall, 1), said(prefs.Standing, prefs.CallFirst, 3)}},
			[]prefs.Decision{{prefs.CallFirst, prefs.Avoid, prefs.ByStanding}},
		},
		{
			"address over learned",
			prefs.Profile{Preferences: []prefs.Preference{said(address, prefs.CallFirst, 3)}, Evidence: []prefs.Evidence{taught(prefs.NoCall, 1)}},
			[]prefs.Decision{{prefs.CallFirst, prefs.Avoid, prefs.ByAddress}},
		},
		{
			"the stricter within a level, though older",
			prefs.Profile{Preferences: []prefs.Preference{said(prefs.Standing, prefs.LockerOK, 1), said(prefs.Standing, prefs.NoLocker, 3)}},
			[]prefs.Decision{{prefs.NoLocker, prefs.Avoid, prefs.ByStanding}},
		},
		{
			"the newer within a level where neither is stricter",
			prefs.Profile{Preferences: []prefs.Preference{said(prefs.Standing, prefs.EveningOnly, 1), said(prefs.Standing, prefs.DaytimeOnly, 3)}},
			[]prefs.Decision{{prefs.EveningOnly, prefs.Avoid, prefs.ByStanding}},
		},
		{
			"what does not contradict adds up",
			prefs.Profile{Preferences: []prefs.Preference{said(parcel, prefs.PhotoProof, 1), said(prefs.Standing, prefs.ToDoor, 1)}},
			[]prefs.Decision{{prefs.PhotoProof, prefs.Avoid, prefs.ByParcel}, {prefs.ToDoor, prefs.Avoid, prefs.ByStanding}},
		},
		{
			"another parcel's word",
			prefs.Profile{Preferences: []prefs.Preference{said(prefs.ForParcel("SF2"), prefs.ToDoor, 1)}},
			nil,
		},
		{
			"a complaint newer than a permission suspends it",
			prefs.Profile{Preferences: []prefs.Preference{said(prefs.Standing, prefs.LockerOK, 3)}, Evidence: []prefs.Evidence{taught(prefs.NoLocker, 1)}},
			[]prefs.Decision{{prefs.NoLocker, prefs.Advise, prefs.Learned}},
		},
		{
			"a permission newer than the complaint holds",
			prefs.Profile{Preferences: []prefs.Preference{said(prefs.Standing, prefs.LockerOK, 1)}, Evidence: []prefs.Evidence{taught(prefs.NoLocker, 3)}},
			[]prefs.Decision{{prefs.LockerOK, prefs.Avoid, prefs.ByStanding}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.p.Decide(door, now)) })
	}
}

func TestLearnedPermissionsAndAbsencesAreOnlyAskedAbout(t *testing.T) {
	for _, tag := range prefs.Tags {
		p := prefs.Profile{Evidence: []prefs.Evidence{taught(tag, 1)}}
		state := p.Overview(now)
		require.Len(t, state, 1)
		if tag.IsPermission() || tag.TellsAbsence() {
			require.Empty(t, p.Decide(prefs.Door{}, now), tag)
			require.Equal(t, prefs.Asked, state[0].State, tag)
		} else {
			require.Equal(t, []prefs.Tag{tag}, tagsOf(p.Decide(prefs.Door{}, now)))
			require.Equal(t, prefs.On, state[0].State, tag)
		}
	}
}

func TestWhatTheConsumerRemovedIsAskedAboutNotLearned(t *testing.T) {
	removed := prefs.Preference{Scope: prefs.Standing, Tag: prefs.NoLocker, SetAt: ago(2)}
	p := prefs.Profile{Preferences: []prefs.Preference{removed}}
	require.Equal(t, prefs.Off, p.Overview(now)[0].State)

	p.Evidence = []prefs.Evidence{taught(prefs.NoLocker, 1), taught(prefs.NoLocker, 0)}
	require.Empty(t, p.Decide(prefs.Door{}, now))
	states := p.Overview(now)
	require.Len(t, states, 1)
	require.Equal(t, prefs.Asked, states[0].State)

	p.Preferences[0].SetAt = ago(365)
	require.Len(t, p.Decide(prefs.Door{}, now), 1, "a tombstone holds for a year")
}

func TestWhatWasSaidUnderATombstoneIsNotLearnedWhenItEnds(t *testing.T) {
	p := prefs.Profile{
		Preferences: []prefs.Preference{{Scope: prefs.Standing, Tag: prefs.NoLocker, SetAt: ago(366)}},
		Evidence:    []prefs.Evidence{taught(prefs.NoLocker, 20), taught(prefs.NoLocker, 10)},
	}
	require.Empty(t, p.Decide(prefs.Door{}, now))
	states := p.Overview(now)
	require.Len(t, states, 1)
	require.Equal(t, prefs.Asked, states[0].State)

	p.Evidence = append(p.Evidence, taught(prefs.NoLocker, 0))
	require.Equal(t, []prefs.Decision{{Tag: prefs.NoLocker, Level: prefs.Advise, By: prefs.Learned}}, p.Decide(prefs.Door{}, now),
		"one complaint since teaches as one")
}

func TestAnExplicitWishHoldsWithoutDecayAndIsAskedAboutAfterAYear(t *testing.T) {
	p := prefs.Profile{Preferences: []prefs.Preference{
		said(prefs.Standing, prefs.ToDoor, 1000), said(prefs.ForParcel("SF1"), prefs.NoCall, 1000),
	}}
	require.Len(t, p.Decide(prefs.Door{Waybill: "SF1"}, now), 2)
	states := p.Overview(now)
	require.Equal(t, ago(1000).AddDate(0, 0, 365), states[0].AskAgainAt)
	require.Zero(t, states[1].AskAgainAt, "of a parcel nobody asks again")
}

func TestWhatIsPausedIsAskedAboutAndStillSuspendsAPermission(t *testing.T) {
	p := prefs.Profile{
		Paused:      []prefs.Tag{prefs.NoLocker, prefs.ToDoor},
		Preferences: []prefs.Preference{said(prefs.Standing, prefs.LockerOK, 9), said(prefs.Standing, prefs.ToDoor, 9)},
		Evidence:    []prefs.Evidence{taught(prefs.NoLocker, 1)},
	}
	require.Equal(t, []prefs.Decision{{Tag: prefs.ToDoor, Level: prefs.Avoid, By: prefs.ByStanding}}, p.Decide(prefs.Door{}, now))
	p.Evidence[0].Weight = 0 // of a complaint that came while it was paused
	require.Equal(t, []prefs.Tag{prefs.ToDoor}, tagsOf(p.Decide(prefs.Door{}, now)))
	p.Paused = nil
	require.Equal(t, []prefs.Tag{prefs.ToDoor}, tagsOf(p.Decide(prefs.Door{}, now)), "and teaches nothing later")
}

func TestFadingIsToldAheadOfTime(t *testing.T) {
	p := prefs.Profile{Evidence: []prefs.Evidence{taught(prefs.NoLocker, 30)}}
	fades := p.Overview(now)[0].FadesAt
	require.NotEmpty(t, p.Decide(prefs.Door{}, fades))
	require.Empty(t, p.Decide(prefs.Door{}, fades.Add(2*time.Second)))
}

func TestLearningOffMeansNothingLearnedCounts(t *testing.T) {
	p := prefs.Profile{LearningOff: true, Evidence: []prefs.Evidence{taught(prefs.NoLocker, 0)}, Preferences: []prefs.Preference{said(prefs.Standing, prefs.ToDoor, 1)}}
	require.Equal(t, []prefs.Tag{prefs.ToDoor}, tagsOf(p.Decide(prefs.Door{}, now)))
}

// Invariant: for any history of complaints the permitted drops after learning
// are a subset of those before.
func TestLearningOnlyRestricts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, consents, door := drawProfile(t), drawConsents(t), drawDoor(t)
		at := now.Add(time.Duration(rapid.IntRange(-900, 900).Draw(t, "days")) * 24 * time.Hour)
		before := p
		before.Evidence = nil
		allowed := before.Permitted(consents, door, "", at)
		for _, kind := range p.Permitted(consents, door, "", at) {
			require.Contains(t, allowed, kind)
		}
		// Nor does any permission stand in an instruction that nobody gave.
		said := before.Decide(door, at)
		for _, d := range p.Decide(door, at) {
			if d.Tag.IsPermission() {
				require.Contains(t, said, d)
			}
		}
	})
}

// Invariant: whatever was said and learned, no delivery is told two things that
// contradict each other, nor the same twice, and learning alone opens nothing.
func TestDecisionsNeverContradictThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, door := drawProfile(t), drawDoor(t)
		decisions := p.Decide(door, now)
		tags := tagsOf(decisions)
		require.True(t, slices.IsSorted(tags))
		for i, d := range decisions {
			require.NotContains(t, tags[:i], d.Tag)
			for _, opposite := range d.Tag.Opposites() {
				require.NotContains(t, tags, opposite)
			}
			if d.By == prefs.Learned {
				require.False(t, d.Tag.IsPermission() || d.Tag.TellsAbsence())
				require.NotContains(t, p.Paused, d.Tag)
			}
		}
	})
}

// Invariant: the order in which rows are read decides nothing.
func TestTheOrderOfRowsDecidesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, door := drawProfile(t), drawDoor(t)
		shuffled := p
		shuffled.Evidence = rapid.Permutation(p.Evidence).Draw(t, "evidence")
		shuffled.Preferences = rapid.Permutation(p.Preferences).Draw(t, "preferences")
		require.Equal(t, p.Decide(door, now), shuffled.Decide(door, now))
		sorted := shuffled
		sorted.Evidence = slices.Clone(shuffled.Evidence)
		prefs.SortEvidence(sorted.Evidence)
		require.Equal(t, p.Decide(door, now), sorted.Decide(door, now))
		require.ElementsMatch(t, p.Overview(now), shuffled.Overview(now))
	})
}

func TestAListIsResolvedAsALevelIs(t *testing.T) {
	require.Equal(t, []prefs.Tag{prefs.NoLocker}, prefs.Resolve([]prefs.Tag{prefs.NoLocker, prefs.LockerOK}))
	require.Equal(t, []prefs.Tag{prefs.NoLocker}, prefs.Resolve([]prefs.Tag{prefs.LockerOK, prefs.NoLocker, prefs.NoLocker}))
	require.Equal(t, []prefs.Tag{prefs.CallFirst}, prefs.Resolve([]prefs.Tag{prefs.NoCall, prefs.CallFirst}))
	require.Equal(t, []prefs.Tag{prefs.NoCall}, prefs.Resolve([]prefs.Tag{prefs.CallFirst, prefs.NoCall}))
	require.Empty(t, prefs.Resolve(nil))
}

func TestAConsentHoldsInItsScopeAndTime(t *testing.T) {
	door := prefs.Door{Waybill: "SF1", AddressID: "home"}
	c := prefs.Consent{Kind: prefs.Locker, Scope: prefs.ForParcel("SF1"), GivenAt: ago(1), ValidUntil: now}
	require.True(t, c.HoldsAt(door, "any", ago(1)))
	require.True(t, c.HoldsAt(door, "any", now.Add(-1)))
	require.False(t, c.HoldsAt(door, "any", now), "valid until, not through")
	require.False(t, c.HoldsAt(door, "any", ago(1).Add(-1)), "not before it was given")
	require.False(t, c.HoldsAt(prefs.Door{Waybill: "SF2"}, "any", ago(1)))
	c.Facility = "box 7"
	require.False(t, c.HoldsAt(door, "box 8", ago(1)))
	c.Facility, c.RevokedAt = "", ago(0.5)
	require.True(t, c.HoldsAt(door, "", ago(0.6)), "revoked for the future only")
	require.False(t, c.HoldsAt(door, "", ago(0.5)))
}

func tagsOf(decisions []prefs.Decision) []prefs.Tag {
	tags := make([]prefs.Tag, len(decisions))
	for i, d := range decisions {
		tags[i] = d.Tag
	}
	return tags
}

var (
	scopes    = []prefs.Scope{prefs.Standing, prefs.ForParcel("SF1"), prefs.AtAddress("home"), prefs.AtAddress("office")}
	addresses = []string{"", "home", "office"}
)

// drawProfile draws a profile as the store keeps them: one row a scope and tag,
// one a complaint and tag, and no two at the same instant.
func drawProfile(t *rapid.T) (p prefs.Profile) {
	days := rapid.IntRange(0, 800)
	p.LearningOff = rapid.Bool().Draw(t, "off")
	n := rapid.IntRange(0, 12).Draw(t, "said")
	for i := range n {
		pref := said(rapid.SampledFrom(scopes).Draw(t, "scope"), rapid.SampledFrom(prefs.Tags).Draw(t, "tag"), float64(days.Draw(t, "age")))
		pref.SetAt = pref.SetAt.Add(time.Duration(i) * time.Millisecond)
		pref.On = rapid.Bool().Draw(t, "on")
		if !slices.ContainsFunc(p.Preferences, func(o prefs.Preference) bool { return o.Scope == pref.Scope && o.Tag == pref.Tag }) {
			p.Preferences = append(p.Preferences, pref)
		}
	}
	p.Paused = rapid.SliceOfN(rapid.SampledFrom(prefs.Tags), 0, 2).Draw(t, "paused")
	n = rapid.IntRange(0, 24).Draw(t, "taught")
	for i := range n {
		e := taught(rapid.SampledFrom(prefs.Tags).Draw(t, "tag"), float64(days.Draw(t, "age")))
		e.At = e.At.Add(time.Duration(i) * time.Millisecond)
		e.AddressID = rapid.SampledFrom(addresses).Draw(t, "address")
		e.Weight = prefs.TextWeight(rapid.Float64Range(0.6, 1).Draw(t, "confidence"))
		e.Waybill = rapid.SampledFrom([]string{"", "SF1", "SF2", "SF3"}).Draw(t, "parcel")
		if e.Sign = rapid.SampledFrom(prefs.Signs).Draw(t, "sign"); e.Sign != prefs.Complained {
			e.Weight = weightOf[e.Sign]
			e.By = rapid.SampledFrom([]string{"li", "chen"}).Draw(t, "by")
		}
		p.Evidence = append(p.Evidence, e)
	}
	return p
}

func drawConsents(t *rapid.T) (list []prefs.Consent) {
	n := rapid.IntRange(0, 6).Draw(t, "consents")
	for range n {
		list = append(list, prefs.Consent{
			Kind: rapid.SampledFrom(prefs.ConsentKinds).Draw(t, "kind"), Scope: rapid.SampledFrom(scopes).Draw(t, "scope"),
			GivenAt: ago(float64(rapid.IntRange(0, 800).Draw(t, "given"))),
		})
	}
	return list
}

func drawDoor(t *rapid.T) prefs.Door {
	return prefs.Door{Waybill: "SF1", AddressID: rapid.SampledFrom(addresses).Draw(t, "door")}
}
