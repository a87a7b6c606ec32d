package sink

import (
	"encoding/json"
	"slices"
	"strings"

	"doorstep/prefs"
)

// What the page shows at most.
const (
	maxPhones  = 24
	maxBanners = 6
)

// phone is a device as the page draws it.
type phone struct {
	Token   string
	Count   int      // pushes among those kept
	Banners []banner // the newest first
}

// banner is a notification as the phone would show it.
type banner struct {
	At    string // time of day
	Title string
	Body  string
	Lines []string // one an alert
	More  string   // how many alerts did not fit; empty: none
	Loud  bool     // high priority: wakes the phone
}

// phones groups received messages by device, the one last heard of first.
func phones(received []Received, w words) []phone {
	var list []*phone
	known := map[string]*phone{}
	for _, m := range slices.Backward(received) {
		p := known[m.Token]
		if p == nil {
			p = &phone{Token: m.Token}
			known[m.Token] = p
			list = append(list, p)
		}
		p.Count++
		if len(p.Banners) < maxBanners && len(list) <= maxPhones {
			p.Banners = append(p.Banners, newBanner(m, w))
		}
	}
	out := make([]phone, 0, min(len(list), maxPhones))
	for _, p := range list[:cap(out)] {
		out = append(out, *p)
	}
	return out
}

// shown is the part of a message that a phone shows. A field of another shape
// than our app's is left empty: this is for looking at, and the sink has other
// guests.
type shown struct {
	Notification struct {
		Title string `json:"title"`
		Body  string `json:"body"`
	} `json:"notification"`
	Android struct {
		Priority     string `json:"priority"`
		Notification struct {
			Title       string   `json:"title"`
			Body        string   `json:"body"`
			TitleLocKey string   `json:"title_loc_key"`
			BodyLocKey  string   `json:"body_loc_key"`
			BodyLocArgs []string `json:"body_loc_args"`
		} `json:"notification"`
	} `json:"android"`
	Data struct {
		Alerts string `json:"alerts"`
		More   string `json:"more"`
	} `json:"data"`
}

func newBanner(m Received, w words) banner {
	var s shown
	_ = json.Unmarshal(m.Message, &s) // see shown
	n := s.Android.Notification
	b := banner{
		At:    m.At.Local().Format("15:04:05"),
		Title: firstOf(n.Title, s.Notification.Title, w.text(n.TitleLocKey, nil)),
		Body:  firstOf(n.Body, s.Notification.Body, w.text(n.BodyLocKey, n.BodyLocArgs)),
		Loud:  strings.EqualFold(s.Android.Priority, "high"),
	}
	var alerts []struct {
		Waybill string      `json:"w"` // its last four characters
		Tags    []prefs.Tag `json:"t"`
	}
	_ = json.Unmarshal([]byte(s.Data.Alerts), &alerts) // see shown
	for _, a := range alerts {
		var wishes []string
		for _, t := range a.Tags {
			wishes = append(wishes, w.tag(t))
		}
		if a.Waybill != "" {
			b.Lines = append(b.Lines, "…"+a.Waybill+"  "+strings.Join(wishes, " · "))
		}
	}
	if s.Data.More != "" && s.Data.More != "0" {
		b.More = s.Data.More + " " + w.More
	}
	return b
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
