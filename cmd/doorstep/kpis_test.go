package main

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/kpi"
	"doorstep/store/storetest"
)

func (a *app) kpis(token, query string) map[string]map[string]api.KpiFigure {
	a.t.Helper()
	list := map[string]map[string]api.KpiFigure{}
	for _, g := range pages(a, token, "/v1/kpis?"+query, func(p api.KpiPage) ([]api.KpiGroup, *string) { return p.Items, p.NextCursor }) {
		list[g.Group] = g.Figures
	}
	return list
}

// quotient is num and den.
func quotient(f api.KpiFigure) []int64 { return []int64{f.Num, f.Den} }

func (a *app) complaintsAt(token, link string) []api.Complaint {
	a.t.Helper()
	return pages(a, token, link+"&limit=2", func(p api.ComplaintPage) ([]api.Complaint, *string) { return p.Items, p.NextCursor })
}

// twoDays is a small company's: on 2 March from 9:00 five complaints, of which
// two are handled the same day, one within 24 hours, one late, after a pause, and
// one is withdrawn; and on the 3rd one that repeats the first.
func twoDays(a *app) {
	me, other, manager := a.consumer(anne), a.consumer(bela), a.manager("west")
	a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", anne), parcel("SF3", "li", bela), parcel("SF4", "chen", bela), parcel("SF5", "chen", bela))
	for _, w := range []string{"SF1", "SF2"} {
		a.signFor("li", w, signed("in_person", a.clock.Now())).is(http.StatusOK)
	}
	at := a.clock.Now().Format(time.RFC3339)
	a.post(a.integrator(), "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{{Waybill: "SF4", OutletID: "west", Code: "signed_self", At: at}}}).is(http.StatusOK)
	file := func(token, waybill, category string) string {
		in := api.ComplaintInput{Waybill: waybill, Text: "see " + waybill + category, Category: ptr(category)}
		return read[api.Complaint](a.post(token, "/v1/complaints", in), http.StatusCreated).ID
	}
	first := file(me, "SF1", "false_sign_for")
	second := file(me, "SF2", "delay")
	third := file(other, "SF3", "delay")
	fourth := file(other, "SF4", "lost")
	gone := file(other, "SF5", "delay")
	a.clock.Add(time.Minute)
	a.act(other, gone, "withdrawal", nil)
	a.act(manager, first, "answer", words("Sorry."))
	a.act(manager, fourth, "pause", api.ComplaintPauseInput{Reason: "weather"})
	a.clock.Add(12 * time.Hour) // 21:01
	a.act(manager, second, "answer", words("Sorry."))
	a.act(me, second, "confirmation", nil)
	a.clock.Add(11 * time.Hour)
	a.act(manager, third, "answer", words("Sorry."))
	file(me, "SF2", "false_sign_for")
	a.clock.Add(2 * time.Hour)
	a.act(manager, fourth, "answer", words("Sorry."))
}

func TestTheFiguresOfAPeriod(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		twoDays(a)
		hq := a.hq()
		got := a.kpis(hq, "from=2026-03-02&to=2026-03-03")["company"]
		require.Len(t, got, len(kpi.Definitions))
		for name, want := range map[string][]int64{
			"complaint_rate": {5, 3}, "penalty_rate": {0, 3}, "same_day_share": {2, 5}, "within_24h_share": {3, 4}, "within_7d_share": {0, 0},
			"repeat_rate_30d": {1, 5}, "false_sign_per_day": {2, 2}, "same_day_before_16h": {2, 5}, "same_day_durable": {2, 5},
			"repeat_any_category_30d": {1, 5}, "repeat_same_parcel_30d": {0, 5}, "repeat_same_outlet_30d": {1, 5},
			"confirmed_share": {1, 1}, "closed_unconfirmed_share": {0, 1}, "promise_breach_share": {1, 4}, "promise_breach_paused_share": {1, 1},
			"paused_share": {1, 5}, "alert_delivery_share": {0, 0}, "informed_share": {0, 0}, "alert_effect_none": {3, 3},
		} {
			require.Equal(t, want, quotient(got[name]), name)
		}
		require.InDelta(t, 16666.67, *got["complaint_rate"].Value, 0.01)
		require.Nil(t, got["penalty_rate"].Value, "nobody can decide on one yet")
		require.Equal(t, int64(1), *got["within_24h_share"].Pending)
		require.Equal(t, int64(5), *got["within_7d_share"].Pending)
		require.True(t, *got["repeat_rate_30d"].LeftCensored)
		require.Nil(t, got["same_day_share"].LeftCensored)
		require.Equal(t, a.clock.Now(), got["same_day_share"].AsOf)
		require.Equal(t, 1, got["same_day_share"].DefinitionVersion)
		require.InDelta(t, 0.1176, got["same_day_share"].Interval.Low, 0.0001)

		days := a.kpis(hq, "from=2026-03-01&to=2026-03-03&group_by=day&limit=1")
		require.Len(t, days, 3, "days without complaints too")
		require.Equal(t, []int64{0, 1}, quotient(days["2026-03-01"]["false_sign_per_day"]))
		require.Equal(t, []int64{2, 4}, quotient(days["2026-03-02"]["same_day_share"]))
		require.Equal(t, []int64{1, 1}, quotient(days["2026-03-03"]["repeat_rate_30d"]))
		couriers := a.kpis(hq, "from=2026-03-02&to=2026-03-03&group_by=courier")
		require.Equal(t, []int64{4, 2}, quotient(couriers["li"]["complaint_rate"]))
		require.Equal(t, []int64{1, 1}, quotient(couriers["chen"]["complaint_rate"]))
		categories := a.kpis(hq, "from=2026-03-02&to=2026-03-03&group_by=category")
		require.Equal(t, []int64{2, 3}, quotient(categories["delay"]["complaint_rate"]), "all parcels")
		require.Len(t, categories, 13)
		outlets := a.kpis(hq, "from=2026-03-02&to=2026-03-03&group_by=outlet")
		require.Equal(t, quotient(got["same_day_share"]), quotient(outlets["west"]["same_day_share"]))

		// Two days later nothing is pending; a week later the 7 days are over too.
		a.clock.Add(7 * 24 * time.Hour)
		later := a.kpis(hq, "from=2026-03-02&to=2026-03-03")["company"]
		require.Equal(t, []int64{3, 5}, quotient(later["within_24h_share"]))
		require.Equal(t, []int64{4, 5}, quotient(later["within_7d_share"]))
		require.Nil(t, later["within_7d_share"].Pending)
	})
}

