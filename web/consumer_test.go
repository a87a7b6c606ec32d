package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/session"
	"doorstep/web"
)

const (
	personLink = "dst_person"
	parcelLink = "dst_parcel"
	courier    = "dst_courier"
	whenDown   = "dst_when_the_database_is_down"
)

// links knows the tokens above.
type links struct{}

func (links) Authenticate(_ context.Context, token string) (doorstep.Actor, error) {
	switch token {
	case personLink:
		return doorstep.Actor{Role: doorstep.RoleConsumer, Consumer: "somebody"}, nil
	case parcelLink:
		return doorstep.Actor{Role: doorstep.RoleConsumer, Consumer: "somebody", Waybill: "SF1234567890"}, nil
	case courier:
		return doorstep.Actor{Role: doorstep.RoleCourier, Courier: "c-1"}, nil
	case whenDown:
		return doorstep.Actor{}, errors.New("no database")
	}
	return doorstep.Actor{}, access.ErrUnknown
}

// noForms knows no link that asks.
type noForms struct{ web.Forms }

// pages are the pages, with a browser that keeps its cookies.
type pages struct {
	handler http.Handler
	cookies map[string]string
}

// companies are all called acme.
type companies struct{}

func (companies) CompanyName(context.Context, doorstep.CompanyNo) (string, error) { return "acme", nil }

func newPages(forms web.Forms, sessions web.Sessions) *pages {
	e := echo.New()
	web.Register(e, web.Config{
		Tokens: links{}, Sessions: sessions, Forms: forms, Own: own(), Companies: companies{},
		Jar: session.Jar{Secure: func() bool { return false }}, Log: slog.New(slog.DiscardHandler),
	})
	return &pages{handler: e, cookies: map[string]string{}}
}

// ask sends one request; headers are names and values.
func (p *pages) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		p.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		}
	}
	return w
}

// follow asks, and then for where the answer leads to.
func (p *pages) follow(path string, headers ...string) *httptest.ResponseRecorder {
	w := p.ask(http.MethodGet, path, "", headers...)
	if to := w.Header().Get("Location"); to != "" {
		return p.ask(http.MethodGet, to, "", headers...)
	}
	return w
}

func get(path, language string) *httptest.ResponseRecorder {
	return newPages(noForms{}, nil).follow(path, "Accept-Language", language)
}

func TestAParcelLinkShowsTheEndOfItsWaybillAndOffersNothingStanding(t *testing.T) {
	page := get("/p/"+parcelLink, "en")

	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Body.String(), "…7890")
	require.Contains(t, page.Body.String(), `data-scope="parcel"`)
	require.Contains(t, page.Body.String(), "Delivery was tried", "the newest step is the headline")
}

func TestAPersonsLinkShowsWhatIsKnown(t *testing.T) {
	page := get("/p/"+personLink, "en")

	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Body.String(), `data-scope="person"`)
	p := newPages(noForms{}, nil)
	home := p.ask(http.MethodGet, "/p/"+personLink, "").Header().Get("Location")
	wishes := p.ask(http.MethodGet, home+"/wishes", "", "Accept-Language", "en").Body.String()
	require.Contains(t, wishes, "You said so more than a year ago")
	require.Contains(t, wishes, "Mind the &lt;dog&gt;")
	require.Contains(t, wishes, `id="learning"`)
}

func TestALinkThatNoConsumerHoldsShowsAFriendlyPage(t *testing.T) {
	for _, token := range []string{"dst_never_made", courier} {
		page := get("/p/"+token, "en")

		require.Equal(t, http.StatusNotFound, page.Code, token)
		require.Contains(t, page.Body.String(), "This link no longer opens anything")
		require.NotContains(t, page.Body.String(), "<script")
		require.Empty(t, page.Result().Cookies())
	}
}

func TestALinkLeavesTheAddressBarAtOnceAndABrowserHoldsSeveral(t *testing.T) {
	p := newPages(noForms{}, nil)
	first := p.ask(http.MethodGet, "/p/"+parcelLink, "")
	second := p.ask(http.MethodGet, "/p/"+personLink, "")

	for _, opened := range []*httptest.ResponseRecorder{first, second} {
		require.Equal(t, http.StatusSeeOther, opened.Code)
		require.NotContains(t, opened.Header().Get("Location"), "dst_")
		cookie := opened.Result().Cookies()[0]
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	}
	require.Contains(t, p.ask(http.MethodGet, first.Header().Get("Location"), "").Body.String(), `data-scope="parcel"`)
	require.Contains(t, p.ask(http.MethodGet, second.Header().Get("Location"), "").Body.String(), `data-scope="person"`)

	elsewhere := newPages(noForms{}, nil).ask(http.MethodGet, first.Header().Get("Location"), "", "Accept-Language", "en")
	require.Contains(t, elsewhere.Body.String(), "Please open your link again")
	require.NotContains(t, elsewhere.Body.String(), "7890")
}

func TestAFaultIsNotTakenForAnExpiredLink(t *testing.T) {
	require.Equal(t, http.StatusInternalServerError, get("/p/"+whenDown, "en").Code)
}

