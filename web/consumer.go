package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/outreach"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/session"
)

// Own are the use cases of a consumer's pages, the same that the API calls.
type Own struct {
	Parcels    *parcels.Signer
	Wishes     *prefs.Book
	Complaints *complaints.Desk
	Eraser     *privacy.Eraser
	SendCopy   func(ctx context.Context, w http.ResponseWriter, who doorstep.Actor, language string) error
	Zone       *time.Location // of the times that people read
	Now        func() time.Time
}

var (
	homePage = parse("consumer.html", "consumer-case.html")
	linkPage = parse("link.html")
)

// consumer is the face at /p/: what the links open that a carrier sends. It works
// without script.
type consumer struct{ *house }

func (p consumer) register(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "/p/") })
	g.GET("/", p.closed)
	g.GET("/:link", p.open)
	g.POST("/:link", form(p).take)
	g.GET("/:link/wishes", p.held(p.wishes))
	g.POST("/:link/wishes", p.held(p.setWishes))
	g.POST("/:link/wishes/:tag", p.held(p.judgeWish))
	g.POST("/:link/learning", p.held(p.setLearning))
	g.GET("/:link/consents", p.held(p.consents))
	g.POST("/:link/consents", p.held(p.giveConsent))
	g.POST("/:link/consents/:id", p.held(p.revokeConsent))
	g.GET("/:link/complain", p.held(p.complain))
	g.POST("/:link/complain", p.held(p.complain))
	g.GET("/:link/complaints", p.held(p.complaints))
	g.GET("/:link/complaints/:id", p.held(p.complaint))
	g.POST("/:link/complaints/:id", p.held(p.actOnComplaint))
	g.GET("/:link/data", p.held(p.data))
	g.POST("/:link/data/copy", p.held(p.sendCopy))
	g.POST("/:link/data/erasure", p.held(p.erase))
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
			return p.held(p.home)(c)
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

// holder is whoever holds a consumer's link.
type holder struct {
	doorstep.Actor
	face session.Face
}

// At is the address of one of the holder's pages.
func (h holder) At(parts ...string) string {
	at := "/p/" + string(h.face)
	for _, part := range parts {
		at += "/" + url.PathEscape(part)
	}
	return at
}

// held lets in whoever holds the link that the address names.
func (p consumer) held(then func(echo.Context, holder) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		h := holder{face: session.Face(c.Param("link"))}
		secret := ""
		if h.face.IsLink() {
			secret = p.Jar.Secret(r, h.face)
		}
		if secret == "" || outreach.IsLink(secret) {
			return p.closed(c)
		}
		var err error
		h.Actor, err = p.Tokens.Authenticate(r.Context(), secret)
		switch {
		case errors.Is(err, access.ErrUnknown), err == nil && h.Role != doorstep.RoleConsumer:
			return p.over(c)
		case err != nil:
			return fmt.Errorf("consumer's page: %w", err)
		}
		if r.Method == http.MethodPost {
			if err := posted(c, mostOfForm); err != nil {
				return err
			}
		}
		return then(c, h)
	}
}

// show draws one of the holder's pages.
func (p consumer) show(c echo.Context, q page) error {
	q.Face, q.Style = "consumer", "consumer.css"
	return p.draw(c, q)
}

// ask draws a page with forms that change something.
func (p consumer) ask(c echo.Context, q page) error {
	q.Modules = []string{"consumer.js"}
	return p.show(c, q)
}

// back leads from what a form did to the page that shows it, so that reloading
// sends nothing again.
func back(c echo.Context, to string) error { return c.Redirect(http.StatusSeeOther, to) }

// moment is a time as the reader of c reads it.
func (p consumer) moment(c echo.Context, t time.Time) string {
	return textsOf(c).Moment(t.In(p.Own.Zone), p.Own.Now().In(p.Own.Zone))
}

// homeView is what consumer.html draws.
type homeView struct {
	holder
	Parcel   *parcelView // nil: none is asked about
	Asked    string      // the waybill that a person asked for
	NotFound bool
	Cases    []caseCard
	More     bool // there are older ones
	Wishes   []string
	Consents int // that hold
}

// homeCases is how many complaints the first page shows.
const homeCases = 3

// home answers GET /p/{face}: the parcel, and a way to everything else.
func (p consumer) home(c echo.Context, h holder) error {
	ctx, texts := c.Request().Context(), textsOf(c)
	v := homeView{holder: h, Asked: c.QueryParam("waybill")}
	if asked := cmp.Or(string(h.Waybill), v.Asked); asked != "" {
		parcel, err := p.parcel(c, h, asked)
		switch {
		case errors.Is(err, doorstep.ErrNotFound):
			v.NotFound = true
		case err != nil:
			return err
		default:
			v.Parcel = &parcel
		}
	}
	var err error
	if v.Cases, _, err = p.cases(c, h, complaints.Query{Limit: homeCases + 1}); err != nil {
		return err
	}
	if v.More = len(v.Cases) > homeCases; v.More {
		v.Cases = v.Cases[:homeCases]
	}
	tags, _, err := p.Own.Wishes.Tags(ctx, h.Actor)
	if err != nil {
		return fmt.Errorf("wishes: %w", err)
	}
	for _, t := range tags {
		if t.State == prefs.On {
			v.Wishes = append(v.Wishes, texts.Wish(t.Tag))
		}
	}
	list, err := p.Own.Wishes.Consents(ctx, h.Actor, prefs.ConsentPage{Limit: mostConsents})
	if err != nil {
		return fmt.Errorf("consents: %w", err)
	}
	for _, consent := range list {
		if stateOf(consent, p.Own.Now()) == "holds" {
			v.Consents++
		}
	}
	return p.show(c, page{Template: homePage, Title: "page.title", View: v})
}
