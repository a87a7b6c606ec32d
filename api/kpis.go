package api

import (
	"context"
	"slices"
	"strings"

	"doorstep"
	"doorstep/kpi"
)

// GetKpis implements GET /v1/kpis.
func (s *Server) GetKpis(ctx context.Context, req GetKpisRequestObject) (GetKpisResponseObject, error) {
	p := req.Params
	csv, page, err := tableForm(ctx, p.Format, p.Limit, p.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.Board.Table(ctx, actor(ctx), kpi.Query{From: p.From, To: p.To, GroupBy: given(p.GroupBy)})
	if err != nil {
		return nil, err
	}
	if csv {
		text := kpi.FiguresCSV(rows)
		return GetKpis200TextCsvResponse{Body: strings.NewReader(text), ContentLength: int64(len(text))}, nil
	}
	rows, next := groupsAfter(rows, page, func(r kpi.Row) string { return r.Group })
	body := KpiPage{Items: make([]KpiGroup, len(rows)), NextCursor: next}
	for i, r := range rows {
		body.Items[i] = KpiGroup{Group: r.Group, Figures: map[string]KpiFigure{}}
		for k, d := range kpi.Definitions {
			body.Items[i].Figures[d.Name] = figureBody(r.Figures[k], r.Links[k])
		}
	}
	return GetKpis200JSONResponse(body), nil
}

func figureBody(f kpi.Figure, link string) KpiFigure {
	return KpiFigure{
		Num: f.Num, Den: f.Den, Value: f.Value, AsOf: f.AsOf, DefinitionVersion: kpi.DefinitionVersion, Pending: optional(f.Pending),
		Immature: optional(f.Immature), LeftCensored: optional(f.Censored), Interval: intervalBody(f.Interval), CasesURL: optional(link),
	}
}

func intervalBody(i *kpi.Interval) *KpiInterval {
	if i == nil {
		return nil
	}
	return &KpiInterval{Low: i.Low, High: i.High}
}

// CompareKpis implements GET /v1/kpis/comparison.
func (s *Server) CompareKpis(ctx context.Context, req CompareKpisRequestObject) (CompareKpisResponseObject, error) {
	p := req.Params
	csv, page, err := tableForm(ctx, p.Format, p.Limit, p.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.Board.Compare(ctx, actor(ctx), kpi.Shift{
		From: p.From, To: p.To, BaseFrom: p.BaseFrom, BaseTo: p.BaseTo, GroupBy: given(p.GroupBy),
	})
	if err != nil {
		return nil, err
	}
	if csv {
		text := kpi.ComparisonsCSV(rows)
		return CompareKpis200TextCsvResponse{Body: strings.NewReader(text), ContentLength: int64(len(text))}, nil
	}
	rows, next := groupsAfter(rows, page, func(r kpi.ComparedRow) string { return r.Group })
	body := KpiComparisonPage{Items: make([]KpiComparisonGroup, len(rows)), NextCursor: next}
	for i, r := range rows {
		body.Items[i] = KpiComparisonGroup{Group: r.Group, Figures: map[string]KpiComparison{}}
		for k, d := range kpi.Definitions {
			body.Items[i].Figures[d.Name] = comparisonBody(r.Comparisons[k])
		}
	}
	return CompareKpis200JSONResponse(body), nil
}

func comparisonBody(c kpi.Comparison) KpiComparison {
	quotient := func(f kpi.Figure) KpiQuotient { return KpiQuotient{Num: f.Num, Den: f.Den, Value: f.Value} }
	return KpiComparison{
		Now: quotient(c.Now), Base: quotient(c.Base), Decline: c.Decline, Printed: c.Printed(), Halved: c.Halved, Interval: intervalBody(c.Interval),
	}
}

// tableForm says whether a table is wanted as CSV, or else which page of it.
func tableForm(ctx context.Context, format, limit, cursor *string) (csv bool, page Page, err error) {
	var checks doorstep.Checks
	page, err = ParsePage(limit, cursor, 1)
	checks.Under("", err)
	switch given(format) {
	case "":
		csv = strings.HasPrefix(requestFrom(ctx).accept, "text/csv")
	case "csv":
		csv = true
	case "json":
	default:
		checks.Add("/format", "unknown_format", "must be json or csv")
	}
	return csv, page, checks.Err()
}

// groupsAfter cuts a page out of groups in their order.
func groupsAfter[T any](rows []T, page Page, name func(T) string) ([]T, *string) {
	if page.After != nil {
		from := slices.IndexFunc(rows, func(r T) bool { return name(r) > page.After[0] })
		if from < 0 {
			from = len(rows)
		}
		rows = rows[from:]
	}
	return cut(rows, page.Limit, func(last T) *string { return NextCursor(name(last)) })
}
