package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/evidence/bundle"
	"doorstep/photos/phototest"
	"doorstep/store/storetest"
)

// desk is a browser that somebody has signed in to the console with.
type desk struct{ *app }

func (a *app) atConsole(who access.Request) desk {
	a.t.Helper()
	a.cookies = []*http.Cookie{a.signIn(a.invite(who))}
	return desk{a}
}

// page opens a part of the console.
func (d desk) page(path string) string {
	d.t.Helper()
	w := d.browse(http.MethodGet, "/console/"+path, "")
	require.Equal(d.t, http.StatusOK, w.Code, w.Body.String())
	return w.Body.String()
}

// send posts a form and gives the answer's status and where it leads.
func (d desk) send(path string, form url.Values) (status int, leads, body string) {
	d.t.Helper()
	w := d.browse(http.MethodPost, "/console/"+path, form.Encode())
	return w.Code, w.Header().Get("Location"), w.Body.String()
}

// qian is somebody at headquarters.
var qian = access.Request{Role: doorstep.RoleHQ, Subject: "Qian Hui"}

func TestAComplaintsPageShowsThePhotosOfItsRecords(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		other := picture(phototest.JPEG(32, 32, 1))
		a.declare("li", "SF1", doorPhoto)
		a.declare("li", "SF1", other) // and never sent
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		filed := a.complain(a.consumer(anne), "SF1", "又没问我就放快递柜！")
		d := a.atConsole(sun)

		page := d.page("complaints/" + filed.ID)
		require.Contains(t, page, `<img src="/console/photos/`+hashOf(doorPhoto)+`"`)
		require.NotContains(t, page, hashOf(other))
		shown := d.browse(http.MethodGet, "/console/photos/"+hashOf(doorPhoto), "")
		require.Equal(t, http.StatusOK, shown.Code)
		require.Equal(t, "image/jpeg", shown.Header().Get("Content-Type"))
		require.Equal(t, http.StatusNotFound, d.browse(http.MethodGet, "/console/photos/"+hashOf(other), "").Code)
	})
}

func TestTheConsoleAnswersAComplaint(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(a.consumer(anne), "SF1", "又没问我就放快递柜！")
		d := a.atConsole(sun)

		queue := d.page("")
		require.Contains(t, queue, `href="/console/complaints/`+filed.ID+`"`)
		require.Contains(t, queue, "又没问我就放快递柜！")
		require.Contains(t, queue, `data-due="`+filed.Clocks.Promise.DueAt.Format(time.RFC3339)+`"`)

		here := "complaints/" + filed.ID
		page := d.page(here)
		require.Contains(t, page, "The consumer never sees this.")
		require.Contains(t, page, "sealed, no. ")

		for _, step := range []struct{ action, form, shows string }{
			{"notes", "text=nobody+was+asked", "nobody was asked"},
			{"recategorise", "category=delay&reason=late+too", "<h1>Delay</h1>"},
			{"pause", "reason=weather&note=typhoon", "Paused (weather)"},
			{"answer", "text=we+bring+it+tonight", "we bring it tonight"},
		} {
			form, err := url.ParseQuery(step.form)
			require.NoError(t, err)
			status, leads, body := d.send(here+"/"+step.action, form)
			require.Equal(t, http.StatusSeeOther, status, body)
			require.Equal(t, "/console/"+here+"?done="+step.action, leads)
			require.Contains(t, d.page(here), step.shows)
		}
		hers := read[api.Complaint](a.get(a.consumer(anne), "/v1/complaints/"+filed.ID), http.StatusOK)
		require.Equal(t, api.ComplaintStatus("answered"), hers.Status)
		require.NotContains(t, string(a.get(a.consumer(anne), "/v1/complaints/"+filed.ID).body), "nobody was asked")
		require.NotContains(t, d.page(""), filed.ID, "what is answered waits no more")
		require.Contains(t, d.page("?sort=filed"), filed.ID)
	})
}

