package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"
)

// Report is what a run of the benchmarks found.
type Report struct {
	At         time.Time `json:"at"`
	Engine     string    `json:"engine"`
	Settings   []string  `json:"settings,omitempty"` // of the engine, where they change what a commit promises
	Go         string    `json:"go"`
	Machine    string    `json:"machine"`
	Processors int       `json:"processors"`
	Quick      bool      `json:"quick"`
	Seconds    float64   `json:"seconds"`
	Rows       []Row     `json:"rows"`
	Left       []string  `json:"left,omitempty"` // rows that were not measured, and why
}

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteTable writes the report for people.
func (r Report) WriteTable(w io.Writer) error {
	kind := "full"
	if r.Quick {
		kind = "quick"
	}
	fmt.Fprintf(w, "doorstep bench (%s), %s, %s, %s, %d processors, %s, %.0f s\n", kind, r.At.Format("2006-01-02 15:04"), r.Engine, r.Machine, r.Processors, r.Go, r.Seconds)
	for _, s := range r.Settings {
		fmt.Fprintln(w, s)
	}
	fmt.Fprint(w, "Medians [least - greatest] of the runs; both sides of a run are measured right after each other.\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\tdoorstep\treference\tratio\tgoal: must / aim\t")
	for _, row := range r.Rows {
		reference, ratio := "", ""
		if row.Reference != nil {
			reference, ratio = row.Reference.text(), row.Ratio.text()
		}
		fmt.Fprintf(table, "%s\t%s %s\t%s\t%s\t%s\t\n", row.Name, row.Doorstep.text(), row.Unit, reference, ratio, row.goal())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s: %s", row.Name, row.Title)
		if row.Against != "" {
			fmt.Fprintf(w, "; against %s", row.Against)
		}
		if row.Note != "" {
			fmt.Fprintf(w, "; %s", row.Note)
		}
		fmt.Fprintln(w)
	}
	for _, left := range r.Left {
		fmt.Fprintf(w, "not measured: %s\n", left)
	}
	return nil
}

func (r Row) goal() string {
	if r.Goal == nil {
		return ""
	}
	than := ">="
	if r.Goal.AtMost {
		than = "<="
	}
	text := than + " " + number(r.Goal.Must)
	if r.Goal.Aim != 0 {
		text += " / " + number(r.Goal.Aim)
	}
	return text + " " + r.Goal.Reached(r.figure())
}

func (s Spread) text() string {
	return fmt.Sprintf("%s [%s - %s]", number(s.Median), number(s.Min), number(s.Max))
}

// number writes three digits that count.
func number(f float64) string {
	switch size := math.Abs(f); {
	case size >= 100:
		return fmt.Sprintf("%.0f", f)
	case size >= 10:
		return fmt.Sprintf("%.1f", f)
	case size >= 1 || size == 0:
		return fmt.Sprintf("%.2f", f)
	default:
		return fmt.Sprintf("%.3f", f)
	}
}
