package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/store/storetest"
)

// strangers ask for what is not theirs, by what they ask for.
var strangers = map[string]func(*testing.T, *scene){
	"rosters": otherRosters, "waybills": otherWaybills, "parcels": otherParcels, "wishes": otherWishes, "consents": otherConsents,
	"complaints": otherComplaints, "files": otherFiles, "devices": otherDevices, "couriers": otherCouriers, "evidence": otherEvidence, "keys": sameKey,
	"unread": otherUnread, "verdicts": otherVerdicts, "contacts": otherContacts, "feeds": otherFeeds,
	"photos":  otherPhotos,
	"notices": otherNotices, "codes": sameCodes,
	"signs":     otherSigns,
	"providers": otherProviders,
	"copies":    otherCopies, "holds": otherHolds, "accesses": otherAccesses, "figures": otherFigures, "webhooks": otherWebhooks,
}

// An object of another company, outlet, consumer or courier is as if it were
// not there. The rival company uses the same outlet and courier ids and has the
// same person among its consumers.
func TestWhatIsAnothersIsAsIfItWereNotThere(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		for _, op := range operations(t, s) {
			if len(op.roles) > 0 {
				require.Contains(t, strangers, op.strangers, "%s: who else could ask for what it is about?", op.id)
			}
		}
		before := s.state()
		for name, ask := range strangers {
			t.Run(name, func(t *testing.T) {
				s.t = t
				ask(t, s)
				s.unchanged(before, "strangers")
			})
		}
		s.t = t
	})
}

func missing(t *testing.T, answers ...answer) {
	t.Helper()
	for _, r := range answers {
		require.Equal(t, "not_found", r.problem(http.StatusNotFound).Code, r.request)
	}
}

func otherPhotos(t *testing.T, s *scene) {
	for _, who := range []string{s.courier("mo"), s.courier("kim"), s.courier("nobody"), s.rival(doorstep.RoleCourier)} {
		missing(t, s.get(who, photoPath(doorPhoto)), s.put(who, photoPath(doorPhoto), doorPhoto))
	}
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		missing(t, s.get(who, photoPath(doorPhoto)))
	}
}

func otherUnread(t *testing.T, s *scene) {
	require.NotEmpty(t, read[api.UnreadAlertPage](s.get(s.manager("west"), "/v1/outlets/west/alerts"), http.StatusOK).Items)
	missing(t, s.get(s.manager("east"), "/v1/outlets/west/alerts"), s.get(s.manager("nowhere"), "/v1/outlets/nowhere/alerts"))
	for _, role := range []doorstep.Role{doorstep.RoleManager, doorstep.RoleHQ} {
		r := s.get(s.rival(role), "/v1/outlets/west/alerts")
		if r.status == http.StatusOK { // the rival's own outlet of that name
			require.Empty(t, read[api.UnreadAlertPage](r, http.StatusOK).Items)
		}
	}
}

func otherVerdicts(t *testing.T, s *scene) {
	const path, verdict = "/v1/parcels/SF4/tags/no_locker/feedback", `{"verdict": "wrong"}`
	missing(t,
		s.post(s.courier("mo"), path, verdict), s.post(s.manager("east"), path, verdict), s.post(s.manager("nowhere"), path, verdict),
		s.post(s.rival(doorstep.RoleCourier), path, verdict), s.post(s.rival(doorstep.RoleManager), path, verdict),
	)
	require.Empty(t, read[api.TagLearningPage](s.get(s.rival(doorstep.RoleHQ), "/v1/learning"), http.StatusOK).Items)
	require.Zero(t, read[api.TagLearning](s.post(s.rival(doorstep.RoleHQ), "/v1/learning/no_locker/resumption", nil), http.StatusOK).Verdicts)
}

func otherContacts(t *testing.T, s *scene) {
	for _, who := range []string{
		s.courier("mo"), s.courier("kim"), s.courier("nobody"), s.manager("east"), s.manager("nowhere"),
		s.rival(doorstep.RoleCourier), s.rival(doorstep.RoleManager),
	} {
		missing(t, s.post(who, "/v1/parcels/SF4/pre-contact", nil))
	}
	require.Empty(t, s.messages())
}

