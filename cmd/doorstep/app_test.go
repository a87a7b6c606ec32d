package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/blobs"
	"doorstep/complaints"
	"doorstep/feed"
	"doorstep/metrics"
	"doorstep/photos"
	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/push/sink"
	"doorstep/push/webpush"
	"doorstep/reading"
	"doorstep/session"
	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/telephony"
	"doorstep/vault"
	"doorstep/web"
	"doorstep/webhooks"
	"doorstep/webhooks/https"
)

// app is the whole house behind its HTTP interface, with every answer held to
// the contract, a clock that tests move, and a stand-in for FCM on loopback.
type app struct {
	*site
	t       *testing.T
	db      *store.DB
	handler http.Handler
	streams http.Handler     // handler without the checks, which hold answers back
	server  *httptest.Server // of streams; nil until it is needed
	sender  *push.Sender
	relay   *feed.Relay
	sorter  *telephony.Sorter
	hooks   *webhooks.Sender
	metrics *metrics.Metrics
	log     *journal
	bell    *push.Bell // of streams
	desk    *complaints.Desk
	album   *photos.Album
	cookies []*http.Cookie // of the browser that opens pages

	operations *api.Server
}

// site is what the nodes of one installation share.
type site struct {
	url     string
	vault   *vault.Vault
	clock   *storetest.Clock
	settle  time.Duration
	content push.Content
	blobs   photos.Blobs // of a folder, unless an option says otherwise
	sink    *sink.Sink
	sinkURL string
	carrier *carrier
	tokens  map[access.Request]string
}

// vapidKey belongs to nobody.
const vapidKey = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"

// option changes a site before its first node starts.
type option func(*site)

// gathering lets a courier's alerts gather for so long into one push.
func gathering(window time.Duration) option { return func(s *site) { s.settle = window } }

// opaque makes pushes say ids only.
func opaque(s *site) { s.content = push.ContentOpaque }

// newApp starts a house over the empty database at url. Pushes are due at once.
func newApp(t *testing.T, url string, options ...option) *app {
	t.Helper()
	s := &site{
		url: url, vault: storetest.Vault(t), clock: storetest.NewClock(), content: push.ContentTags,
		tokens: map[access.Request]string{},
	}
	s.blobs = blobs.Sealed{Store: blobs.OpenFolder(t.TempDir()), Vault: s.vault}
	for _, o := range options {
		o(s)
	}
	opened := s.clock.Now()
	s.sink = sink.New(sink.Options{Now: func() time.Time { return opened }, Seed: 1})
	server := httptest.NewServer(s.sink)
	t.Cleanup(server.Close)
	s.sinkURL = server.URL
	s.carrier = newCarrier(t)
	return s.node(t)
}

var theReader = sync.OnceValues(reading.New)

