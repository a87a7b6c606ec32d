package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/i18n"
	"doorstep/outreach"
	"doorstep/prefs"
	"doorstep/session"
)

var (
	consumerPage = parse("consumer.html")
	linkPage     = parse("link.html")
)

// consumer is the face at /p/: what the links open that a carrier sends.
type consumer struct{ *house }

func (p consumer) register(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "/p/") })
	g.GET("/", p.closed)
	g.GET("/:link", p.open)
	g.POST("/:link", form(p).take)
}

// open answers GET /p/{link}. A link's secret goes into a cookie and out of the
// address bar at once; what it opens then stands under the cookie's name, so
// that one browser can hold several. The server changes nothing: previews and
// scanners open links before their owner does.
func (p consumer) open(c echo.Context) error {
	given := c.Param("link")
	if face := session.Face(given); face.IsLink() {
		switch secret := p.Jar.Secret(c.Request(), face); {
		case secret == "":
			return p.closed(c)
		case outreach.IsLink(secret):
			return form(p).show(c)
		default:
			return p.page(c, face, secret)
		}
	}
	known, err := p.holds(c, given)
	if err != nil {
		return fmt.Errorf("consumer's link: %w", err)
	}
	if !known {
		return p.over(c)
	}
	face := session.OfLink(given)
	p.Jar.Keep(c.Response(), c.Request(), face, given)
	return c.Redirect(http.StatusSeeOther, "/p/"+string(face))
}

// holds says whether a link opens anything.
func (p consumer) holds(c echo.Context, secret string) (bool, error) {
	ctx := c.Request().Context()
	if outreach.IsLink(secret) {
		_, err := p.Forms.Open(ctx, secret)
		if errors.Is(err, doorstep.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	who, err := p.Tokens.Authenticate(ctx, secret)
	if errors.Is(err, access.ErrUnknown) {
		return false, nil
	}
	return err == nil && who.Role == doorstep.RoleConsumer, err
}

// closed says how to come in, to a browser that has not opened the link.
func (p consumer) closed(c echo.Context) error {
	return p.draw(c, page{Template: linkPage, Title: "link.closed_title", Face: "consumer", View: "link.closed"})
}

// over says that a link opens nothing any more.
func (p consumer) over(c echo.Context) error {
	return p.draw(c, page{Template: linkPage, Title: "page.expired_title", Face: "consumer", View: "page.expired", Status: http.StatusNotFound})
}

// wishGroups are the tags in the order in which the page offers them.
var wishGroups = []struct {
	Key  string
	Tags []prefs.Tag
}{
	{"page.group_place", []prefs.Tag{
		prefs.ToDoor, prefs.NoLocker, prefs.NoPickupPoint, prefs.LockerOK, prefs.PickupPointOK, prefs.LeaveAtDoorOK,
	}},
	{"page.group_before", []prefs.Tag{prefs.CallFirst, prefs.MessageFirst, prefs.NoCall, prefs.NoDoorbell}},
	{"page.group_time", []prefs.Tag{prefs.EveningOnly, prefs.DaytimeOnly, prefs.WeekendOnly, prefs.NoWeekend}},
	{"page.group_hands", []prefs.Tag{
		prefs.SignInPerson, prefs.FamilyMaySign, prefs.PhotoProof, prefs.FragileCare, prefs.NoThrowing, prefs.DogOrChildAtHome,
	}},
}

// scriptTexts are the texts that only the script shows.
var scriptTexts = []string{
	"page.on", "page.asked", "page.off", "page.said", "page.forgotten", "page.learned", "page.guessed", "page.fades", "page.ask_again", "page.opposite", "page.one_parcel", "page.one_address",
	"page.confirm", "page.remove", "page.nothing_known", "page.no_complaints", "page.saved", "page.filed", "page.merged",
	"page.promise", "page.nothing_learned", "page.taught", "page.answer_by", "page.expired", "page.no_parcel", "page.unreachable", "page.too_much",
}

// view is what consumer.html draws.
type view struct {
	Face        session.Face // of the link
	Person      bool         // it speaks for the person, not for one parcel
	Waybill     doorstep.Waybill
	Groups      []wishGroup
	ScriptTexts map[string]string
}

type wishGroup struct {
	Title  string
	Wishes []wish
}

type wish struct {
	Tag       prefs.Tag
	Text      string
	Opposites string // tag codes, for the script
}

// page draws what a link of the public API opens.
func (p consumer) page(c echo.Context, face session.Face, secret string) error {
	actor, err := p.Tokens.Authenticate(c.Request().Context(), secret)
	if errors.Is(err, access.ErrUnknown) {
		return p.over(c)
	}
	if err != nil {
		return fmt.Errorf("consumer's page: %w", err)
	}
	v := newView(textsOf(c))
	v.Face, v.Person, v.Waybill = face, actor.IsPerson(), actor.Waybill
	return p.draw(c, page{
		Template: consumerPage, Title: "page.title", Face: "consumer", View: v,
		Styles: []string{"consumer.css"}, Modules: []string{"consumer.js"},
	})
}

func newView(texts i18n.Texts) view {
	v := view{ScriptTexts: map[string]string{}}
	for _, group := range wishGroups {
		g := wishGroup{Title: texts.Text(group.Key)}
		for _, tag := range group.Tags {
			var opposites []string
			for _, o := range tag.Opposites() {
				opposites = append(opposites, string(o))
			}
			g.Wishes = append(g.Wishes, wish{Tag: tag, Text: texts.Wish(tag), Opposites: strings.Join(opposites, " ")})
			v.ScriptTexts["wish."+string(tag)] = texts.Wish(tag)
		}
		v.Groups = append(v.Groups, g)
	}
	for _, key := range scriptTexts {
		v.ScriptTexts[key] = texts.Text(key)
	}
	for _, category := range complaints.Categories {
		key := "category." + string(category)
		v.ScriptTexts[key] = texts.Text(key)
	}
	for _, status := range complaints.Statuses {
		key := "status." + string(status)
		v.ScriptTexts[key] = texts.Text(key)
	}
	return v
}

// WaybillEnd is how the page names the parcel.
func (v view) WaybillEnd() string { return v.Waybill.LastFour() }