// The same person is another one at another carrier.
func otherCopies(t *testing.T, s *scene) {
	other := s.token(access.Request{Role: doorstep.RoleConsumer, Company: "a fourth", ConsumerPhone: anne})
	own := read[api.ConsumerExport](s.get(other, "/v1/me/export"), http.StatusOK)
	require.Empty(t, own.Parcels)
	require.Empty(t, own.Complaints)
	require.Empty(t, own.Consents)
	require.Empty(t, own.Notes)
	s.delete(other, "/v1/me").is(http.StatusNoContent)
	require.NotEmpty(t, read[api.ConsumerExport](s.get(s.consumer(anne), "/v1/me/export"), http.StatusOK).Parcels)
	missing(t, s.get(s.consumer(anne), "/v1/me/erasure"))
}

func otherHolds(t *testing.T, s *scene) {
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		missing(t, s.post(who, "/v1/holds", api.HoldInput{Waybill: "SF2", Reason: "Not mine."}), s.delete(who, "/v1/holds/"+s.hold.ID))
		require.Empty(t, read[api.HoldPage](s.get(who, "/v1/holds"), http.StatusOK).Items)
	}
	missing(t, s.delete(s.hq(), "/v1/holds/no-such-hold"))
}

func otherAccesses(t *testing.T, s *scene) {
	s.get(s.manager("west"), "/v1/evidence?waybill=SF1").is(http.StatusOK)
	require.NotEmpty(t, read[api.AccessPage](s.get(s.manager("west"), "/v1/access-log"), http.StatusOK).Items)
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		for _, item := range read[api.AccessPage](s.get(who, "/v1/access-log"), http.StatusOK).Items {
			require.Equal(t, "east", item.OutletID)
		}
	}
	path := "/v1/access-log?complaint_id=" + s.complaint.ID
	missing(t, s.get(s.courier("mo"), path), s.get(s.rival(doorstep.RoleCourier), path))
}

func otherFeeds(t *testing.T, s *scene) {
	third := s.token(access.Request{Role: doorstep.RoleIntegrator, Company: "a third"})
	s.post(third, "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{parcel("RV7", "li", anne)}}).is(http.StatusOK)
	s.complain(third, "RV7", lockerOK)
	require.Empty(t, s.messages(), "another carrier's question")
	require.Contains(t, string(s.get(third, "/v1/events").body), "RV7")
	for _, who := range []string{s.hq(), s.rival(doorstep.RoleIntegrator), s.rival(doorstep.RoleHQ)} {
		require.NotContains(t, string(s.get(who, "/v1/events?limit=200").body), "RV7")
	}
}

func otherNotices(t *testing.T, s *scene) {
	require.NotEmpty(t, s.notices(s.manager("west"), ""))
	require.NotEmpty(t, s.notices(s.courier("li"), ""))
	for _, who := range []string{
		s.courier("mo"), s.courier("kim"), s.courier("nobody"), s.manager("east"), s.manager("nowhere"),
		s.rival(doorstep.RoleCourier), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ),
	} {
		require.Empty(t, s.notices(who, ""))
	}
}

func otherFigures(t *testing.T, s *scene) {
	const period = "from=2026-03-01&to=2026-03-03"
	require.NotZero(t, s.kpis(s.manager("west"), period)["company"]["complaint_rate"].Num)
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ), s.rival(doorstep.RoleIntegrator)} {
		require.Zero(t, s.kpis(who, period)["company"]["complaint_rate"].Num)
		r := s.get(who, "/v1/kpis/comparison?from=2026-03-02&to=2026-03-02&base_from=2026-03-01&base_to=2026-03-01")
		require.Zero(t, read[api.KpiComparisonPage](r, http.StatusOK).Items[0].Figures["complaint_rate"].Now.Num)
	}
}

// The table of codes is everybody's.
func sameCodes(t *testing.T, s *scene) {
	require.Equal(t, s.get(s.hq(), "/v1/status-codes").body, s.get(s.rival(doorstep.RoleHQ), "/v1/status-codes").body)
}

