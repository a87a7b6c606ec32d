package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/parcels"
	"doorstep/people"
	"doorstep/prefs"
	"doorstep/push"
)

// arm is one company of the simulation. Both have the same town; they differ only
// in whether their couriers get phones on which alerts show.
type arm struct {
	company string
	phones  bool
	town    *people.Town
	house   *simulatedHouse
	agenda  *agenda
	words   people.Phrasebook
	api     apiClient

	integrator, hq string
	managers       []string // tokens, by place in the town
	couriers       []string
	consumers      []string
	seen           []int64 // of each courier's inbox
	out            map[doorstep.Waybill]*load
}

// load is a parcel on its way.
type load struct {
	people.Parcel
	told []prefs.Tag // what the courier has seen
}

// settle makes outlets, couriers and consumers known, before the first day.
func (a *arm) settle(ctx context.Context) (err error) {
	token := func(who access.Request) (secret string) {
		if err == nil {
			secret, err = a.house.token(ctx, a.company, who)
		}
		return secret
	}
	a.integrator = token(access.Request{Role: doorstep.RoleIntegrator})
	a.hq = token(access.Request{Role: doorstep.RoleHQ, Subject: "headquarters"})
	for _, o := range a.town.Outlets {
		a.managers = append(a.managers, token(access.Request{Role: doorstep.RoleManager, OutletID: o.ID, Subject: "manager of " + o.ID}))
	}
	for _, c := range a.town.Couriers {
		a.couriers = append(a.couriers, token(access.Request{Role: doorstep.RoleCourier, CourierID: c.ID}))
	}
	for _, c := range a.town.Consumers {
		a.consumers = append(a.consumers, token(access.Request{Role: doorstep.RoleConsumer, ConsumerPhone: c.Phone}))
	}
	a.seen = make([]int64, len(a.couriers))
	return errors.Join(err, a.appoint(ctx), a.consent(ctx))
}

func (a *arm) appoint(ctx context.Context) error {
	weekly := map[string][]api.Span{}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		weekly[day] = []api.Span{{Opens: fmt.Sprintf("%02d:00", people.Opens), Closes: fmt.Sprintf("%02d:00", people.Closes)}}
	}
	zone := a.town.Zone.String()
	for _, o := range a.town.Outlets {
		in := api.OutletInput{Name: o.ID, TimeZone: &zone, Hours: &api.Hours{Weekly: &weekly}}
		if err := a.api.call(ctx, a.integrator, http.MethodPut, "/v1/outlets/"+o.ID, in, nil); err != nil {
			return err
		}
	}
	for _, c := range a.town.Couriers {
		in := api.CourierInput{OutletID: a.town.Outlets[c.Outlet].ID, Name: c.ID}
		if err := a.api.call(ctx, a.integrator, http.MethodPut, "/v1/couriers/"+c.ID, in, nil); err != nil {
			return err
		}
	}
	return nil
}

// handOutPhones has the couriers see their alerts from now on.
func (a *arm) handOutPhones(ctx context.Context) error {
	a.phones = true
	for i, c := range a.town.Couriers {
		address := "phone-of-" + c.ID
		phone := api.DeviceInput{Provider: push.FCM, Address: &address, Locale: "zh-CN"}
		if err := a.api.call(ctx, a.couriers[i], http.MethodPut, "/v1/me/devices/app", phone, nil); err != nil {
			return err
		}
	}
	return nil
}

