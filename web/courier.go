package web

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/parcels"
	"doorstep/session"
)

var courierPage = parse("courier.html", "courier_icons.html")

// courier is the face at /c/: one page that works without a network. It draws
// what the phone keeps, and its scripts bring that and the public API together.
type courier struct{ *house }

func (f courier) register(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "/c/") })
	g.GET("/", f.signedIn(session.Courier, f.home))
	g.GET("/sw.js", sendWorker)
	g.POST("/sign-out", f.signOut(session.Courier))
}

// The page's modules: those that draw the run, which browsers then need not find
// one after the other, and those that come later. The phone keeps both.
var (
	courierFirst = []string{
		"courier/page.js", "courier/api.js", "courier/draw.js", "courier/outbox.js", "courier/run.js", "courier/words.js", "vendor/idb.js",
	}
	courierLater = []string{
		"courier/sending.js", "courier/parcel.js", "courier/phone.js", "courier/sheet.js", "courier/bell.js", "courier/file.js", "courier/photo.js", "courier/witness.js",
	}
)

// courierView is what courier.html draws.
type courierView struct {
	Account string   // keeps couriers who share a phone apart
	Company string   // whose logs the phone is a witness of
	First   []string // modules
	Later   []string // modules
	Methods []parcels.Method
	Reasons []parcels.AttemptReason
	Texts   map[string]string // what the scripts say
}

// home answers GET /c/.
func (f courier) home(c echo.Context, who doorstep.Actor) error {
	company, err := f.Companies.CompanyName(c.Request().Context(), who.Company)
	if err != nil {
		return err
	}
	v := courierView{
		Account: fmt.Sprintf("%d/%s", who.Company, who.Courier), Company: company, First: courierFirst, Later: courierLater, Methods: parcels.Methods, Reasons: parcels.Reasons,
		Texts: textsOf(c).Under("courier.", "attempt.", "clock.", "category.", "push.", "source.", "status."),
	}
	return f.draw(c, page{
		Template: courierPage, Title: "courier.title", Face: "courier", Who: who, SignOut: "/c/sign-out",
		Style: "courier.css", Modules: []string{"courier/page.js"}, View: v,
	})
}

// sendWorker answers GET /c/sw.js. It stands here and not among the assets, for
// its folder is what it works for; and browsers must see a new one at once.
func sendWorker(c echo.Context) error {
	worker := assets().files["courier/sw.js"]
	head := c.Response().Header()
	head.Set(echo.HeaderCacheControl, "no-cache")
	head.Set(echo.HeaderContentSecurityPolicy, policy)
	return c.Blob(http.StatusOK, worker.kind, worker.plain)
}
