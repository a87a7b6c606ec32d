package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"doorstep/access"
	"doorstep/api"
	"doorstep/store/storetest"
	"doorstep/webhooks"
)

// carrier is a carrier's system that receives webhooks, on this machine.
type carrier struct {
	*httptest.Server
	roots *x509.CertPool

	mu     sync.Mutex
	status int // of the next answers; 0 is 204
	got    []webhookRequest
}

// webhookRequest is what arrived, as it arrived.
type webhookRequest struct {
	header http.Header
	raw    []byte
	event  struct {
		Type      string
		Timestamp time.Time
		Seq       int64
		Sequence  int64
		Data      struct{ ID, URL string }
	}
}

func newCarrier(t *testing.T) *carrier {
	c := &carrier{roots: x509.NewCertPool()}
	c.Server = httptest.NewTLSServer(c)
	t.Cleanup(c.Close)
	c.roots.AddCert(c.Certificate())
	return c
}

// ServeHTTP keeps the request.
func (c *carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := webhookRequest{header: r.Header}
	var err error
	if in.raw, err = io.ReadAll(r.Body); err == nil {
		err = json.Unmarshal(in.raw, &in.event)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, in)
	if c.status == 0 {
		c.status = http.StatusNoContent
	}
	w.WriteHeader(c.status)
}

// answers sets the status of the next answers.
func (c *carrier) answers(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// takes empties the list of what arrived.
func (c *carrier) takes() []webhookRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

// signedBy says whether a secret verifies the request. The clock of the test is
// not that of the library, so the age is not looked at.
func (r webhookRequest) signedBy(t *testing.T, secret string) bool {
	t.Helper()
	check, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	return check.VerifyIgnoringTimestamp(r.raw, r.header) == nil
}

// hookUp registers a webhook of the carrier's.
func (a *app) hookUp(types ...api.EventType) api.Webhook {
	a.t.Helper()
	return read[api.Webhook](a.post(a.integrator(), "/v1/webhooks", api.WebhookInput{URL: a.carrier.URL, Types: types}), http.StatusCreated)
}

// spread numbers what happened and delivers what is due.
func (a *app) spread() {
	a.t.Helper()
	_, _, err := a.relay.Pass(a.t.Context())
	require.NoError(a.t, err)
	require.NoError(a.t, a.hooks.Pass(a.t.Context()))
}

func (a *app) hookDeliveries(id, query string) []api.WebhookDelivery {
	a.t.Helper()
	return pages(a, a.integrator(), "/v1/webhooks/"+id+"/deliveries?limit=1"+query, func(p api.WebhookDeliveryPage) ([]api.WebhookDelivery, *string) {
		return p.Items, p.NextCursor
	})
}

func TestWhatHappensReachesTheCarrierSigned(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		hook := a.hookUp("complaint.filed", "consumer.message")
		require.True(t, strings.HasPrefix(hook.Secret, "whsec_"))
		c := a.complain(a.integrator(), "SF1", lockerZH)
		a.post(a.manager("west"), "/v1/complaints/"+c.ID+"/answer", words("Sorry.")).is(http.StatusOK)
		a.spread()

		got := a.carrier.takes()
		require.Len(t, got, len(a.hookDeliveries(hook.ID, "&state=delivered")))
		filed := got[0]
		for _, r := range got {
			require.True(t, r.signedBy(t, hook.Secret))
			require.NotEqual(t, "complaint.answered", r.event.Type, "not asked for")
			if r.event.Type == "complaint.filed" {
				filed = r
			}
		}
		require.Equal(t, c.ID, filed.event.Data.ID)
		feed := read[api.EventPage](a.get(a.integrator(), fmt.Sprintf("/v1/events?limit=1&after=%d", filed.event.Seq-1)), http.StatusOK).Items[0]
		require.Equal(t, feed.Sequence, filed.event.Sequence)
		require.Equal(t, feed.At, filed.event.Timestamp)
		var body map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(filed.raw, &body))
		require.JSONEq(t, string(feed.Object), string(body["data"]), "the whole object")

		// The secret is never shown again, nor logged
		require.Empty(t, read[api.Webhook](a.get(a.integrator(), "/v1/webhooks/"+hook.ID), http.StatusOK).Secret)
		require.NotContains(t, a.log.String(), strings.TrimPrefix(hook.Secret, "whsec_"))
		require.NotContains(t, a.log.String(), a.carrier.URL)
	})
}

