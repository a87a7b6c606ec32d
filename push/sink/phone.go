package sink

import (
	"strconv"
	"strings"
	"time"
)

// What the page shows at most.
const (
	maxPhones = 24
	maxLines  = 6 // of a banner
)

// phone is a device as the page draws it.
type phone struct {
	Device
	Clock string // time of day
	Cards []card // the newest first
}

// card is a banner as the phone would show it.
type card struct {
	MessageID    string
	At           string // time of day
	Title        string
	Body         string
	Lines        []line
	More         string // how many alerts are not shown; empty: none
	Loud         bool   // wakes the phone
	Button       bool   // the courier can acknowledge
	Acknowledged bool
}

// line is one alert of a banner.
type line struct {
	Waybill string // its end
	Wishes  []string
}

// drawPhones draws the devices that have something to show, the one last heard
// of first. The caller holds mu.
func (s *Sink) drawPhones(w words) []phone {
	now := s.now()
	var list []phone
	for d := range s.devices.all() {
		d.expire(now)
		p := phone{Device: d.summary(), Clock: now.Local().Format("15:04")}
		if p.Online && p.Arrived == 0 && len(d.screen.banners) == 0 {
			continue
		}
		for _, b := range d.screen.banners {
			c := newCard(b, w)
			c.Button = !b.acknowledged && len(b.notice.alertIDs()) > 0 && s.couriers.hold(d.token)
			p.Cards = append(p.Cards, c)
		}
		list = append(list, p)
		if len(list) == maxPhones {
			break
		}
	}
	return list
}

func newCard(b banner, w words) card {
	c := card{MessageID: b.id, At: b.at.In(time.Local).Format("15:04:05"), Acknowledged: b.acknowledged}
	if b.id == "" {
		c.Title, c.Body = w.Dropped, w.InTheApp
		return c
	}
	c.Title, c.Body, c.Loud = b.notice.title(w), b.notice.body(w), b.notice.loud()
	more, _ := strconv.Atoi(b.notice.Data.More) // nothing else than a number is worth showing
	for _, a := range b.notice.alerts {
		switch {
		case a.Waybill == "": // an opaque push
		case len(c.Lines) == maxLines:
			more++
		default:
			c.Lines = append(c.Lines, newLine(a, w))
		}
	}
	if more > 0 {
		c.More = strconv.Itoa(more) + " " + w.More
	}
	return c
}

func newLine(a alert, w words) line {
	l := line{Waybill: a.Waybill}
	for _, t := range a.Tags {
		l.Wishes = append(l.Wishes, w.tag(t))
	}
	return l
}

// Wished is the line's wishes in one text.
func (l line) Wished() string { return strings.Join(l.Wishes, " · ") }