func TestThePageSpeaksTheReadersLanguage(t *testing.T) {
	for _, tt := range []struct{ path, accept, want string }{
		{"/p/" + personLink, "", "zh-CN"},
		{"/p/" + personLink, "en-GB,en;q=0.9", "en"},
		{"/p/" + personLink + "?lang=en", "zh-CN", "en"},
		{"/p/" + personLink + "?lang=zh-CN", "en", "zh-CN"},
	} {
		page := get(tt.path, tt.accept)

		require.Equal(t, tt.want, page.Header().Get("Content-Language"), tt)
		require.Contains(t, page.Body.String(), `<html lang="`+tt.want+`"`)
	}
}

// own are use cases over one parcel that is out. Whatever they are not given here
// would write, and panics.
func own() web.Own {
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	return web.Own{
		Parcels: &parcels.Signer{Store: oneParcel{}, Now: now}, Wishes: &prefs.Book{Store: someWishes{}, Now: now},
		Complaints: &complaints.Desk{Store: someCases{}, Now: now}, Eraser: &privacy.Eraser{Store: noErasure{}},
		Zone: time.FixedZone("", 8*3600), Now: now,
	}
}

type oneParcel struct{ parcels.SignStore }

func (oneParcel) Holding(_ context.Context, a doorstep.Actor, w doorstep.Waybill, _ time.Time) (parcels.Custody, error) {
	if w != "SF1234567890" {
		return parcels.Custody{}, doorstep.NotFound("parcel", string(w))
	}
	return parcels.Custody{Waybill: w}, nil
}

func (oneParcel) History(context.Context, parcels.Custody) (h parcels.History, err error) {
	h.DispatchedAt = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	h.Attempts = []parcels.Attempt{{Outcome: parcels.Failed, Reason: "nobody_home", At: h.DispatchedAt.Add(time.Hour), ReceivedAt: h.DispatchedAt.Add(time.Hour)}}
	return h, nil
}

func (oneParcel) Sightings(context.Context, doorstep.CompanyNo, parcels.Custody) (list []parcels.Sighting, err error) {
	for _, code := range parcels.StatusCodes {
		list = append(list, parcels.Sighting{OutletID: "west", Status: code.Status, At: time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)})
	}
	return list, nil
}

type someWishes struct{ prefs.Store }

func (someWishes) Profiles(_ context.Context, ids []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	profile := prefs.Profile{Preferences: []prefs.Preference{
		{Scope: prefs.Standing, Tag: prefs.NoLocker, On: true, SetAt: at},
		{Scope: prefs.AtAddress("a"), Tag: prefs.CallFirst, On: true, SetAt: at},
		{Scope: prefs.ForParcel("SF1234567890"), Tag: prefs.ToDoor, On: true, SetAt: at},
		{Scope: prefs.Standing, Tag: prefs.PhotoProof, SetAt: at.AddDate(1, 1, 0)},
	}}
	return map[doorstep.ConsumerID]prefs.Profile{ids[0]: profile}, nil
}

func (someWishes) Notes(_ context.Context, ids []doorstep.ConsumerID) (map[doorstep.ConsumerID]map[prefs.Scope]string, error) {
	return map[doorstep.ConsumerID]map[prefs.Scope]string{ids[0]: {prefs.Standing: "Mind the <dog>", prefs.ForParcel("SF1234567890"): "Ring twice"}}, nil
}

func (someWishes) Consents(context.Context, doorstep.ConsumerID, prefs.ConsentPage) (list []prefs.Consent, err error) {
	for i, kind := range prefs.ConsentKinds {
		list = append(list, prefs.Consent{ID: string(kind), Kind: kind, Scope: prefs.Standing, ReceiptMethod: prefs.ReceiptMethods[i], ValidUntil: time.Date(2026, 3, i, 9, 0, 0, 0, time.UTC)})
	}
	return list, nil
}

type someCases struct{ complaints.Store }

func (s someCases) Complaints(ctx context.Context, a doorstep.Actor, q complaints.Query) (list []complaints.Complaint, err error) {
	for _, status := range complaints.Statuses {
		k, err := s.Complaint(ctx, a, string(status))
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list[:min(len(list), q.Limit)], nil
}

// Complaint gives one in the state that its id names.
func (someCases) Complaint(_ context.Context, _ doorstep.Actor, id string) (complaints.Complaint, error) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	k := complaints.Complaint{
		ID: id, RowID: id, OutletID: "west", Waybill: "SF1234567890", Category: complaints.LockerWithoutConsent, Status: complaints.Status(id), FiledAt: at,
		Period: complaints.FirstPeriod(at, "UTC", parcels.Hours{}), Learned: []prefs.Tag{prefs.NoLocker},
		Text: "In a locker.\nAgain.", Messages: []complaints.Message{{Author: complaints.FromConsumer, Text: "Again.", At: at}, {Author: complaints.FromOutlet, Text: "Sorry.", At: at}},
	}
	switch k.Status {
	case complaints.InProgress:
		k.Period.Pause = &complaints.Pause{Reason: complaints.Weather, From: at, Until: at.Add(complaints.LongestPause)}
	case complaints.Answered:
		k.Period.AnsweredAt = at.Add(time.Hour)
	case complaints.Confirmed, complaints.ClosedUnconfirmed, complaints.Withdrawn:
		k.Period.AnsweredAt, k.ResolvedAt = at.Add(time.Hour), at.Add(2*time.Hour)
	case complaints.Reopened:
		k.Period.No, k.Period.OpenedBy = 2, complaints.ByReopening
	case complaints.Disputed:
		k.Period.No, k.Period.OpenedBy = 2, complaints.ByDispute
	}
	return k, nil
}

