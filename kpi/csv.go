package kpi

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// byteOrderMark tells Excel that a table is UTF-8.
const byteOrderMark = "\ufeff"

// Columns of the tables. They never change order; new ones come at the end.
var (
	figureColumns = []string{
		"group", "figure", "num", "den", "value", "printed", "as_of", "definition_version", "pending", "immature", "left_censored",
		"interval_low", "interval_high", "cases_url",
	}
	comparisonColumns = []string{
		"group", "figure", "num", "den", "value", "base_num", "base_den", "base_value", "decline", "printed", "halved", "interval_low", "interval_high",
	}
)

// FiguresCSV writes a table of figures as CSV, one line a group and figure.
func FiguresCSV(rows []Row) string {
	return table(figureColumns, func(line func(...string)) {
		for _, r := range rows {
			for i, d := range Definitions {
				f := r.Figures[i]
				low, high := ends(f.Interval)
				line(r.Group, d.Name, fmt.Sprint(f.Num), fmt.Sprint(f.Den), number(f.Value), d.Printed(f), f.AsOf.Format(time.RFC3339Nano),
					fmt.Sprint(DefinitionVersion), fmt.Sprint(f.Pending), fmt.Sprint(f.Immature), fmt.Sprint(f.Censored), low, high, r.Links[i])
			}
		}
	})
}

// ComparisonsCSV writes comparisons as CSV.
func ComparisonsCSV(rows []ComparedRow) string {
	return table(comparisonColumns, func(line func(...string)) {
		for _, r := range rows {
			for i, d := range Definitions {
				c := r.Comparisons[i]
				low, high := ends(c.Interval)
				line(r.Group, d.Name, fmt.Sprint(c.Now.Num), fmt.Sprint(c.Now.Den), number(c.Now.Value), fmt.Sprint(c.Base.Num), fmt.Sprint(c.Base.Den),
					number(c.Base.Value), number(c.Decline), c.Printed(), fmt.Sprint(c.Halved), low, high)
			}
		}
	})
}

// table writes CSV as RFC 4180 has it.
func table(columns []string, fill func(line func(...string))) string {
	var text strings.Builder
	text.WriteString(byteOrderMark)
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.Write(columns) // a strings.Builder takes everything
	fill(func(cells ...string) {
		for i := range cells {
			cells[i] = inert(cells[i])
		}
		_ = w.Write(cells)
	})
	w.Flush()
	return text.String()
}

// inert keeps a spreadsheet from taking a cell for a formula. A negative number
// is none.
func inert(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && cell[0] == '-' {
		return cell
	}
	return "'" + cell
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

func ends(i *Interval) (low, high string) {
	if i == nil {
		return "", ""
	}
	return number(&i.Low), number(&i.High)
}
