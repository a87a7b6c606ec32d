package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/backtest"
)

// pastFiles are a small past in both formats, out of order, with bad rows.
func pastFiles(c console) (dispatches, complaints string) {
	dispatches = c.file("dispatches.csv",
		"waybill,outlet_id,courier_id,phone,dispatched_at",
		"SF3,west,li,13800000001,2025-03-01T09:00:00+08:00",
		"SF1,west,li,13800000001,2025-01-06T09:00:00+08:00",
		"SF1,west,li,138 0000 0001,2025-01-06T10:00:00+08:00",
		"SF2,west,li,+8613800000001,2025-01-20T09:00:00+08:00",
		"SF9,west,li,13800000009,2025-09-01T09:00:00+08:00",
		"SF9,west,li,13800000008,2025-09-01T10:00:00+08:00",
		"SF10,west,li,13800000009,",
		"SF11,west,li,12,2025-01-06T09:00:00+08:00",
		"SF12,west")
	complaints = c.file("complaints.ndjson",
		`{"waybill": "SF2", "filed_at": "2025-01-21T09:00:00+08:00", "text": "又给我放快递柜了，说了不要放柜子"}`,
		`{"waybill": "SF1", "filed_at": "2025-01-07T09:00:00+08:00", "text": "不要放快递柜", "category": "locker_without_consent"}`,
		`{"waybill": "SF1", "filed_at": "2025-01-05T09:00:00+08:00", "text": "不要放快递柜"}`,
		`{"waybill": "SF404", "filed_at": "2025-01-07T09:00:00+08:00", "text": "不要放快递柜"}`,
		`{"waybill": "SF1", "text": "不要放快递柜"}`,
		`{"waybill": "SF1", "filed_at": "2025-01-07T09:00:00+08:00", "text": "", "category": "nonsense"}`)
	return dispatches, complaints
}

func TestABacktestPrintsItsReportAndNamesBadRows(t *testing.T) {
	c := console{t: t, data: t.TempDir()}
	dispatches, complaints := pastFiles(c)

	o := command(t, "backtest", dispatches, complaints)
	require.ErrorIs(t, o.failed, errRejected)
	require.Contains(t, o.out, "4 parcels to 2 consumers from 2025-01-06 to 2025-09-01; 2 complaints, 0 additions")
	require.Regexp(t, `no_locker +2 `, o.out)
	require.Regexp(t, `west +2 `, o.out)
	require.Regexp(t, `0\.6-0\.7 +1 .*\n0\.7-0\.8|0\.6-0\.7 +2 `, o.out)
	for _, want := range []string{
		"dispatches.csv line 7: rejected;  conflict", "line 8: rejected; /dispatched_at required", "line 9: rejected; /consignee/phone invalid_phone",
		"line 10: rejected;  malformed", "complaints.ndjson line 3: rejected;  before_dispatch", "line 4: rejected; /waybill not_found",
		"line 5: rejected; /filed_at required", "line 6: rejected; /text required", "/category unknown_category",
		"accepted 6, duplicate 1, rejected 8",
	} {
		require.Contains(t, o.err, want)
	}
	for _, secret := range []string{"1380000000", "快递柜"} {
		require.NotContains(t, o.out+o.err, secret)
	}
}

func TestABacktestInJSONHasTheSameFigures(t *testing.T) {
	c := console{t: t, data: t.TempDir()}
	dispatches, complaints := pastFiles(c)
	o := command(t, "backtest", dispatches, complaints, "--json", "--horizon-days", "30")
	require.ErrorIs(t, o.failed, errRejected)
	var r struct {
		backtest.Report
		All struct {
			Repeats struct{ Part, Of int } `json:"repeat_complaints_preceded"`
			Alerts  struct{ Part, Of int } `json:"alerts_of_parcels"`
			Never   struct{ Part, Of int } `json:"alerts_never_needed"`
		} `json:"all"`
	}
	require.NoError(t, json.Unmarshal([]byte(o.out), &r))
	require.Equal(t, 30.0, r.HorizonDays)
	require.Equal(t, [2]int{1, 1}, [2]int{r.All.Repeats.Part, r.All.Repeats.Of})
	require.Equal(t, [2]int{2, 4}, [2]int{r.All.Alerts.Part, r.All.Alerts.Of})
	require.Equal(t, [2]int{1, 2}, [2]int{r.All.Never.Part, r.All.Never.Of})
	require.Equal(t, 9, strings.Count(o.err, "\n"), "a verdict each, and the counts")
	require.True(t, json.Valid([]byte(strings.SplitN(o.err, "\n", 2)[0])))
}

func TestABacktestRefusesSettingsThatCannotBe(t *testing.T) {
	c := console{t: t, data: t.TempDir()}
	dispatches, complaints := pastFiles(c)
	require.ErrorContains(t, command(t, "backtest", dispatches, complaints, "--horizon-days", "0").failed, "--horizon-days")
	require.ErrorContains(t, command(t, "backtest", dispatches, complaints, "--time-zone", "Mars").failed, "--time-zone")
	require.Error(t, command(t, "backtest", dispatches, "nowhere.csv").failed)
}
