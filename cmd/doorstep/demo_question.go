package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/api"
)

// question is what becomes of a permission that was learned: the carrier passes
// a question on, and only the consumer's tap opens the gate.
func (d *demoStory) question(ctx context.Context) error {
	d.step("A neighbour would not mind a locker. He is asked before anybody acts on it")
	const words = "我不在家的时候可以放快递柜，不用跑两趟。"
	d.say("“%s” (A locker is fine when I am out; no need to come twice.)", words)
	filing := api.ComplaintInput{Waybill: neighbours, Text: words}
	if err := d.api.call(ctx, d.tokens.integrator, http.MethodPost, "/v1/complaints", filing, nil); err != nil {
		return err
	}
	before, err := d.api.dispatch(ctx, d.tokens.integrator, neighbour.order(neighboursNext, time.Now()))
	if err != nil {
		return err
	}
	message, err := d.messageAbout(ctx, neighbours)
	if err != nil {
		return err
	}
	if err := d.api.tap(ctx, message.URL, url.Values{"tag": {"locker_ok"}, "answer": {"yes"}}); err != nil {
		return err
	}
	after, err := d.api.dispatch(ctx, d.tokens.integrator, neighbour.order(neighboursLast, time.Now()))
	if err != nil {
		return err
	}
	decisions := after.Results[0].Decisions
	return firstError(
		d.check(len(before.Results[0].Tags) == 0, "his next parcel carries nothing yet: silence is no consent"),
		d.check(message.Template == "tag_question", "the event feed has a message for the carrier to pass on: %s, %s, with a link", message.Template, message.Locale),
		d.check(len(decisions) == 1 && decisions[0].Tag == "locker_ok" && decisions[0].DecidedBy == "standing", "one tap on yes, and the parcel after carries locker_ok as his own word"),
	)
}

// messageAbout reads the event feed until it has a message about a parcel.
func (d *demoStory) messageAbout(ctx context.Context, waybill string) (message api.ConsumerMessage, err error) {
	var after int64
	err = within(ctx, "the question in the event feed", func() (bool, error) {
		var page api.EventPage
		if err := d.api.call(ctx, d.tokens.integrator, http.MethodGet, fmt.Sprintf("/v1/events?limit=200&after=%d", after), nil, &page); err != nil {
			return false, err
		}
		after = page.NextAfter
		for _, e := range page.Items {
			if err := json.Unmarshal(e.Object, &message); err != nil {
				return false, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			if message.Waybill == waybill {
				return true, nil
			}
		}
		return false, nil
	})
	return message, err
}

// tap opens a link and sends a form of the page that it leads to, as a browser
// without scripts would.
func (a apiClient) tap(ctx context.Context, link string, form url.Values) error {
	opened, err := a.open(ctx, link)
	if err != nil {
		return err
	}
	if err := opened.Body.Close(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, opened.Request.URL.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := a.client.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK { // of the page that the answer leads back to
		err = fmt.Errorf("form: %s", res.Status)
	}
	return firstError(err, res.Body.Close())
}
