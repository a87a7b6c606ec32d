package telephony_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/telephony"
)

func TestHealthOfAFeedAtItsBoundaries(t *testing.T) {
	p := policy(t)
	from, to := noon, noon.Add(time.Hour)
	beats := func(every time.Duration) (list []time.Time) {
		for at := from.Add(-time.Minute); !at.After(to.Add(every)); at = at.Add(every) {
			list = append(list, at)
		}
		return list
	}
	settled := to.Add(p.Late.Duration())
	day := func(declared, received int, at time.Time) []telephony.Day {
		return []telephony.Day{{Day: "2026-03-02", Declared: declared, Received: received, At: at}}
	}
	next := noon.Add(24 * time.Hour)
	for name, c := range map[string]struct {
		feed telephony.Feed
		now  time.Time
		want evidence.Truth
	}{
		"never heard":                            {telephony.Feed{}, settled, evidence.Unknown},
		"first heard within":                     {telephony.Feed{Since: from.Add(1), Heard: beats(time.Minute)}, settled, evidence.Unknown},
		"heard every 15 min":                     {telephony.Feed{Since: from, Heard: beats(15 * time.Minute)}, settled, evidence.True},
		"heard every 16 min":                     {telephony.Feed{Since: from, Heard: beats(16 * time.Minute)}, settled, evidence.False},
		"records may still come":                 {telephony.Feed{Since: from, Heard: beats(time.Minute)}, settled.Add(-1), evidence.Unknown},
		"records wait to be read":                {telephony.Feed{Since: from, Heard: beats(time.Minute), Waiting: 1}, settled, evidence.Unknown},
		"silent to the end":                      {telephony.Feed{Since: from, Heard: beats(time.Minute)[:30]}, settled, evidence.False},
		"fewer than declared":                    {telephony.Feed{Since: from, Heard: beats(time.Minute), Days: day(3, 2, next)}, settled, evidence.False},
		"as many as declared":                    {telephony.Feed{Since: from, Days: day(2, 2, next)}, settled, evidence.True},
		"declared before the day was over":       {telephony.Feed{Since: from, Days: day(2, 2, noon.Add(time.Hour))}, settled, evidence.False},
		"as many as declared, and some not read": {telephony.Feed{Since: from, Heard: beats(time.Minute), Days: day(2, 2, next), Waiting: 1}, settled, evidence.Unknown},
	} {
		c.feed.Zone = time.UTC
		require.Equal(t, c.want, p.Healthy(c.feed, from, to, c.now), name)
	}
}
