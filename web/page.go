package web

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/i18n"
)

// page is what layout.html frames.
type page struct {
	Template *template.Template // of parse
	Title    string             // a key of the catalogues
	Face     string             // "courier", "console" or "consumer": a class of the body; "" for none
	Style    string             // an asset of styles; "" for the house's own alone
	Modules  []string           // assets: ES modules
	Extras   []string           // assets: plain scripts that the page does not wait for
	Who      doorstep.Actor     // whoever is signed in; the zero value for nobody
	SignOut  string             // where the sign-out button posts to; "" for no button
	View     any                // what the page's own template draws
	Part     string             // the one template to send, for a script that swaps it in; "" for the whole page
	Status   int                // 0: 200
}

// sheet is a page in one reader's language: what templates see as dot.
type sheet struct {
	i18n.Texts
	page
	Lang   string
	Switch []languageLink
}

// With is the sheet for a part of the page that draws something else.
func (s sheet) With(view any) sheet {
	s.View = view
	return s
}

// functions are those that templates may call.
var functions = template.FuncMap{"asset": assetURL, "name": nameOf, "number": strconv.Itoa, "icon": icon, "mark": mark}

// nameOf is what a page calls whoever is signed in: a courier by his number.
func nameOf(who doorstep.Actor) string {
	if who.Subject != "" {
		return who.Subject
	}
	return who.Courier
}

// parse reads a page's templates into the layout. The page defines "main", and
// may define "head" and "bar".
func parse(names ...string) *template.Template {
	t := template.Must(template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html"))
	for _, name := range names {
		template.Must(t.ParseFS(files, "templates/"+name))
	}
	return t
}

// policy lets a page load, speak to and be sent to its own server, and nothing
// else. There is no script and no style but in files; blob: is a photo that the
// phone has taken and not sent yet.
const policy = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// mostOfForm bounds what a form sends, in bytes: 4,000 characters of Chinese are
// 36 kB when a form has encoded them.
const mostOfForm = 64 << 10

// posted reads the form that a request sends, of most bytes.
func posted(c echo.Context, most int64) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, most)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: form: %w", doorstep.ErrInvalid, err)
	}
	return nil
}

// draw sends a page.
func (h *house) draw(c echo.Context, p page) error {
	texts := textsOf(c)
	p.Style = cmp.Or(p.Style, "house.css")
	s := sheet{Texts: texts, page: p, Lang: texts.Language.String(), Switch: languagesOf(c, texts)}
	name := "layout.html"
	if p.Part != "" {
		name = p.Part
	}
	var out bytes.Buffer // whole, so that what goes wrong is not half a page
	if err := p.Template.ExecuteTemplate(&out, name, s); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	head := c.Response().Header()
	head.Set(echo.HeaderContentSecurityPolicy, policy)
	head.Set(echo.HeaderReferrerPolicy, "same-origin") // under no-referrer, forms would name their origin as null
	head.Set(echo.HeaderXContentTypeOptions, "nosniff")
	head.Set(echo.HeaderCacheControl, "no-store") // it is for one person only
	head.Set("Content-Language", s.Lang)
	head.Set("X-Robots-Tag", "noindex")
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	return c.HTMLBlob(p.Status, out.Bytes())
}