type noErasure struct{ privacy.EraseStore }

func (noErasure) Request(context.Context, doorstep.Actor, int) (privacy.Request, error) {
	return privacy.Request{}, doorstep.NotFound("erasure", "")
}

// ownPages are the addresses below a link's, with the questions that a page may be
// asked.
func ownPages() []string {
	list := []string{"", "?waybill=SF1234567890", "?waybill=SF0", "/wishes", "/wishes?saved=1&tag=no_locker", "/consents", "/complain?category=lost&words=x&to=file", "/complaints", "/data"}
	for _, status := range complaints.Statuses {
		list = append(list, "/complaints/"+string(status), "/complaints/"+string(status)+"?filed=1&action=withdrawal")
	}
	return list
}

// own would panic if it were asked to write.
func TestEveryPageOfALinkHasAllTextsAndChangesNothing(t *testing.T) {
	key := regexp.MustCompile(`[>"\s](page|link|shell|wish|category|status|trouble|track|story|complain|consent|data|pause|privacy|attempt|parcel_status|signed|seen_by|date)\.[a-z_]+[\s<"]`)
	for _, language := range []string{"zh-CN", "en"} {
		for _, link := range []string{personLink, parcelLink} {
			p := newPages(noForms{}, nil)
			home := p.ask(http.MethodGet, "/p/"+link, "").Header().Get("Location")
			for _, path := range ownPages() {
				page := p.ask(http.MethodGet, home+path, "", "Accept-Language", language)
				require.Equal(t, http.StatusOK, page.Code, path)
				require.NotRegexp(t, key, page.Body.String(), path)
				require.NotContains(t, page.Body.String(), "<dog>", path)
			}
		}
	}
}

func TestWhatThePagesSendIsHeldToItsOrigin(t *testing.T) {
	p := newPages(noForms{}, nil)
	home := p.ask(http.MethodGet, "/p/"+personLink, "").Header().Get("Location")
	for _, path := range []string{"/wishes", "/wishes/no_locker", "/learning", "/consents", "/consents/c", "/complain", "/complaints/k", "/data/copy", "/data/erasure"} {
		forged := p.ask(http.MethodPost, home+path, "", "Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, forged.Code, path)
		stranger := newPages(noForms{}, nil).ask(http.MethodPost, home+path, "", "Accept-Language", "en")
		require.Contains(t, stranger.Body.String(), "Please open your link again", path)
	}
}

func TestNothingIsFiledOrErasedByHalfAForm(t *testing.T) {
	p := newPages(noForms{}, nil)
	home := p.ask(http.MethodGet, "/p/"+personLink, "").Header().Get("Location")
	for _, tt := range []struct{ path, body, says string }{
		{"/complain", "to=file&waybill=SF1234567890&category=lost&words=+", "Please write something"},
		{"/complain", "to=file&waybill=SF0&words=x", "no such parcel"},
		{"/data/erasure", "", "Nothing was erased"},
		{"/consents", "kind=locker&receipt_method=photo&last_day=someday", "Please choose"},
		{"/complaints/filed", "action=message&words=+", "Please write something"},
		{"/complaints/filed", "action=guess", "Please write something"},
	} {
		page := p.ask(http.MethodPost, home+tt.path, tt.body, "Accept-Language", "en")
		require.Equal(t, http.StatusUnprocessableEntity, page.Code, tt)
		require.Contains(t, page.Body.String(), tt.says)
	}
}

func TestThePageNeverHoldsItsToken(t *testing.T) {
	page := get("/p/"+personLink, "en")

	require.NotContains(t, page.Body.String(), personLink)
	require.Equal(t, "no-store", page.Header().Get("Cache-Control"))
	require.Equal(t, "same-origin", page.Header().Get("Referrer-Policy"))
	require.Equal(t, "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		page.Header().Get("Content-Security-Policy"))
}

func TestThePageAsksNobodyElse(t *testing.T) {
	page := get("/p/"+personLink, "en").Body.String()
	own := regexp.MustCompile(`(?:src|href)="(/assets/[a-z0-9./]+)"`)

	require.NotRegexp(t, `(src|href)="(https?:)?//`, page)
	assets := own.FindAllStringSubmatch(page, -1)
	require.Len(t, assets, 2) // icon, style
	for _, asset := range assets {
		got := get(asset[1], "en")
		require.Equal(t, http.StatusOK, got.Code, asset[1])
		require.NotRegexp(t, `url\(|@import|https?://[^w]`, got.Body.String()) // the namespace of SVG is no request
	}
}