func TestTheConsoleKeepsWhatIsRefusedAsItWasTyped(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		here := "complaints/" + a.complain(a.consumer(anne), "SF1", "又没问我就放快递柜！").ID
		d := a.atConsole(sun)

		status, _, body := d.send(here+"/reroute", url.Values{"to": {"no-such-outlet"}, "reason": {"theirs"}})
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.Contains(t, body, `value="no-such-outlet"`)
		require.Contains(t, body, "It was not sent")

		status, _, _ = d.send(here+"/answer", url.Values{"text": {"first"}})
		require.Equal(t, http.StatusSeeOther, status)
		status, _, body = d.send(here+"/answer", url.Values{"text": {"second"}})
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, body, "This has changed in the meantime")
		require.NotContains(t, body, "second<")

		status, _, _ = d.send(here+"/penalty", url.Values{})
		require.Equal(t, http.StatusNotFound, status)
	})
}

func TestTheConsoleShowsItsOutletAlone(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne))
		filed := a.complain(a.consumer(anne), "SF1", "又没问我就放快递柜！")
		stranger := a.atConsole(access.Request{Role: doorstep.RoleManager, OutletID: "east", Subject: "Wu Jie"})

		require.NotContains(t, stranger.page(""), filed.ID)
		for _, path := range []string{"", "/bundle", "/regulator-pack"} {
			require.Equal(t, http.StatusNotFound, stranger.browse(http.MethodGet, "/console/complaints/"+filed.ID+path, "").Code)
		}
		status, _, _ := stranger.send("complaints/"+filed.ID+"/answer", url.Values{"text": {"x"}})
		require.Equal(t, http.StatusNotFound, status)
		status, _, _ = stranger.send("learning/no_locker/resumption", nil)
		require.Equal(t, http.StatusForbidden, status, "for headquarters")
		a.get(a.manager("east"), "/v1/outlets/west").problem(http.StatusNotFound)

		require.Contains(t, a.atConsole(qian).page(""), filed.ID)
	})
}

func TestTheConsolesRecordsAndFigures(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dsn string) {
		a := newApp(t, dsn)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
		filed := a.complain(a.consumer(anne), "SF1", "又没问我就放快递柜！")
		d := a.atConsole(sun)

		found := d.page("evidence?kind=complaint")
		require.Contains(t, found, "SF1")
		require.NotContains(t, found, "<code>SF2</code>")
		require.Equal(t, http.StatusUnprocessableEntity, d.browse(http.MethodGet, "/console/evidence?from=soon", "").Code)

		d.page("complaints/" + filed.ID)
		opened := d.page("access-log?complaint_id=" + filed.ID)
		require.Contains(t, opened, "Sun Yan")

		zip := d.browse(http.MethodGet, "/console/complaints/"+filed.ID+"/bundle", "")
		require.Equal(t, "application/zip", zip.Header().Get("Content-Type"))
		_, err := bundle.Verify(zip.Body.Bytes(), a.logKey(), "")
		require.NoError(t, err)

		status, _, body := d.send("holds", url.Values{"waybill": {"SF9"}, "reason": {"a court asks"}})
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, `value="SF9"`)
		status, leads, _ := d.send("holds", url.Values{"waybill": {"SF1"}, "reason": {"a court asks"}})
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, "/console/holds?done=hold", leads)
		require.Contains(t, d.page("holds"), "a court asks")

		day := a.clock.Now().Format(time.DateOnly)
		csv := d.browse(http.MethodGet, "/console/figures.csv?group_by=outlet&from="+day+"&to="+day, "")
		require.Contains(t, csv.Body.String(), "west,complaint_rate,1,")
		require.Contains(t, d.page("figures?from="+day+"&to="+day), ">1 / ")
		for _, part := range []string{"notices", "alerts", "feeds", "learning", "overrides", "outlet"} {
			require.Contains(t, d.page(part), `aria-current="page"`)
		}
	})
}