func TestEachFigureLinksToItsComplaints(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		twoDays(a)
		linked := map[string]bool{}
		for _, by := range []string{"company", "outlet", "courier", "category", "day"} {
			for group, figures := range a.kpis(a.hq(), "from=2026-03-02&to=2026-03-03&group_by="+by) {
				for name, f := range figures {
					if f.CasesURL == nil {
						continue
					}
					linked[name] = true
					require.Len(t, a.complaintsAt(a.hq(), *f.CasesURL), int(f.Num), "%s of %s: %s", name, group, *f.CasesURL)
				}
			}
		}
		for _, name := range []string{"complaint_rate", "same_day_share", "within_24h_share", "within_7d_share", "repeat_rate_30d", "false_sign_per_day"} {
			require.True(t, linked[name], name)
		}
		for _, figures := range a.kpis(a.integrator(), "from=2026-03-02&to=2026-03-03&group_by=courier") {
			for name, f := range figures {
				require.Nil(t, f.CasesURL, "%s: an integrator may not read the list", name)
			}
		}
		for _, f := range a.kpis(a.hq(), "from=2026-03-02&to=2026-03-03&group_by=courier")[""] {
			require.Nil(t, f.CasesURL)
		}
		p := a.get(a.courier("li"), "/v1/complaints?repeat=true").problem(http.StatusUnprocessableEntity)
		require.Equal(t, "/repeat", p.Errors[0].Pointer, "what else a consumer complained of is not for couriers")
		for _, filter := range []string{"filed_from=x", "filed_from=2026-03-02", "handled=same_day", "handled=late", "repeat=1", "counted=yes", "filed_until=noon"} {
			a.get(a.hq(), "/v1/complaints?"+filter).problem(http.StatusUnprocessableEntity)
		}
	})
}

