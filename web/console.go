package web

import (
	"cmp"
	"html/template"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
	"doorstep/kpi"
	"doorstep/parcels"
	"doorstep/photos"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/push"
	"doorstep/session"
	"doorstep/telephony"
)

// Desks are the use cases behind the console: those that the public API calls for
// the same people.
type Desks struct {
	Complaints *complaints.Desk
	Recorder   *evidence.Recorder
	Clerk      *evidence.Clerk
	Packer     *bundle.Packer
	Album      *photos.Album
	Watch      *push.Watch
	CallBook   *telephony.Book
	Panel      *prefs.Panel
	Signer     *parcels.Signer
	Keeper     *privacy.Keeper
	Accesses   *privacy.AccessLog
	Roster     *parcels.Roster
	Board      *kpi.Board
	Zone       *time.Location // of the times that people are told
	Now        func() time.Time
}

// console is the face at /console/.
type console struct{ *house }

func (f console) register(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "/console/") })
	g.POST("/sign-out", f.signOut(session.Console))
	for path, draw := range map[string]inside{
		"/": f.queue, "/complaints/:id": f.complaint, "/complaints/:id/bundle": f.bundle, "/complaints/:id/regulator-pack": f.pack, "/photos/:sha256": f.photo,
		"/figures": f.figures, "/figures.csv": f.figuresTable, "/notices": f.notices, "/evidence": f.evidence, "/alerts": f.alerts, "/feeds": f.feeds, "/learning": f.learning,
		"/overrides": f.overrides, "/access-log": f.accesses, "/holds": f.holds, "/outlet": f.outlet,
	} {
		g.GET(path, f.signedIn(session.Console, draw))
	}
	for path, take := range map[string]inside{
		"/complaints/:id/:action": f.act, "/learning/:tag/resumption": f.resume, "/holds": f.hold, "/holds/:id/release": f.release,
	} {
		g.POST(path, f.signedIn(session.Console, take))
	}
}

// parseConsole reads a page of the console into its frame.
func parseConsole(name string) *template.Template {
	return template.Must(parse("console/frame.html").ParseFS(files, "templates/console/list.html", "templates/console/"+name))
}

// show draws a page of the console.
func (f console) show(c echo.Context, who doorstep.Actor, p page) error {
	p.Face, p.Who, p.SignOut = "console", who, "/console/sign-out"
	p.Style = cmp.Or(p.Style, "console.css")
	p.Modules = append(p.Modules, "console.js")
	return f.draw(c, p)
}
