package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/i18n"
	"doorstep/prefs"
)

var wishesPage = parse("consumer-wishes.html")

// wishGroups are the tags in the order in which the page offers them. The first
// group is what most people ask for; the others unfold.
var wishGroups = []struct {
	Key  string
	Tags []prefs.Tag
}{
	{"page.group_first", []prefs.Tag{prefs.ToDoor, prefs.NoLocker, prefs.NoPickupPoint, prefs.CallFirst, prefs.LeaveAtDoorOK, prefs.PhotoProof}},
	{"page.group_place", []prefs.Tag{prefs.LockerOK, prefs.PickupPointOK}},
	{"page.group_before", []prefs.Tag{prefs.MessageFirst, prefs.NoCall, prefs.NoDoorbell}},
	{"page.group_time", []prefs.Tag{prefs.EveningOnly, prefs.DaytimeOnly, prefs.WeekendOnly, prefs.NoWeekend}},
	{"page.group_hands", []prefs.Tag{prefs.SignInPerson, prefs.FamilyMaySign, prefs.FragileCare, prefs.NoThrowing, prefs.DogOrChildAtHome}},
}

// wishesView is what consumer-wishes.html draws.
type wishesView struct {
	holder
	Known    []knownWish // of a person
	Learning bool
	Groups   []wishGroup
	Others   int // wishes that are on and stand in groups that unfold
	Note     string
	Saved    bool
	Trouble  string
}

type wishGroup struct {
	Title  string
	Wishes []wish
}

type wish struct {
	Tag       prefs.Tag
	Text      string
	On        bool
	Opposites string // tag codes, for the script
}

// knownWish is a tag as its consumer reads of it.
type knownWish struct {
	Tag         prefs.Tag
	Text        string
	State       prefs.State
	Why         []string
	Confirmable bool
	Removable   bool
	Instead     []wish // what may be said in its place
}

// wishes answers GET /p/{face}/wishes.
func (p consumer) wishes(c echo.Context, h holder) error {
	return p.drawWishes(c, h, "", http.StatusOK)
}

func (p consumer) drawWishes(c echo.Context, h holder, trouble string, status int) error {
	ctx, texts := c.Request().Context(), textsOf(c)
	tags, learning, err := p.Own.Wishes.Tags(ctx, h.Actor)
	if err != nil {
		return fmt.Errorf("wishes: %w", err)
	}
	notes, err := p.Own.Wishes.Notes(ctx, h.Actor)
	if err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	scope := scopeOf(h)
	v := wishesView{holder: h, Learning: learning, Note: notes[scope], Saved: c.QueryParam("saved") != "", Trouble: trouble}
	var on []prefs.Tag
	for _, t := range tags {
		if t.Explicit && t.State == prefs.On && t.Scope == scope {
			on = append(on, t.Tag)
		}
		if h.IsPerson() {
			v.Known = append(v.Known, p.known(texts, t))
		}
	}
	for i, group := range wishGroups {
		g := wishGroup{Title: texts.Text(group.Key)}
		for _, tag := range group.Tags {
			w := newWish(texts, tag)
			if w.On = slices.Contains(on, tag); w.On && i > 0 {
				v.Others++
			}
			g.Wishes = append(g.Wishes, w)
		}
		v.Groups = append(v.Groups, g)
	}
	return p.ask(c, page{Template: wishesPage, Title: "page.wishes_title", View: v, Status: status})
}

func newWish(texts i18n.Texts, tag prefs.Tag) wish {
	var opposites []string
	for _, o := range tag.Opposites() {
		opposites = append(opposites, string(o))
	}
	return wish{Tag: tag, Text: texts.Wish(tag), Opposites: strings.Join(opposites, " ")}
}

// scopeOf is what the holder's page speaks of: the link's parcel, or all of the
// person's.
func scopeOf(h holder) prefs.Scope {
	if h.IsPerson() {
		return prefs.Standing
	}
	return prefs.ForParcel(string(h.Waybill))
}

