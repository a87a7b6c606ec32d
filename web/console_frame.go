package web

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/i18n"
)

// frame is what all pages of the console share.
type frame struct {
	i18n.Texts
	Who     doorstep.Actor
	Now     time.Time
	Done    string // what the reader has just done, in words; "" for nothing
	Trouble string // what went wrong with it
	path    string
	zone    *time.Location
}

func (f console) frame(c echo.Context, who doorstep.Actor) frame {
	v := frame{Texts: textsOf(c), Who: who, Now: f.Desks.Now(), path: c.Path(), zone: f.Desks.Zone}
	if done := c.QueryParam("done"); doable[done] {
		v.Done = v.Text("console.done_" + done)
	}
	return v
}

// doable are the things that a page says were done.
var doable = map[string]bool{
	"answer": true, "notes": true, "pause": true, "reroute": true, "recategorise": true, "resume": true, "hold": true, "release": true,
}

// tab leads to a part of the console.
type tab struct {
	URL, Text string
	Here      bool
}

// Tabs are the parts of the console.
func (v frame) Tabs() (list []tab) {
	for _, name := range []string{"", "figures", "evidence", "notices", "alerts", "feeds", "learning", "overrides", "access-log", "holds", "outlet"} {
		url := "/console/" + name
		here := v.path == url || name == "" && strings.HasPrefix(v.path, "/console/complaints/")
		list = append(list, tab{url, v.Text("console.tab_" + cmp.Or(strings.ReplaceAll(name, "-", "_"), "queue")), here})
	}
	return list
}

// IsHQ says whether the reader sees more than one outlet.
func (v frame) IsHQ() bool { return v.Who.Role == doorstep.RoleHQ }

// ISO is a moment for programs.
func (frame) ISO(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// When names a moment to the minute.
func (v frame) When(t time.Time) string {
	t = t.In(v.zone)
	return v.Day(t, v.Now.In(v.zone)) + " " + t.Format("15:04")
}

// Exactly names a moment to the second.
func (v frame) Exactly(t time.Time) string { return v.When(t) + t.In(v.zone).Format(":05") }

// Span names a length of time by its two largest units.
func (v frame) Span(d time.Duration) string {
	minutes := int(d / time.Minute)
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case days > 0:
		return v.Fill("console.days_hours", "d", strconv.Itoa(days), "h", strconv.Itoa(hours))
	case hours > 0:
		return v.Fill("console.hours_minutes", "h", strconv.Itoa(hours), "m", strconv.Itoa(minutes%60))
	}
	return v.Fill("console.minutes", "m", strconv.Itoa(minutes))
}

// ScriptTexts are those that the script counts down with.
func (v frame) ScriptTexts() map[string]string {
	texts := map[string]string{}
	for _, name := range []string{"left", "late", "days_hours", "hours_minutes", "minutes"} {
		texts[name] = v.Text("console." + name)
	}
	return texts
}

// Source names whose word something is.
func (v frame) Source(s evidence.Source) string {
	return sourceOf(v.Texts, s)
}

// badge is a state: an icon, words and a tone.
type badge struct {
	Tone string // "", "fine", "soon" or "late"
	Icon string
	Text string
	Due  string // of what counts down: RFC 3339
}

// Countdown says how much time a clock has left.
func (v frame) Countdown(c complaints.Clock) badge {
	state := c.State(v.Now)
	switch {
	case state == complaints.Met:
		return badge{Tone: "fine", Icon: "check", Text: v.Text("console.in_time")}
	case state == complaints.Breached && !c.MetAt.IsZero():
		return badge{Tone: "late", Icon: "alarm", Text: v.Fill("console.was_late", "time", v.Span(c.MetAt.Sub(c.Due)))}
	case state == complaints.Breached:
		return badge{Tone: "late", Icon: "alarm", Text: v.Fill("console.late", "time", v.Span(v.Now.Sub(c.Due))), Due: v.ISO(c.Due)}
	}
	b := badge{Tone: "fine", Icon: "clock", Text: v.Fill("console.left", "time", v.Span(c.Due.Sub(v.Now))), Due: v.ISO(c.Due)}
	if state == complaints.Warned {
		b.Tone, b.Icon = "soon", "alarm"
	}
	return b
}

// Seconds names a number of seconds.
func (v frame) Seconds(s float64) string {
	return v.Fill("console.seconds", "s", strconv.FormatFloat(s, 'f', -1, 64))
}

// Skew says how far a record's own time is from ours, where that is worth telling.
func (v frame) Skew(ms int64) string {
	if -1000 < ms && ms < 1000 {
		return ""
	}
	return fmt.Sprintf("%+d s", ms/1000)
}
