package web

import (
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/evidence"
	"doorstep/telephony"
)

var feedsPage = parseConsole("feeds.html")

// feedsView is what feeds.html draws.
type feedsView struct {
	frame
	From, To time.Time
	Feeds    []feedView
	Faults   listing
}

// feedView is how a provider's feed was.
type feedView struct {
	telephony.Condition
	State badge
}

// feeds answers GET /console/feeds: whether "no record" means anything, and what
// providers sent that a person should look at.
func (f console) feeds(c echo.Context, who doorstep.Actor) error {
	v := feedsView{frame: f.frame(c, who)}
	ctx, at := c.Request().Context(), placeOf(c)
	list, from, to, err := f.Desks.CallBook.Health(ctx, who, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	v.From, v.To = from, to
	for _, condition := range list {
		v.Feeds = append(v.Feeds, feedView{condition, v.health(condition.Healthy)})
	}
	faults, err := f.Desks.CallBook.Faults(ctx, who, telephony.FaultPage{Limit: pageSize + 1, BeforeMS: at.ms, BeforeID: at.id})
	if err != nil {
		return err
	}
	v.Faults = listing{Head: v.heads("received", "provider", "event", "state", "why"), Empty: v.Text("console.no_faults")}
	faults, v.Faults.Next = cutPage(c, faults, func(one telephony.Fault) (time.Time, string) { return one.ReceivedAt, one.ID })
	for _, one := range faults {
		v.Faults.Rows = append(v.Faults.Rows, []cell{
			v.moment(one.ReceivedAt), mono(string(one.Provider)), mono(one.EventID), plain(v.Text("fault." + one.State)), mono(one.Reason),
		})
	}
	return f.show(c, who, page{Template: feedsPage, Title: "console.tab_feeds", View: v})
}

func (v frame) health(t evidence.Truth) badge {
	switch t {
	case evidence.True:
		return badge{Tone: "fine", Icon: "check", Text: v.Text("console.feed_whole")}
	case evidence.False:
		return badge{Tone: "late", Icon: "alarm", Text: v.Text("console.feed_gaps")}
	}
	return badge{Icon: "query", Text: v.Text("console.feed_unknown")}
}
