package backtest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// mostOutlets is how many outlets the table shows; the JSON has them all.
const mostOutlets = 30

// Write writes the report as tables for people.
func (r Report) Write(w io.Writer) error {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	fmt.Fprintf(w, "%d parcels to %d consumers from %s to %s; %d complaints, %d additions to them.\n",
		r.Parcels, r.Consumers, day(r.From), day(r.To), r.All.Complaints, r.Additions)
	fmt.Fprintf(w, "In brackets 95 %% intervals (Wilson, effective sample over consumers);\n"+
		"* marks those that rest on fewer than %d effective consumers and are not to be trusted. Horizon %.4g days.\n\n", fewConsumers, r.HorizonDays)
	fmt.Fprintf(w, "repeat complaints that a correct tag precedes   %s\n", percent(r.All.RepeatsPreceded))
	fmt.Fprintf(w, "wishes voiced again that their tag precedes     %s\n", percent(r.All.WishesPreceded))
	fmt.Fprintf(w, "alerts per 100 parcels                          %s\n", perHundred(r.All.Alerts))
	fmt.Fprintf(w, "alerts needed at once                           %s\n", percent(r.All.AnsweredAtOnce))
	fmt.Fprintf(w, "alerts never needed                             %s\n", percent(r.All.NeverNeeded))
	fmt.Fprintf(w, "alerts too recent to be judged                  %d\n\n", r.All.TooRecent)
	err := writeTable(w, func(t io.Writer) {
		writeHead(t, "tag")
		for _, f := range r.ByTag {
			f.write(t, string(f.Tag))
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	outlets := slices.Clone(r.ByOutlet)
	slices.SortStableFunc(outlets, func(a, b OutletFigures) int { return cmp.Compare(b.Alerts.Of, a.Alerts.Of) })
	err = writeTable(w, func(t io.Writer) {
		writeHead(t, "outlet")
		for _, f := range outlets[:min(len(outlets), mostOutlets)] {
			f.write(t, f.Outlet)
		}
	})
	if err != nil {
		return err
	}
	if more := len(outlets) - mostOutlets; more > 0 {
		fmt.Fprintf(w, "and %d smaller outlets, which --json has\n", more)
	}
	fmt.Fprintln(w)
	err = writeTable(w, func(t io.Writer) {
		fmt.Fprintln(t, "p\tforecasts\tmean p\tright\twrong\tsilent\tshare right of spoken\tat least\tat most")
		for _, b := range r.Reliability {
			fmt.Fprintf(t, "%.1f-%.1f\t%d\t%.3f\t%d\t%d\t%d\t%s\t%s\t%s\n", b.From, b.To, b.Forecasts, b.MeanP, b.Right, b.Wrong, b.Silent,
				percent(b.ShareRight), percent(b.Least), percent(b.Most))
		}
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nBrier score, of those who spoke %s; with silence taken for wrong %s; %d forecasts too recent to be judged\n",
		r.Brier, r.BrierSilent, r.TooRecent)
	return err
}

func writeHead(t io.Writer, what string) {
	fmt.Fprintf(t, "%s\tcomplaints\trepeats preceded\twishes again preceded\talerts per 100 parcels\tneeded at once\tnever needed\ttoo recent\n", what)
}

func (f Figures) write(t io.Writer, name string) {
	fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%d\n", name, f.Complaints, percent(f.RepeatsPreceded), percent(f.WishesPreceded),
		perHundred(f.Alerts), percent(f.AnsweredAtOnce), percent(f.NeverNeeded), f.TooRecent)
}

// percent is such as "62.5 % of 80 [50.6, 73.3]", with a mark where it rests on
// few consumers.
func percent(s Share) string {
	if s.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.1f %% of %d [%.1f, %.1f]%s", 100*s.Value(), s.Of, 100*s.Low, 100*s.High, s.mark())
}

func (s Share) mark() string {
	if s.Consumers < fewConsumers {
		return "*"
	}
	return ""
}

func perHundred(s Share) string {
	if s.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]%s", 100*s.Value(), 100*s.Low, 100*s.High, s.mark())
}

func (m Mean) String() string {
	if m.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.3f of %d [%.3f, %.3f]", m.Value, m.Of, m.Low, m.High)
}

func writeTable(w io.Writer, write func(io.Writer)) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	write(t)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