func otherProviders(t *testing.T, s *scene) {
	system := s.rival(doorstep.RoleIntegrator)
	missing(t,
		s.get(system, "/v1/providers/alibaba-pnp"), s.get(s.rival(doorstep.RoleHQ), "/v1/providers/alibaba-pnp"),
		s.post(system, "/v1/providers/alibaba-pnp/callbacks", nil), s.delete(system, "/v1/providers/alibaba-pnp/callbacks/"+s.callback),
		s.post(s.courier("mo"), "/v1/parcels/SF4/calls", nil), s.post(s.rival(doorstep.RoleCourier), "/v1/parcels/SF4/calls", nil),
		s.get(s.manager("east"), "/v1/parcels/SF4/contacts"), s.get(s.rival(doorstep.RoleHQ), "/v1/parcels/SF4/contacts"),
	)
	s.put(system, "/v1/parcels/SF4/masked-number", api.MaskedNumberInput{
		Provider: "generic", Number: "+8617000000007", Until: s.clock.Now().Add(time.Hour).Format(time.RFC3339),
	}).is(http.StatusOK)
	read[api.ProviderEventResults](s.post(system, "/v1/providers/generic/events", api.ProviderEventBatch{Events: aCall("r-1", "SF4", s.clock.Now())}), http.StatusOK)
	s.sort()
	require.Equal(t, 1, read[api.ProviderHealth](s.get(system, "/v1/providers/health"), http.StatusOK).Items[0].Unassigned)
	require.Empty(t, s.contacts("SF4").Calls)
	require.Empty(t, read[api.ProviderHealth](s.get(s.hq(), "/v1/providers/health"), http.StatusOK).Items, "mine was never heard")
	require.Empty(t, read[api.ProviderFaultPage](s.get(system, "/v1/providers/faults"), http.StatusOK).Items)
}

// The key is the server's: there is nothing in it to keep from anybody.
func sameKey(t *testing.T, s *scene) {
	mine := read[api.WebPushKey](s.get(s.courier("li"), "/v1/push/webpush-key"), http.StatusOK)
	require.Equal(t, mine, read[api.WebPushKey](s.get(s.rival(doorstep.RoleCourier), "/v1/push/webpush-key"), http.StatusOK))
}

func otherRosters(t *testing.T, s *scene) {
	for _, role := range []doorstep.Role{doorstep.RoleIntegrator, doorstep.RoleHQ} {
		missing(t, s.get(s.rival(role), "/v1/outlets/east"), s.get(s.rival(role), "/v1/couriers/kim"))
	}
	system := s.rival(doorstep.RoleIntegrator)
	p := s.put(system, "/v1/couriers/li", api.CourierInput{OutletID: "east", Name: "Somebody"}).problem(http.StatusUnprocessableEntity)
	require.Equal(t, []string{"/outlet_id unknown_outlet"}, at(p.Errors))

	// The same ids are other outlets and couriers.
	s.put(system, "/v1/outlets/west", api.OutletInput{Name: "Rival West"}).is(http.StatusOK)
	s.put(system, "/v1/couriers/li", api.CourierInput{OutletID: "west", Name: "Another Li"}).is(http.StatusOK)
	require.Equal(t, "West Gate", read[api.Outlet](s.get(s.hq(), "/v1/outlets/west"), http.StatusOK).Name)
	require.Equal(t, "Li Wei", read[api.Courier](s.get(s.hq(), "/v1/couriers/li"), http.StatusOK).Name)
}

