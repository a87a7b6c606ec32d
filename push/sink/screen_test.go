package sink_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// banner is a push of phone-1 with a tag and alerts.
func banner(tag, title string, alertIDs ...string) string {
	var alerts []string
	for _, id := range alertIDs {
		alerts = append(alerts, fmt.Sprintf(`{"id":%q,"w":"6Y2X","t":["no_locker"]}`, id))
	}
	return fmt.Sprintf(`{"message":{"token":"phone-1","data":{"alerts":%q},"android":{"notification":{"tag":%q,"title":%q}}}}`,
		"["+strings.Join(alerts, ",")+"]", tag, title)
}

func TestAPhoneBuzzesOnceForASetOfAlerts(t *testing.T) {
	for _, c := range []struct {
		name    string
		pushes  []string
		buzzes  int
		banners int
	}{
		{"the same push twice", []string{banner("digest", "x", "a", "b"), banner("digest", "x", "a", "b")}, 1, 1},
		{"the same alerts in another order", []string{banner("digest", "x", "a", "b"), banner("digest", "x", "b", "a")}, 1, 1},
		{"one more alert", []string{banner("digest", "x", "a"), banner("digest", "x", "a", "b")}, 2, 1},
		{"back to a set that was felt", []string{banner("digest", "x", "a"), banner("digest", "x", "b"), banner("digest", "x", "a")}, 2, 1},
		{"the same alerts under another tag", []string{banner("digest", "x", "a"), banner("catch_up", "x", "a")}, 1, 2},
		{"no alerts", []string{banner("news", "x"), banner("news", "x")}, 2, 1},
		{"no tag", []string{banner("", "x", "a"), banner("", "x", "b")}, 2, 2},
		{"no notification", []string{`{"message":{"token":"phone-1","data":{"alerts":"[{\"id\":\"a\"}]"}}}`}, 0, 0},
		{"a notification of the plain kind", []string{`{"message":{"token":"phone-1","notification":{"title":"x"}}}`}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSink()
			for _, p := range c.pushes {
				send(s, p)
			}
			d := s.Devices()[0]
			require.Equal(t, c.buzzes, d.Buzzes)
			require.Equal(t, len(c.pushes), d.Arrived)
			require.Equal(t, c.banners, strings.Count(page(s, "en"), "<article"))
			buzzed := 0
			for _, e := range s.Events() {
				if e.Buzz {
					buzzed++
				}
			}
			require.Equal(t, c.buzzes, buzzed)
		})
	}
}

func TestAReplacedBannerShowsTheNewer(t *testing.T) {
	s := newSink()
	send(s, banner("digest", "the first", "a"))
	send(s, banner("case", "another", "b"))
	send(s, banner("digest", "the second", "a", "c"))
	got := page(s, "en")
	require.NotContains(t, got, "the first")
	require.Less(t, strings.Index(got, "the second"), strings.Index(got, "another"))
}

func TestAPhoneForgetsInTimeWhatItFelt(t *testing.T) {
	s := newSink()
	for i := range 101 {
		send(s, banner("digest", "x", fmt.Sprint(i)))
	}
	send(s, banner("digest", "x", "100"))
	require.Equal(t, 101, s.Devices()[0].Buzzes)
	send(s, banner("digest", "x", "0")) // a hundred sets ago
	require.Equal(t, 102, s.Devices()[0].Buzzes)
}