// consent allows lockers and pickup points for those who once did.
func (a *arm) consent(ctx context.Context) error {
	for i, c := range a.town.Consumers {
		if !c.Consents {
			continue
		}
		for _, kind := range []prefs.ConsentKind{prefs.Locker, prefs.PickupPoint} {
			in := api.ConsentInput{Kind: string(kind), Scope: "all", ReceiptMethod: "unspecified"}
			if err := a.api.call(ctx, a.consumers[i], http.MethodPost, "/v1/me/consents", in, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// dispatchSize is how many parcels a carrier reports at once.
const dispatchSize = 500

// dispatch sends a day's parcels out, and plans what becomes of each.
func (a *arm) dispatch(ctx context.Context, list []people.Parcel) error {
	at := a.house.clock.Now().Format(time.RFC3339)
	for batch := range slices.Chunk(list, dispatchSize) {
		in := make([]api.DispatchInput, len(batch))
		for i, p := range batch {
			c := a.town.Consumers[p.Consumer]
			courier := a.town.Couriers[c.Courier]
			in[i] = api.DispatchInput{
				Waybill: string(p.Waybill), OutletID: a.town.Outlets[courier.Outlet].ID, CourierID: courier.ID, DispatchedAt: &at,
				Consignee: api.Consignee{Phone: c.Phone, AddressID: &c.AddressID},
			}
			parcel := &load{Parcel: p}
			a.out[p.Waybill] = parcel
			a.agenda.plan(p.At, func(ctx context.Context) error { return a.handOver(ctx, parcel) })
		}
		if _, err := a.api.dispatch(ctx, a.integrator, in...); err != nil {
			return err
		}
	}
	return nil
}

// look is a courier's phone that fetches what is new, says so, and shows it.
func (a *arm) look(ctx context.Context, courier int) error {
	if !a.phones {
		return nil
	}
	var page api.AlertPage
	err := a.api.call(ctx, a.couriers[courier], http.MethodGet, fmt.Sprintf("/v1/me/alerts?limit=200&after=%d", a.seen[courier]), nil, &page)
	if err != nil || len(page.Items) == 0 {
		return err
	}
	a.seen[courier] = page.NextAfter
	now := a.house.clock.Now().Format(time.RFC3339Nano)
	var receipts []api.ReceiptInput
	for _, alert := range page.Items {
		p := a.out[doorstep.Waybill(alert.Waybill)]
		if p == nil || alert.Superseded || p.Reached >= a.town.Reached {
			continue
		}
		receipts = append(receipts, api.ReceiptInput{AlertID: alert.AlertID, Event: "received", At: now})
		if p.Seen >= a.town.Seen {
			continue
		}
		receipts = append(receipts, api.ReceiptInput{AlertID: alert.AlertID, Event: "acknowledged", At: now})
		p.told = nil
		for _, tag := range alert.Tags {
			p.told = append(p.told, prefs.Tag(tag))
		}
	}
	if len(receipts) > 0 {
		err = a.api.call(ctx, a.couriers[courier], http.MethodPost, "/v1/me/alerts/receipts", api.ReceiptBatch{Receipts: receipts}, nil)
	}
	if err != nil {
		return err
	}
	return a.look(ctx, courier) // there may be more than a page
}

// handOver is the courier at the door, or elsewhere.
func (a *arm) handOver(ctx context.Context, p *load) error {
	courier := a.town.Consumers[p.Consumer].Courier
	if err := a.look(ctx, courier); err != nil {
		return err
	}
	delete(a.out, p.Waybill)
	h := a.town.Intends(p.Parcel, p.told)
	if err := a.record(ctx, courier, p.Parcel, h); err != nil {
		return err
	}
	if err := a.sign(ctx, courier, p.Parcel, &h); err != nil {
		return err
	}
	if g, grieves := a.town.Grieves(p.Parcel, h); grieves {
		a.agenda.plan(g.At, func(ctx context.Context) error { return a.complain(ctx, p.Parcel, g) })
	}
	return nil
}

// record uploads how the courier announced himself, and his photo.
func (a *arm) record(ctx context.Context, courier int, p people.Parcel, h people.Handover) error {
	var list []api.EvidenceInput
	add := func(kind string, more func(*api.EvidenceInput)) {
		in := api.EvidenceInput{
			ID: phoneID(p, kind), Kind: kind, Waybill: string(p.Waybill), OccurredAt: p.At.UTC().Format(time.RFC3339),
		}
		more(&in)
		list = append(list, in)
	}
	switch h.Contact {
	case people.Call:
		add("call", func(in *api.EvidenceInput) {
			seconds, outcome := 20.0, "answered"
			in.DurationS, in.Outcome = &seconds, &outcome
		})
	case people.Message:
		add("message", func(in *api.EvidenceInput) {
			channel, outcome := "sms", "sent"
			in.Channel, in.Outcome = &channel, &outcome
		})
	}
	if h.Photo {
		add("photo", func(in *api.EvidenceInput) {
			hash := fmt.Sprintf("%x", sha256.Sum256([]byte(p.Waybill)))
			in.Sha256 = &hash
		})
	}
	if len(list) == 0 {
		return nil
	}
	return a.api.call(ctx, a.couriers[courier], http.MethodPost, "/v1/me/evidence", api.EvidenceBatch{Records: list}, nil)
}

// phoneID is the id that a phone gave what it did with a parcel.
func phoneID(p people.Parcel, what string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(string(p.Waybill)+" "+what)).String()
}

// sign signs for a parcel through the gate, and says how it ended.
func (a *arm) sign(ctx context.Context, courier int, p people.Parcel, h *people.Handover) error {
	path := "/v1/parcels/" + string(p.Waybill) + "/sign-for"
	at := p.At.UTC().Format(time.RFC3339)
	sign := func(method parcels.Method) error {
		in := api.SignForInput{Method: string(method), At: at, ClientID: phoneID(p, "sign for "+string(method))}
		return a.api.call(ctx, a.couriers[courier], http.MethodPost, path, in, nil)
	}
	err := sign(h.Place)
	var refused *refusedError
	if !errors.As(err, &refused) || refused.Code != "consent_required" {
		return err
	}
	switch a.town.WhenRefused(p) {
	case people.AsksTheManager:
		manager := a.managers[a.town.Couriers[courier].Outlet]
		in := api.OverrideInput{Method: string(h.Place), At: &at, Reason: "The courier asked on the telephone."}
		return a.api.call(ctx, manager, http.MethodPost, path+"/override", in, nil)
	case people.SignsFalsely:
		h.Falsely = true
	default:
		h.Place = parcels.InPerson
	}
	return sign(parcels.InPerson)
}

// complain files a complaint in real words, and plans its answer.
func (a *arm) complain(ctx context.Context, p people.Parcel, g people.Grievance) error {
	var filed api.Complaint
	in := api.ComplaintInput{Waybill: string(p.Waybill), Text: a.words.Say(g, p.Words)}
	err := a.api.call(ctx, a.consumers[p.Consumer], http.MethodPost, "/v1/complaints", in, &filed)
	if err != nil {
		return err
	}
	a.planAnswer(p, filed.ID, p.Answer, p.Late, false)
	return nil
}

// planAnswer plans what an outlet says, and what the consumer says to that. A
// second answer is confirmed.
func (a *arm) planAnswer(p people.Parcel, id string, chance, late float64, second bool) {
	outlet := a.town.Couriers[a.town.Consumers[p.Consumer].Courier].Outlet
	act := func(ctx context.Context, token, action string, in any) error {
		return a.api.call(ctx, token, http.MethodPost, "/v1/complaints/"+id+"/"+action, in, nil)
	}
	now := a.house.clock.Now()
	a.agenda.plan(a.town.Outlets[outlet].AnswersAt(now, chance, late), func(ctx context.Context) error {
		if err := act(ctx, a.managers[outlet], "answer", api.ComplaintWords{Text: "We have looked into it."}); err != nil {
			return err
		}
		reaction := a.house.clock.Now().Add(time.Duration(p.Reacts * float64(reactsWithin)))
		switch {
		case second || p.Verdict < a.town.Confirmed:
			a.agenda.plan(reaction, func(ctx context.Context) error { return act(ctx, a.consumers[p.Consumer], "confirmation", nil) })
		case p.Verdict < a.town.Confirmed+a.town.Disputed:
			a.agenda.plan(reaction, func(ctx context.Context) error {
				text := "That is not so."
				if err := act(ctx, a.consumers[p.Consumer], "dispute", api.ComplaintDoubt{Text: &text}); err != nil {
					return err
				}
				a.planAnswer(p, id, p.Second, 1, true)
				return nil
			})
		}
		return nil
	})
}

// reactsWithin is how long an answer waits for its consumer's word, if one comes.
const reactsWithin = 24 * time.Hour