func otherWaybills(t *testing.T, s *scene) {
	system := s.rival(doorstep.RoleIntegrator)
	now := s.clock.Now().Format(time.RFC3339)
	s.post(system, "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{
		{Waybill: "SF1", OutletID: "west", Code: "arrived", At: now, Consignee: &api.Consignee{Phone: carl}},
	}}).is(http.StatusOK)
	got := read[api.DispatchResults](s.post(system, "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{
		parcel("SF1", "li", carl), parcel("RV1", "li", anne),
	}}), http.StatusOK)
	require.Equal(t, 2, got.Accepted)
	for _, r := range got.Results {
		require.Empty(t, r.Tags, "what one carrier learned is none of the other's business")
		require.Nil(t, r.AlertID)
	}
	missing(t, s.post(s.consumer(carl), "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: lockerEN}))
}

func otherParcels(t *testing.T, s *scene) {
	filing := api.ComplaintInput{Waybill: "SF3", Text: lockerEN}
	missing(t,
		s.post(s.rival(doorstep.RoleIntegrator), "/v1/parcels/SF3/consumer-link", nil),
		s.post(s.rival(doorstep.RoleIntegrator), "/v1/complaints", filing),
		s.post(s.rival(doorstep.RoleManager), "/v1/complaints", filing),
		s.post(s.rival(doorstep.RoleConsumer), "/v1/complaints", api.ComplaintInput{Waybill: "SF4", Text: lockerEN}),
		s.post(s.consumer(bela), "/v1/complaints", filing),
		s.post(s.manager("west"), "/v1/complaints", filing),
		s.post(s.manager("nowhere"), "/v1/complaints", filing),
	)
}

func otherWishes(t *testing.T, s *scene) {
	require.Empty(t, s.tags(s.rival(doorstep.RoleConsumer)))
	require.Empty(t, s.tags(s.consumer(bela)))
	for _, who := range []string{s.consumer(bela), s.rival(doorstep.RoleConsumer)} {
		missing(t, s.put(who, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_call"}, Waybill: ptr("SF4")}))
		// These speak of the caller alone, whoever else has the same tag.
		s.put(who, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{}}).is(http.StatusOK)
		s.delete(who, "/v1/me/tags/no_locker").is(http.StatusNoContent)
		s.put(who, "/v1/me/learning", api.LearningInput{Enabled: ptr(false)}).is(http.StatusOK)
		s.put(who, "/v1/me/learning", api.LearningInput{Enabled: ptr(true)}).is(http.StatusOK)
		s.post(who, "/v1/me/tags/to_door/confirmation", nil).is(http.StatusOK)
		s.delete(who, "/v1/me/tags/to_door").is(http.StatusNoContent)
	}
}

func otherConsents(t *testing.T, s *scene) {
	for _, who := range []string{s.consumer(bela), s.rival(doorstep.RoleConsumer)} {
		require.Empty(t, s.consents(who))
		missing(t,
			s.delete(who, "/v1/me/consents/"+s.consent.ID),
			s.post(who, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "parcel", Waybill: ptr("SF4"), ReceiptMethod: "photo"}),
			s.post(who, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "address", Waybill: ptr("SF4"), ReceiptMethod: "photo"}),
		)
		require.Empty(t, s.consents(who))
	}
	page := read[api.ConsentPage](s.get(s.consumer(anne), "/v1/me/consents?limit=1"), http.StatusOK)
	require.Nil(t, page.NextCursor)
	theirs := s.rival(doorstep.RoleConsumer)
	own := read[api.Consent](s.post(theirs, "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"}), http.StatusCreated)
	require.Equal(t, []api.Consent{own}, s.consents(theirs))
}

func otherComplaints(t *testing.T, s *scene) {
	for _, who := range []string{s.consumer(bela), s.rival(doorstep.RoleConsumer)} {
		for action, body := range map[string]any{"messages": words("Mine."), "confirmation": nil, "dispute": words("Mine."), "reopening": words("Mine."), "withdrawal": nil} {
			for _, id := range []string{s.complaint.ID, s.answered, s.closed} {
				missing(t, s.post(who, "/v1/complaints/"+id+"/"+action, body))
			}
		}
	}
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		for action, body := range map[string]any{
			"answer": words("Mine."), "pause": api.ComplaintPauseInput{Reason: "weather"}, "notes": words("Mine."),
			"reroute":      api.ComplaintReroute{To: "east", Reason: "Mine."},
			"recategorise": api.ComplaintRecategorise{Category: "lost", Reason: "Mine."},
		} {
			missing(t, s.post(who, "/v1/complaints/"+s.complaint.ID+"/"+action, body))
		}
		missing(t, s.get(who, "/v1/complaints/"+s.complaint.ID+"/notes"))
	}
	for _, who := range []string{
		s.courier("mo"), s.courier("nobody"), s.consumer(bela), s.manager("east"), s.manager("nowhere"),
		s.rival(doorstep.RoleIntegrator), s.rival(doorstep.RoleCourier), s.rival(doorstep.RoleConsumer),
		s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ),
	} {
		missing(t, s.get(who, "/v1/complaints/"+s.complaint.ID))
	}
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		for _, filter := range []string{"", "&courier_id=li", "&status=filed", "&category=" + s.complaint.Category} {
			require.Empty(t, pages(s.app, who, "/v1/complaints?limit=1"+filter, complaintPage), filter)
		}
	}
	for _, who := range []string{s.consumer(bela), s.rival(doorstep.RoleConsumer)} {
		require.Empty(t, pages(s.app, who, "/v1/me/complaints?limit=1", complaintPage))
	}
}

