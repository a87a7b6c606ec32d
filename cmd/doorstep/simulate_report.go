package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"doorstep/api"
	"doorstep/i18n"
	"doorstep/kpi"
)

// shownFigures are those of the result's table; --json has all.
var shownFigures = []string{
	"complaint_rate", "repeat_rate_30d", "same_day_share", "within_24h_share", "false_sign_per_day", "confirmed_share",
	"alert_delivery_share", "informed_share", "alert_effect_followed", "alert_effect_unfollowed", "alert_effect_none",
}

// comparedFigures are those of which more is worse.
var comparedFigures = []string{"complaint_rate", "repeat_rate_30d", "false_sign_per_day"}

// write prints the assumptions, and below them the result.
func (o simulated) write(w io.Writer, t i18n.Texts) error {
	a := o.Assumptions
	fmt.Fprintf(w, "%s\n\n%s\n", t.Text("simulation.title"), t.Text("simulation.assumed"))
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	percent := func(f float64) string { return strconv.FormatFloat(f*100, 'g', 4, 64) + " %" }
	for _, line := range []struct {
		key   string
		pairs []string
	}{
		{"people", []string{"days", strconv.Itoa(a.Days), "consumers", strconv.Itoa(a.Consumers), "outlets", strconv.Itoa(a.Outlets), "couriers", strconv.Itoa(a.Couriers), "seed", strconv.FormatUint(a.Seed, 10)}},
		{"parcels", []string{"parcels", number(a.Parcels)}},
		{"wishes", []string{"wishing", percent(a.Wishing)}},
		{"consents", []string{"consent", percent(a.Consent)}},
		{"habits", nil},
		{"alerts", []string{"reached", percent(a.Reached), "seen", percent(a.Seen), "followed", percent(a.Followed)}},
		{"gate", []string{"falsely", percent(a.Falsely), "override", percent(a.Override)}},
		{"complaints", []string{"speaking", percent(a.Speaking), "complains", percent(a.Complains), "mishaps", percent(a.Mishaps)}},
		{"words", nil},
		{"answers", []string{"hours", number(a.AnswerHours), "late", percent(a.Late), "confirmed", percent(a.Confirmed), "disputed", percent(a.Disputed)}},
		{"arms", nil},
	} {
		fmt.Fprintf(w, "- %s\n", t.Fill("simulation.assume_"+line.key, line.pairs...))
	}
	fmt.Fprintf(w, "\n%s\n\n", t.Text("simulation.honest"))

	fmt.Fprintf(w, "%s\n", t.Fill("simulation.figures", "from", o.From, "to", o.To))
	if err := o.table(w, t, shownFigures, func(a armOutcome, name string) string { return printFigure(a.Figures[name], definitionOf(name)) }, true); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", t.Fill("simulation.declines", "base_from", o.BaseFrom, "base_to", o.BaseTo, "from", o.From, "to", o.To))
	if err := o.table(w, t, comparedFigures, func(a armOutcome, name string) string { return printDecline(a.Comparisons[name]) }, false); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", t.Fill("simulation.events", "appointments", strconv.Itoa(o.Appointments), "requests", strconv.Itoa(o.Requests)))
	for _, name := range o.Checks {
		fmt.Fprintf(w, "✓ %s\n", t.Text("simulation.check_"+name))
	}
	return nil
}

// table has a column for each arm, and names its rows at the end: Chinese has no
// place in columns that count runes.
func (o simulated) table(w io.Writer, t i18n.Texts, names []string, cell func(armOutcome, string) string, overrides bool) error {
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, a := range o.Arms {
		fmt.Fprintf(tab, "%s\t", a.Alerts)
	}
	fmt.Fprintln(tab)
	for _, name := range names {
		for _, a := range o.Arms {
			fmt.Fprintf(tab, "%s\t", cell(a, name))
		}
		fmt.Fprintf(tab, "%s (%s)\n", t.Text("simulation.figure_"+name), name)
	}
	if overrides {
		for _, a := range o.Arms {
			fmt.Fprintf(tab, "%d\t", a.Overrides)
		}
		fmt.Fprintln(tab, t.Text("simulation.figure_overrides"))
	}
	return tab.Flush()
}

func definitionOf(name string) kpi.Definition {
	for _, d := range kpi.Definitions {
		if d.Name == name {
			return d
		}
	}
	return kpi.Definition{}
}

// printFigure is such as "12.5 % (1/8) [2.2, 47.1]", with the interval where the
// API gives one.
func printFigure(f api.KpiFigure, d kpi.Definition) string {
	text := d.Printed(kpi.Figure{Num: f.Num, Den: f.Den, Value: f.Value})
	if text == "" {
		text = "-"
	}
	text += fmt.Sprintf(" (%d/%d)", f.Num, f.Den)
	if f.Interval == nil {
		return text
	}
	scale := 1.0
	if d.Scale == kpi.Share {
		scale = 100
	}
	return text + fmt.Sprintf(" [%.1f, %.1f]", f.Interval.Low*scale, f.Interval.High*scale)
}

// printDecline is by how much a figure fell in percent; what rose is negative.
func printDecline(c api.KpiComparison) string {
	if c.Decline == nil {
		return "-"
	}
	text := fmt.Sprintf("%.1f %%", *c.Decline*100)
	if c.Interval == nil {
		return text
	}
	return text + fmt.Sprintf(" [%.1f, %.1f]", c.Interval.Low*100, c.Interval.High*100)
}
