package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"doorstep/api"
	"doorstep/complaints"
	"doorstep/push/sink"
)

// demoStory is one consumer, one courier and one manager on one day.
type demoStory struct {
	*teller
	api    apiClient
	tokens demoTokens
	phones *sink.Sink

	link    api.ConsumerLink // the consumer's
	alertID string           // of the parcel that goes out in the story
}

var (
	wang      = demoCouriers[0]
	zhouTing  = demoConsumer{"+8619900008001", "周婷", "江滨路88号1203室", "a-zhou", wang}
	neighbour = demoConsumer{"+8619900008002", "何明", "江滨路88号1204室", "a-he", wang}
)

// The story's parcels.
const (
	yesterdays  = "SF30000000417"
	todays      = "SF30000005206"
	neighbours  = "SF30000005207"
	laterTodays = "SF30000006131"

	neighboursNext = "SF30000006132"
	neighboursLast = "SF30000006133"
)

// tell goes through the steps. The first that fails ends the story.
func (d *demoStory) tell(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		d.complain, d.dispatch, d.ring, d.acknowledge, d.callTheDoor, d.correct, d.complainOfTheCall, d.readTheFile, d.question,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demoStory) complain(ctx context.Context) error {
	d.step("A consumer complains, in her own words")
	if _, err := d.api.dispatch(ctx, d.tokens.integrator, zhouTing.order(yesterdays, time.Now().Add(-24*time.Hour))); err != nil {
		return err
	}
	person := "person"
	err := d.api.call(ctx, d.tokens.integrator, http.MethodPost, "/v1/parcels/"+yesterdays+"/consumer-link", api.ConsumerLinkInput{Scope: &person}, &d.link)
	if err != nil {
		return err
	}
	const words = "又没问我就放快递柜！以后别放柜子，请送货上门，来之前先打个电话。"
	d.say("%s opens the link that the carrier sent her and writes about parcel …%s:", zhouTing.name, lastFour(yesterdays))
	d.say("“%s”", words)
	d.say("(Into a locker again, and nobody asked. No lockers, bring it to the door, call first.)")
	filed, err := d.file(ctx, yesterdays, words)
	if err != nil {
		return err
	}
	promise := filed.Clocks.Promise.DueAt
	return firstError(
		d.check(filed.Outlet.ID == wang.outlet, "it is with the outlet that had the parcel: %s (%s)", filed.Outlet.ID, filed.Outlet.Name),
		d.check(filed.Category == api.Category(complaints.LockerWithoutConsent), "read as: %s", filed.Category),
		d.check(promise.Sub(filed.FiledAt) == complaints.Promise, "she is promised an answer by %s (24 h)", inShanghai(promise)),
		d.check(filed.Clocks.Legal.DueAt.Sub(filed.FiledAt) == complaints.Legal, "the law wants it handled by %s (7 days)", inShanghai(filed.Clocks.Legal.DueAt)),
		d.check(sameTags(filed.Learned, "call_first", "no_locker", "to_door"), "learned: %s", joined(filed.Learned)),
	)
}

func (d *demoStory) file(ctx context.Context, waybill, words string) (filed api.Complaint, err error) {
	err = d.api.call(ctx, d.link.Token, http.MethodPost, "/v1/complaints", api.ComplaintInput{Waybill: waybill, Text: words}, &filed)
	return filed, err
}

func (d *demoStory) dispatch(ctx context.Context) error {
	d.step("Her next parcel goes out for delivery, and one to the door beside hers")
	out, err := d.api.dispatch(ctx, d.tokens.integrator, zhouTing.order(todays, time.Now()), neighbour.order(neighbours, time.Now()))
	if err != nil {
		return err
	}
	hers, his := out.Results[0], out.Results[1]
	learned := !slices.ContainsFunc(hers.Decisions, func(x api.Decision) bool { return x.DecidedBy != "learned" })
	if err := firstError(
		d.check(sameTags(hers.Tags, "call_first", "no_locker", "to_door") && hers.AlertID != nil, "…%s carries %s, and has an alert", lastFour(todays), joined(hers.Tags)),
		d.check(learned, "the answer says who decided: learned"),
		d.check(len(his.Tags) == 0 && his.AlertID == nil, "…%s, next door, carries nothing and rings nobody", lastFour(neighbours)),
	); err != nil {
		return err
	}
	d.alertID = *hers.AlertID
	return nil
}