// Whoever may not open a file leaves no trace in it either.
func otherFiles(t *testing.T, s *scene) {
	path := "/v1/complaints/" + s.complaint.ID
	before := s.evidence("west", "&kind=access")
	for _, who := range []string{
		s.courier("mo"), s.courier("nobody"), s.manager("east"), s.manager("nowhere"),
		s.rival(doorstep.RoleCourier), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ),
	} {
		missing(t, s.get(who, path+"/evidence"), s.get(who, path+"/bundle"), s.get(who, path+"/regulator-pack"))
	}
	require.Len(t, s.evidence("west", "&kind=access"), len(before)+1, "the look before, and nothing else")
}

func otherDevices(t *testing.T, s *scene) {
	missing(t,
		s.delete(s.courier("mo"), "/v1/me/devices/phone-1"),
		s.delete(s.courier("nobody"), "/v1/me/devices/phone-1"),
		s.delete(s.rival(doorstep.RoleCourier), "/v1/me/devices/phone-1"),
	)
	// An install id is a courier's own: the same one elsewhere is another phone.
	s.register("mo", "phone-1", "token-of-mo")
	s.put(s.rival(doorstep.RoleCourier), "/v1/me/devices/phone-1", api.DeviceInput{
		Provider: "fcm", Address: ptr("token-of-rival"), Locale: "en",
	}).is(http.StatusOK)
	s.sendDue()
	for _, p := range s.pushes() {
		require.Equal(t, "token-of-li", p.Token, "only li has alerts")
	}
}

func otherCouriers(t *testing.T, s *scene) {
	now := s.clock.Now().Format(time.RFC3339)
	shown := api.ReceiptBatch{Receipts: []api.ReceiptInput{{AlertID: s.alert, Event: "acknowledged", At: now}}}
	record := records(s.start)[0]
	record.ID, record.Waybill = "01936f40-77aa-7d10-8c33-0000000000ff", "SF4"
	for _, who := range []string{s.courier("mo"), s.courier("nobody"), s.rival(doorstep.RoleCourier)} {
		run := read[api.Run](s.get(who, "/v1/me/run"), http.StatusOK)
		require.NotContains(t, waybills(run), "SF4")
		s.post(who, "/v1/me/run/next", api.NextStopInput{Waybill: "SF4"}).is(http.StatusNotFound)
		require.Empty(t, read[api.AlertPage](s.get(who, "/v1/me/alerts"), http.StatusOK).Items)
		stream := s.get(who, "/v1/me/alerts/stream?install_id=phone-1")
		stream.is(http.StatusOK)
		require.NotContains(t, string(stream.body), "event:")

		receipts := read[api.ReceiptResults](s.post(who, "/v1/me/alerts/receipts", shown), http.StatusOK).Results
		require.Equal(t, "not_found", receipts[0].Problem.Code)
		uploads := read[api.EvidenceResults](s.post(who, "/v1/me/evidence", api.EvidenceBatch{Records: []api.EvidenceInput{record}}), http.StatusOK).Results
		require.Equal(t, "not_found", uploads[0].Problem.Code)
	}
}

func otherEvidence(t *testing.T, s *scene) {
	first := read[api.EvidencePage](s.get(s.manager("west"), "/v1/evidence?limit=1"), http.StatusOK)
	for _, who := range []string{s.manager("east"), s.manager("nowhere"), s.rival(doorstep.RoleManager), s.rival(doorstep.RoleHQ)} {
		for _, filter := range []string{
			"&waybill=SF4", "&courier_id=li&waybill=SF4", "&complaint_id=" + s.complaint.ID, "&kind=call", "&kind=complaint", "&kind=alert",
			"&cursor=" + *first.NextCursor + "&waybill=SF4",
		} {
			require.Empty(t, pages(s.app, who, "/v1/evidence?limit=1"+filter, evidencePage), filter)
		}
	}
	for _, r := range pages(s.app, s.manager("east"), "/v1/evidence?limit=200", evidencePage) {
		require.Equal(t, "SF3", *r.Waybill)
	}
}
