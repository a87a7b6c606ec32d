package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"doorstep/api"
	"doorstep/people"
)

// simulated is the outcome: figures as the API gave them, and what held at the
// end.
type simulated struct {
	Assumptions  people.Assumptions `json:"assumptions"`
	BaseFrom     string             `json:"base_from"` // the first half: nothing is shown to anybody
	BaseTo       string             `json:"base_to"`
	From         string             `json:"from"` // the second: one arm has its alerts shown
	To           string             `json:"to"`
	Arms         []armOutcome       `json:"arms"`
	Checks       []string           `json:"checks"`
	Appointments int                `json:"appointments"`
	Requests     int                `json:"requests"`
}

// armOutcome is what became of one company.
type armOutcome struct {
	Alerts      string                       `json:"alerts"` // in the second half: "withheld" or "shown"
	Figures     map[string]api.KpiFigure     `json:"figures"`
	Comparisons map[string]api.KpiComparison `json:"comparisons"` // of the second half with the first
	Overrides   int                          `json:"overrides"`   // in the second half
}

// outcome asks the API for the figures, and looks whether everything held.
func (s *simulation) outcome(ctx context.Context) (o simulated, err error) {
	date := func(day int) string { return s.town.Midnight(day).Format(time.DateOnly) }
	half := s.town.Days / 2
	o = simulated{
		Assumptions: s.town.Assumptions, BaseFrom: date(0), BaseTo: date(half - 1), From: date(s.town.Days - half), To: date(s.town.Days - 1),
		Appointments: s.agenda.held,
	}
	if err := s.work(ctx); err != nil {
		return o, err
	}
	for _, a := range s.arms {
		figures, err := a.figures(ctx, o)
		if err != nil {
			return o, err
		}
		o.Arms = append(o.Arms, figures)
	}
	if err := s.check(ctx, &o); err != nil {
		return o, err
	}
	o.Requests = s.effort.requests
	return o, nil
}

func (a *arm) figures(ctx context.Context, o simulated) (out armOutcome, err error) {
	out.Alerts = a.company
	var page api.KpiPage
	query := url.Values{"from": {o.From}, "to": {o.To}}
	if err := a.api.call(ctx, a.hq, http.MethodGet, "/v1/kpis?"+query.Encode(), nil, &page); err != nil {
		return out, err
	}
	out.Figures = page.Items[0].Figures
	var compared api.KpiComparisonPage
	query = url.Values{"base_from": {o.BaseFrom}, "base_to": {o.BaseTo}, "from": {o.From}, "to": {o.To}}
	if err := a.api.call(ctx, a.hq, http.MethodGet, "/v1/kpis/comparison?"+query.Encode(), nil, &compared); err != nil {
		return out, err
	}
	out.Comparisons = compared.Items[0].Figures
	since := a.town.Midnight(a.town.Days - a.town.Days/2).UTC().Format(time.RFC3339)
	overrides, err := allOf(ctx, a, a.hq, "/v1/overrides", url.Values{"from": {since}}, func(p api.OverridePage) ([]api.Override, *string) { return p.Items, p.NextCursor })
	out.Overrides = len(overrides)
	return out, err
}

// allOf reads a list to its end.
func allOf[P, I any](ctx context.Context, a *arm, token, path string, query url.Values, open func(P) ([]I, *string)) (all []I, err error) {
	query.Set("limit", "200")
	for {
		var page P
		if err := a.api.call(ctx, token, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		items, next := open(page)
		all = append(all, items...)
		if next == nil {
			return all, nil
		}
		query.Set("cursor", *next)
	}
}

// What holds at the end, by the keys of its texts.
const (
	alertsEnded   = "alerts_ended"
	logsAgreed    = "logs_agree"
	figuresAgreed = "figures_agree"
)

// check fails unless all of it holds.
func (s *simulation) check(ctx context.Context, o *simulated) error {
	for _, c := range []struct {
		name  string
		holds func(context.Context) error
	}{
		{alertsEnded, s.alertsEnded}, {logsAgreed, s.house.logsAgree}, {figuresAgreed, func(ctx context.Context) error { return s.figuresAgree(ctx, *o) }},
	} {
		if err := c.holds(ctx); err != nil {
			return fmt.Errorf("%s does not hold: %w", c.name, err)
		}
		o.Checks = append(o.Checks, c.name)
	}
	return nil
}

// alertsEnded wants every alert acknowledged or ended without it, and never both.
func (s *simulation) alertsEnded(ctx context.Context) error {
	for _, a := range s.arms {
		uninformed := map[string]int{}
		for i, o := range a.town.Outlets {
			list, err := allOf(ctx, a, a.managers[i], "/v1/outlets/"+o.ID+"/alerts", url.Values{}, func(p api.UnreadAlertPage) ([]api.UnreadAlert, *string) {
				return p.Items, p.NextCursor
			})
			if err != nil {
				return err
			}
			for _, alert := range list {
				if alert.State != "not_informed" || alert.Reason == nil {
					return fmt.Errorf("alert %s has not ended", alert.AlertID)
				}
				uninformed[alert.AlertID]++
			}
		}
		alerts, err := a.inboxes(ctx)
		if err != nil {
			return err
		}
		for _, alert := range alerts {
			ends := uninformed[alert.AlertID]
			if alert.Acked {
				ends++
			}
			if ends != 1 {
				return fmt.Errorf("alert %s has ended in %d ways", alert.AlertID, ends)
			}
			delete(uninformed, alert.AlertID)
		}
		if len(uninformed) > 0 {
			return fmt.Errorf("%d alerts are in nobody's inbox", len(uninformed))
		}
	}
	return nil
}

// inboxes are those of all couriers, whole.
func (a *arm) inboxes(ctx context.Context) (all []api.Alert, err error) {
	for _, courier := range a.couriers {
		for after := int64(0); ; {
			var page api.AlertPage
			err := a.api.call(ctx, courier, http.MethodGet, fmt.Sprintf("/v1/me/alerts?limit=200&after=%d", after), nil, &page)
			if err != nil {
				return nil, err
			}
			if len(page.Items) == 0 {
				break
			}
			all, after = append(all, page.Items...), page.NextAfter
		}
	}
	return all, nil
}

// errFigures says that figures kept up are others than figures counted anew.
var errFigures = errors.New("the figures change when they are counted anew")

// figuresAgree counts every day anew from the records.
func (s *simulation) figuresAgree(ctx context.Context, o simulated) error {
	if _, err := s.house.keeper.Rebuild(ctx); err != nil {
		return err
	}
	for i, a := range s.arms {
		again, err := a.figures(ctx, o)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(again, o.Arms[i]) {
			return errFigures
		}
	}
	return nil
}
