package reading_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"doorstep/complaints"
	"doorstep/prefs"
	"doorstep/reading"
)

var opposites = [][2]prefs.Tag{
	{prefs.NoLocker, prefs.LockerOK},
	{prefs.NoPickupPoint, prefs.PickupPointOK},
	{prefs.NoCall, prefs.CallFirst},
	{prefs.EveningOnly, prefs.DaytimeOnly},
	{prefs.WeekendOnly, prefs.NoWeekend},
	{prefs.SignInPerson, prefs.FamilyMaySign},
}

// requireSound checks what holds for the reading of any text.
func requireSound(t require.TestingT, text string, got reading.Reading) {
	require.Contains(t, complaints.Categories, got.Category)
	require.True(t, 0 < got.Confidence && got.Confidence <= 1, "confidence %v", got.Confidence)
	requireSpans(t, text, got.CategoryBecause)
	var tags []prefs.Tag
	for _, tag := range got.Tags {
		require.Contains(t, prefs.Tags, tag.Tag)
		require.GreaterOrEqual(t, tag.Confidence, reading.MinConfidence)
		require.LessOrEqual(t, tag.Confidence, 1.0)
		requireSpans(t, text, tag.Because)
		tags = append(tags, tag.Tag)
	}
	require.True(t, slices.IsSorted(tags), "tags %v", tags)
	for _, pair := range opposites {
		require.False(t, slices.Contains(tags, pair[0]) && slices.Contains(tags, pair[1]), "tags %v", tags)
	}
}

func requireSpans(t require.TestingT, text string, spans []reading.Span) {
	size, last := utf8.RuneCountInString(text), 0
	for _, s := range spans {
		require.True(t, last <= s.Start && s.Start < s.End && s.End <= size, "spans %v of %d runes", spans, size)
		last = s.End
	}
}

func TestEveryReadingIsSound(t *testing.T) {
	r := newReader(t)
	authors, plain := labelled(t)
	for _, row := range reading.TrainingRows(authors, plain) {
		got := r.Read(row.Text)
		requireSound(t, row.Text, got)
		for _, tag := range got.Tags {
			require.NotEmpty(t, tag.Because, "%s: nothing decided %s", row.ID, tag.Tag)
		}
	}
}

func TestTheWordsThatDecidedAreNamed(t *testing.T) {
	r := newReader(t)
	text := "Hi 😀, please don’t use LOCKERS. Thanks"
	got := r.Read(text)
	require.Equal(t, "no_locker", tagsOf(got))
	var words []string
	for _, s := range got.Tags[0].Because {
		words = append(words, string([]rune(text)[s.Start:s.End]))
	}
	require.Equal(t, []string{"please don’t use LOCKERS"}, words)
}

func TestScriptWidthAndInvisibleCharactersDoNotMatter(t *testing.T) {
	r := newReader(t)
	for _, text := range []string{
		"请不要放快递柜", "請不要放快遞櫃", "请不要放快\u200b递柜", "请　不要放快递柜！！",
		"ＮＯ　ＬＯＣＫＥＲＳ please", "no lockers please", "NO LOCKERS PLEASE", "𝐧𝐨 𝐥𝐨𝐜𝐤𝐞𝐫𝐬 please",
	} {
		require.Equal(t, "no_locker", tagsOf(r.Read(text)), text)
	}
}

func TestWhatOthersSayIsNotTheWritersWish(t *testing.T) {
	r := newReader(t)
	for _, text := range []string{
		"我朋友说别放驿站", "客服说可以放快递柜", "我邻居不喜欢别人敲门",
		"My friend says no lockers", "The driver said he could leave it at the shop",
	} {
		require.Empty(t, tagsOf(r.Read(text)), text)
	}
}

func TestAnyTextIsReadSoundly(t *testing.T) {
	r := newReader(t)
	for name, text := range awkward {
		t.Run(name, func(t *testing.T) { requireSound(t, text, r.Read(text)) })
	}
}

// awkward are texts that no person writes.
var awkward = map[string]string{
	"empty":             "",
	"space":             " \t\r\n ",
	"nul":               "不要\x00放\x00柜子\x00",
	"control":           "\x01\x02\x7f\u0085 no lockers \x1b[31m",
	"invalid utf-8":     "no lock\xffers \xc3\x28 别放\xe6柜子",
	"emoji":             strings.Repeat("👩‍👩‍👧‍👦", 50) + "no lockers 🙏🏽",
	"only marks":        strings.Repeat("?!,.。“”", 500),
	"right to left":     "\u202eno lockers\u202c",
	"expanding":         strings.Repeat("\ufdfa", 100),
	"open quote":        "“““\"别放柜子",
	"one long word":     strings.Repeat("locker", 2000),
	"one long clause":   strings.Repeat("柜", 5000),
	"megabytes":         strings.Repeat("不要放快递柜，please call me first. ", 130_000),
	"megabytes of NULs": strings.Repeat("\x00", 5<<20),
}

func TestNothingBeyondTheLimitIsRead(t *testing.T) {
	r := newReader(t)
	text := strings.Repeat("谢", reading.MaxRunes)
	require.Equal(t, r.Read(text), r.Read(text+"。不要放快递柜"))
}

func TestFiveMegabytesAreReadInBoundedTime(t *testing.T) {
	r := newReader(t)
	for name, text := range awkward {
		start := time.Now()
		r.Read(text)
		require.Less(t, time.Since(start), 5*time.Second, name)
	}
}

func TestReadersAreSafeForConcurrentUse(t *testing.T) {
	r := newReader(t)
	want := r.Read("没打电话就放驿站了")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if got := r.Read("没打电话就放驿站了"); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
	group.Wait()
}

func FuzzRead(f *testing.F) {
	r := newReader(f)
	for _, text := range awkward {
		f.Add(text[:min(len(text), 300)])
	}
	f.Add("别放驿站，送到家门口")
	f.Add("If I'm out, leave it with my neighbour; don't call.")
	f.Fuzz(func(t *testing.T, text string) { requireSound(t, text, r.Read(text)) })
}

func BenchmarkRead(b *testing.B) {
	r := newReader(b)
	authors, _ := labelled(b)
	rows := reading.TrainingRows(authors, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Read(rows[i*7919%len(rows)].Text) // of every author, however long it runs
	}
}

func BenchmarkReadLongest(b *testing.B) {
	r := newReader(b)
	for b.Loop() {
		r.Read(awkward["megabytes"])
	}
}
