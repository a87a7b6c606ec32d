package sink

import (
	"slices"
	"strings"
	"time"
)

// What a screen remembers at most.
const (
	maxBanners = 6
	maxFelt    = 100
)

// screen is what an Android phone with the couriers' app shows.
//
// A notification replaces the banner that has its tag. Android alone would buzz
// again; the app sets alert-once, so that the phone buzzes once for each
// distinct set of alerts, and a push that is sent twice because its answer was
// lost is felt once. A notification without alerts always buzzes. A message
// without a notification is the app's own affair: it shows nothing.
type screen struct {
	arrived int
	buzzes  int
	banners []banner // the newest first
	felt    []uint64 // hashes of the sets of alerts that it buzzed for, the newest last
}

// banner is one notification on the screen.
type banner struct {
	id           string // of its message; empty: the news that messages were dropped
	at           time.Time
	tag          string
	notice       notice
	acknowledged bool
}

// show lets a message arrive and says whether the phone buzzes.
func (s *screen) show(m Received, now time.Time) bool {
	s.arrived++
	n := readNotice(m.Message)
	if n.Data.Kind == "withdraw" {
		s.takeOff(n.alertIDs())
	}
	if !n.visible() {
		return false
	}
	s.put(banner{id: m.ID, at: now, tag: n.tag(), notice: n})
	if !s.feels(n.alertIDs()) {
		return false
	}
	s.buzzes++
	return true
}

// takeOff removes the banners whose alerts were all acknowledged elsewhere, as
// the app does.
func (s *screen) takeOff(alertIDs []string) {
	s.banners = slices.DeleteFunc(s.banners, func(b banner) bool {
		own := b.notice.alertIDs()
		return len(own) > 0 && !slices.ContainsFunc(own, func(id string) bool { return !slices.Contains(alertIDs, id) })
	})
}

// showDropped tells that messages were dropped while the phone was away.
func (s *screen) showDropped(now time.Time) {
	s.banners = slices.DeleteFunc(s.banners, func(b banner) bool { return b.id == "" })
	s.put(banner{at: now})
}

func (s *screen) put(b banner) {
	if b.tag != "" {
		s.banners = slices.DeleteFunc(s.banners, func(old banner) bool { return old.tag == b.tag })
	}
	s.banners = slices.Insert(s.banners, 0, b)
	s.banners = s.banners[:min(len(s.banners), maxBanners)]
}

// feels says whether these alerts are news, and remembers them.
func (s *screen) feels(alertIDs []string) bool {
	if len(alertIDs) == 0 {
		return true
	}
	set := hash(strings.Join(slices.Sorted(slices.Values(alertIDs)), "\n"))
	if slices.Contains(s.felt, set) {
		return false
	}
	s.felt = append(s.felt, set)
	s.felt = s.felt[max(0, len(s.felt)-maxFelt):]
	return true
}

// banner finds the banner of a message, or gives nil.
func (s *screen) banner(messageID string) *banner {
	i := slices.IndexFunc(s.banners, func(b banner) bool { return b.id != "" && b.id == messageID })
	if i < 0 {
		return nil
	}
	return &s.banners[i]
}
