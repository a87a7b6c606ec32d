package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
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
				if body := spec.RequestBody.Value.Content.Get("application/json"); body != nil { // a photo is not JSON
					op.schema = body.Schema.Value
				}
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
	callback  string      // id of one of Alibaba's
	hold      api.Hold    // of bela's parcel
	record    string      // of west, in its log
	sealed    int64       // records in that log's checkpoint
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
	s.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", bela), parcel("SF5", "li", bela), east)
	s.complaint = s.complain(s.consumer(anne), "SF1", lockerZH)
	s.answered, s.disputed, s.closed = s.concluded("damaged"), s.concluded("attitude"), s.concluded("overcharge")
	s.act(s.consumer(anne), s.closed, "confirmation", nil)
	s.alert = *s.dispatch(parcel("SF4", "li", anne))[0].AlertID
	s.register("li", "phone-1", "token-of-li")
	s.upload("li", records(s.start)...)
	s.put(s.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
	s.put(s.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"to_door"}, Note: ptr("The bell is broken.")}).is(http.StatusOK)
	s.consent = read[api.Consent](s.post(s.consumer(anne), "/v1/me/consents", api.ConsentInput{
		Kind: "proxy", Scope: "all", ReceiptMethod: "photo", Facility: ptr("The neighbour in 302"),
	}), http.StatusCreated)
	s.put(s.integrator(), "/v1/providers/alibaba-pnp", api.ProviderInput{MaskedNumbers: &[]string{maskedNumber}}).is(http.StatusOK)
	s.callback = read[api.ProviderCallback](s.post(s.integrator(), "/v1/providers/alibaba-pnp/callbacks", nil), http.StatusCreated).ID
	s.hold = read[api.Hold](s.post(s.manager("west"), "/v1/holds", api.HoldInput{Waybill: "SF2", Reason: "The insurer asks."}), http.StatusCreated)
	s.sendDue()
	s.hook, s.unhooked = s.hookUp(), s.hookUp("webhook.disabled")
	s.spread()
	s.carrier.takes()
	s.clock.Add(4 * time.Hour) // half of the work clocks
	s.tick()
	s.signFor("li", "SF5", signed("in_person", s.clock.Now())).is(http.StatusOK)
	for n := 1; n > 0; { // alerts whose wishes changed
		var err error
		n, err = s.operations.Eraser.Recall(t.Context())
		require.NoError(t, err)
	}
	s.sendDue()
	s.record = s.evidence("west", "&kind=dispatch")[0].ID
	s.seal()
	c, _ := s.checkpoint("?company=default&outlet_id=west")
	s.sealed = c.Size
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
		{s.hq(), "/v1/holds?limit=200"},
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
	reports := []any{ // calls and messages have fields of their own
		api.ProviderEventBatch{Events: []api.ProviderEventInput{{
			EventID: "e-1", CallID: ptr("c-1"), Kind: "call", Waybill: ptr("SF1"), Reference: ptr("SF1"), MaskedNumber: ptr(maskedNumber), State: "ended",
			Sequence: ptr(int64(3)), At: at, RingAt: &at, AnsweredAt: &at, EndedAt: &at, EndedBy: ptr("consumer"), Direction: ptr("outgoing"),
		}}},
		api.ProviderEventBatch{Events: []api.ProviderEventInput{{EventID: "e-2", MessageID: ptr("m-1"), Kind: "message", Waybill: ptr("SF1"), State: "read", At: at}}},
	}
	consignee := api.Consignee{Phone: anne, Name: ptr("Anne Moreau"), Address: ptr("8 Mill Lane, door 301"), AddressID: ptr("a-9"), Location: &api.DoorLocation{Lat: 31.2304, Lng: 121.4737}}
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

		"getParcel": {path: "/v1/parcels/SF4", status: http.StatusOK, strangers: "signs"},
		"signFor": {path: "/v1/parcels/SF4/sign-for", status: http.StatusOK, strangers: "signs", body: api.SignForInput{
			Method: "in_person", At: at, Location: here(), PhotoSha256: ptr(strings.Repeat("ab", 32)), Facility: ptr("Door 301"),
			PickupCodeIssued: ptr(false), ClientID: clientID(1),
		}},
		"overrideSignFor": {path: "/v1/parcels/SF4/sign-for/override", status: http.StatusOK, strangers: "signs", body: api.OverrideInput{
			Method: "locker", At: &at, Location: here(), PhotoSha256: ptr(strings.Repeat("ab", 32)), Facility: ptr("Locker 7"),
			PickupCodeIssued: ptr(true), Reason: "Fire alarm in the building", ClientID: ptr(clientID(2)),
		}},
		"correctSignFor": {path: "/v1/parcels/SF5/sign-for/correction", status: http.StatusOK, strangers: "signs", body: api.SignForCorrectionInput{
			Reason: "Wrong parcel", Withdraw: ptr(true),
		}, full: []any{
			api.SignForCorrectionInput{Reason: "Wrong parcel", Withdraw: ptr(true)},
			api.SignForCorrectionInput{
				Reason: "With the photo", Method: ptr("in_person"), At: &at, Location: here(), PhotoSha256: ptr(strings.Repeat("ab", 32)),
				Facility: ptr("Door 302"), PickupCodeIssued: ptr(false), ClientID: ptr(clientID(3)),
			},
		}},
		"createAttempt": {path: "/v1/parcels/SF4/attempts", status: http.StatusCreated, strangers: "signs", body: api.AttemptInput{
			Outcome: "failed", Reason: "nobody_home", At: at, EvidenceIds: &[]string{clientID(9)}, Location: here(),
			PhotoSha256: ptr(strings.Repeat("ab", 32)), ClientID: clientID(4),
		}},
		"listOverrides": {status: http.StatusOK, strangers: "signs"},
		"putProvider": {path: "/v1/providers/huawei-private-number", status: http.StatusOK, strangers: "providers", body: api.ProviderInput{
			SigningKeys: &[]string{"app-secret"}, Sources: &[]string{"203.0.113.0/24"}, MaskedNumbers: &[]string{maskedNumber},
		}},
		"getProvider":            {path: "/v1/providers/alibaba-pnp", status: http.StatusOK, strangers: "providers"},
		"createProviderCallback": {path: "/v1/providers/alibaba-pnp/callbacks", status: http.StatusCreated, strangers: "providers"},
		"deleteProviderCallback": {path: "/v1/providers/alibaba-pnp/callbacks/" + s.callback, status: http.StatusNoContent, strangers: "providers"},
		"postProviderEvents":     {path: "/v1/providers/generic/events", status: http.StatusOK, strangers: "providers", body: reports[0], full: reports},
		"postProviderHeartbeat":  {path: "/v1/providers/generic/heartbeats", status: http.StatusOK, strangers: "providers"},
		"putProviderTotal": {
			path: "/v1/providers/generic/totals/2026-03-01", status: http.StatusOK, strangers: "providers", body: api.ProviderTotalInput{Records: 4},
		},
		"getProviderHealth":  {status: http.StatusOK, strangers: "providers"},
		"listProviderFaults": {status: http.StatusOK, strangers: "providers"},
		"putMaskedNumber": {path: "/v1/parcels/SF1/masked-number", status: http.StatusOK, strangers: "providers", body: api.MaskedNumberInput{
			Provider: "generic", Number: maskedNumber, Until: soon,
		}},
		"createCall":         {path: "/v1/parcels/SF4/calls", status: http.StatusCreated, strangers: "providers"},
		"listParcelContacts": {path: "/v1/parcels/SF1/contacts", status: http.StatusOK, strangers: "providers"},

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
			api.ConsentInput{Kind: "locker", Scope: "parcel", Waybill: ptr("SF1"), Facility: ptr("Station 8"), ReceiptMethod: "pickup_code", ValidUntil: &soon, FreeUntil: &soon, FeeFen: ptr(int64(50))},
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

		"getKpis":     {path: "/v1/kpis?from=2026-03-01&to=2026-03-02", status: http.StatusOK, strangers: "figures"},
		"compareKpis": {path: "/v1/kpis/comparison?from=2026-03-02&to=2026-03-02&base_from=2026-03-01&base_to=2026-03-01", status: http.StatusOK, strangers: "figures"},

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

		"listEvidence":         {status: http.StatusOK, strangers: "evidence"},
		"putPhoto":             {path: photoPath(doorPhoto), status: http.StatusOK, strangers: "photos", body: doorPhoto},
		"getPhoto":             {path: photoPath(doorPhoto), status: http.StatusOK, strangers: "photos"},
		"getComplaintEvidence": {path: "/v1/complaints/" + s.complaint.ID + "/evidence", status: http.StatusOK, strangers: "files"},
		"getComplaintBundle":   {path: "/v1/complaints/" + s.complaint.ID + "/bundle", status: http.StatusOK, strangers: "files"},
		"getRegulatorPack":     {path: "/v1/complaints/" + s.complaint.ID + "/regulator-pack", status: http.StatusOK, strangers: "files"},

		"getLogKey":           {status: http.StatusOK},
		"getLogCheckpoint":    {path: "/v1/log/checkpoint?company=default&outlet_id=west", status: http.StatusOK},
		"getInclusionProof":   {path: "/v1/log/proofs/inclusion?company=default&outlet_id=west&record=" + s.record, status: http.StatusOK},
		"getConsistencyProof": {path: "/v1/log/proofs/consistency?company=default&outlet_id=west&from=1&to=" + strconv.FormatInt(s.sealed, 10), status: http.StatusOK},

		"getPrivacyNotice": {status: http.StatusOK},
		"getMyExport":      {status: http.StatusOK, strangers: "copies"},
		"deleteMe":         {path: "/v1/me", status: http.StatusNoContent, strangers: "copies"},
		"getMyErasure":     {path: "/v1/me/erasure", status: http.StatusNotFound, strangers: "copies"},
		"createHold":       {status: http.StatusCreated, strangers: "holds", body: api.HoldInput{Waybill: "SF1", Reason: "An appeal."}},
		"listHolds":        {status: http.StatusOK, strangers: "holds"},
		"releaseHold":      {path: "/v1/holds/" + s.hold.ID, status: http.StatusNoContent, strangers: "holds"},
		"listAccesses":     {path: "/v1/access-log?complaint_id=" + s.complaint.ID, status: http.StatusOK, strangers: "accesses"},
	}
}
