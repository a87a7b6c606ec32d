package reading

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"doorstep/complaints"
	"doorstep/prefs"
)

// MarshalJSON adds the ratios to the counts.
func (c Count) MarshalJSON() ([]byte, error) {
	type counts Count
	return json.Marshal(struct {
		counts
		Precision float64 `json:"precision"`
		Recall    float64 `json:"recall"`
		F1        float64 `json:"f1"`
	}{counts(c), c.Precision(), c.Recall(), c.F1()})
}

// MarshalJSON adds the ratios to the counts.
func (f Figures) MarshalJSON() ([]byte, error) {
	type counts Figures
	return json.Marshal(struct {
		counts
		CategoryAccuracy float64 `json:"category_accuracy"`
		TrapRate         float64 `json:"trap_rate"`
		EmptyRate        float64 `json:"left_empty_share"`
	}{counts(f), f.CategoryAccuracy(), f.TrapRate(), f.EmptyRate()})
}

// WriteReport writes s as a table for people: all rows and each language, then
// tag by tag and category by category, then the worst rows.
func (s Score) WriteReport(w io.Writer) error {
	err := writeTable(w, func(t io.Writer) {
		fmt.Fprintln(t, figuresHead)
		writeFigures(t, "all", s.All)
		for _, lang := range slices.Sorted(maps.Keys(s.ByLang)) {
			writeFigures(t, lang, s.ByLang[lang])
		}
	})
	err = errors.Join(err, writeCounts(w, "tag", prefs.Tags, s.ByTag), writeCounts(w, "category", complaints.Categories, s.ByCategory))
	if err != nil || len(s.Worst) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nworst rows")
	for _, m := range s.Worst {
		fmt.Fprintf(w, "%s  %s\n    read %s, labelled %s", m.ID, strings.ReplaceAll(m.Text, "\n", " "), m.Read, m.Category)
		if len(m.Wrong) > 0 {
			fmt.Fprintf(w, "; wrong %v", m.Wrong)
		}
		if len(m.Missing) > 0 {
			fmt.Fprintf(w, "; missing %v", m.Missing)
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

// WriteLeftOut writes one line for each author that was left out.
func WriteLeftOut(w io.Writer, each []LeftOut) error {
	return writeTable(w, func(t io.Writer) {
		fmt.Fprintln(t, figuresHead)
		for _, e := range each {
			writeFigures(t, "without "+e.Author, e.Score.All)
		}
	})
}

// writeCounts writes one line for each of names, in that order.
func writeCounts[N ~string](w io.Writer, head string, names []N, counts map[N]Count) error {
	return writeTable(w, func(t io.Writer) {
		fmt.Fprintf(t, "\n%s\tgold\tprecision\trecall\tF1\n", head)
		for _, name := range names {
			c := counts[name]
			fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t%.3f\n", name, c.TruePositives+c.FalseNegatives, c.Precision(), c.Recall(), c.F1())
		}
	})
}

const figuresHead = "rows\tn\tprecision\trecall\tF1\tcategory\ttraps\tleft empty"

func writeFigures(t io.Writer, name string, f Figures) {
	fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", name, f.Rows, f.Tags.Precision(),
		f.Tags.Recall(), f.Tags.F1(), f.CategoryAccuracy(), f.TrapRate(), f.EmptyRate())
}

func writeTable(w io.Writer, write func(io.Writer)) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	write(t)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
