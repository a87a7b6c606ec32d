package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/api/apitest"
)

// operation is one of the contract with what its tests need.
type operation struct {
	sample
	id, method, template string
	roles                []doorstep.Role  // empty: open to all
	schema               *openapi3.Schema // of the body; nil: it takes none
}

// sample is a good request of an operation.
type sample struct {
	path   string // "" where the template is the path
	body   any    // nil for none; good for every role that is admitted
	full   []any  // for the first such role, together with every field of the contract; none: body has them all
	status int    // of a caller whom the operation admits

	// strangers names the test of what another outlet, company, consumer or
	// courier gets of it. Only what is open to all has none.
	strangers string
}

// operations are all of the contract. One without a sample fails the test.
func operations(t *testing.T, s *scene) []operation {
	t.Helper()
	samples := s.samples()
	var list []operation
	for _, template := range apitest.Contract().Paths.InMatchingOrder() {
		for method, spec := range apitest.Contract().Paths.Value(template).Operations() {
			one, ok := samples[spec.OperationID]
			require.True(t, ok, "%s has no sample", spec.OperationID)
			delete(samples, spec.OperationID)
			if one.path == "" {
				one.path = template
			}
			op := operation{sample: one, id: spec.OperationID, method: method, template: template, roles: rolesOf(t, spec)}
			if op.full == nil {
				op.full = []any{op.body}
			}
			if spec.RequestBody != nil {
				op.schema = spec.RequestBody.Value.Content.Get("application/json").Schema.Value
			}
			list = append(list, op)
		}
	}
	require.Empty(t, samples, "samples of operations that the contract does not have")
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return list
}

func rolesOf(t *testing.T, spec *openapi3.Operation) (roles []doorstep.Role) {
	t.Helper()
	if spec.Security != nil && len(*spec.Security) == 0 {
		return nil
	}
	text, err := json.Marshal(spec.Extensions["x-roles"])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &roles))
	require.NotEmpty(t, roles, "%s has neither x-roles nor an empty security", spec.OperationID)
	return roles
}

// writes says whether the operation takes a body that may be bad.
func (o operation) writes() bool {
	return (o.method == http.MethodPost || o.method == http.MethodPut) && o.schema != nil
}

// batch is the name of the list in the body of a batch, else "".
func (o operation) batch() string {
	if o.schema != nil && len(o.schema.Properties) == 1 {
		for name, p := range o.schema.Properties {
			if p.Value.MaxItems != nil {
				return name
			}
		}
	}
	return ""
}

// scene is a company at work, with a rival that uses the same ids and has the
// same person among its consumers.
type scene struct {
	*app
	start     time.Time
	alert     string        // of li
	complaint api.Complaint // of anne, as are the others
	answered  string        // a complaint that is
	disputed  string
	closed    string
	consent   api.Consent // of anne
	hook      api.Webhook // with a delivery of the first event
	unhooked  api.Webhook
}

// elsewhere is the rival's name.
const elsewhere = "rival"

func newScene(t *testing.T, url string) *scene {
	t.Helper()
	s := &scene{app: newApp(t, url)}
	s.start = s.clock.Now()
	s.put(s.integrator(), "/v1/outlets/west", api.OutletInput{Name: "West Gate"}).is(http.StatusOK)
	s.put(s.integrator(), "/v1/outlets/east", api.OutletInput{Name: "East Gate"}).is(http.StatusOK)
	s.put(s.integrator(), "/v1/couriers/li", api.CourierInput{OutletID: "west", Name: "Li Wei"}).is(http.StatusOK)
	east := parcel("SF3", "kim", carl)
	east.OutletID = "east"
	s.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", bela), east)
	s.complaint = s.complain(s.consumer(anne), "SF1", lockerZH)
	s.answered, s.disputed, s.closed = s.concluded("damaged"), s.concluded("attitude"), s.concluded("overcharge")
	s.act(s.consumer(anne), s.closed, "confirmation", nil)
	s.alert = *s.dispatch(parcel("SF4", "li", anne))[0].AlertID
	s.register("li", "phone-1", "token-of-li")
	s.upload("li", records(s.start)...)
	s.put(s.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}, Note: ptr("The bell is broken.")}).is(http.StatusOK)
	s.consent = read[api.Consent](s.post(s.consumer(anne), "/v1/me/consents", api.ConsentInput{
		Kind: "proxy", Scope: "all", ReceiptMethod: "photo", Facility: ptr("The neighbour in 302"),
	}), http.StatusCreated)
	s.sendDue()
	s.hook, s.unhooked = s.hookUp(), s.hookUp("webhook.disabled")
	s.spread()
	s.carrier.takes()
	s.clock.Add(4 * time.Hour) // half of the work clocks
	s.tick()
	return s
}