func TestAFailedDeliveryIsTriedAgainAndCanBeSeenAndSentByHand(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		hook := a.hookUp("complaint.filed", "complaint.answered")
		path := "/v1/webhooks/" + hook.ID
		a.carrier.answers(http.StatusServiceUnavailable)
		c := a.complain(a.integrator(), "SF1", lockerZH)
		a.post(a.manager("west"), "/v1/complaints/"+c.ID+"/answer", words("Sorry.")).is(http.StatusOK)
		a.spread()

		// The first waits, the one behind it is queued
		list := a.hookDeliveries(hook.ID, "")
		require.Len(t, list, 2)
		require.Equal(t, "queued", list[0].State)
		require.Equal(t, "waiting", list[1].State)
		require.Equal(t, 1, list[1].Attempts)
		require.Equal(t, ptr("status"), list[1].Last.Fault)
		require.Equal(t, ptr(http.StatusServiceUnavailable), list[1].Last.Status)
		require.True(t, list[1].NextAttemptAt.After(a.clock.Now()))
		resend := func(d api.WebhookDelivery) answer {
			return a.post(a.integrator(), fmt.Sprintf("%s/deliveries/%d/resend", path, d.Seq), nil)
		}
		resend(list[0]).refuses(http.StatusConflict, "delivery_queued")

		// Sent by hand before its time, both arrive in order, under ids that never change
		a.carrier.answers(http.StatusOK)
		resend(list[1]).is(http.StatusOK)
		a.spread()
		got := a.carrier.takes()
		require.Len(t, got, 3)
		require.Equal(t, []string{"complaint.filed", "complaint.filed", "complaint.answered"},
			[]string{got[0].event.Type, got[1].event.Type, got[2].event.Type})
		require.Equal(t, list[1].ID, got[0].header.Get("webhook-id"))
		require.Equal(t, list[1].ID, got[1].header.Get("webhook-id"))

		// A replay sends both again
		require.Equal(t, int64(0), read[api.Webhook](a.post(a.integrator(), path+"/replay", api.WebhookReplay{After: 0}), http.StatusOK).After)
		a.spread()
		again := a.carrier.takes()
		require.Len(t, again, 2)
		require.Equal(t, got[1].header.Get("webhook-id"), again[0].header.Get("webhook-id"))
		a.post(a.integrator(), path+"/replay", api.WebhookReplay{After: 1000}).refuses(http.StatusUnprocessableEntity, "invalid")
		a.post(a.integrator(), path+"/deliveries/99/resend", nil).is(http.StatusNotFound)
		a.post(a.integrator(), path+"/deliveries/99999999999999999999/resend", nil).is(http.StatusNotFound)
		a.get(a.integrator(), path+"/deliveries?state=lost").refuses(http.StatusUnprocessableEntity, "invalid")
	})
}

func TestARotatedSecretSignsForADayMore(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		hook := a.hookUp()
		rotate := func() string {
			return read[api.Webhook](a.post(a.integrator(), "/v1/webhooks/"+hook.ID+"/secret", nil), http.StatusOK).Secret
		}
		signed := func(secret string) bool {
			require.True(t, read[api.WebhookAttempt](a.post(a.integrator(), "/v1/webhooks/"+hook.ID+"/test", nil), http.StatusOK).Delivered)
			got := a.carrier.takes()
			require.Equal(t, "webhook.test", got[0].event.Type)
			return got[0].signedBy(t, secret)
		}
		second := rotate()
		require.True(t, signed(hook.Secret))
		require.True(t, signed(second))
		a.clock.Add(webhooks.Overlap)
		require.False(t, signed(hook.Secret))
		require.True(t, signed(second))
		third, fourth := rotate(), rotate()
		require.False(t, signed(second), "rotated twice, a leaked one is gone")
		require.True(t, signed(third))
		require.True(t, signed(fourth))
	})
}