func (d *demoStory) ring(ctx context.Context) error {
	d.step("The courier's phone rings before he gets there")
	began := time.Now()
	var message json.RawMessage
	err := within(ctx, "the push", func() (bool, error) {
		for _, m := range d.phones.Messages() {
			if m.Token == phoneOf(wang) && strings.Contains(string(m.Message), d.alertID) {
				message = m.Message
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	var pushed struct{ Data struct{ Alerts string } }
	var alerts []struct {
		ID, W string
		T     []api.Tag
	}
	if err := json.Unmarshal(message, &pushed); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	if err := json.Unmarshal([]byte(pushed.Data.Alerts), &alerts); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	d.say("data.alerts = %s", pushed.Data.Alerts)
	personal := []string{zhouTing.phone, strings.TrimPrefix(zhouTing.phone, "+86"), zhouTing.name, zhouTing.address, todays, "complaint", "投诉"}
	leaks := slices.ContainsFunc(personal, func(s string) bool { return strings.Contains(string(message), s) })
	return firstError(
		d.check(len(alerts) == 1 && alerts[0].W == lastFour(todays) && sameTags(alerts[0].T, "call_first", "no_locker", "to_door"),
			"%s's phone got the tags and the waybill's last four, %.1f s later (alerts gather for %s)", wang.name, took.Seconds(), demoSettle),
		d.check(!leaks, "no name, number, address, whole waybill or word of a complaint is in it"),
	)
}

func (d *demoStory) acknowledge(ctx context.Context) error {
	d.step("He looks, and the phone says that he did")
	token := d.tokens.couriers[wang.id]
	var run api.Run
	if err := d.api.call(ctx, token, http.MethodGet, "/v1/me/run", nil, &run); err != nil {
		return err
	}
	stop := stopOf(run, todays)
	var told []string
	for _, i := range stop.Instructions {
		told = append(told, i.Text)
	}
	receipts := api.ReceiptBatch{Receipts: []api.ReceiptInput{
		{AlertID: d.alertID, Event: "shown", At: nowText()}, {AlertID: d.alertID, Event: "acknowledged", At: nowText()},
	}}
	var kept api.ReceiptResults
	if err := d.api.call(ctx, token, http.MethodPost, "/v1/me/alerts/receipts", receipts, &kept); err != nil {
		return err
	}
	inbox, err := d.inboxOf(ctx, token)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(inbox, func(a api.Alert) bool { return a.AlertID == d.alertID })
	return firstError(
		d.check(len(told) == 3 && slices.Contains(told, "请勿放快递柜"), "his run says: %s", strings.Join(told, "；")),
		d.check(stop.DoFirst == "call", "and what to do first: %s", stop.DoFirst),
		d.check(len(stopOf(run, neighbours).Instructions) == 0, "the parcel next door has no instruction"),
		d.check(kept.Results[0].Status == "accepted" && kept.Results[1].Status == "accepted", "shown and acknowledged are kept"),
		d.check(at >= 0 && inbox[at].Acked, "his inbox has the alert, acknowledged: it would be there without any push"),
	)
}

// inboxOf reads a courier's inbox to its end.
func (d *demoStory) inboxOf(ctx context.Context, token string) (all []api.Alert, err error) {
	for after := int64(0); ; {
		var page api.AlertPage
		if err := d.api.call(ctx, token, http.MethodGet, fmt.Sprintf("/v1/me/alerts?after=%d", after), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Items) == 0 {
			return all, nil
		}
		all, after = append(all, page.Items...), page.NextAfter
	}
}

func (d *demoStory) callTheDoor(ctx context.Context) error {
	d.step("He calls. Nobody answers. The phone records it, and sends it twice")
	seconds, outcome := 0.0, "no_answer"
	batch := api.EvidenceBatch{Records: []api.EvidenceInput{{
		ID: uuid.NewString(), Kind: "call", Waybill: todays, OccurredAt: nowText(), DurationS: &seconds, Outcome: &outcome,
	}}}
	var verdicts []api.ItemStatus
	for range 2 { // as after a lost answer in a stairwell
		var kept api.EvidenceResults
		if err := d.api.call(ctx, d.tokens.couriers[wang.id], http.MethodPost, "/v1/me/evidence", batch, &kept); err != nil {
			return err
		}
		verdicts = append(verdicts, kept.Results[0].Status)
	}
	return d.check(verdicts[0] == "accepted" && verdicts[1] == "duplicate", "first %s, then %s: one call, one record", verdicts[0], verdicts[1])
}

func (d *demoStory) correct(ctx context.Context) error {
	d.step("She looks at what was learned, and has the last word")
	status, err := d.api.page(ctx, d.link.URL)
	if err != nil {
		return err
	}
	var known, after api.MyTags
	if err := d.api.call(ctx, d.link.Token, http.MethodGet, "/v1/me/tags", nil, &known); err != nil {
		return err
	}
	reasons := len(known.Tags) == 3 && !slices.ContainsFunc(known.Tags, func(t api.MyTag) bool {
		return t.State != "on" || t.Source != "learned" || len(t.Because) != 1 || t.Because[0].Category != api.Category(complaints.LockerWithoutConsent)
	})
	if err := d.api.call(ctx, d.link.Token, http.MethodPost, "/v1/me/tags/no_locker/confirmation", nil, nil); err != nil {
		return err
	}
	if err := d.api.call(ctx, d.link.Token, http.MethodDelete, "/v1/me/tags/to_door", nil, nil); err != nil {
		return err
	}
	if err := d.api.call(ctx, d.link.Token, http.MethodGet, "/v1/me/tags", nil, &after); err != nil {
		return err
	}
	told, err := d.toldAnew(ctx)
	if err != nil {
		return err
	}
	out, err := d.api.dispatch(ctx, d.tokens.integrator, zhouTing.order(laterTodays, time.Now()))
	if err != nil {
		return err
	}
	next := out.Results[0]
	var decided []string
	for _, x := range next.Decisions {
		decided = append(decided, fmt.Sprintf("%s (%s, %s)", x.Tag, x.DecidedBy, x.Level))
	}
	return firstError(
		d.check(status == http.StatusOK, "her page opens"),
		d.check(reasons, "it names three wishes and, for each, the complaint that taught it"),
		d.check(stateOf(after, "no_locker") == "on explicit", "she confirms no_locker: now it is her own word"),
		d.check(stateOf(after, "to_door") == "off explicit", "she removes to_door"),
		d.check(told.Version == 2 && sameTags(told.Tags, "call_first", "no_locker"), "…%s is still out: the courier gets version %d of its alert, %s", lastFour(todays), told.Version, joined(told.Tags)),
		d.check(sameTags(next.Tags, "call_first", "no_locker"), "her next parcel carries %s", strings.Join(decided, ", ")),
	)
}

// toldAnew waits for the alert that takes the place of the first.
func (d *demoStory) toldAnew(ctx context.Context) (told api.Alert, err error) {
	err = within(ctx, "the alert's next version", func() (bool, error) {
		var inbox api.AlertPage
		err := d.api.call(ctx, d.tokens.couriers[wang.id], http.MethodGet, "/v1/me/alerts?limit=200", nil, &inbox)
		for _, a := range inbox.Items {
			if a.Supersedes != nil && *a.Supersedes == d.alertID {
				told = a
			}
		}
		return told.AlertID != "", err
	})
	return told, err
}

func (d *demoStory) complainOfTheCall(ctx context.Context) error {
	d.step("She complains again: nobody called")
	const words = "快递员一个电话都没打就走了，我一直在家。"
	d.say("“%s” (The courier left without a single call; I was at home all the time.)", words)
	filed, err := d.file(ctx, todays, words)
	if err != nil {
		return err
	}
	return d.check(filed.Category == api.Category(complaints.NoCallBeforeDelivery), "parcel …%s, read as: %s", lastFour(todays), filed.Category)
}

func (d *demoStory) readTheFile(ctx context.Context) error {
	d.step("The outlet's manager opens the parcel's file")
	ofParcel := url.Values{"waybill": {todays}}
	var file []api.EvidenceRecord
	var kinds []string
	err := within(ctx, "all records of …"+lastFour(todays), func() (_ bool, err error) {
		if file, err = d.evidence(ctx, wang.outlet, ofParcel); err != nil {
			return false, err
		}
		kinds = nil
		for _, r := range file {
			kinds = append(kinds, string(r.Kind))
		}
		return containsAll(kinds, "dispatch", "alert", "push", "receipt", "call", "complaint"), nil
	})
	if err != nil {
		return fmt.Errorf("%w (there are: %s)", err, strings.Join(kinds, ", "))
	}
	slices.SortStableFunc(file, func(a, b api.EvidenceRecord) int { return a.OccurredAt.Compare(b.OccurredAt) })
	calls := 0
	for _, r := range file {
		d.say("%s  %-9s  %-8s  %s", r.OccurredAt.In(shanghai).Format("15:04:05.000"), r.Kind, r.Source, whatOf(r))
		if r.Kind == "call" && r.Source == "device" && whatOf(r) == "no_answer" {
			calls++
		}
	}
	elsewhere, err := d.evidence(ctx, "old-town", ofParcel)
	if err != nil {
		return err
	}
	return firstError(
		d.check(calls == 1, "the call is there once, unanswered, as the phone recorded it: he did call"),
		d.check(len(elsewhere) == 0, "the other outlet's manager sees none of it"),
	)
}

// evidence is what an outlet's manager finds, the newest first.
func (d *demoStory) evidence(ctx context.Context, outlet string, query url.Values) ([]api.EvidenceRecord, error) {
	var page api.EvidencePage
	err := d.api.call(ctx, d.tokens.managers[outlet], http.MethodGet, "/v1/evidence?"+query.Encode(), nil, &page)
	return page.Items, err
}

func containsAll(list []string, want ...string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(list, s) })
}

// whatOf is what a record adds to its kind.
func whatOf(r api.EvidenceRecord) string {
	switch {
	case r.Outcome != nil:
		return *r.Outcome
	case r.Event != nil:
		return *r.Event
	case r.Tags != nil:
		return joined(*r.Tags)
	case r.Category != nil:
		return *r.Category
	case r.Provider != nil:
		return *r.Provider
	}
	return ""
}

// invite says where to look now that the story is told.
func (d *demoStory) invite(phonesAt string) {
	fmt.Fprintf(d.out, `
Look around (Ctrl-C ends it all):
  the consumer's page   %s
  the courier's page    %s
  the outlet's console  %s
  headquarters          %s
  the couriers' phones  %s/
  the API's docs        %s/docs
(The three in the middle sign you in, once, within 15 minutes.)
`, d.link.URL, signInURL(d.api.base, d.tokens.links.courier), signInURL(d.api.base, d.tokens.links.manager),
		signInURL(d.api.base, d.tokens.links.hq), phonesAt, d.api.base)
	fmt.Fprintf(d.out, `
Ask it yourself:
  BASE=%s
  CARRIER=%s    # the carrier's systems
  COURIER=%s    # %s
  MANAGER=%s    # of %s
  CONSUMER=%s   # %s
  curl -H "Authorization: Bearer $COURIER" $BASE/v1/me/run
  curl -H "Authorization: Bearer $MANAGER" "$BASE/v1/evidence?waybill=%s"
`, d.api.base, d.tokens.integrator, d.tokens.couriers[wang.id], wang.name, d.tokens.managers[wang.outlet], wang.outlet,
		d.link.Token, zhouTing.name, todays)
}

var shanghai = time.FixedZone("CST", 8*60*60)

func inShanghai(t time.Time) string { return t.In(shanghai).Format("Mon 2 Jan 15:04 MST") }

func nowText() string { return time.Now().UTC().Format(time.RFC3339Nano) }

func lastFour(waybill string) string { return waybill[len(waybill)-4:] }

func stopOf(run api.Run, waybill string) api.RunItem {
	i := slices.IndexFunc(run.Items, func(item api.RunItem) bool { return item.Waybill == waybill })
	if i < 0 {
		return api.RunItem{}
	}
	return run.Items[i]
}

func stateOf(known api.MyTags, tag api.Tag) string {
	i := slices.IndexFunc(known.Tags, func(t api.MyTag) bool { return t.Tag == tag })
	if i < 0 {
		return "unknown"
	}
	return string(known.Tags[i].State) + " " + string(known.Tags[i].Source)
}

func sameTags(got []api.Tag, want ...api.Tag) bool {
	got = slices.Clone(got)
	slices.Sort(got)
	return slices.Equal(got, want)
}

func joined(tags []api.Tag) string { return strings.Join(tags, ", ") }

// firstError is the first that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