// node starts one more server over the site's database.
func (s *site) node(t *testing.T) *app {
	t.Helper()
	reader, err := theReader()
	require.NoError(t, err)
	a := &app{site: s, t: t, log: &journal{}, db: storetest.Open(t, s.url, s.vault, s.clock, s.settle)}
	log := slog.New(slog.NewJSONHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a.bell = &push.Bell{}
	a.db.OnNews(func(n store.News) { ring(a.bell, n) })
	policy, err := telephony.LoadPolicy()
	require.NoError(t, err)
	server := newServer(a.db, reader, policy, a.bell, s.clock.Now, doorstep.MakeID)
	a.desk, a.operations = server.Desk, server
	a.album = photos.NewAlbum(a.db, s.blobs, s.clock.Now, doorstep.MakeID)
	server.Album, server.Packer.Photos, server.Eraser.Photos = a.album, a.album, a.album.Sweep
	server.PublicURL = func() string { return "https://doorstep.example" }
	browsers, err := webpush.New(webpush.Config{
		PrivateKey: vapidKey, Subject: "mailto:ops@carrier.example", AllowLoopback: true, Now: s.clock.Now,
	})
	require.NoError(t, err)
	offerWebPush(server, browsers)
	apps, err := fcm.New(t.Context(), fcm.Config{Project: "demo", Endpoint: s.sinkURL + "/v1", Now: s.clock.Now})
	require.NoError(t, err)
	a.sender = push.NewSender(push.Sender{
		Queue: a.db, Providers: map[string]push.Provider{push.FCM: apps, push.WebPush: browsers}, Content: s.content, Now: s.clock.Now,
		Draw: func() float64 { return 0.5 }, NewToken: uuid.NewString, Log: log, Rate: 10_000, InFlight: 16,
	})
	a.metrics = metrics.New(metrics.Config{
		Queue: a.db, Services: a.sender.Services, Streams: a.bell.Listening, Now: s.clock.Now, Log: log,
	})
	a.sender.Observer = a.metrics
	a.db.Observe(a.metrics)
	server.Inbox.Arrived = a.metrics.Arrived
	tokens := &access.Authenticator{Store: a.db, Now: s.clock.Now}
	jar := session.Jar{Secure: func() bool { return true }}
	receiver := https.New(https.Config{AllowPrivate: true, Roots: s.carrier.roots})
	server.Hooks.Receiver = receiver
	a.hooks = webhooks.NewSender(webhooks.Config{
		Queue: a.db, Receiver: receiver, Observer: a.metrics, Now: s.clock.Now, Draw: func() float64 { return 0.5 }, Log: log,
	})
	e := api.New(api.Config{
		Operations: server,
		Tokens:     api.Tokens{Authenticator: tokens},
		Cookie:     jar.OfPage,
		Replays:    store.Replays{DB: a.db},
		Exchange:   server.Exchange,
		Accounts:   server.Accounts,
		PublicURL:  server.PublicURL,
		Follow:     server.Inbox.Follow,
		Dropped:    a.metrics.Dropped,
		Ready:      a.db.Ping,
		Log:        log,
		Now:        s.clock.Now,
		NewID:      uuid.NewString,
		Draw:       func() float64 { return 0.5 },
	})
	web.Register(e, web.Config{
		Tokens: tokens, Sessions: server.Office, Forms: server.Outreach, Own: own(server), Desks: desks(server),
		Companies: a.db, Jar: jar, Log: log,
	})
	e.Use(a.metrics.Requests(e))
	a.relay = feed.NewRelay(a.db, s.clock.Now, log)
	a.sorter = telephony.NewSorter(telephony.Sorter{Store: a.db, Policy: policy, Now: s.clock.Now, NewID: doorstep.MakeID, Log: log})
	a.streams, a.handler = e, apitest.Checked(t, e)
	return a
}

// token makes a token once for each who; of company "default" and for a day
// unless who says otherwise.
func (a *app) token(who access.Request) string {
	a.t.Helper()
	if who.Company == "" {
		who.Company = "default"
	}
	if who.TTL == 0 {
		who.TTL = access.DefaultTTL
	}
	if a.tokens[who] == "" {
		a.tokens[who] = a.freshToken(who)
	}
	return a.tokens[who]
}

func (a *app) freshToken(who access.Request) string {
	a.t.Helper()
	secret, err := a.office().Create(context.Background(), who)
	require.NoError(a.t, err)
	return secret
}

func (a *app) office() *access.Office {
	return &access.Office{Store: a.db, Now: a.clock.Now, NewID: doorstep.MakeID, Random: rand.Reader}
}

func (a *app) integrator() string { return a.token(access.Request{Role: doorstep.RoleIntegrator}) }

func (a *app) courier(id string) string {
	return a.token(access.Request{Role: doorstep.RoleCourier, CourierID: id})
}

func (a *app) consumer(phone string) string {
	return a.token(access.Request{Role: doorstep.RoleConsumer, ConsumerPhone: phone})
}

func (a *app) manager(outlet string) string {
	return a.token(access.Request{Role: doorstep.RoleManager, OutletID: outlet, Subject: "Sun Yan"})
}

func (a *app) hq() string { return a.token(access.Request{Role: doorstep.RoleHQ, Subject: "Qian Hui"}) }

// header changes a request before it is sent.
type header func(*http.Request)

func withHeader(name, value string) header {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// picture is a body that is a photo.
type picture []byte

// send sends body, which is a reader, text, a picture, or a value to encode; nil
// is none.
func (a *app) send(method, token, path string, body any, headers ...header) answer {
	a.t.Helper()
	return a.sendTo(a.handler, method, token, path, body, headers...)
}

// sendTo is send past the checks, or through them.
func (a *app) sendTo(handler http.Handler, method, token, path string, body any, headers ...header) answer {
	a.t.Helper()
	var in io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case io.Reader:
		in = b
	case picture:
		in, kind = bytes.NewReader(b), "image/jpeg"
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		require.NoError(a.t, err)
		in = bytes.NewReader(text)
	}
	r := httptest.NewRequest(method, path, in)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		r.Header.Set("Content-Type", kind)
	}
	for _, h := range headers {
		h(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return answer{t: a.t, request: method + " " + path, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

func (a *app) get(token, path string, headers ...header) answer {
	a.t.Helper()
	return a.send(http.MethodGet, token, path, nil, headers...)
}

func (a *app) post(token, path string, body any, headers ...header) answer {
	a.t.Helper()
	return a.send(http.MethodPost, token, path, body, headers...)
}

func (a *app) put(token, path string, body any) answer {
	a.t.Helper()
	return a.send(http.MethodPut, token, path, body)
}

func (a *app) delete(token, path string) answer {
	a.t.Helper()
	return a.send(http.MethodDelete, token, path, nil)
}

// sendDue makes one pass of the sender.
func (a *app) sendDue() {
	a.t.Helper()
	_, err := a.sender.SendDue(a.t.Context())
	require.NoError(a.t, err)
}

// Telephone numbers of consignees, all made up.
const (
	anne = "+8613800000001"
	bela = "+8613800000002"
	carl = "+8613800000003"
)

// parcel is a dispatch from the outlet west.
func parcel(waybill, courier, phone string) api.DispatchInput {
	return api.DispatchInput{Waybill: waybill, OutletID: "west", CourierID: courier, Consignee: api.Consignee{Phone: phone}}
}

// dispatch sends parcels out and expects that each is accepted.
func (a *app) dispatch(list ...api.DispatchInput) []api.DispatchResult {
	a.t.Helper()
	got := read[api.DispatchResults](a.post(a.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: list}), http.StatusOK)
	require.Equal(a.t, len(list), got.Accepted, "%+v", got.Results)
	return got.Results
}

// complain files a new complaint.
func (a *app) complain(token, waybill, text string) api.Complaint {
	a.t.Helper()
	return read[api.Complaint](a.post(token, "/v1/complaints", api.ComplaintInput{Waybill: waybill, Text: text}), http.StatusCreated)
}

// register gives the courier a phone that FCM reaches under address.
func (a *app) register(courier, install, address string) {
	a.t.Helper()
	a.put(a.courier(courier), "/v1/me/devices/"+install, api.DeviceInput{Provider: push.FCM, Address: &address, Locale: "zh-CN"}).is(http.StatusOK)
}

// inbox is the courier's, whole.
func (a *app) inbox(courier string) (list []api.Alert) {
	a.t.Helper()
	for after := int64(0); ; {
		page := read[api.AlertPage](a.get(a.courier(courier), fmt.Sprintf("/v1/me/alerts?limit=200&after=%d", after)), http.StatusOK)
		if len(page.Items) == 0 {
			return list
		}
		list, after = append(list, page.Items...), page.NextAfter
	}
}

// evidence is what the outlet's manager sees under a filter such as
// "&kind=call", whole.
func (a *app) evidence(outlet, filter string) []api.EvidenceRecord {
	a.t.Helper()
	return pages(a, a.manager(outlet), "/v1/evidence?limit=200"+filter, func(p api.EvidencePage) ([]api.EvidenceRecord, *string) {
		return p.Items, p.NextCursor
	})
}

// tags is what the consumer sees of one's own wishes.
func (a *app) tags(token string) []api.MyTag {
	a.t.Helper()
	return read[api.MyTags](a.get(token, "/v1/me/tags"), http.StatusOK).Tags
}

// ptr is for optional fields.
func ptr[T any](v T) *T { return &v }