func TestAReceiverThatIsGoneIsToldOfAndCanBeEnabledAgain(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		hook := a.hookUp("complaint.filed")
		path := "/v1/webhooks/" + hook.ID
		a.carrier.answers(http.StatusGone)
		a.complain(a.integrator(), "SF1", lockerZH)
		a.spread()
		shown := read[api.Webhook](a.get(a.hq(), path), http.StatusOK)
		require.False(t, shown.Enabled)
		require.Equal(t, ptr("gone"), shown.DisabledBecause)
		a.post(a.integrator(), path+"/replay", api.WebhookReplay{After: 0}).refuses(http.StatusConflict, "webhook_disabled")
		_, _, err := a.relay.Pass(t.Context())
		require.NoError(t, err)
		events := read[api.EventPage](a.get(a.integrator(), "/v1/events?limit=200"), http.StatusOK).Items
		require.Equal(t, api.EventType("webhook.disabled"), events[len(events)-1].Type)
		require.NotContains(t, string(events[len(events)-1].Object), a.carrier.URL)
		require.Contains(t, a.scrape(), `doorstep_webhooks_disabled_total{reason="gone"} 1`)

		a.carrier.answers(http.StatusOK)
		a.carrier.takes()
		a.put(a.integrator(), path, api.WebhookReplacement{URL: a.carrier.URL, Types: []api.EventType{"complaint.filed"}}).is(http.StatusOK)
		a.spread()
		require.Len(t, a.carrier.takes(), 1, "what it was disabled with arrives")

		off := read[api.Webhook](a.put(a.integrator(), path, api.WebhookReplacement{URL: a.carrier.URL, Enabled: ptr(false)}), http.StatusOK)
		require.Equal(t, ptr("caller"), off.DisabledBecause)
		a.delete(a.integrator(), path).is(http.StatusNoContent)
		a.get(a.integrator(), path).is(http.StatusNotFound)
		a.delete(a.integrator(), path).is(http.StatusNotFound)
	})
}

func TestSettingsOfAWebhookAreChecked(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	p := a.post(a.integrator(), "/v1/webhooks", api.WebhookInput{
		URL: "http://carrier.example", Types: []api.EventType{"complaint.filed", "complaint.filed"}, Description: strings.Repeat("x", 201),
	}).problem(http.StatusUnprocessableEntity)
	require.Equal(t, []string{"/description too_long", "/types/1 duplicate", "/url not_https"}, at(p.Errors))
}

// otherWebhooks: a webhook is its company's alone.
func otherWebhooks(t *testing.T, s *scene) {
	rival := s.token(access.Request{Role: "integrator", Company: elsewhere})
	require.Empty(t, read[api.WebhookPage](s.get(rival, "/v1/webhooks"), http.StatusOK).Items)
	path := "/v1/webhooks/" + s.hook.ID
	for _, ask := range []answer{
		s.get(rival, path), s.put(rival, path, api.WebhookReplacement{URL: s.carrier.URL}), s.delete(rival, path), s.post(rival, path+"/secret", nil),
		s.post(rival, path+"/test", nil), s.post(rival, path+"/replay", api.WebhookReplay{}), s.get(rival, path+"/deliveries"),
		s.post(rival, path+"/deliveries/1/resend", nil),
	} {
		ask.is(http.StatusNotFound)
	}
	require.Empty(t, s.carrier.takes())
}