// known tells what is known of a wish, and why we think so.
func (p consumer) known(texts i18n.Texts, t prefs.TagState) knownWish {
	now := p.Own.Now()
	isOld := !t.AskAgainAt.IsZero() && !t.AskAgainAt.After(now)
	standing := t.Scope == prefs.Standing // the API confirms and removes no others
	k := knownWish{
		Tag: t.Tag, Text: texts.Wish(t.Tag), State: t.State, Why: []string{p.why(texts, t, isOld)},
		Confirmable: standing && (t.State == prefs.Asked || t.State == prefs.On && (!t.Explicit || isOld)),
		Removable:   standing && t.State != prefs.Off,
	}
	if k.Removable && !t.Explicit {
		for _, o := range t.Tag.Opposites() {
			k.Instead = append(k.Instead, newWish(texts, o))
		}
	}
	if t.Right+t.Wrong > 0 {
		k.Why = append(k.Why, texts.Fill("feedback.count", "right", strconv.Itoa(t.Right), "wrong", strconv.Itoa(t.Wrong)))
	}
	if t.State == prefs.On && !t.FadesAt.IsZero() {
		k.Why = append(k.Why, texts.Fill("page.fades", "date", texts.Day(t.FadesAt.In(p.Own.Zone), now.In(p.Own.Zone))))
	}
	seen := "seen_by.nobody"
	if t.State == prefs.On {
		seen = "seen_by.courier"
	}
	k.Why = append(k.Why, texts.Text(seen))
	return k
}

func (p consumer) why(texts i18n.Texts, t prefs.TagState, isOld bool) string {
	switch {
	case t.Scope.Waybill() != "":
		return texts.Fill("page.one_parcel", "end", doorstep.Waybill(t.Scope.Waybill()).LastFour())
	case t.Scope.AddressID() != "":
		return texts.Text("page.one_address")
	case t.State == prefs.Off:
		return texts.Text("page.forgotten")
	case t.Explicit && isOld:
		return texts.Text("page.ask_again")
	case t.Explicit:
		return texts.Text("page.said")
	}
	confidence := texts.Text("confidence." + string(t.Certainty()))
	if len(t.Because) == 0 {
		return texts.Fill("page.guessed", "confidence", confidence)
	}
	var reasons []string
	for _, r := range t.Because {
		day := texts.Day(r.On.In(p.Own.Zone), p.Own.Now().In(p.Own.Zone))
		reason := texts.Fill("because.told", "date", day)
		if r.Waybill != "" {
			reason = texts.Fill("because.parcel", "date", day, "end", doorstep.Waybill(r.Waybill).LastFour())
		}
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return texts.Fill("page.learned", "reasons", strings.Join(reasons, texts.Text("page.and")), "confidence", confidence)
}

// setWishes answers POST /p/{face}/wishes: one scope is replaced.
func (p consumer) setWishes(c echo.Context, h holder) error {
	in := c.Request().PostForm
	_, err := p.Own.Wishes.SetPreferences(c.Request().Context(), h.Actor, prefs.Preferences{
		Tags: in["tag"], Note: strings.TrimSpace(in.Get("note")), Waybill: string(h.Waybill),
	})
	switch {
	case errors.Is(err, doorstep.ErrInvalid):
		return p.drawWishes(c, h, textsOf(c).Text("page.note_too_long"), http.StatusUnprocessableEntity)
	case err != nil:
		return fmt.Errorf("wishes: %w", err)
	}
	return back(c, h.At("wishes")+"?saved=1#own")
}

// judgeWish answers POST /p/{face}/wishes/{tag}: a tag is confirmed, removed, or
// another said in its place.
func (p consumer) judgeWish(c echo.Context, h holder) error {
	ctx, tag := c.Request().Context(), c.Param("tag")
	var err error
	switch in := c.Request().PostForm; in.Get("verdict") {
	case "confirm":
		_, err = p.Own.Wishes.Confirm(ctx, h.Actor, tag)
	case "remove":
		err = p.Own.Wishes.Remove(ctx, h.Actor, tag)
	default:
		_, err = p.Own.Wishes.Correct(ctx, h.Actor, tag, in.Get("instead"))
	}
	if err != nil {
		return fmt.Errorf("wish: %w", err)
	}
	return back(c, h.At("wishes"))
}

// setLearning answers POST /p/{face}/learning.
func (p consumer) setLearning(c echo.Context, h holder) error {
	if err := p.Own.Wishes.SetLearning(c.Request().Context(), h.Actor, c.FormValue("enabled") == "true"); err != nil {
		return fmt.Errorf("learning: %w", err)
	}
	return back(c, h.At("wishes"))
}