func TestOnlyWhatOneMaySeeIsInTheFigures(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		twoDays(a)
		const period = "from=2026-03-02&to=2026-03-03&group_by=outlet"
		require.Contains(t, a.kpis(a.manager("west"), period), "west")
		require.Contains(t, a.kpis(a.integrator(), period), "west")
		require.Empty(t, a.kpis(a.manager("east"), period))
		require.Empty(t, a.kpis(a.manager("east"), "from=2026-03-02&to=2026-03-03&group_by=courier"))
		for _, query := range []string{
			"", "from=2026-03-02", "from=2026-03-02&to=2026-02-30", "from=2026-03-02&to=2026-03-01", "from=2025-01-01&to=2026-03-01",
			"from=2026-03-02&to=2026-03-02&group_by=street", "from=2026-03-02&to=2026-03-02&format=xml",
		} {
			r := a.get(a.hq(), "/v1/kpis?"+query)
			r.problem(r.status)
			require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, r.status, query)
		}
	})
}

func TestATableComesAsCSV(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		twoDays(a)
		formula := parcel("SF9", "=HYPERLINK(1)", anne)
		a.dispatch(formula)
		a.signFor("=HYPERLINK(1)", "SF9", signed("in_person", a.clock.Now())).is(http.StatusOK)
		const path = "/v1/kpis?from=2026-03-02&to=2026-03-03&group_by=courier"
		r := a.get(a.hq(), path, withHeader("Accept", "text/csv"))
		r.is(http.StatusOK)
		require.Equal(t, r.body, a.get(a.hq(), path+"&format=csv").body)
		text, marked := strings.CutPrefix(string(r.body), "\ufeff")
		require.True(t, marked)
		lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		require.Equal(t, "group,figure,num,den,value,printed,as_of,definition_version,pending,immature,left_censored,interval_low,interval_high,cases_url", strings.Join(lines[0], ","))
		groups := map[string]bool{}
		for _, line := range lines[1:] {
			groups[line[0]] = true
			if line[0] == "li" && line[1] == "same_day_share" {
				require.Equal(t, []string{"2", "4", "0.5", "50.0 %"}, line[2:6])
			}
		}
		require.Equal(t, map[string]bool{"li": true, "chen": true, "'=HYPERLINK(1)": true}, groups)
		require.Len(t, lines, 1+3*len(kpi.Definitions))
	})
}

func TestTwoPeriodsAreCompared(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		twoDays(a)
		query := url.Values{"from": {"2026-03-03"}, "to": {"2026-03-03"}, "base_from": {"2026-03-02"}, "base_to": {"2026-03-02"}}
		page := read[api.KpiComparisonPage](a.get(a.hq(), "/v1/kpis/comparison?"+query.Encode()), http.StatusOK)
		got := page.Items[0].Figures
		require.Equal(t, api.KpiQuotient{Num: 1, Den: 1, Value: ptr(1.0)}, got["false_sign_per_day"].Now)
		require.Equal(t, 0.0, *got["false_sign_per_day"].Decline)
		require.False(t, got["false_sign_per_day"].Halved)
		require.NotNil(t, got["false_sign_per_day"].Interval)
		require.Nil(t, got["complaint_rate"].Decline, "no parcel was signed for on the later day")
		require.Equal(t, "100.0 %", got["same_day_share"].Printed)
		r := a.get(a.hq(), "/v1/kpis/comparison?format=csv&"+query.Encode())
		r.is(http.StatusOK)
		require.Contains(t, string(r.body), "company,false_sign_per_day,1,1,1,1,1,1,0,0.0 %,false,")
		query.Set("base_from", "2026-03-01")
		a.get(a.hq(), "/v1/kpis/comparison?"+query.Encode()).refuses(http.StatusUnprocessableEntity, "invalid")
	})
}

func TestRebuiltFiguresAreTheSame(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, dbURL string) {
		a := newApp(t, dbURL)
		twoDays(a)
		const period = "from=2026-03-02&to=2026-03-03&group_by=day"
		before := a.kpis(a.hq(), period)
		n, err := (&kpi.Keeper{Store: a.db, Now: a.clock.Now}).Rebuild(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, before, a.kpis(a.hq(), period))
	})
}

func TestRebuildingTellsOfHowManyOutlets(t *testing.T) {
	o := command(t, "kpis", "rebuild", "--data", t.TempDir())
	require.NoError(t, o.failed)
	require.Equal(t, "counted 0 outlets\n", o.out)
}
