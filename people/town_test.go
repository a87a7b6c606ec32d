package people_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/parcels"
	"doorstep/people"
	"doorstep/prefs"
)

// plain are assumptions in which nothing goes wrong by itself.
var plain = people.Assumptions{
	Days: 3, Consumers: 50, Outlets: 2, Couriers: 2, Seed: 1, Parcels: 1, Wishing: 1, Speaking: 1, Complains: 1, Followed: 1, AnswerHours: 4,
}

func shanghai(t *testing.T) *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return zone
}

func TestATownFollowsFromItsAssumptions(t *testing.T) {
	zone := shanghai(t)
	a, b := people.New(plain, zone), people.New(plain, zone)
	require.Equal(t, a, b)
	require.Equal(t, a.ParcelsOf(2), b.ParcelsOf(2))
	require.NotEqual(t, a.ParcelsOf(1)[0].Chances, a.ParcelsOf(2)[0].Chances)
	require.Len(t, a.ParcelsOf(1), plain.Consumers)

	other := plain
	other.Seed = 2
	require.NotEqual(t, a.Consumers, people.New(other, zone).Consumers)
	heeded := plain
	heeded.Followed = 0
	require.Equal(t, a.ParcelsOf(1), people.New(heeded, zone).ParcelsOf(1), "what couriers do with alerts changes no chance")
}

func TestWhoFollowsAnAlertDoesAsIsWished(t *testing.T) {
	place := people.New(plain, shanghai(t))
	wronged := map[prefs.Tag]bool{}
	for day := range 3 {
		for _, p := range place.ParcelsOf(day) {
			for _, tag := range people.Wishable {
				require.False(t, place.Intends(p, []prefs.Tag{tag}).Against(tag), tag)
				wronged[tag] = wronged[tag] || place.Intends(p, nil).Against(tag)
			}
		}
	}
	require.Len(t, wronged, len(people.Wishable))
	for tag, by := range wronged {
		require.True(t, by, "%s is never gone against", tag)
	}
}

func TestAConsumerComplainsOfWhatWasDone(t *testing.T) {
	place := people.New(plain, shanghai(t))
	p := place.ParcelsOf(0)[0]
	place.Consumers[p.Consumer].Wishes = []prefs.Tag{prefs.NoLocker}
	locker, door := people.Handover{Place: parcels.InLocker}, people.Handover{Place: parcels.InPerson}
	g, grieves := place.Grieves(p, locker)
	require.True(t, grieves)
	require.Equal(t, prefs.NoLocker, g.Wish)
	require.True(t, g.At.After(p.At))
	_, grieves = place.Grieves(p, door)
	require.False(t, grieves)
	g, grieves = place.Grieves(p, people.Handover{Place: parcels.AtPickupPoint, Falsely: true})
	require.True(t, grieves && g.FalseSign)
	place.Consumers[p.Consumer].Speaks = false
	_, grieves = place.Grieves(p, locker)
	require.False(t, grieves)
}

func TestOutletsAnswerWhileTheyAreOpen(t *testing.T) {
	zone := shanghai(t)
	outlet := people.New(plain, zone).Outlets[0]
	rapid.Check(t, func(t *rapid.T) {
		got := time.Date(2026, 3, 2, 0, 0, rapid.IntRange(0, 5*86400).Draw(t, "got"), 0, zone)
		chance := rapid.Float64Range(0, 0.999999).Draw(t, "chance")
		at := outlet.AnswersAt(got, chance, 1)
		require.False(t, at.Before(got))
		open := time.Date(at.Year(), at.Month(), at.Day(), people.Opens, 0, 0, 0, zone)
		require.False(t, at.Before(open), at)
		require.False(t, at.After(open.Add((people.Closes-people.Opens)*time.Hour)), at)
	})
	evening := time.Date(2026, 3, 2, 19, 59, 0, 0, zone)
	require.Equal(t, evening.Day()+1, outlet.AnswersAt(evening, 0.5, 1).Day())
}

// The rows are said to be taken from the reader's data as they are: from what
// authors b to u wrote.
func TestTheWordsAreRowsOfTheReadersData(t *testing.T) {
	files, err := filepath.Glob("../reading/data/complaints-author-[b-u].ndjson")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var want bytes.Buffer
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for i, line := range bytes.SplitAfter(text, []byte("\n")) {
			if (i+1)%24 == 0 {
				want.Write(line)
			}
		}
	}
	got, err := os.ReadFile("words.ndjson")
	require.NoError(t, err)
	require.Equal(t, want.String(), string(got))
}

func TestThereAreWordsForEveryGrievance(t *testing.T) {
	book, err := people.Words()
	require.NoError(t, err)
	grievances := []people.Grievance{{}, {FalseSign: true}}
	for _, tag := range people.Wishable {
		grievances = append(grievances, people.Grievance{Wish: tag})
	}
	for _, g := range grievances {
		require.NotEqual(t, book.Say(g, 0), book.Say(g, 0.999999), "%+v", g)
	}
}

func TestWhatMakesNoTownIsRefused(t *testing.T) {
	require.NoError(t, plain.Check())
	for flag, change := range map[string]func(*people.Assumptions){
		"--days":                   func(a *people.Assumptions) { a.Days = 1 },
		"--consumers":              func(a *people.Assumptions) { a.Consumers = 0 },
		"--followed":               func(a *people.Assumptions) { a.Followed = 1.1 },
		"--falsely and --override": func(a *people.Assumptions) { a.Falsely, a.Override = 0.6, 0.6 },
		"--answer-hours":           func(a *people.Assumptions) { a.AnswerHours = 0 },
	} {
		a := plain
		change(&a)
		require.ErrorContains(t, a.Check(), flag)
	}
}