// concluded is a complaint of anne's that has its answer.
func (s *scene) concluded(category string) string {
	s.t.Helper()
	c := read[api.Complaint](s.post(s.consumer(anne), "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: "See above.", Category: &category}), http.StatusCreated)
	s.act(s.manager("west"), c.ID, "answer", words("Sorry."))
	return c.ID
}

// of is a token of the role that stands on the scene's side.
func (s *scene) of(role doorstep.Role) string {
	switch role {
	case doorstep.RoleIntegrator:
		return s.integrator()
	case doorstep.RoleCourier:
		return s.courier("li")
	case doorstep.RoleConsumer:
		return s.consumer(anne)
	case doorstep.RoleManager:
		return s.manager("west")
	}
	return s.hq()
}

// rival is a token of the role in the other company, with the very same ids.
func (s *scene) rival(role doorstep.Role) string {
	who := access.Request{Role: role, Company: elsewhere}
	switch role {
	case doorstep.RoleCourier:
		who.CourierID = "li"
	case doorstep.RoleConsumer:
		who.ConsumerPhone = anne
	case doorstep.RoleManager:
		who.OutletID, who.Subject = "west", "Sun Yan"
	case doorstep.RoleHQ:
		who.Subject = "Qian Hui"
	}
	return s.token(who)
}

// state is all that the interface shows of the scene's company, by what was
// asked: to see that a request changed nothing.
func (s *scene) state() map[string]string {
	s.t.Helper()
	shown := map[string]string{}
	for _, look := range []struct{ token, path string }{
		{s.hq(), "/v1/evidence?limit=200"},
		{s.hq(), "/v1/complaints?limit=200"},
		{s.hq(), "/v1/outlets/west"},
		{s.hq(), "/v1/couriers/li"},
		{s.consumer(anne), "/v1/me/tags"},
		{s.consumer(anne), "/v1/me/consents?limit=200"},
		{s.courier("li"), "/v1/me/alerts?limit=200"},
		{s.courier("li"), "/v1/me/run"},
		{s.hq(), "/v1/webhooks?limit=200"},
		{s.hq(), "/v1/webhooks/" + s.hook.ID + "/deliveries?limit=200"},
	} {
		r := s.get(look.token, look.path)
		r.is(http.StatusOK)
		shown[look.path] = string(r.body)
	}
	return shown
}

// unchanged fails the test where the interface shows another state than before.
func (s *scene) unchanged(before map[string]string, after string) {
	s.t.Helper()
	for path, now := range s.state() {
		if now != before[path] {
			require.JSONEq(s.t, before[path], now, "%s after %s", path, after)
		}
	}
}

// samples holds one good request for each operation.
func (s *scene) samples() map[string]sample {
	at, soon := s.clock.Now().Format(time.RFC3339), s.clock.Now().Add(time.Hour).Format(time.RFC3339)
	var uploads []any // each kind has its own fields
	for i, r := range records(s.clock.Now()) {
		r.ID = fmt.Sprintf("01936f40-77aa-7d10-8c33-1f0e6b9a2c4%d", i)
		uploads = append(uploads, api.EvidenceBatch{Records: []api.EvidenceInput{r}})
	}
	consignee := api.Consignee{Phone: anne, Name: ptr("Anne Moreau"), Address: ptr("8 Mill Lane, door 301"), AddressID: ptr("a-9")}
	return map[string]sample{
		"getHealth":      {status: http.StatusOK},
		"getReadiness":   {status: http.StatusOK},
		"getContract":    {status: http.StatusOK},
		"getDocs":        {status: http.StatusOK},
		"getProblemDocs": {status: http.StatusOK},

		"putOutlet": {path: "/v1/outlets/west", status: http.StatusOK, strangers: "rosters", body: api.OutletInput{
			Name: "West Gate", TimeZone: ptr("Asia/Shanghai"), Locale: ptr("zh-CN"), Hours: &api.Hours{
				Weekly:     &map[string][]api.Span{"mon": {{Opens: "08:00", Closes: "20:00"}}},
				Exceptions: &[]api.HoursException{{Date: "2026-10-01", Spans: []api.Span{{Opens: "10:00", Closes: "12:00"}}}},
			}, Push: &api.PushRules{QuietFrom: ptr("23:00"), QuietTo: ptr("06:30"), PerDay: ptr(12)},
		}},
		"getOutlet": {path: "/v1/outlets/west", status: http.StatusOK, strangers: "rosters"},
		"putCourier": {path: "/v1/couriers/li", status: http.StatusOK, strangers: "rosters", body: api.CourierInput{
			OutletID: "west", Name: "Li Wei", Locale: ptr("zh-CN"),
		}},
		"getCourier": {path: "/v1/couriers/li", status: http.StatusOK, strangers: "rosters"},
		"postScans": {status: http.StatusOK, strangers: "waybills", body: api.ScanBatch{Scans: []api.ScanInput{
			{Waybill: "SF71", OutletID: "west", Code: "arrived", System: ptr("doorstep"), At: at, Consignee: &consignee},
		}}},
		"postDispatches": {status: http.StatusOK, strangers: "waybills", body: api.DispatchBatch{Dispatches: []api.DispatchInput{
			{Waybill: "SF72", OutletID: "west", CourierID: "li", Consignee: consignee, DispatchedAt: &at},
		}}},
		"createConsumerLink": {
			path: "/v1/parcels/SF1/consumer-link", status: http.StatusCreated, strangers: "parcels", body: api.ConsumerLinkInput{Scope: ptr("parcel")},
		},

		"createPreContact": {path: "/v1/parcels/SF4/pre-contact", status: http.StatusCreated, strangers: "contacts"},
		"listEvents":       {status: http.StatusOK, strangers: "feeds"},

		"createWebhook": {status: http.StatusCreated, strangers: "webhooks", body: api.WebhookInput{
			URL: "https://8.8.8.8/doorstep", Types: []api.EventType{"complaint.filed"}, Description: "The complaint system.",
		}},
		"listWebhooks": {status: http.StatusOK, strangers: "webhooks"},
		"getWebhook":   {path: "/v1/webhooks/" + s.hook.ID, status: http.StatusOK, strangers: "webhooks"},
		"putWebhook": {path: "/v1/webhooks/" + s.hook.ID, status: http.StatusOK, strangers: "webhooks", body: api.WebhookReplacement{
			URL: s.hook.URL, Types: []api.EventType{"complaint.filed"}, Description: "The complaint system.", Enabled: ptr(true),
		}},
		"deleteWebhook":         {path: "/v1/webhooks/" + s.unhooked.ID, status: http.StatusNoContent, strangers: "webhooks"},
		"rotateWebhookSecret":   {path: "/v1/webhooks/" + s.hook.ID + "/secret", status: http.StatusOK, strangers: "webhooks"},
		"testWebhook":           {path: "/v1/webhooks/" + s.hook.ID + "/test", status: http.StatusOK, strangers: "webhooks"},
		"replayWebhook":         {path: "/v1/webhooks/" + s.hook.ID + "/replay", status: http.StatusOK, strangers: "webhooks", body: api.WebhookReplay{After: 1}},
		"listWebhookDeliveries": {path: "/v1/webhooks/" + s.hook.ID + "/deliveries", status: http.StatusOK, strangers: "webhooks"},
		"resendWebhookDelivery": {path: "/v1/webhooks/" + s.hook.ID + "/deliveries/1/resend", status: http.StatusOK, strangers: "webhooks"},

		"getMyTags": {status: http.StatusOK, strangers: "wishes"},
		"putMyPreferences": {status: http.StatusOK, strangers: "wishes", body: api.PreferencesInput{
			Tags: []api.Tag{"to_door"}, Note: ptr("Knock twice."), Waybill: ptr("SF1"),
		}, full: []any{
			api.PreferencesInput{Tags: []api.Tag{"to_door"}, Note: ptr("Knock twice."), Waybill: ptr("SF1")},
			api.PreferencesInput{Tags: []api.Tag{"to_door"}, Note: ptr("Knock twice."), AddressID: ptr("a-9")},
		}},
		"confirmMyTag": {path: "/v1/me/tags/no_locker/confirmation", status: http.StatusOK, strangers: "wishes"},
		"deleteMyTag":  {path: "/v1/me/tags/no_locker", status: http.StatusNoContent, strangers: "wishes"},
		"correctMyTag": {
			path: "/v1/me/tags/no_locker/correction", status: http.StatusOK, strangers: "wishes", body: api.CorrectionInput{Tag: "to_door"},
		},
		"postTagFeedback": {
			path: "/v1/parcels/SF4/tags/no_locker/feedback", status: http.StatusOK, strangers: "verdicts", body: api.FeedbackInput{Verdict: "right"},
		},
		"listLearning":   {status: http.StatusOK, strangers: "verdicts"},
		"resumeLearning": {path: "/v1/learning/no_locker/resumption", status: http.StatusOK, strangers: "verdicts"},
		"putMyLearning":  {status: http.StatusOK, strangers: "wishes", body: api.LearningInput{Enabled: ptr(true)}},
		"createConsent": {status: http.StatusCreated, strangers: "consents", body: api.ConsentInput{
			Kind: "locker", Scope: "all", ReceiptMethod: "pickup_code",
		}, full: []any{
			api.ConsentInput{Kind: "locker", Scope: "parcel", Waybill: ptr("SF1"), Facility: ptr("Station 8"), ReceiptMethod: "pickup_code", ValidUntil: &soon},
			api.ConsentInput{Kind: "locker", Scope: "address", AddressID: ptr("a-9"), Facility: ptr("Station 8"), ReceiptMethod: "photo", ValidUntil: &soon},
		}},
		"listMyConsents":   {status: http.StatusOK, strangers: "consents"},
		"revokeConsent":    {path: "/v1/me/consents/" + s.consent.ID, status: http.StatusNoContent, strangers: "consents"},
		"listMyComplaints": {status: http.StatusOK, strangers: "complaints"},

		"fileComplaint": {status: http.StatusCreated, strangers: "parcels", body: api.ComplaintInput{
			Waybill: "SF4", Text: "It came a day late.", Category: ptr("delay"),
		}, full: []any{api.ComplaintInput{
			Waybill: "SF4", Text: "It came a day late.", Category: ptr("delay"), Channel: ptr("hotline"),
			Reporter: &api.Reporter{Name: ptr("Anne's sister"), Phone: ptr("13900000009")},
		}}},
		"getComplaint":        {path: "/v1/complaints/" + s.complaint.ID, status: http.StatusOK, strangers: "complaints"},
		"listComplaints":      {status: http.StatusOK, strangers: "complaints"},
		"addComplaintMessage": {path: "/v1/complaints/" + s.complaint.ID + "/messages", status: http.StatusOK, strangers: "complaints", body: words("At gate 3.")},
		"confirmComplaint":    {path: "/v1/complaints/" + s.answered + "/confirmation", status: http.StatusOK, strangers: "complaints"},
		"disputeComplaint": {
			path: "/v1/complaints/" + s.disputed + "/dispute", status: http.StatusOK, strangers: "complaints", body: api.ComplaintDoubt{Text: ptr("It is not here.")},
		},
		"reopenComplaint":   {path: "/v1/complaints/" + s.closed + "/reopening", status: http.StatusOK, strangers: "complaints", body: words("Again.")},
		"withdrawComplaint": {path: "/v1/complaints/" + s.complaint.ID + "/withdrawal", status: http.StatusOK, strangers: "complaints"},
		"answerComplaint":   {path: "/v1/complaints/" + s.complaint.ID + "/answer", status: http.StatusOK, strangers: "complaints", body: words("Sorry.")},
		"pauseComplaint": {path: "/v1/complaints/" + s.complaint.ID + "/pause", status: http.StatusOK, strangers: "complaints", body: api.ComplaintPauseInput{
			Reason: "weather", Note: ptr("The bridge is closed."),
		}},
		"rerouteComplaint": {path: "/v1/complaints/" + s.complaint.ID + "/reroute", status: http.StatusOK, strangers: "complaints", body: api.ComplaintReroute{
			To: "east", Reason: "They had it.",
		}},
		"recategoriseComplaint": {
			path: "/v1/complaints/" + s.complaint.ID + "/recategorise", status: http.StatusOK, strangers: "complaints", body: api.ComplaintRecategorise{
				Category: "not_to_door", Reason: "It was the lobby.",
			},
		},
		"addComplaintNote":   {path: "/v1/complaints/" + s.complaint.ID + "/notes", status: http.StatusCreated, strangers: "complaints", body: words("Ask Li.")},
		"listComplaintNotes": {path: "/v1/complaints/" + s.complaint.ID + "/notes", status: http.StatusOK, strangers: "complaints"},
		"listNotices":        {status: http.StatusOK, strangers: "notices"},
		"listStatusCodes":    {status: http.StatusOK, strangers: "codes"},

		"listOutletAlerts": {path: "/v1/outlets/west/alerts", status: http.StatusOK, strangers: "unread"},

		"getWebPushKey": {status: http.StatusOK, strangers: "keys"},
		"putDevice": {path: "/v1/me/devices/phone-1", status: http.StatusOK, strangers: "devices", body: api.DeviceInput{
			Provider: "fcm", Address: ptr("token-of-li"), Locale: "zh-CN", AppVersion: ptr("2.4.0"),
		}},
		"deleteDevice":   {path: "/v1/me/devices/phone-1", status: http.StatusNoContent, strangers: "devices"},
		"getMyRun":       {status: http.StatusOK, strangers: "couriers"},
		"postNextStop":   {path: "/v1/me/run/next", status: http.StatusOK, strangers: "couriers", body: api.NextStopInput{Waybill: "SF4", InForeground: ptr(false)}},
		"listMyAlerts":   {status: http.StatusOK, strangers: "couriers"},
		"streamMyAlerts": {status: http.StatusOK, strangers: "couriers"},
		"postReceipts": {status: http.StatusOK, strangers: "couriers", body: api.ReceiptBatch{Receipts: []api.ReceiptInput{
			{AlertID: s.alert, Event: "shown", At: at},
		}}},
		"postEvidence": {status: http.StatusOK, strangers: "couriers", body: uploads[1], full: uploads},

		"listEvidence": {status: http.StatusOK, strangers: "evidence"},
	}
}
