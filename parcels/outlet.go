// Package parcels decides what happens to a parcel: scans, dispatches, a
// courier's run, and who may follow it. It does no I/O.
package parcels

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"golang.org/x/text/language"

	"doorstep"
	"doorstep/push"
)

// Outlet is a franchise unit that delivers parcels and answers complaints.
type Outlet struct {
	No        doorstep.OutletNo
	ID        string // the carrier's
	Name      string // empty for an outlet that a dispatch named first
	TimeZone  string // IANA name
	Hours     Hours
	Push      push.Rules // about ringing its couriers
	Locale    string     // BCP 47: zh-CN or en
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Hours are when an outlet works, in its own time. No hours at all means that
// none were given.
type Hours struct {
	Weekly     map[string][]Span `json:"weekly,omitempty"` // by mon, tue, ... sun; a day may have several spans
	Exceptions []Exception       `json:"exceptions,omitempty"`
}

// Exception replaces the weekly hours of one date. No spans: closed.
type Exception struct {
	Date  string `json:"date"` // YYYY-MM-DD
	Spans []Span `json:"spans"`
}

// Span is a stretch of a day, from Opens to before Closes, as HH:MM.
type Span struct {
	Opens  string `json:"opens"`
	Closes string `json:"closes"` // at most 24:00
}

// Courier delivers parcels for an outlet.
type Courier struct {
	No        int64
	ID        string // the carrier's
	Home      doorstep.OutletNo
	OutletID  string // where he works now; empty if nobody said
	Name      string
	Locale    string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// RosterStore is what a Roster needs kept. Put makes or replaces; an id that
// the company does not have gives ErrNotFound.
type RosterStore interface {
	PutOutlet(ctx context.Context, company doorstep.CompanyNo, o Outlet) (Outlet, error)
	Outlet(ctx context.Context, company doorstep.CompanyNo, id string) (Outlet, error)
	PutCourier(ctx context.Context, company doorstep.CompanyNo, c Courier) (Courier, error)
	Courier(ctx context.Context, company doorstep.CompanyNo, id string) (Courier, error)
}

// Roster keeps a carrier's outlets and couriers.
type Roster struct {
	Store    RosterStore
	Now      func() time.Time
	TimeZone string // of an outlet that gives none
}

// Locales are the languages that texts exist in; the first is the default.
var Locales = []string{"zh-CN", "en"}

const maxName = 200

// PutOutlet makes or replaces an outlet.
func (r *Roster) PutOutlet(ctx context.Context, a doorstep.Actor, o Outlet) (Outlet, error) {
	var checks doorstep.Checks
	var err error
	o.ID, err = doorstep.CheckID(o.ID)
	checks.Under("/outlet_id", err)
	o.Name, err = doorstep.CheckText(o.Name, 1, maxName)
	checks.Under("/name", err)
	if o.TimeZone == "" {
		o.TimeZone = r.TimeZone
	}
	if _, err := time.LoadLocation(o.TimeZone); err != nil || o.TimeZone == "Local" {
		checks.Add("/time_zone", "unknown_time_zone", "must be an IANA name such as Asia/Shanghai")
	}
	o.Locale, err = CheckLocale(o.Locale)
	checks.Under("/locale", err)
	o.Hours.check("/hours", &checks)
	checks.Under("/push", o.Push.Check())
	if err := checks.Err(); err != nil {
		return Outlet{}, err
	}
	o.UpdatedAt = r.Now()
	return r.Store.PutOutlet(ctx, a.Company, o)
}

// Outlet looks an outlet of the caller's company up; a manager has but his own.
func (r *Roster) Outlet(ctx context.Context, a doorstep.Actor, id string) (Outlet, error) {
	if a.Role == doorstep.RoleManager && id != a.Outlet {
		return Outlet{}, doorstep.NotFound("outlet", id)
	}
	return r.Store.Outlet(ctx, a.Company, id)
}

// PutCourier makes or replaces a courier. The outlet must exist.
func (r *Roster) PutCourier(ctx context.Context, a doorstep.Actor, c Courier) (Courier, error) {
	var checks doorstep.Checks
	var err error
	c.ID, err = doorstep.CheckID(c.ID)
	checks.Under("/courier_id", err)
	c.OutletID, err = doorstep.CheckID(c.OutletID)
	checks.Under("/outlet_id", err)
	c.Name, err = doorstep.CheckText(c.Name, 1, maxName)
	checks.Under("/name", err)
	c.Locale, err = CheckLocale(c.Locale)
	checks.Under("/locale", err)
	if err := checks.Err(); err != nil {
		return Courier{}, err
	}
	c.UpdatedAt = r.Now()
	return r.Store.PutCourier(ctx, a.Company, c)
}

// Courier looks a courier of the caller's company up.
func (r *Roster) Courier(ctx context.Context, a doorstep.Actor, id string) (Courier, error) {
	return r.Store.Courier(ctx, a.Company, id)
}

// CheckLocale accepts any BCP 47 tag of a language that texts exist in and
// gives the one they exist under; "" gives the default.
func CheckLocale(s string) (string, error) {
	if s == "" {
		return Locales[0], nil
	}
	tag, err := language.Parse(s)
	if base, _ := tag.Base(); err == nil {
		switch base.String() {
		case "zh":
			return "zh-CN", nil
		case "en":
			return "en", nil
		}
	}
	return "", &doorstep.InvalidError{Fields: []doorstep.FieldError{{
		Code: "unknown_locale", Detail: "must be zh-CN or en",
	}}}
}

var (
	weekdays  = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	clockTime = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)
)

const maxExceptions = 400 // more than a year of days

func (h Hours) check(pointer string, checks *doorstep.Checks) {
	for day, spans := range h.Weekly {
		if !slices.Contains(weekdays, day) {
			checks.Add(pointer+"/weekly", "unknown_weekday", "days are mon, tue, wed, thu, fri, sat and sun")
		}
		checkSpans(pointer+"/weekly/"+day, spans, checks)
	}
	if len(h.Exceptions) > maxExceptions {
		checks.Add(pointer+"/exceptions", "too_many", fmt.Sprintf("must be at most %d", maxExceptions))
		return
	}
	for i, e := range h.Exceptions {
		at := fmt.Sprintf("%s/exceptions/%d", pointer, i)
		if _, err := time.Parse(time.DateOnly, e.Date); err != nil {
			checks.Add(at+"/date", "invalid_date", "must be YYYY-MM-DD")
		}
		checkSpans(at+"/spans", e.Spans, checks)
	}
}

func checkSpans(pointer string, spans []Span, checks *doorstep.Checks) {
	before := ""
	for i, s := range spans {
		// As HH:MM, times sort as text.
		if !clockTime.MatchString(s.Opens) || !clockTime.MatchString(s.Closes) || s.Opens >= s.Closes || s.Opens < before {
			checks.Add(fmt.Sprintf("%s/%d", pointer, i), "invalid_span", "must open before it closes, as HH:MM, after the span before it")
		}
		before = s.Closes
	}
}
