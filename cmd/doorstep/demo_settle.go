package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"doorstep/api"
)

// settle fills the town: its outlets, couriers with their phones, a week of
// parcels, what people complained of, and this morning's dispatch.
func (d *demoStory) settle(ctx context.Context, progress io.Writer) error {
	town, err := newDemoTown(time.Now())
	if err != nil {
		return err
	}
	d.step("A town")
	if err := d.appoint(ctx); err != nil {
		return err
	}
	for batch := range slices.Chunk(town.past, 100) {
		if _, err := d.api.dispatch(ctx, d.tokens.integrator, batch...); err != nil {
			return err
		}
	}
	d.say("%d outlets, %d couriers with a phone each, %d consumers, %d parcels of the past week.",
		len(demoOutlets), len(demoCouriers), len(town.consumers), len(town.past))

	d.step("What people complained of")
	read, err := d.relay(ctx, town.complaints, progress)
	if err != nil {
		return err
	}
	d.say("%d complaints relayed by the carrier, %s; the server read each by itself.", len(town.complaints), languages(town.complaints))
	d.say("Wishes learned: %d. The rows' labels name %d, of which %d were found; category as labelled: %d of %d.",
		read.learned, read.labelled, read.right, read.category, len(town.complaints))
	d.say("That is no score: the reader was trained on these rows. How well it reads authors whom")
	d.say("it never read is what `doorstep eval --leave-one-author-out reading/data` prints.")

	d.step("This morning's dispatch")
	var wishes, alerts int
	for batch := range slices.Chunk(town.today, 100) {
		out, err := d.api.dispatch(ctx, d.tokens.integrator, batch...)
		if err != nil {
			return err
		}
		for _, r := range out.Results {
			wishes += len(r.Tags)
			if r.AlertID != nil {
				alerts++
			}
		}
	}
	d.say("%d parcels; %d go to somebody with wishes (%d tags), and each of those has an alert.", len(town.today), alerts, wishes)
	err = within(ctx, "a push on every phone", func() (bool, error) { return len(d.ringing()) == len(demoCouriers), nil })
	if err != nil {
		return err
	}
	return d.check(true, "every courier's phone rang: alerts of one moment come as one push")
}

// appoint makes outlets and couriers known and registers the phones.
func (d *demoStory) appoint(ctx context.Context) error {
	zh := "zh-CN"
	for _, o := range demoOutlets {
		err := d.api.call(ctx, d.tokens.integrator, http.MethodPut, "/v1/outlets/"+o.id, api.OutletInput{Name: o.name, Locale: &zh}, nil)
		if err != nil {
			return err
		}
	}
	for _, c := range demoCouriers {
		err := d.api.call(ctx, d.tokens.integrator, http.MethodPut, "/v1/couriers/"+c.id,
			api.CourierInput{OutletID: c.outlet, Name: c.name, Locale: &zh}, nil)
		if err != nil {
			return err
		}
		address := phoneOf(c)
		err = d.api.call(ctx, d.tokens.couriers[c.id], http.MethodPut, "/v1/me/devices/app-1",
			api.DeviceInput{Provider: "fcm", Address: &address, Locale: zh}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// phoneOf is where FCM would reach the courier's phone.
func phoneOf(c demoCourier) string { return "phone-of-" + c.id }

// ringing are the phones at which a push has arrived.
func (d *demoStory) ringing() map[string]bool {
	phones := map[string]bool{}
	for _, m := range d.phones.Messages() {
		phones[m.Token] = true
	}
	return phones
}

// score compares what the server learned with the rows' labels.
type score struct{ learned, right, labelled, category int }

// relay files the complaints as the carrier's hotline would, several at a time.
func (d *demoStory) relay(ctx context.Context, list []demoComplaint, progress io.Writer) (score, error) {
	bar := progressbar.NewOptions(len(list), progressbar.OptionSetWriter(progress),
		progressbar.OptionSetVisibility(isTerminal(progress)), progressbar.OptionSetDescription("complaints"), progressbar.OptionClearOnFinish())
	channel := "hotline"
	var mu sync.Mutex
	var sum score
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(8)
	for _, c := range list {
		calls.Go(func() error {
			var filed api.Complaint
			err := d.api.call(ctx, d.tokens.integrator, http.MethodPost, "/v1/complaints",
				api.ComplaintInput{Waybill: c.waybill, Text: c.row.Text, Channel: &channel}, &filed)
			if err != nil {
				return fmt.Errorf("complaint %s: %w", c.row.ID, err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.learned += len(filed.Learned)
			sum.labelled += len(c.row.Tags)
			for _, tag := range c.row.Tags {
				if slices.Contains(filed.Learned, api.Tag(tag)) {
					sum.right++
				}
			}
			if filed.Category == api.Category(c.row.Category) {
				sum.category++
			}
			return bar.Add(1)
		})
	}
	return sum, calls.Wait()
}

func languages(list []demoComplaint) string {
	count := map[string]int{}
	for _, c := range list {
		count[c.row.Lang]++
	}
	return fmt.Sprintf("%d in Chinese and %d in English", count["zh"], count["en"])
}
